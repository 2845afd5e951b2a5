#!/bin/sh
# Verifying a bucket: by range, with credentials that may only read, and less
# the second time.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"

s3_start
s3_bucket bucket
proxy_start proxy
d=$T/main
rt_cluster "s3@$PROXY_URL:$bucket/pre"
# WAL that is missing may come so long.
write_conf "$T/conf" "$d" "$T/key" "s3@$PROXY_URL:$bucket/pre" -- \
	"push_deadline = 3s"

objects() {
	s3_keys "$bucket" pre/
}
verify() {
	: >"$T/proxy.requests"
	repo-verify -c "$T/conf" --no-progress "$@"
}
# Bytes that came from the store.
bytes() {
	awk '$1 == "GET" { n += $6 } END { print n + 0 }' "$T/proxy.requests"
}

rs_mark "$d" a
rt_backup id
for x in b c d e; do
	rs_mark "$d" $x
	rs_archived "$d"
done

ok "a clean bucket" verify
is "... says nothing" "$(cat "$T/out")" ""
whole=$(bytes)
atleast "... takes its content" "$whole" 1000000
rs_mark "$d" f
rs_archived "$d"
ok "the second time" verify --since-last
atmost "... takes less than a quarter of it" $((4 * $(bytes))) "$whole"

conf_user "$T/conf" "$T/reader" "$bucket" verifier read
ok "credentials that may only read can verify" \
	repo-verify -c "$T/reader" --no-record
exits 4 "... and not record it" repo-verify -c "$T/reader"

objects | grep /wal/ | grep -E '/[0-9A-F]{24}$' | sort >"$T/wal"
gone=$(tail -n 3 "$T/wal" | head -n 1)
s3ctl get "$bucket" "$gone" "$T/segment" || bail "no segment"
s3ctl delete "$bucket" "$gone" || bail "not deleted"
exits 1 "a missing segment is found though the rest was read before" \
	verify --since-last
like "... with what it means" "$(cat "$T/out")" \
	"${gone##*/}: is missing: no moment after 20.* on timeline 1 can"

# It comes while repo-verify waits for it.
sed 's/^push_deadline.*/push_deadline = 10min/' "$T/conf" >"$T/patient"
chmod 600 "$T/patient"
: >"$PROXY_LOG"
bg verify repo-verify -c "$T/patient" --no-progress
asked() {
	[ "$(proxy_count proxy "/${gone##*/} .* 404 ")" -gt 0 ]
}
wait_for 60 asked || fail "it does not ask for the segment"
s3ctl put "$bucket" "$gone" "$T/segment" || bail "not put"
wait "$(bg_pid verify)"
is "one that was on its way is waited for" "$?" 0
rm -f "$T/bg/verify"
is "... and no finding" "$(cat "$T/verify.log")" ""

pack=$(objects | grep "$id/pack/" | head -n 1)
s3ctl get "$bucket" "$pack" "$T/pack" || bail "no pack"
s3ctl delete "$bucket" "$pack" || bail "not deleted"
exits 1 "a missing pack" verify --since-last
like "... with what it means" "$(cat "$T/out")" \
	"$id/pack/.*: is missing: backup $id cannot be restored"

sed "s|^endpoint = .*|endpoint = http://127.0.0.1:1|" "$T/conf" >"$T/nowhere"
sed -i "s/^push_deadline.*/&\nstore_deadline = 2s/" "$T/nowhere"
chmod 600 "$T/nowhere"
exits 4 "a store that does not answer is no finding" \
	repo-verify -c "$T/nowhere"
is "... and nothing is told" "$(cat "$T/out")" ""

# It stops answering when the listings are done: on record when it answers
# again.
s3ctl put "$bucket" "$pack" "$T/pack" || bail "not put"
records() {
	objects | grep -c /audit/
}
ok "all is well again" verify
before=$(records)
sed "s/^push_deadline.*/&\nstore_deadline = 4s/" "$T/conf" >"$T/short"
chmod 600 "$T/short"
proxy_rules proxy '[{"method": "GET", "path": "/pack/", "action": "status",
	"status": 503}]'
exits 4 "a store that fails half way" repo-verify -c "$T/short" --no-progress
like "... is blamed" "$(cat "$T/err")" "503|SlowDown|deadline|time"
proxy_rules proxy
is "... which is on record" $(($(records) - before)) 1
ok "the trail is whole" verify

pg_stop "$d"
done_testing
