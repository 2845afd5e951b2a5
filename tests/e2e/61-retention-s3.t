#!/bin/sh
# Pruning a bucket: what goes is gone, what stays can be restored, and
# credentials that may not delete delete nothing.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"

s3_start
s3_bucket bucket
d=$T/main
rt_cluster "s3:$bucket/pre"
rt_conf "$T/short" "s3:$bucket/pre"

objects() {
	s3_keys "$bucket" pre/ | grep -v -e /audit/ -e /hold/
}

rs_mark "$d" a
rt_backup first
rs_mark "$d" b
rs_archived "$d"
rt_backup second
rs_mark "$d" c
rs_archived "$d"
pg_stop "$d"
rt_settle
objects >"$T/all"

# -- credentials ---------------------------------------------------------------

conf_user "$T/short" "$T/reader" "$bucket" reader read
ok "credentials that may only read can plan" \
	retention-prune -c "$T/reader" --plan "$T/plan"
exits 4 "... and not prune" retention-prune -c "$T/reader" --apply "$T/plan"
like "... which is said" "$(cat "$T/err")" '[Dd]enied|refuse|403'
objects >"$T/now"
same "... and nothing is gone" "$T/all" "$T/now"

# -- pruning -------------------------------------------------------------------

ok "a hold is placed" retention-hold -c "$T/short" add --backup "$first" \
	--holder Legal --reason "case 1"
hold=$(cat "$T/out")
ok "pruning with a hold" retention-prune -c "$T/short"
is "the held backup is whole" "$(objects | grep -c "/$first/")" \
	"$(grep -c "/$first/" "$T/all")"
exits 3 "the plan from before the hold is refused" \
	retention-prune -c "$T/short" --apply "$T/plan"
ok "the hold is released" \
	retention-hold -c "$T/short" release "$hold" --reason over
records=$(s3ctl list "$bucket" pre/ | grep -c /audit/)
ok "now the plan is applied" retention-prune -c "$T/short" --apply "$T/plan" \
	--reason "test" --approved-by "nobody"
is "the backup's objects are gone from the bucket" \
	"$(objects | grep -c "/$first/")" 0
is "all of the newer one is there" "$(objects | grep -c "/$second/")" \
	"$(grep -c "/$second/" "$T/all")"
is "WAL of the last hour is there" "$(objects | grep -c /wal/)" \
	"$(grep -c /wal/ "$T/all")"
is "the records are" "$(s3ctl list "$bucket" pre/ | grep -c /audit/)" \
	$((records + 2))
ok "the same plan again changes nothing" \
	retention-prune -c "$T/short" --apply "$T/plan"

rt_restored "the oldest backup that is left" abc --backup "$second"

done_testing
