#!/bin/sh
# The day's record of WAL in a bucket: pushed by a host that cannot read, over a
# line that is slow once, and counted by one that can; no push makes a request
# more for it.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/spill.sh"
. "$TOP/tests/lib/clock.sh"

s3_start
s3_bucket bucket
proxy_start proxy
spill_cluster 6
repo-key recipient "$T/key" >"$T/recipient" || bail "no recipient"
chmod 600 "$T/recipient"
write_conf "$T/conf" "$T/pg" "$T/key" "s3@$PROXY_URL:$bucket/pre"
write_conf "$T/push" "$T/pg" "$T/recipient" "s3@$PROXY_URL:$bucket/pre"
clock_make

requests() {
	wc -l <"$T/proxy.requests"
}
ok "a first push" push push 1
: >"$T/proxy.requests"
ok "a second" push push 2
one=$(requests)
proxy_rules proxy '[{"action":"delay","seconds":2,"method":"PUT"}]'
ok "a slow one" push push 3
proxy_rules proxy
: >"$T/proxy.requests"
ok "and one more" push push 4
is "what it carries costs no request" "$(requests)" "$one"
is "... and there is something to carry" \
	"$(stat -c %s "$T/spool/main-$id.pushed")" 40
push push 5
push push 6

# In nine days. The store has its own clock.
clock_jump $((9 * 86400))
today=$(date -u +%Y-%m-%d)
ok "it is verified" clocked repo-verify -c "$T/conf" --no-progress --wal --json
cp "$T/out" "$T/json"
ok "the day has its sum" "$PYTHON" -c '
import json, sys
d = json.load(open(sys.argv[1]))["repositories"][0]["wal_days"]
# Midnight may have passed in between.
assert sum(x["segments"] for x in d) == 6, d
assert sum(x["unknown"] for x in d) in (1, 2), d
assert d[0]["day"] <= sys.argv[2], d
x = max(d, key=lambda x: x.get("longest_ms", -1))
assert x["longest_ms"] >= 2000 and x["longest_of"] == sys.argv[3], d
assert x["loss_ms"] >= x["lag_ms"] >= 0, d
' "$T/json" "$today" "$(nth 3)"
ok "it is verified again" clocked repo-verify -c "$T/conf" --no-progress --wal \
	--since-last --json
like "... and the day has one record" "$(cat "$T/out")" '"wal_days":\[\]'

done_testing
