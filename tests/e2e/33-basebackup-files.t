#!/bin/sh
# Backups from the data directory itself: when it is taken for the source, what
# of it is copied while the server goes on working, and what goes wrong.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/kill.sh"

new_key "$T/key"
d=$T/pg/main
mkdir "$T/repo" "$T/far"
pg_new 15 "$d" --wal-segsize 1 -k
pg_set "$d" "max_wal_size = 16MB" "archive_timeout = 2s"
pg_archive "$d" "$T/conf"
pg_start "$d" || bail "PostgreSQL does not start"
write_conf "$T/conf" "$d" "$T/key" "file:$T/repo"
root=$T/repo/main/$(pg_psql "$d" \
	"SELECT system_identifier FROM pg_control_system()")

heads() {
	find "$T/repo" -name head | wc -l
}
ship() {
	basebackup-ship -c "$T/conf" "$@"
}
unpack() {
	chmod -R u+rwX "$T/tree" 2>/dev/null
	rm -rf "$T/tree"
	mkdir "$T/tree"
	"$PYTHON" "$TOP/tests/lib/backup.py" --key "$T/key" --root "$root" \
		unpack "$1" "$T/tree"
}
sessions() {
	pg_psql "$d" "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'pitrkit'"
}

amcheck() {
	"$(pg_client)/pg_amcheck" --install-missing --heapallindexed \
		-h "$T/s" -p "$(pg_port "$1")" -U postgres postgres
}

# ---- which source ----
ok "on the server's host" ship -v
like "files are the source" "$(cat "$T/err")" "source: files, read from $d\$"
sed "/^pgdata/d" "$T/conf" >"$T/conf.none"
exits 2 "no pgdata and files wanted" \
	basebackup-ship -c "$T/conf.none" --source files
like "is told" "$(cat "$T/err")" "--source files: the settings name no pgdata"
ok "no pgdata" basebackup-ship -c "$T/conf.none" -v
like "is the stream, and says why" "$(cat "$T/err")" \
	"source: stream, for the settings name no pgdata"

pg_psql "$d" "CREATE ROLE backup LOGIN REPLICATION
	; GRANT EXECUTE ON FUNCTION pg_catalog.pg_switch_wal() TO backup"
sed "s/user=postgres/user=backup/" "$T/conf" >"$T/conf.backup"
exits 4 "a role that may not start backups, and files wanted" \
	basebackup-ship -c "$T/conf.backup" --source files
like "is told the GRANT" "$(cat "$T/err")" 'GRANT EXECUTE ON FUNCTION pg_catal'
ok "the role with its default" basebackup-ship -c "$T/conf.backup" -v
like "streams" "$(cat "$T/err")" "source: stream, for role \"backup\" must not"
pg_psql "$d" "$(sed -n 's/.*\(GRANT EXECUTE ON .*\)$/\1/p' "$T/err")"
ok "and after that GRANT" basebackup-ship -c "$T/conf.backup" -v
like "reads files" "$(cat "$T/err")" "source: files"

# A standby has its primary's system id. Its files with the label of a backup
# of the primary would be no backup, and nothing would tell.
s=$T/pg/standby
"$(pg_bin 15)/pg_basebackup" -D "$s" -X stream -c fast -h "$T/s" \
	-p "$(pg_port "$d")" -U postgres -R >"$T/pgbb" 2>&1 ||
	bail "no standby: $(cat "$T/pgbb")"
sed "s,^pgdata.*,pgdata = $s," "$T/conf" >"$T/conf.wrong"
exits 2 "a directory that no server runs on" \
	basebackup-ship -c "$T/conf.wrong" --source files
like "is told" "$(cat "$T/err")" "no server runs on pgdata $s: is \
that its data directory"
pg_set "$s" "hot_standby = on"
pg_start "$s" || bail "the standby does not start"
exits 2 "the standby's directory for the primary's" \
	basebackup-ship -c "$T/conf.wrong" --source files
like "is told" "$(cat "$T/err")" "is not the data directory of the server that \
conninfo leads to: one of the two settings is wrong"
ok "with the default" basebackup-ship -c "$T/conf.wrong" -v
like "it is the stream" "$(cat "$T/err")" "source: stream, for pgdata .* is not"

# ---- while the server works ----
pg_psql "$d" "CREATE TABLESPACE far LOCATION '$T/far'"
pg_psql "$d" "CREATE TABLE bulk AS SELECT g AS v, repeat(md5(g::text), 3) AS t
		FROM generate_series(1, 150000) g
	; CREATE INDEX ON bulk (v)
	; CREATE TABLE far TABLESPACE far AS SELECT * FROM bulk WHERE v < 50000
	; CREATE TABLE grows (v serial PRIMARY KEY, t text)
	; CREATE TABLE done (v int)
	; CREATE UNLOGGED TABLE scratch AS SELECT 1 AS v"
"$(pg_client)/pgbench" -i -q -s 2 -d "$(pg_conninfo "$d")" >"$T/pgbench" 2>&1 ||
	bail "pgbench -i: $(cat "$T/pgbench")"
echo secret >"$T/server.key"
ln -s "$T/server.key" "$d/server.key"
ln -s "$T/nowhere" "$d/dangling"
mkfifo "$d/pipe"
scratch=$(pg_psql "$d" "SELECT pg_relation_filepath('scratch')")

# Tables that come, grow, shrink and go, and checkpoints that write their pages
# again and again.
cat >"$T/ddl.sql" <<'END'
CREATE TABLE IF NOT EXISTS comes (v int PRIMARY KEY, t text);
INSERT INTO comes SELECT g, repeat('x', 500) FROM generate_series(1, 3000) g;
INSERT INTO grows (t) SELECT repeat('y', 700) FROM generate_series(1, 500);
CREATE TEMP TABLE short AS SELECT * FROM comes;
CHECKPOINT;
TRUNCATE comes;
INSERT INTO comes SELECT g, repeat('z', 50) FROM generate_series(1, 100) g;
DELETE FROM grows WHERE v % 3 = 0;
VACUUM grows;
DROP TABLE comes;
DROP TABLE short;
INSERT INTO done VALUES (1);
CHECKPOINT;
END
bg pgbench "$(pg_client)/pgbench" -n -c 2 -T 300 -d "$(pg_conninfo "$d")"
bg ddl sh -c "while :; do '$(pg_client)/psql' -XAtq -v ON_ERROR_STOP=1 \
	-d '$(pg_conninfo "$d")' -f '$T/ddl.sql' || exit; done"
wait_for 30 sh -c "[ \$('$(pg_client)/psql' -XAtq -d '$(pg_conninfo "$d")' \
	-c 'SELECT count(*) FROM done') -gt 1 ]" || bail "no work is done"
# A temporary table that is there all the while.
bg held "$(pg_client)/psql" -XAtq -d "$(pg_conninfo "$d")" \
	-c "CREATE TEMP TABLE held AS SELECT 1 AS v" -c "SELECT pg_sleep(3600)"
temporary() {
	find "$1" -name 't[0-9]*_[0-9]*'
}
holds_temporary() {
	[ -n "$(temporary "$d")" ]
}
wait_for 30 holds_temporary || bail "no temporary table"
before=$(pg_psql "$d" "SELECT count(*) FROM done")
ok "a backup while tables come and go" ship --source files --rate 20MB -v
id=$(tail -n 1 "$T/out")
like "what is no file is left out" "$(cat "$T/err")" "pipe left out: not a file"
like "and what leads nowhere" "$(cat "$T/err")" "dangling left out: a link"
after=$(pg_psql "$d" "SELECT count(*) FROM done")
atleast "rounds of work meanwhile" $((after - before)) 2
ok "the temporary table is still there" holds_temporary
bg_stop held
bg_stop ddl
bg_stop pgbench
sum=$(pg_psql "$d" "SELECT sum(abalance) FROM pgbench_accounts")
rows=$(pg_psql "$d" "SELECT count(*) || ' ' || coalesce(sum(v), 0) FROM grows")
wait_for 60 pg_archived "$d" "$(pg_switch "$d")" || fail "WAL is archived"

ok "it unpacks" unpack "$id"
ok "it is what its manifest says" "$BUILD/tests/tools/verifytree" "$T/tree"
ok "pg_verifybackup agrees" "$(pg_client)/pg_verifybackup" -n "$T/tree"
same "a link's content came" "$T/tree/server.key" "$T/server.key"
is "as a file" "$(find "$T/tree" -type l)" ""
is "no temporary relation came" "$(temporary "$T/tree")" ""
nok "nor an unlogged one" test -e "$T/tree/$scratch"
ok "but its init fork" test -e "$T/tree/${scratch}_init"

far=$(pg_psql "$d" "SELECT oid FROM pg_tablespace WHERE spcname = 'far'")
ok "it restores to now" pitr-restore -c "$T/conf" --backup "$id" \
	--target-dir "$T/r" --tablespace "$far=$T/r.far" --target-action promote
ok "the server starts" pg_start "$T/r" -c archive_mode=off
in_production() {
	[ "$(pg_psql "$1" "SELECT pg_is_in_recovery()")" = f ]
}
wait_for 60 in_production "$T/r" || fail "it ends recovery"
is "bulk rows" "$(pg_psql "$T/r" "SELECT count(*) || ' ' || sum(v)
	FROM bulk")" "150000 11250075000"
is "rows in the tablespace" "$(pg_psql "$T/r" "SELECT count(*) FROM far")" 49999
is "the table that grew" "$(pg_psql "$T/r" "SELECT count(*) || ' ' ||
	coalesce(sum(v), 0) FROM grows")" "$rows"
is "what pgbench did" "$(pg_psql "$T/r" \
	"SELECT sum(abalance) FROM pgbench_accounts")" "$sum"
is "as its branches say" "$(pg_psql "$T/r" \
	"SELECT sum(bbalance) FROM pgbench_branches")" "$sum"
ok "amcheck finds nothing in tables and indexes" amcheck "$T/r"
pg_stop "$T/r"

# ---- from the standby ----
write_conf "$T/conf.s" "$s" "$T/key" "file:$T/repo"
bg traffic sh -c "while :; do psql -qAtX -h '$T/s' -p $(pg_port "$d") \
	-U postgres -d postgres -c 'INSERT INTO done VALUES (2)'; sleep 0.1; done"
ok "the standby's files" basebackup-ship -c "$T/conf.s" -v --source files \
	--rate 50MB --wal-timeout 60s
id=$(tail -n 1 "$T/out")
bg_stop traffic
ok "unpack" unpack "$id"
ok "are what their manifest says" "$BUILD/tests/tools/verifytree" "$T/tree"
like "and their label says from where" "$(cat "$T/tree/backup_label")" \
	"BACKUP FROM: standby"
done=$(pg_psql "$d" "SELECT count(*) FROM done")
wait_for 60 pg_archived "$d" "$(pg_switch "$d")" || fail "WAL is archived"
rm -rf "$T/r" "$T/r.far"
ok "they restore to now" pitr-restore -c "$T/conf" --backup "$id" \
	--target-dir "$T/r" --tablespace "$far=$T/r.far" --target-action promote
ok "the server starts" pg_start "$T/r" -c archive_mode=off
wait_for 60 in_production "$T/r" || fail "it ends recovery"
is "every row is there" "$(pg_psql "$T/r" "SELECT count(*) FROM done")" "$done"
ok "and amcheck finds nothing" amcheck "$T/r"
pg_stop "$T/r"
pg_stop "$s"

# ---- interrupted ----
rm "$d/pipe" "$d/dangling"
kill_backups 7 "$root" --source files
whole=$(heads)
no_sessions() {
	[ "$(sessions)" = 0 ]
}
ok "and the server no session in backup mode" wait_for 10 no_sessions
ok "and the next backup is made" ship --source files
is "there it is" "$(heads)" $((whole + 1))

# ---- the server goes away ----
bg ship basebackup-ship -c "$T/conf" --source files --rate 2MB -v
wait_for 20 grep -q 'copying from' "$T/ship.log" || fail "it copies"
pid=$(bg_pid ship)
pg_stop "$d" immediate
ok "a server that stops meanwhile is noticed before all is copied" \
	wait_for 20 sh -c "! kill -0 $pid 2>/dev/null"
like "and told" "$(cat "$T/ship.log")" "PostgreSQL: base backup: the connection"
is "and leaves no head" "$(heads)" $((whole + 1))
pg_start "$d" || bail "PostgreSQL does not start again"
write_conf "$T/conf" "$d" "$T/key" "file:$T/repo"

# ---- damaged pages ----
file=$d/$(pg_psql "$d" "CHECKPOINT; SELECT pg_relation_filepath('bulk')" |
	tail -n 1)
cp "$file" "$T/saved"
printf x | dd of="$file" bs=1 seek=40000 conv=notrunc 2>/dev/null
exits 5 "a page with a wrong checksum" ship --source files
like "is told with file and block" "$(cat "$T/err")" \
	"checksum verification failed in file base/[0-9]*/${file##*/}, block 4\$"
printf x | dd of="$file" bs=1 seek=8500000 conv=notrunc 2>/dev/null
exits 5 "two of them" ship --source files
# Whichever was read first.
like "are counted" "$(cat "$T/err")" "block (4|1037), and for 1 more pages"
# a page that pretends to be newer than the backup: its LSN is 0xFF...
cp "$T/saved" "$file"
printf '\377\377\377\377' | dd of="$file" bs=1 seek=40960 conv=notrunc \
	2>/dev/null
exits 5 "a page with an LSN behind the end of WAL" ship --source files
like "is told, too" "$(cat "$T/err")" "block 5, which says it is newer than"
is "and none of them leaves a head" "$(heads)" $((whole + 1))
cp "$T/saved" "$file"
ok "once it is mended the backup is made" ship --source files
done_testing
