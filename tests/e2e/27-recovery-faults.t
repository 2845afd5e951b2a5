#!/bin/sh
# PostgreSQL recovers through walfetch while the store misbehaves. Incident of
# others' tools: a segment that could not be read for a moment ended recovery,
# and the server was promoted with a third of its rows. Here it must stop, and
# complete when the store is well again.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"

s3_start
s3_bucket bucket
new_key "$T/key"
new_key "$T/key2"
wal_cluster "$T/pg"
pg_start "$T/pg" && pg_stop "$T/pg" || bail "no server"
rm -f "$T/pg/postmaster.pid"
cp -a "$T/pg" "$T/base"
proxy_start p
place="s3@$PROXY_URL:$bucket/x"
write_conf "$T/conf" "$T/pg" "$T/key" "s3:$bucket/x"
pg_archive "$T/pg" "$T/conf"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 6 >"$T/names"
last=$(tail -n 1 "$T/names")
wait_for 30 pg_archived "$T/pg" "$last" || bail "not archived"
rows=$(pg_psql "$T/pg" "select count(*) from rows")
pg_stop "$T/pg"
name=$(sed -n 4p "$T/names")
write_conf "$T/proxied" "$T/pg" "$T/key" "$place" -- "fetch_deadline = 2s"
write_conf "$T/patient" "$T/pg" "$T/key" "$place"
pg_set "$T/base" "hot_standby = off" "recovery_target_timeline = latest" \
	"archive_mode = off" "log_min_messages = warning" \
	"restore_command = '\"$BUILD/walfetch\" -c \"$T/use\" %f %p'"

fresh() {
	rm -rf "$T/new"
	cp -a "$T/base" "$T/new"
	: >"$T/new/recovery.signal"
	cp "$T/proxied" "$T/use"
	: >"$T/new.log"
}
stopped() {
	[ ! -e "$T/new/postmaster.pid" ]
}
# pg_ctl does not wait for the end of recovery.
over() {
	stopped || wal_writes "$T/new"
}
never_promoted() {
	[ -e "$T/new/recovery.signal" ] &&
		[ ! -e "$T/new/pg_wal/00000002.history" ] &&
		! grep -q 'selected new timeline' "$T/new.log"
}
# The fault is there: the server must stop, unpromoted. It is over: all rows.
through() {
	pg_start "$T/new" >/dev/null
	wait_for 20 over
	ok "$1: PostgreSQL stops" stopped
	stopped || pg_stop "$T/new" immediate
	ok "$1: and is not promoted" never_promoted
	proxy_rules p
	cp "$T/patient" "$T/use"
	pg_start "$T/new" || diag "$(tail -n 5 "$T/new.log")"
	wait_for 20 wal_writes "$T/new"
	is "$1: afterwards recovery completes with all rows" \
		"$(pg_psql "$T/new" "select count(*) from rows")" "$rows"
	pg_stop "$T/new" immediate
}
fault() {
	fresh
	proxy_rules p "[{\"method\":\"GET\",\"path\":\"/$name\",$2}]"
	through "$1"
}
other=$(s3_keys "$bucket" | grep "$(sed -n 5p "$T/names")")

fault "503" '"action":"status","status":503,"code":"SlowDown"'
fault "403" '"action":"status","status":403,"code":"AccessDenied"'
fault "404 for the bucket" \
	'"action":"status","status":404,"code":"NoSuchBucket"'
fault "404 without a reason" '"action":"status","status":404,"body":""'
fault "200 without a body" '"action":"empty200"'
fault "a store that hangs" '"action":"hang"'
fault "a body that is cut before its first byte" '"action":"cut","bytes":0'
fault "a body that is short with the length to fit" \
	'"action":"truncate","bytes":20000'
fault "a wrong length" '"action":"wronglen","delta":100'
fault "a flipped bit" '"action":"flip","offset":9000'
fault "another object of this archive" \
	"\"action\":\"replace\",\"bucket\":\"$bucket\",\"key\":\"$other\""
fault "a body that trickles" '"action":"slow","rate":1000'

# What is cut on its way is asked for from there on: that is no fault at all.
fresh
proxy_rules p '[{"method":"GET","action":"cut","bytes":20000}]'
pg_start "$T/new" >/dev/null
wait_for 20 wal_writes "$T/new"
is "bodies that are cut again and again: recovery completes with all rows" \
	"$(pg_psql "$T/new" "select count(*) from rows")" "$rows"
pg_stop "$T/new" immediate
atleast "which they were" "$(proxy_count p '^GET .* cut$')" 6
proxy_rules p

# Nobody listens at all.
fresh
sed "s|^endpoint.*|endpoint = http://127.0.0.1:1|" "$T/proxied" >"$T/use"
through "no store at all"
fresh
sed "s|^key_file.*|key_file = $T/none|" "$T/proxied" >"$T/use"
through "no key"
fresh
sed "s|^url.*|url = s3://$bucket/y|" "$T/proxied" >"$T/use"
through "a wrong prefix"
fresh
rm "$T/use"
through "no settings"

done_testing
