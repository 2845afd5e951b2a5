#!/bin/sh
# Pruning buckets that keep versions: the space is really free, and what object
# lock protects is reported with the time and not a failure.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"

s3_start
s3_bucket kept versioned
s3_bucket locked lock
d=$T/main
rt_cluster "s3:$kept/pre"
rt_conf "$T/conf" "s3:$kept/pre" "s3:$locked"

rs_mark "$d" a
rs_archived "$d"
rt_backup first --repo r1
rt_backup first2 --repo r2
rs_mark "$d" b
rs_archived "$d"
rt_backup second --repo r1
rt_backup second2 --repo r2
rs_archived "$d"
pg_stop "$d"
rt_settle

# -- versions ------------------------------------------------------------------

# One pack was written over by somebody: an older version lies below it.
pack=$(s3_keys "$kept" pre/ | grep "/$first/pack/" | head -n 1)
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
s3ctl lock "$locked" "$(s3_keys "$locked" |
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
