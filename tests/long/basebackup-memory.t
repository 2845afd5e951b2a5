#!/bin/sh
# Memory stays below 128 MiB with 200 000 files, with data that does not
# compress, and with as many jobs as can be asked for, on S3 as on a directory,
# from either source.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/memory.sh"

new_key "$T/key"
d=$T/pg/main
pg_new 15 "$d" --wal-segsize 16
pg_archive "$d" "$T/conf"
pg_start "$d" || bail "PostgreSQL does not start"
s3_start
s3_bucket bucket
mkdir "$T/repo"
write_conf "$T/conf" "$d" "$T/key" "file:$T/repo" "s3:$bucket/x"

small_files "$d"
runs() { # NAME
	for run in "r1 2 files" "r1 64 stream" "r2 2 stream" "r2 64 files"; do
		set -- "$1" $run
		below "$1, $3 jobs, $2, $4" basebackup-ship -c "$T/conf" \
			--repo "$2" --jobs "$3" --source "$4"
	done
}
runs "200 000 small files"
rm -rf "$d"/base/junk*
head -c 700000000 /dev/urandom >"$d/base/noise"
runs "700 MB that do not compress"
done_testing
