#!/bin/sh
# Pruning a bucket: what goes is gone, what stays can be restored, and
# credentials that may not delete delete nothing.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/restore.sh"

s3_start
s3_bucket bucket
d=$T/main
short="retain_full = 1s
retain_wal = 1s
retain_daily = 0
retain_weekly = 0
retain_monthly = 0
retain_yearly = 0
retain_minimum = 1"
new_key "$T/key"
rs_cluster "$d" "$T/conf" "$T/key" "s3:$bucket/pre"
write_conf "$T/short" "$d" "$T/key" "s3:$bucket/pre" -- "$short"

objects() {
	s3ctl list "$bucket" pre/ | cut -f2 | grep -v -e /audit/ -e /hold/
}
backup() {
	basebackup-ship -c "$T/conf" >"$T/out" 2>&1 ||
		bail "no backup: $(cat "$T/out")"
	tail -n 1 "$T/out"
}

rs_mark "$d" a
first=$(backup)
rs_mark "$d" b
rs_archived "$d"
second=$(backup)
rs_mark "$d" c
rs_archived "$d"
pg_stop "$d"
# The short rules keep what is younger than a second.
sleep 2
objects >"$T/all"

# -- credentials ---------------------------------------------------------------

eval "$("$TOP/tests/servers/ceph" user "$S3_DIR" "reader$$")"
"$TOP/tests/servers/ceph" grant "$S3_DIR" "$bucket" "reader$$" read ||
	bail "no grant"
sed -e "s|^access_key_id = .*|access_key_id = $ACCESS|" \
	-e "s|^secret_access_key_file = .*|secret_access_key_file = $SECRET_FILE|" \
	"$T/short" >"$T/reader"
chmod 600 "$T/reader"
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

ok "the oldest backup that is left: restored" pitr-restore -c "$T/conf" \
	--backup "$second" --target-dir "$T/new" --target-action promote
ok "its server starts" rs_start "$T/new"
wait_for 60 rs_writes "$T/new" || fail "no promotion"
is "its rows are there" "$(rs_marks "$T/new")" abc
pg_stop "$T/new"

done_testing
