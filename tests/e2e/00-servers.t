#!/bin/sh
# The servers the other tests stand on are what they claim to be.
. "$(dirname "$0")/../lib/pitrkit.sh"

versions=$("$TOP/tests/servers/postgres" versions | paste -sd ' ')
is "there is each supported version" "$versions" "14 15 16 17 18"
for v in $versions; do
	pg_new "$v" "$T/$v" --wal-segsize=1
	ok "PostgreSQL $v starts" pg_start "$T/$v"
	like "PostgreSQL $v says its version" \
		"$(pg_psql "$T/$v" 'show server_version')" "^$v\\."
	ok "PostgreSQL $v has amcheck" \
		pg_psql "$T/$v" "create extension amcheck;
		select bt_index_check('pg_class_oid_index')"
	is "PostgreSQL $v honours initdb's arguments" \
		"$(pg_psql "$T/$v" 'show wal_segment_size')" 1MB
done
for v in $versions; do
	ok "PostgreSQL $v stops" pg_stop "$T/$v"
done

s3_start
s3_bucket bucket
is "a new bucket is empty" "$(s3ctl list "$bucket")" ""
printf hello >"$T/hello"
s3ctl put "$bucket" 'a/b c+d' "$T/hello"
is "an object is listed with size and name" \
	"$(s3ctl list "$bucket")" "5	a/b c+d"
s3ctl get "$bucket" 'a/b c+d' "$T/back"
same "an object comes back" "$T/hello" "$T/back"
exits 3 "what is not there is 404" s3ctl get "$bucket" nothing -

for place in "--cacert $S3_CA_FILE" "--capath $S3_CA_PATH"; do
	ok "TLS with $place and the pin" \
		curl -sS $place --pinnedpubkey "$S3_PIN" "$S3_HTTPS/"
	ok "TLS with $place as localhost" \
		curl -sS $place "https://localhost:${S3_HTTPS##*:}/"
done
exits 60 "TLS without the CA is refused" curl -sS "$S3_HTTPS/"
exits 90 "TLS with another pin is refused" curl -sS --cacert "$S3_CA_FILE" \
	--pinnedpubkey "sha256//$(printf %044d 0 | tr 0 A)" "$S3_HTTPS/"

s3_bucket versioned versioned
s3ctl put "$versioned" k "$T/hello"
s3ctl delete "$versioned" k
like "a versioned bucket keeps what was deleted" \
	"$(s3ctl versions "$versioned")" "^version	5	.*	old	k$"
s3_bucket locked lock
s3ctl put "$locked" k "$T/hello"
like "an object-lock bucket has versions" \
	"$(s3ctl versions "$locked")" "^version	5	.*	latest	k$"
done_testing
