#!/bin/sh
# Pruning a bucket that keeps versions is killed before each request that changes
# something: from what is left a server is restored, and the next run does the rest.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"

s3_start
s3_bucket bucket versioned
d=$T/main
rt_cluster "s3:$bucket"
rt_conf "$T/conf" "s3:$bucket"
proxy_start between
conf_proxied "$T/conf" "$T/proxied"

# The trail grows with each run.
objects() {
	s3_keys "$bucket" | grep -v /audit/
}
rs_mark "$d" a
rt_backup first
rs_mark "$d" b
rs_archived "$d"
rt_backup second
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

# What is left of a backup without head waits for a day.
as_pruned() {
	objects | grep -v "/$first/[mp]" >"$T/now"
	diff "$T/pruned" "$T/now"
}
# stopped N: it has come to the request that is not answered, or has ended
stopped() {
	[ "$(proxy_count between '^(PUT|POST|DELETE) ')" -ge "$1" ] ||
		! kill -0 "$(bg_pid prune)" 2>/dev/null
}
killed=0 n=0
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
	rt_killed abc as_pruned || diag "... before request $n"
done
is "killed before any of them a server can be restored, and the next run ends it" \
	$RT_BROKEN 0
is "... and each time it was killed" $killed "$requests"
rt_restored "the backup that is left" ab --backup "$second" --target-immediate

done_testing
