#!/bin/sh
# A table of more than 1 GB lies in several files: each source takes them all,
# and they come back to the byte.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/restore.sh"

new_key "$T/key"
d=$T/main
# A row a page, and no WAL of them: 1.2 GB within seconds.
pg_new 15 "$d"
pg_start "$d" -cwal_level=minimal -cmax_wal_senders=0 || bail "no server"
pg_psql "$d" "CREATE TABLE large (n int, t text);
	ALTER TABLE large ALTER t SET STORAGE PLAIN" || bail "no table"
pg_psql "$d" "BEGIN; TRUNCATE large;
	INSERT INTO large SELECT g, repeat(md5(g::text), 200)
		FROM generate_series(1, 160000) g;
	COMMIT; CHECKPOINT"
pg_stop "$d"
pg_set "$d" "autovacuum = off"
pg_archive "$d" "$T/conf"
pg_start "$d" || bail "no server"
write_conf "$T/conf" "$d" "$T/key" "file:$T/repo"
pg_psql "$d" "CREATE TABLE mark (v text PRIMARY KEY)"
sum="SELECT count(*) || ' ' || sum(n) || ' ' || sum(hashtext(t))
	|| ' ' || sum(length(t)) FROM large"
want=$(pg_psql "$d" "$sum")
file=$(pg_psql "$d" "SELECT pg_relation_filepath('large')")
atleast "the table lies in more than one file" \
	"$(stat -c %s "$d/$file.1")" 100000000

n=0
for source in files stream; do
	n=$((n + 1))
	rs_mark "$d" $n
	ok "$source: a backup" basebackup-ship -c "$T/conf" --source $source
	rs_mark "$d" "$n."
	rs_archived "$d"
	r=$T/$source
	ok "$source: restored" pitr-restore -c "$T/conf" --target-dir "$r"
	ok "$source: the tree is what the server's manifest says" \
		"$BUILD/tests/tools/verifytree" "$r"
	ok "$source: pg_verifybackup says so, too" \
		"$(pg_client)/pg_verifybackup" -n "$r"
	same "$source: the first file" "$d/$file" "$r/$file"
	same "$source: the second" "$d/$file.1" "$r/$file.1"
	ok "$source: it starts" rs_start "$r"
	wait_for 60 rs_writes "$r" || fail "$source: it does not promote"
	is "$source: the table's checksum" "$(pg_psql "$r" "$sum")" "$want"
	pg_stop "$r" immediate
	rm -rf "$r"
done
done_testing
