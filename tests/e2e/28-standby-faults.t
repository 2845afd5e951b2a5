#!/bin/sh
# A standby that is fed by walfetch: it waits while the store is away, goes on
# when it is back, and is never promoted by it.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"

s3_start
s3_bucket bucket
new_key "$T/key"
wal_cluster "$T/pg"
pg_start "$T/pg" && pg_stop "$T/pg" || bail "no server"
cp -a "$T/pg" "$T/new"
proxy_start p
write_conf "$T/conf" "$T/pg" "$T/key" "s3:$bucket/x"
write_conf "$T/proxied" "$T/pg" "$T/key" "s3@$PROXY_URL:$bucket/x" -- \
	"fetch_deadline = 3s"
pg_archive "$T/pg" "$T/conf"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 3 >"$T/names"
wait_for 30 pg_archived "$T/pg" "$(tail -n 1 "$T/names")" ||
	bail "not archived"

pg_set "$T/new" "hot_standby = on" "wal_retrieve_retry_interval = 200ms" \
	"restore_command = '\"$BUILD/walfetch\" -c \"$T/proxied\" %f %p'"
: >"$T/new/standby.signal"
pg_start "$T/new" || bail "no standby"
has() {
	[ "$(pg_psql "$T/new" "select count(*) from rows")" = "$1" ]
}
ok "a standby replays what is archived" wait_for 20 has 3000
wal_make "$T/pg" 1 >"$T/names"
ok "and what comes after it" wait_for 20 has 4000

for what in '"action":"status","status":503,"code":"SlowDown"' \
	'"action":"hang"' \
	'"action":"status","status":403,"code":"AccessDenied"' \
	'"action":"cut","bytes":10000'; do
	fault=$(echo "$what" | sed 's/[^a-zA-Z0-9]\{1,\}/ /g')
	before=$(pg_psql "$T/new" "select count(*) from rows")
	requests=$(proxy_count p '^GET')
	proxy_rules p "[{\"method\":\"GET\",$what}]"
	wal_make "$T/pg" 1 >"$T/names"
	wait_for 20 pg_archived "$T/pg" "$(cat "$T/names")" ||
		bail "not archived"
	asks() {
		[ "$(proxy_count p '^GET')" -gt $((requests + 2)) ]
	}
	ok "$fault: the standby asks again and again" wait_for 20 asks
	is "$fault: it is still there, with what it had" \
		"$(pg_psql "$T/new" "select count(*) from rows")" "$before"
	is "$fault: and still a standby" "$(pg_psql "$T/new" \
		"select pg_is_in_recovery()")" t
	proxy_rules p
	ok "$fault: when the store is back it goes on" \
		wait_for 20 has $((before + 1000))
done

# -- promoted while the store is away -------------------------------------------
# That is when it is needed. When standby.signal is gone already, PostgreSQL asks
# for the history of its old timeline: a status that stops recovery would end the
# server, which comes up next on the timeline it was to leave.
proxy_rules p '[{"action":"status","status":503,"code":"SlowDown"}]'
timeline() {
	pg_psql "$T/new" "select timeline_id from pg_control_checkpoint()"
}
is_on() {
	wal_writes "$T/new" && pg_psql "$T/new" checkpoint >/dev/null &&
		[ "$(timeline)" = "$1" ]
}
pg_psql "$T/new" "select pg_promote(false)" >/dev/null
ok "promoted while the store is away it takes over" wait_for 30 is_on 2
is "with everything" "$(pg_psql "$T/new" "select count(*) from rows")" 8000
pg_stop "$T/new"
: >"$T/new/standby.signal"
pg_start "$T/new" || bail "no standby"
pg_psql "$T/new" "select pg_promote(false)" >/dev/null
ok "and so it does from a timeline that has a history" wait_for 30 is_on 3
like "which it knows" "$(cut -f1 "$T/new/pg_wal/00000003.history")" '^1$'
pg_stop "$T/new"
# By hand: what the server has not itself, and what a recovery asks for.
history() {
	in_dir "$T/new" walfetch -c "$T/proxied" "$1" pg_wal/RECOVERYHISTORY
}
exits 4 "a history that the server has itself need not be had" \
	history 00000002.history
exits 200 "another one must" history 00000004.history
exits 200 "and so must a segment" history 000000010000000000000002
: >"$T/new/recovery.signal"
exits 200 "in a recovery any history must" history 00000002.history
exits 1 "timeline 1 has none" history 00000001.history

done_testing
