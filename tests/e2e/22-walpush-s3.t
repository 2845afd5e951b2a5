#!/bin/sh
# walpush to S3: no success without the object, whatever happens to a request.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"

s3_start
s3_bucket bucket
new_key "$T/key"
wal_cluster "$T/pg"
write_conf "$T/conf" "$T/pg" "$T/key" "s3:$bucket/site/a"
pg_archive "$T/pg" "$T/conf"
pg_start "$T/pg" || bail "no server"

# -- every kind, over TLS -----------------------------------------------------
lives_in_every_kind "$T/pg"
for kind in "$SEGMENT" "$LABEL" "$HISTORY" "$PARTIAL"; do
	is "PostgreSQL archives ${kind#????????????????????????}: one object" \
		"$(s3ctl list "$bucket" site/a/main/ | grep -c "/$kind\$")" 1
done
wal_make "$T/pg" 12 >"$T/names"
wait_for 30 pg_archived "$T/pg" "$(tail -n 1 "$T/names")" ||
	bail "not archived"
pg_stop "$T/pg"
key_of() {
	s3_keys "$bucket" | grep "/$1\$"
}
push() {
	in_dir "$T/pg" walpush -c "${CONF:-$T/conf}" "$@"
}
fetch() {
	in_dir "$T/pg" walfetch -c "${CONF:-$T/conf}" "$@"
}
exits 0 "an archived segment comes back" fetch "$SEGMENT" "$T/back"
same "as it was" "$T/back" "$T/pg/pg_wal/$SEGMENT"
exits 1 "an absent one is proven absent" \
	fetch 000000020000000000000FFF "$T/back2"

# -- the same again, and other content ---------------------------------------
key=$(key_of "$SEGMENT")
s3ctl get "$bucket" "$key" "$T/object"
exits 0 "the same segment again is a success" push "pg_wal/$SEGMENT"
mkdir "$T/w"
cp "$T/pg/pg_wal/$SEGMENT" "$T/w/$SEGMENT"
printf x | dd of="$T/w/$SEGMENT" bs=1 seek=1048575 conv=notrunc status=none
exits 3 "other content under a name that is taken is refused" \
	push "$T/w/$SEGMENT"
s3ctl get "$bucket" "$key" "$T/object2"
same "and the stored object is what it was" "$T/object" "$T/object2"

# -- bad luck with requests ---------------------------------------------------
proxy_start p tls
write_conf "$T/conf2" "$T/pg" "$T/key" "s3@$PROXY_URL:$bucket/site/b" -- \
	"push_deadline = 4s" "fetch_deadline = 4s"
CONF=$T/conf2
stored() {
	[ -n "$(s3ctl list "$bucket" site/b/ | grep "/$1\$")" ]
}
n=0
next() {
	n=$((n + 1))
	name=$(sed -n ${n}p "$T/names")
}
# A fault that lasts: 4 within the deadline, and never a success by mistake;
# then the fault is over and the same push succeeds.
lasting() {
	next
	proxy_rules p "[{\"method\":\"PUT\",$2}]"
	start=$(now_ms)
	exits 4 "$1, for good: 4" push "pg_wal/$name"
	intime "$1: within the deadline" $(($(now_ms) - start)) 4
	proxy_rules p
	exits 0 "$1, then over: a success" push "pg_wal/$name"
	ok "$1: the object is there" stored "$name"
	exits 0 "$1: and comes back" fetch "$name" "$T/back"
	same "$1: as it was" "$T/back" "$T/pg/pg_wal/$name"
}
# A fault that passes: the same call succeeds.
passing() {
	next
	proxy_rules p "[{\"method\":\"PUT\",\"first\":1,$2}]"
	exits 0 "$1, once: a success all the same" push "pg_wal/$name"
	ok "$1: the object is there" stored "$name"
	s3ctl get "$bucket" "$(key_of "$name" | grep site/b)" "$T/o"
	exits 0 "$1: and recognised" push "pg_wal/$name"
}
lasting "a store that hangs" '"action":"hang"'
lasting "503" '"action":"status","status":503,"code":"SlowDown"'
lasting "a store that resets" '"action":"drop-request","reset":true'
lasting "a PUT that is stored but never answered" '"action":"drop-response"'
lasting "200 without a body or an ETag, from something that is no store" \
	'"action":"empty200"'
lasting "200 with an error in its body" '"action":"200error","code":"InternalError"'
passing "500" '"action":"status","status":500,"code":"InternalError"'
passing "a PUT that is stored but not answered" '"action":"drop-response"'
passing "a PUT that is stored and answered with 500" \
	'"action":"after-status","status":500,"code":"InternalError"'
next
proxy_rules p '[{"method":"PUT","action":"flip-request","offset":5000}]'
exits 4 "a body that is changed on its way is not taken" push "pg_wal/$name"
nok "and is not stored" stored "$name"
proxy_rules p '[{"method":"PUT","action":"status","status":403,
	"code":"AccessDenied"}]'
exits 4 "403 is 4" push "pg_wal/$name"
nok "and nothing is stored" stored "$name"
proxy_rules p

# -- secrets --------------------------------------------------------------------
with_log() (
	SSLKEYLOGFILE=$T/tls-secrets
	export SSLKEYLOGFILE
	CONF=$T/conf
	push "pg_wal/$SEGMENT"
)
exits 0 "a server whose environment asks for a log of TLS secrets" with_log
ok "gets none" test ! -e "$T/tls-secrets"
cp "$S3_SECRET_FILE" "$T/unreadable"
chmod 000 "$T/unreadable"
sed "s,^secret_access_key_file = .*,secret_access_key_file = $T/unreadable," \
	"$T/conf" >"$T/conf5"
CONF=$T/conf5
exits 2 "a secret that may not be read is a wrong setting" \
	push "pg_wal/$SEGMENT"
exits 200 "and no absence" fetch "$SEGMENT" "$T/back2"

# -- settings that name the wrong place --------------------------------------
write_conf "$T/conf3" "$T/pg" "$T/key" "s3:$bucket-none/site/a"
CONF=$T/conf3
exits 2 "a bucket that does not exist is a wrong setting" push "pg_wal/$name"
exits 200 "and for walfetch no absence" fetch "$name" "$T/back2"
write_conf "$T/conf4" "$T/pg" "$T/key" "s3:$bucket/site/elsewhere"
CONF=$T/conf4
exits 200 "nor is a wrong prefix" fetch "$name" "$T/back2"
like "and the message says what may be wrong" "$(cat "$T/err")" \
	"wrong bucket or prefix"
ok "no file is left of all that" test ! -e "$T/back2"

done_testing
