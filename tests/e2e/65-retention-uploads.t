#!/bin/sh
# Multipart uploads that were never completed: those begun a day ago are ended,
# unless a backup may be running; others, and other people's, stay.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"

s3_start
s3_bucket bucket
d=$T/main
rt_cluster "s3:$bucket/pre"
rs_mark "$d" a
rs_archived "$d"
pg_stop "$d"
proxy_start between
conf_proxied "$T/conf" "$T/conf"
own=$(s3_keys "$bucket" pre/ | sed -n 's|/archive$||p')

# begin NAME KEY: an upload that the server has; its id in the file NAME
begin() {
	s3ctl begin "$bucket" "$2" >"$T/$1" || bail "no upload"
}
running=$(date -u +%Y%m%dT%H%M%SZ)-full-00000001
gone=20260101T000000Z-full-00000002
begin old "$own/wal/00000001/0000000100000000/000000010000000000000009"
begin young "$own/wal/00000001/0000000100000000/00000001000000000000000A"
begin manifest "$own/base/$running/manifest"
begin left "$own/base/$gone/manifest"
begin other "pre/other/1/wal/x"
echo x | s3ctl put "$bucket" "$own/base/$running/pack/00000001" - ||
	bail "put"
atleast "there are uploads" "$(s3ctl uploads "$bucket" | wc -l)" 5

# The server's clock cannot be set: its answer is given with other times.
entry() {
	echo "<Upload><Key>$2</Key><UploadId>$(cat "$T/$1")</UploadId>"
	echo "<Initiated>$(date -u -d "$3" +%Y-%m-%dT%H:%M:%S.000Z)</Initiated>"
	echo "</Upload>"
}
listing() {
	echo "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>"
	entry left "$own/base/$gone/manifest" "3 days ago"
	entry manifest "$own/base/$running/manifest" "2 days ago"
	entry old "$own/wal/00000001/0000000100000000/000000010000000000000009" \
		"2 days ago"
	entry young \
		"$own/wal/00000001/0000000100000000/00000001000000000000000A" \
		"23 hours ago"
	echo "</ListMultipartUploadsResult>"
}
listing >"$T/listing"
rule='{"method": "GET", "path": "[?&]uploads", "action": "replace", "file": "'$T/listing'"}'
proxy_rules between "[$rule]"

# An answer that makes no sense: the rest is planned and done.
echo "<html><body>soon</body></html>" >"$T/odd"
proxy_rules between '[{"method": "GET", "path": "[?&]uploads", "action": "replace", "file": "'$T/odd'"}]'
exits 1 "uploads that cannot be listed are a failure" \
	retention-prune -c "$T/conf" --dry-run
like "... that is told" "$(cat "$T/err")" "unfinished uploads: "
like "... with the plan for the rest" "$(cat "$T/out")" "^0 objects, 0 B to go"
exits 1 "... as well when it is carried out" retention-prune -c "$T/conf"
like "... to its end" "$(cat "$T/out")" "^0 objects, .* deleted"
proxy_rules between "[$rule]"

ok "a dry run" retention-prune -c "$T/conf" --dry-run
sed -n '/unfinished uploads/,/to go/p' "$T/out" >"$T/part"
is "names those that are a day old" "$(grep -c begun "$T/part")" 2
like "... one of WAL" "$(cat "$T/part")" "/000000010000000000000009  begun"
like "... and one of a backup that is gone" "$(cat "$T/part")" \
	"$gone/manifest  begun"
atleast "... and ends none" "$(s3ctl uploads "$bucket" | wc -l)" 5
ok "a plan is written" retention-prune -c "$T/conf" --plan "$T/plan"

# One cannot be ended: the others are, and it is told.
proxy_rules between "[$rule, {\"method\": \"DELETE\", \"path\": \"$gone\", \"action\": \"status\", \"status\": 403, \"code\": \"AccessDenied\"}]"
exits 1 "an upload that cannot be ended is a failure" \
	retention-prune -c "$T/conf" --apply "$T/plan"
like "... that is told" "$(cat "$T/err")" "$gone/manifest: .*403"
like "... with what was done" "$(cat "$T/out")" "^1 unfinished uploads ended"
is "the other one has gone" \
	"$(s3ctl uploads "$bucket" | grep -c 0000000009)" 0

proxy_rules between "[$rule]"
ok "the same plan again" retention-prune -c "$T/conf" --apply "$T/plan"
is "ends the rest" "$(s3ctl uploads "$bucket" | grep -c "$gone")" 0
is "the running backup's, the young one and another's are left" \
	"$(s3ctl uploads "$bucket" | wc -l | tr -d ' ')" 3

sed "s|$gone|$running|g" "$T/plan" >"$T/forged"
exits 3 "a plan that would end a running backup's is refused" \
	retention-prune -c "$T/conf" --apply "$T/forged"
proxy_rules between
ok "by the server's own times nothing is old" retention-prune -c "$T/conf"
is "... and stays" "$(s3ctl uploads "$bucket" | wc -l | tr -d ' ')" 3

done_testing
