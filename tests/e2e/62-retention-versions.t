#!/bin/sh
# Pruning buckets that keep versions: the space is really free, and what object
# lock protects is reported with the time and not a failure.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/restore.sh"

s3_start
s3_bucket kept versioned
s3_bucket locked lock
d=$T/main
short="retain_full = 1s
retain_wal = 1s
retain_daily = 0
retain_weekly = 0
retain_monthly = 0
retain_yearly = 0
retain_minimum = 1"
new_key "$T/key"
rs_cluster "$d" "$T/conf" "$T/key" "s3:$kept/pre"
write_conf "$T/conf" "$d" "$T/key" "s3:$kept/pre" "s3:$locked" -- "$short"

backup() {
	basebackup-ship -c "$T/conf" --repo "$1" >"$T/out" 2>&1 ||
		bail "no backup: $(cat "$T/out")"
	tail -n 1 "$T/out"
}
rs_mark "$d" a
rs_archived "$d"
first=$(backup r1)
first2=$(backup r2)
rs_mark "$d" b
rs_archived "$d"
second=$(backup r1)
second2=$(backup r2)
rs_archived "$d"
pg_stop "$d"
# The short rules keep what is younger than a second.
sleep 2

# -- versions ------------------------------------------------------------------

# One pack was written over by somebody: an older version lies below it.
pack=$(s3ctl list "$kept" pre/ | cut -f2 | grep "/$first/pack/" | head -n 1)
echo x >"$T/x"
s3ctl put "$kept" "$pack" "$T/x" || bail "put"
atleast "the bucket keeps versions" \
	"$(s3ctl versions "$kept" | grep -c "/$first/")" \
	"$(($(s3ctl list "$kept" pre/ | grep -c "/$first/") + 1))"
ok "pruning a bucket with versions" retention-prune -c "$T/conf"
is "no version of the backup is left, and no marker" \
	"$(s3ctl versions "$kept" | grep -c "/$first/")" 0
is "there are no markers at all" \
	"$(s3ctl versions "$kept" | grep -c ^marker)" 0
ok "the backup that is left can be restored" \
	pitr-restore -c "$T/conf" --dry-run --backup "$second"

# -- object lock ---------------------------------------------------------------

s3ctl versions "$locked" >"$T/before"
s3ctl lock "$locked" "$(s3ctl list "$locked" | cut -f2 |
	grep "/$first2/head")" 86400 || bail "no lock"
ok "a locked backup is no failure" retention-prune -c "$T/conf" --repo r2
like "... its head is named, with the time" "$(cat "$T/err")" \
	"base/$first2/head: not deleted: locked until 20[0-9-]*T"
like "... and counted" "$(cat "$T/out")" '^1 objects are locked, [1-9]'
is "all of it is there, to be restored" \
	"$(s3ctl versions "$locked" | grep -c "/$first2/")" \
	"$(grep -c "/$first2/" "$T/before")"
ok "... which it can be" pitr-restore -c "$T/conf" --repo r2 --dry-run \
	--backup "$first2" --target-immediate

done_testing
