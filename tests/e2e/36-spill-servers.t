#!/bin/sh
# The spill under running servers: one that is stopped while its files go aside,
# a bucket with object lock, a standby that archives and is promoted while it has
# files of its own there. What was acknowledged comes to the repository, each
# timeline's as it was.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/spill.sh"

s3_start
s3_bucket locked lock
new_key "$T/key"
proxy_start p
# conf NAME DIR ENDPOINT: settings with a spill of their own
conf() {
	write_conf "$T/$1" "$2" "$T/key" "$3" -- "spill_dir = $SHM/$1" \
		"spill_below = 100%" "push_deadline = 12s" \
		"fetch_deadline = 12s" "retain_full = 3d" "retain_wal = 2d"
	sed -i "/^\[repo r1\]/a object_lock = governance
		s|^spool_dir = .*|spool_dir = $T/spool.$1|" "$T/$1"
}
far="s3@$PROXY_URL:$locked/x"
refused='[{"method":"PUT|HEAD","path":"/wal/","action":"status","status":503,
	"code":"SlowDown"}]'
hangs='[{"method":"PUT|HEAD","path":"/wal/","action":"hang"}]'
rows() {
	pg_psql "$1" "select count(*) from rows"
}
# waiting DIR: how many files PostgreSQL was not told of
waiting() {
	ls "$1/pg_wal/archive_status" | grep -c '\.ready$'
}
drained() {
	[ "$(waiting "$1")" -eq 0 ]
}
# odd DIR CONF: files of pg_wal that were acknowledged and do not come back from
# the repository alone as they are
odd() {
	for f in $(ls "$1/pg_wal/archive_status" | sed -n 's/\.done$//p'); do
		[ -f "$1/pg_wal/$f" ] || continue
		rm -f "$T/got"
		(cd "$1" && walfetch -c "$2" "$f" "$T/got" 2>>"$T/noise") &&
			cmp -s "$T/got" "$1/pg_wal/$f" || echo "$f"
	done
}

# -- stopped while files go aside -------------------------------------------------
wal_cluster "$T/pg"
pg_start "$T/pg" && pg_stop "$T/pg" || bail "no server"
cp -a "$T/pg" "$T/standby"
conf a "$T/pg" "$far"
write_conf "$T/plain" "$T/pg" "$T/key" "s3:$locked/x"
pg_archive "$T/pg" "$T/a"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 2 >"$T/names"
ok "the archive works" wait_for 30 drained "$T/pg"
proxy_rules p "$hangs"
wal_make "$T/pg" 6 >>"$T/names"
aside() {
	[ "$(files "$SHM/a")" -ge "$1" ]
}
ok "files go aside while the store hangs" wait_for 60 aside 1
start=$(now_ms)
ok "a fast shutdown" pg_stop "$T/pg" fast
intime "is in time" $(($(now_ms) - start)) 30
unlike "and no archiver died of it" "$(cat "$T/pg.log")" \
	"archiver process.*(terminated|exited)"
is "nothing of it is in the store" \
	"$(s3_keys "$locked" x/ | grep -c '/wal/.*[0-9A-F]$')" 2
proxy_rules p
forget() {
	rm -f "$T"/spool.*/*.away
}
forget
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 1 >>"$T/names"
ok "all is archived when the store is back" wait_for 60 drained "$T/pg"
empty() {
	walpush -c "$T/a" --drain && [ "$(files "$SHM/a")" -eq 0 ]
}
ok "the spill is empty" empty
is "what was acknowledged is there as it was" "$(odd "$T/pg" "$T/plain")" ""
unlocked=0
for k in $(s3_keys "$locked" x/ | grep '/wal/'); do
	s3ctl retention "$locked" "$k" >"$T/out" 2>&1 || unlocked=$((unlocked + 1))
done
is "and locked, that from the spill, too" $unlocked 0

# -- a standby that archives, and is promoted -------------------------------------
conf b "$T/standby" "$far"
pg_archive "$T/standby" "$T/b"
pg_set "$T/standby" "archive_mode = always" "hot_standby = on" \
	"wal_retrieve_retry_interval = 200ms" "wal_keep_size = 200MB"
: >"$T/standby/standby.signal"
proxy_rules p "$refused"
pg_start "$T/standby" || bail "no standby"
caught() {
	[ "$(rows "$T/standby")" = "$(rows "$T/pg")" ]
}
ok "a standby replays" wait_for 60 caught
ok "and puts aside what it replayed" wait_for 60 drained "$T/standby"
atleast "all of it" "$(files "$SHM/b")" 9
# The primary goes on for a while, with nobody to archive to, and is lost.
pg_psql "$T/pg" "insert into rows values (-1, 'only here')"
pg_stop "$T/pg" immediate
pg_psql "$T/standby" "select pg_promote()" >/dev/null
ok "it is promoted" wait_for 30 wal_writes "$T/standby"
pg_psql "$T/standby" "insert into rows values (-2, 'on the new timeline')"
wal_make "$T/standby" 3 >/dev/null
ok "and archives, into its spill" wait_for 60 drained "$T/standby"
ls "$T/standby/pg_wal/archive_status" >"$T/status"
like "with the history" "$(cat "$T/status")" '^00000002\.history\.done$'
is "of which nothing is in the store" "$(s3_keys "$locked" x/ |
	grep -c '/wal/.*00000002')" 0
is "from the spill all comes back as it was" \
	"$(odd "$T/standby" "$T/b")" ""
pg_stop "$T/standby"
# The old primary comes back once more, as one that nobody told.
proxy_rules p
forget
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 1 >/dev/null
ok "the old primary archives" wait_for 60 drained "$T/pg"
ok "the standby's spill is emptied" walpush -c "$T/b" --drain
is "wholly" "$(files "$SHM/b")" 0
is "all of its line is in the store as it was" \
	"$(odd "$T/standby" "$T/plain")" ""
is "and all of the old one's" "$(odd "$T/pg" "$T/plain")" ""
pg_stop "$T/pg"

done_testing
