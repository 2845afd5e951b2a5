#!/bin/sh
# Memory stays below 128 MiB with 200 000 files, with data that does not
# compress, and with as many jobs as can be asked for, on S3 as on a directory,
# from either source.
. "$(dirname "$0")/../lib/pitrkit.sh"

# peak CMD...: prints the most KiB that CMD had resident
cat >"$T/peak" <<'END'
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
END
peak() {
	"$PYTHON" "$T/peak" "$@"
}

new_key "$T/key"
d=$T/pg/main
pg_new 15 "$d" --wal-segsize 16
pg_archive "$d" "$T/conf"
pg_start "$d" || bail "PostgreSQL does not start"
s3_start
s3_bucket bucket
mkdir "$T/repo"
write_conf "$T/conf" "$d" "$T/key" "file:$T/repo" "s3:$bucket/x"

# Files of no table are backed up as well.
"$PYTHON" - "$d" <<'END' || bail "no files"
import os, sys
for i in range(200):
    os.mkdir(f'{sys.argv[1]}/base/junk{i}')
    for j in range(1000):
        with open(f'{sys.argv[1]}/base/junk{i}/a_rather_long_name_{j}',
                  'wb') as f:
            f.write(os.urandom(64) * (1 + j % 8))
END
for run in "r1 2 files" "r1 64 stream" "r2 2 stream" "r2 64 files"; do
	set -- $run
	repo=$1 jobs=$2 source=$3
	ok "200 000 small files, $jobs jobs, $repo, $source" peak \
		basebackup-ship -c "$T/conf" --repo "$repo" --jobs "$jobs" \
		--source "$source"
	atmost "KiB resident" "$(cat "$T/out")" $((128 << 10))
	diag "$(cat "$T/out") KiB"
done
rm -rf "$d"/base/junk*
head -c 700000000 /dev/urandom >"$d/base/noise"
for run in "r1 2 files" "r1 64 stream" "r2 2 stream" "r2 64 files"; do
	set -- $run
	repo=$1 jobs=$2 source=$3
	ok "700 MB that do not compress, $jobs jobs, $repo, $source" peak \
		basebackup-ship -c "$T/conf" --repo "$repo" --jobs "$jobs" \
		--source "$source"
	atmost "KiB resident" "$(cat "$T/out")" $((128 << 10))
	diag "$(cat "$T/out") KiB"
done
done_testing
