#!/bin/sh
# Memory stays below 128 MiB whatever is restored: 200 000 small files, data
# that does not compress, as many jobs as can be asked for, segments of 64 MB,
# from S3 as from a directory. And 300 segments are replayed from the archive.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/restore.sh"
. "$(dirname "$0")/../lib/memory.sh"

new_key "$T/key"
s3_start
s3_bucket bucket
gigabytes=${PITRKIT_TEST_GIGABYTES:-2}

d=$T/main
rs_cluster "$d" "$T/conf" "$T/key" "file:$T/repo"
write_conf "$T/conf" "$d" "$T/key" "file:$T/repo" "s3:$bucket/x"
small_files "$d"
for repo in r1 r2; do
	ok "a backup of small files, $repo" \
		basebackup-ship -c "$T/conf" --repo $repo
	jobs=64
	[ $repo = r1 ] || jobs=2
	below "200 000 small files, $jobs jobs, $repo" pitr-restore \
		-c "$T/conf" --repo $repo --jobs $jobs --target-dir "$T/r"
	ok "they are all there" "$BUILD/tests/tools/verifytree" "$T/r"
	rm -rf "$T/r"
	below "200 000 small files verified, $jobs jobs, $repo" repo-verify \
		-c "$T/conf" --repo $repo --jobs $jobs
done
rm -rf "$d"/base/junk*

"$PYTHON" - "$d/base/noise" "$gigabytes" <<'END' || bail "no data"
import os, sys
with open(sys.argv[1], 'wb') as f:
    for _ in range(int(sys.argv[2]) * 64):
        f.write(os.urandom(1 << 24))
END
ok "a backup of $gigabytes GiB that do not compress" \
	basebackup-ship -c "$T/conf"
sum=$(cksum <"$d/base/noise")
# Less of it over TLS: the S3 server of the tests keeps it all in memory.
truncate -s 500M "$d/base/noise"
ok "a backup of 500 MB to S3" basebackup-ship -c "$T/conf" --repo r2
rm "$d/base/noise"
for jobs in 2 64; do
	below "$gigabytes GiB, $jobs jobs" pitr-restore -c "$T/conf" --repo r1 \
		--jobs $jobs --target-dir "$T/r"
	is "they are the same" "$(cksum <"$T/r/base/noise")" "$sum"
	rm -rf "$T/r"
done
below "500 MB, 64 jobs, S3" pitr-restore -c "$T/conf" --repo r2 --jobs 64 \
	--target-dir "$T/r"
ok "they are the same" "$BUILD/tests/tools/verifytree" "$T/r"
rm -rf "$T/r" "$T/repo"
pg_stop "$d"

# -- many segments -----------------------------------------------------------
m=$T/many
rs_cluster "$m" "$T/conf.m" "$T/key" "file:$T/repo.m"
ok "a backup before many segments" basebackup-ship -c "$T/conf.m"
pg_psql "$m" "CREATE TABLE bulk (n int, t text)"
n=0
while [ $n -lt 300 ]; do
	echo "INSERT INTO bulk SELECT g, md5(g::text)
		FROM generate_series(1, 100) g; SELECT pg_switch_wal();"
	n=$((n + 1))
done >"$T/sql"
"$(pg_client)/psql" -XAtq -d "$(pg_conninfo "$m")" -f "$T/sql" >"$T/out" 2>&1
rs_archived "$m"
pg_stop "$m"
below "the way over 300 segments is proven" pitr-restore -c "$T/conf.m" \
	--target-dir "$T/m.r"
ok "they are replayed" rs_start "$T/m.r"
wait_for 120 rs_writes "$T/m.r" || fail "it does not promote"
is "all of them" "$(pg_psql "$T/m.r" "SELECT count(*) FROM bulk")" 30000
pg_stop "$T/m.r" immediate

# -- segments of 64 MB -------------------------------------------------------
b=$T/big
pg_new 15 "$b" --wal-segsize=64
pg_set "$b" "wal_keep_size = 1GB"
pg_start "$b" || bail "no server"
pg_psql "$b" "CREATE TABLE bulk AS SELECT g, md5(random()::text) || md5(g::text)
	FROM generate_series(1, 700000) g"
segment=$(pg_switch "$b")
pg_stop "$b"
write_conf "$T/conf.b" "$b" "$T/key" "file:$T/repo.b" "s3:$bucket/b"
cd "$b" || bail "no directory"
below "a segment of 64 MB is pushed" walpush -c "$T/conf.b" "pg_wal/$segment"
for repo in r1 r2; do
	below "and fetched, $repo" walfetch -c "$T/conf.b" --repo $repo \
		"$segment" "$T/segment"
	same "as it was" "$T/segment" "$b/pg_wal/$segment"
	below "and verified, $repo" repo-verify -c "$T/conf.b" --repo $repo \
		--jobs 64
done
done_testing
