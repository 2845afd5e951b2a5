#!/bin/sh
# Clusters as they are met: group access, unlogged tables, odd and empty files,
# settings kept elsewhere, a past that was never archived, two repositories.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/restore.sh"

new_key "$T/key"

# -- a cluster with everything -----------------------------------------------
d=$T/main
rs_cluster "$d" "$T/conf" "$T/key" "file:$T/repo" -g -k
write_conf "$T/conf" "$d" "$T/key" "file:$T/repo" "file:$T/repo2"
mkdir "$T/a place"
pg_psql "$d" "CREATE TABLESPACE place LOCATION '$T/a place'"
pg_psql "$d" "CREATE TABLE far TABLESPACE place AS
	SELECT g AS v FROM generate_series(1, 1000) g"
pg_psql "$d" "CREATE UNLOGGED TABLE scratch AS SELECT 1 AS v"
pg_psql "$d" "CREATE DATABASE other"
pg_psql "$d" "CREATE TABLE wide AS SELECT g AS v, repeat(md5(g::text), 40) AS t
	FROM generate_series(1, 20000) g"
oid=$(pg_psql "$d" "SELECT oid FROM pg_tablespace WHERE spcname = 'place'")
odd=$d/base/$(pg_psql "$d" "SELECT oid FROM pg_database WHERE
	datname = 'postgres'")
head -c 40000000 /dev/urandom >"$odd/noise"
: >"$odd/empty"
: >"$odd/a b'\"\\\$x;|*?"
echo odd >"$odd/ -rf ~"
echo line >"$odd/two
lines"
echo "%s%n" >"$odd/%s%n"
echo umlaut >"$odd/größe"
name=$(printf '%090d' 1)
mkdir "$odd/$name"
echo deep >"$odd/$name/x"
chmod 600 "$odd"/*x* "$odd/noise"
rs_mark "$d" a
ok "a backup" basebackup-ship -c "$T/conf"
ok "a backup into the second repository" basebackup-ship -c "$T/conf" --repo r2
rs_mark "$d" b
rs_archived "$d"

to() {
	to_dir=$1
	shift
	pitr-restore -c "$T/conf" --target-dir "$to_dir" \
		--tablespace "$oid=$to_dir space" "$@"
}
# Type, mode and name of everything; the second tree has a few more files.
modes() {
	(cd "$1" && find . ! -name pg_wal ! -path './pg_wal/*' \
		! -path './pg_stat*' ! -path './log*' \
		! -name 'postmaster.*' ! -name recovery.signal \
		! -name 'backup_*' ! -name 'pg_internal.init' \
		! -path './pg_replslot/*' ! -path './pg_subtrans/*' \
		! -path './base/pgsql_tmp*' ! -path './pg_notify/*' ! -path './pg_dynshmem/*' \
		! -path "./base/*/${scratch:-none}*" \
		-printf '%y %m %p\n' | sort)
}
scratch=$(pg_psql "$d" "SELECT relfilenode FROM pg_class
	WHERE relname = 'scratch'")
for jobs in 1 16; do
	r=$T/jobs$jobs
	ok "$jobs jobs: restored" to "$r" --jobs $jobs
	ok "$jobs jobs: the tree is what the server's manifest says" \
		"$BUILD/tests/tools/verifytree" "$r"
	modes "$r" >"$T/modes.r"
	modes "$d" >"$T/modes.d"
	ok "$jobs jobs: every file and folder has its mode" \
		diff "$T/modes.d" "$T/modes.r"
done
is "the group may look into the data directory" \
	"$(stat -c %a "$T/jobs1" "$T/jobs1 space")" "750
750"
is "and read what the restore wrote" "$(stat -c %a "$T/jobs1/recovery.signal" \
	"$T/jobs1/postgresql.auto.conf")" "640
640"
ok "odd files are the same" diff -r "$odd/$name" \
	"$T/jobs1/base/$(basename "$odd")/$name"
same "one that spans packs, too" "$odd/noise" \
	"$T/jobs16/base/$(basename "$odd")/noise"
ok "it starts" rs_start "$T/jobs16"
wait_for 30 rs_writes "$T/jobs16" || fail "it does not promote"
is "all is there" "$(rs_marks "$T/jobs16") $(pg_psql "$T/jobs16" \
	"SELECT (SELECT count(*) FROM far) || ' ' ||
		(SELECT count(*) || ' ' || sum(length(t)) FROM wide)")" \
	"ab 1000 20000 25600000"
is "an unlogged table is there and empty" \
	"$(pg_psql "$T/jobs16" "SELECT count(*) FROM scratch")" 0
pg_stop "$T/jobs16" immediate

# -- the second repository ---------------------------------------------------
mv "$T/repo" "$T/repo.gone"
nok "the first repository is gone" to "$T/r2"
ok "restored from the second" to "$T/r2" --repo r2
ok "the tree is what the server's manifest says" \
	"$BUILD/tests/tools/verifytree" "$T/r2"
# To the end of the archive: the end is proven by the second alone.
ok "it starts with the first still gone" rs_start "$T/r2"
wait_for 30 rs_writes "$T/r2" || fail "it does not promote"
is "and holds everything" "$(rs_marks "$T/r2")" ab
pg_stop "$T/r2" immediate
mv "$T/repo.gone" "$T/repo"

# -- settings that live elsewhere --------------------------------------------
pg_stop "$d"
mkdir "$T/etc"
mv "$d/postgresql.conf" "$d/pg_hba.conf" "$d/pg_ident.conf" "$T/etc/"
pg_set "$T/etc" "hba_file = '$T/etc/pg_hba.conf'" \
	"ident_file = '$T/etc/pg_ident.conf'"
pg_start "$d" "-cconfig_file=$T/etc/postgresql.conf" || bail "no server"
write_conf "$T/conf" "$d" "$T/key" "file:$T/repo"
rs_mark "$d" c
ok "a backup of a cluster with settings elsewhere" basebackup-ship -c "$T/conf"
rs_archived "$d"
pg_stop "$d"
ok "restored" to "$T/etc.r"
like "it says what to do about them" "$(cat "$T/out")" "config_file="
ok "restored, told as JSON" to "$T/etc.j" --json
like "which says so, too" "$(cat "$T/out")" '^ *"its postgresql.conf was kept .*config_file='
ok "it starts with them" rs_start "$T/etc.r" \
	"-cconfig_file=$T/etc/postgresql.conf" "-cdata_directory=$T/etc.r"
wait_for 30 rs_writes "$T/etc.r" || fail "it does not promote"
is "and holds everything" "$(rs_marks "$T/etc.r")" abc
pg_stop "$T/etc.r" immediate

# -- promoted twice before anything was archived -----------------------------
p=$T/past
pg_new 15 "$p" --wal-segsize=1
for n in 2 3; do
	pg_start "$p" || bail "no server"
	pg_stop "$p"
	pg_set "$p" "restore_command = '/bin/false'"
	touch "$p/recovery.signal"
	pg_start "$p" || bail "no recovery"
	wait_for 30 rs_writes "$p" || bail "no promotion"
	pg_psql "$p" "CHECKPOINT"
	pg_stop "$p"
done
pg_archive "$p" "$T/conf.p"
pg_set "$p" "data_directory = '$p'"
pg_start "$p" || bail "no server"
write_conf "$T/conf.p" "$p" "$T/key" "file:$T/repo.p"
pg_psql "$p" "CREATE TABLE mark (v text)"
rs_mark "$p" a
ok "a past without archive: a backup" basebackup-ship -c "$T/conf.p"
rs_mark "$p" b
rs_archived "$p"
pg_stop "$p"
ok "a past without archive: restored" pitr-restore -c "$T/conf.p" \
	--target-dir "$T/past.r"
like "on the third timeline" "$(cat "$T/out")" "on timeline 3"
like "with a line that leads elsewhere, which is told" "$(cat "$T/out")" \
	"postgresql.conf sets data_directory"
sed -i '/^data_directory/d' "$T/past.r/postgresql.conf"
ok "it starts" pg_start "$T/past.r"
wait_for 30 rs_writes "$T/past.r" || fail "it does not promote"
is "and holds everything" "$(rs_marks "$T/past.r")" ab
rs_mark "$T/past.r" c
rs_archived "$T/past.r"
pg_stop "$T/past.r"
ok "and once more, over the fourth" pitr-restore -c "$T/conf.p" \
	--target-dir "$T/past.s" --json
like "which is the newest" "$(cat "$T/out")" '"timeline": 4'
like "the line is told in JSON, too" "$(cat "$T/out")" \
	'^ *"its postgresql.conf sets data_directory'
sed -i '/^data_directory/d' "$T/past.s/postgresql.conf"
ok "it starts" rs_start "$T/past.s"
wait_for 30 rs_writes "$T/past.s" || fail "it does not promote"
is "and holds everything" "$(rs_marks "$T/past.s")" abc
pg_stop "$T/past.s" immediate
done_testing
