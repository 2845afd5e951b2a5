#!/bin/sh
# A bucket that keeps versions takes If-None-Match and writes all the same, on
# Ceph. A backup with another key than the archive's once put its own mark over
# the archive's, and was then told that the keys fit.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/restore.sh"

s3_start
s3_bucket bucket versioned
d=$T/main
new_key "$T/key"
new_key "$T/other.key"
rs_cluster "$d" "$T/conf" "$T/key" "s3:$bucket"
rs_mark "$d" a
rs_archived "$d"
write_conf "$T/other" "$d" "$T/other.key" "s3:$bucket"
marks() {
	s3ctl versions "$bucket" | grep '/archive$'
}
marks >"$T/before"
atleast "the archive has its mark" "$(wc -l <"$T/before")" 1
exits 5 "a backup with another key is refused" basebackup-ship -c "$T/other"
like "... for what it is" "$(cat "$T/err")" \
	"archive in repository r1 was made with other settings of key_file"
marks >"$T/now"
same "... and leaves the mark alone" "$T/before" "$T/now"
ok "one with its own key is taken" basebackup-ship -c "$T/conf"
marks >"$T/now"
same "... and does not write the mark again" "$T/before" "$T/now"

# -- a directory that is not mounted -------------------------------------------
# A backup once began a new archive in the empty mount point, and walpush, which
# refuses a directory that has lost its mark, went on there.
write_conf "$T/local" "$d" "$T/key" "file:$T/repo"
ok "the first segment in a directory" walpush -c "$T/local" \
	"$d/pg_wal/$(ls "$d/pg_wal" | grep -E '^[0-9A-F]{24}$' | sed -n 1p)"
mv "$T/repo" "$T/away"
mkdir "$T/repo"
exits 4 "a directory without the archive takes no backup" \
	basebackup-ship -c "$T/local" --wal-timeout 1s
like "... and it is told why" "$(cat "$T/err")" \
	"mark, which was there, is gone: is it mounted.*remove .*\.marks"
is "... nor is anything put there" "$(ls "$T/repo")" ""
pg_stop "$d"
done_testing
