#!/bin/sh
# Every fault the other tests count on does what it says, through the real
# gateway. curl's exit status: 0 complete, 18 cut off, 28 timed out, 52 no
# answer, 56 reset.
. "$(dirname "$0")/../lib/pitrkit.sh"

s3_start
s3_bucket bucket
proxy_start px
# Signed by the tests' own client, which signs for the proxy's host and port.
px() {
	S3CTL_ENDPOINT=$PROXY_URL s3ctl "$@"
}
head -c 3000000 /dev/urandom >"$T/data"
ok "a put passes" px put "$bucket" k "$T/data"
ok "a get passes" px get "$bucket" k "$T/back"
same "the bytes are the same" "$T/data" "$T/back"
is "both are in the log" \
	"$(proxy_count px "^(PUT|GET) /$bucket/k - 200 .* none$")" 2
like "the log counts bytes" "$(cat "$PROXY_LOG")" "^PUT .* 3000000 0 none$"

# Everybody may read, so that curl can be the client.
s3ctl grant "$bucket" '*' read
get() {
	curl -sS -m 10 -o "$T/back" -D "$T/head" "$@" "$PROXY_URL/$bucket/k"
}
size() {
	stat -c %s "$T/back"
}
ok "an unsigned get passes" get
same "with the same bytes" "$T/data" "$T/back"

proxy_rules px '[{"action":"status","status":503}]'
exits 22 "status: the given status" get -f
like "it is the one asked for" "$(cat "$T/head")" "^HTTP/1.1 503 "
proxy_rules px '[{"action":"status","status":404,"code":"NoSuchBucket"}]'
get
like "status: with an S3 error" "$(cat "$T/back")" "<Code>NoSuchBucket<"
proxy_rules px '[{"action":"empty200"}]'
get
is "empty200: 200 and nothing" "$(size) $(head -c 12 "$T/head")" "0 HTTP/1.1 200"
proxy_rules px '[{"action":"200error"}]'
get -f
like "200error: an error in a 200" "$(cat "$T/back")" "<Code>InternalError<"

proxy_rules px '[{"action":"cut","bytes":1000}]'
exits 18 "cut: closed in the body" get
is "cut: after that many bytes" "$(size)" 1000
proxy_rules px '[{"action":"cut","bytes":1000,"reset":true}]'
exits 56 "cut with reset: reset in the body" get
proxy_rules px '[{"action":"truncate","bytes":1000}]'
ok "truncate: a complete answer" get
is "truncate: that is too short" "$(size)" 1000
proxy_rules px '[{"action":"wronglen","delta":7}]'
exits 18 "wronglen: more promised than there is" get
proxy_rules px '[{"action":"wronglen","delta":-7}]'
ok "wronglen: less promised than there is" get
is "wronglen: so much less" "$(size)" 2999993

proxy_rules px '[{"action":"flip","offset":2000000,"bit":3}]'
ok "flip: a complete answer" get
is "flip: one byte differs, by that bit" \
	"$(cmp -l "$T/data" "$T/back" | awk '{print $1}')" 2000001
proxy_rules px '[{"action":"flip","offset":-1}]'
get
is "flip: from the end" \
	"$(cmp -l "$T/data" "$T/back" | awk '{print $1}')" 3000000
proxy_rules px '[{"action":"flip-request","offset":5}]'
exits 1 "flip-request: the server notices by its checksum" \
	px put "$bucket" flipped "$T/data"

s3ctl put "$bucket" other /etc/os-release
proxy_rules px "[{\"action\":\"replace\",\"bucket\":\"$bucket\",\"key\":\"other\"}]"
get
same "replace: the other object's body" /etc/os-release "$T/back"
get -r 2-5
is "replace: and its ranges" "$(cat "$T/back")" \
	"$(head -c 6 /etc/os-release | tail -c 4)"
proxy_rules px '[{"action":"headers","headers":{"Date":"yesterday","ETag":null}}]'
get
like "headers: set" "$(cat "$T/head")" "^Date: yesterday"
unlike "headers: removed" "$(cat "$T/head")" "^ETag"

proxy_rules px '[{"action":"drop-request"}]'
exits 52 "drop-request: no answer" get
proxy_rules px '[{"action":"drop-request","method":"PUT"}]'
nok "drop-request: of a put" px put "$bucket" dropped "$T/data"
proxy_rules px '[{"action":"drop-response","method":"PUT"}]'
nok "drop-response: no answer to a put" px put "$bucket" stored "$T/data"
proxy_rules px '[{"action":"after-status","status":500,"method":"PUT"}]'
nok "after-status: an error for a put" px put "$bucket" stored500 "$T/data"
is "stored is what was answered wrongly, and nothing else" \
	"$(s3_keys "$bucket" | paste -sd ' ')" \
	"k other stored stored500"

proxy_rules px '[{"action":"hang"}]'
exits 28 "hang: never an answer" get -m 1
like "hang: told in the log" "$(tail -n 1 "$PROXY_LOG")" " - 0 0 hang$"
proxy_rules px '[{"action":"delay","seconds":0.7}]'
begin=$(now_ms)
get
atleast "delay: the answer comes late" $(($(now_ms) - begin)) 700
proxy_rules px '[{"action":"slow","rate":6000000},{"action":"flip"}]'
begin=$(now_ms)
get
atleast "slow: the body takes its time" $(($(now_ms) - begin)) 490
is "slow: and what follows it is done, too" \
	"$(cmp -l "$T/data" "$T/back" | wc -l)" 1

proxy_rules px '[{"method":"GET","path":"/k$","nth":2,"action":"empty200"}]'
sizes=
for i in 1 2 3; do
	get
	sizes="$sizes $(size)"
done
is "nth: the second of three" "$sizes" " 3000000 0 3000000"
proxy_rules px '[{"every":2,"times":1,"action":"empty200"},
	{"path":"/nothing-like-this","action":"status"}]'
sizes=
for i in 1 2 3 4; do
	get
	sizes="$sizes $(size)"
done
is "every and times: only once" "$sizes" " 3000000 0 3000000 3000000"
proxy_rules px '[{"method":"PUT","action":"status"}]'
get
is "method: another one passes" "$(size)" 3000000
proxy_rules px
ok "no rules, no faults" get

proxy_start tls tls
ok "over TLS, with the gateway's CA" curl -sS -f --cacert "$S3_CA_FILE" \
	--pinnedpubkey "$S3_PIN" -o "$T/back" "$PROXY_URL/$bucket/k"
same "over TLS the bytes are the same" "$T/data" "$T/back"
head -c 30000000 /dev/zero >"$T/zero"
exits 22 "a body announced with Expect is refused at once" \
	curl -sS -f -m 10 --cacert "$S3_CA_FILE" -H 'Expect: 100-continue' \
	-T "$T/zero" "$PROXY_URL/$bucket/unsigned"
done_testing
