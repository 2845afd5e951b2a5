#!/bin/sh
# Pruning a bucket that keeps versions is killed before each request that changes
# something: what is left can be restored, and the next run does the rest.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/restore.sh"

s3_start
s3_bucket bucket versioned
d=$T/main
new_key "$T/key"
rs_cluster "$d" "$T/conf" "$T/key" "s3:$bucket"
write_conf "$T/conf" "$d" "$T/key" "s3:$bucket" -- "retain_full = 1s
retain_wal = 1s
retain_daily = 0
retain_weekly = 0
retain_monthly = 0
retain_yearly = 0
retain_minimum = 1"
proxy_start between
sed "s|^endpoint = .*|endpoint = $PROXY_URL|
	s|^ca_file = .*|insecure = yes|" "$T/conf" >"$T/proxied"
chmod 600 "$T/proxied"

backup() {
	basebackup-ship -c "$T/conf" >"$T/out" 2>&1 ||
		bail "no backup: $(cat "$T/out")"
	tail -n 1 "$T/out"
}
# The trail grows with each run.
objects() {
	s3ctl list "$bucket" | cut -f2 | grep -v /audit/
}
rs_mark "$d" a
first=$(backup)
rs_mark "$d" b
rs_archived "$d"
second=$(backup)
rs_mark "$d" c
rs_archived "$d"
pg_stop "$d"
sleep 2
mkdir "$T/saved"
n=0
for key in $(objects | grep "/$first/"); do
	n=$((n + 1))
	echo "$key" >"$T/saved/$n.key"
	s3ctl get "$bucket" "$key" "$T/saved/$n" || bail "get"
done
put_back() {
	for f in "$T"/saved/*.key; do
		s3ctl put "$bucket" "$(cat "$f")" "${f%.key}" || bail "put"
	done
}

changes='"method": "PUT|POST|DELETE"'
ok "a whole run" retention-prune -c "$T/proxied"
requests=$(proxy_count between '^(PUT|POST|DELETE) ')
atleast "... changes by a few requests" "$requests" 4
objects >"$T/pruned"
is "... after which the backup is gone" "$(grep -c "/$first/" "$T/pruned")" 0

# stopped N: it has come to the request that is not answered, or has ended
stopped() {
	[ "$(proxy_count between '^(PUT|POST|DELETE) ')" -ge "$1" ] ||
		! kill -0 "$(bg_pid prune)" 2>/dev/null
}
broken=0 killed=0 n=0
while [ $n -lt "$requests" ]; do
	n=$((n + 1))
	put_back
	: >"$PROXY_LOG"
	proxy_rules between "[{$changes, \"nth\": $n, \"action\": \"hang\"}]"
	bg prune retention-prune -c "$T/proxied"
	wait_for 30 stopped $n || diag "request $n does not come"
	kill -KILL "$(bg_pid prune)" 2>/dev/null && killed=$((killed + 1))
	wait "$(bg_pid prune)" 2>/dev/null
	rm -f "$T/bg/prune"
	proxy_rules between
	pitr-restore -c "$T/conf" --dry-run >"$T/out" 2>&1 || {
		broken=$((broken + 1))
		diag "before request $n: $(cat "$T/out")"
	}
	retention-prune -c "$T/conf" >"$T/out" 2>&1 || {
		broken=$((broken + 1))
		diag "before request $n: $(cat "$T/out")"
	}
	# What is left of a backup without head waits for a day.
	objects | grep -v "/$first/[mp]" >"$T/now"
	cmp -s "$T/pruned" "$T/now" || {
		broken=$((broken + 1))
		diag "before request $n: $(diff "$T/pruned" "$T/now")"
	}
done
is "killed before any of them it stays restorable, and the next run ends it" \
	$broken 0
is "... and each time it was killed" $killed "$requests"
ok "the backup that is left can be restored" \
	pitr-restore -c "$T/conf" --dry-run --backup "$second"

done_testing
