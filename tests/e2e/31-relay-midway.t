#!/bin/sh
# Something happens to the host while a worker is certainly in the middle of a
# drain, or of a replay: the store hangs after some files. The server is stopped
# in every mode, the data directory moved away, spool_dir deleted, full or no
# directory, the clock set, a standby promoted. Nothing is acknowledged that is
# not in the store, nothing wrong is delivered, no process is left behind.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"
. "$(dirname "$0")/../lib/relay.sh"
. "$(dirname "$0")/../lib/clock.sh"

s3_start
s3_bucket bucket
proxy_start p
new_key "$T/key"
preload diskfull
# So many segments in a drain, of which so many arrive before it hangs.
ALL=24 SOME=5
puts='"method":"PUT","path":"/wal/"' gets='"method":"GET","path":"/wal/"'
hold() {
	proxy_rules p "[{$1,\"after\":$2,\"action\":\"hang\"}]"
	held_from=$(proxy_count p ' hang$')
}
held() {
	[ "$(proxy_count p ' hang$')" -gt "$held_from" ]
}
# server DIR CONF CLUSTER-LINE...: stopped, and a copy of it
server() {
	srv_d=$1 srv_c=$2
	shift 2
	wal_cluster "$srv_d"
	write_conf "$srv_c" "$srv_d" "$T/key" "s3@$PROXY_URL:$bucket/x" -- "$@"
	pg_archive "$srv_d" "$srv_c"
	pg_start "$srv_d" && pg_stop "$srv_d" || bail "no server"
	cp -a "$srv_d" "$srv_d.base"
}
# The archiver starts walpush with these variables.
set_command() {
	pg_psql "$T/a" "alter system set archive_command =
		'$1\"$BUILD/walpush\" -c \"$T/a.conf\" %p'"
	pg_stop "$T/a" && pg_start "$T/a" || bail "no server"
}
segments() {
	pg_psql "$T/a" "do \$\$ begin for i in 1..$1 loop
		insert into rows select n, md5(n::text)
			from generate_series(1, 1000) n;
		perform pg_switch_wal();
		end loop; end \$\$" && pg_switch "$T/a" >/dev/null || bail "no WAL"
}
ready() {
	ls "$1/pg_wal/archive_status" | grep -c 'ready$'
}
drained() {
	[ "$(ready "$T/a")" -eq 0 ]
}
stored() {
	s3_keys "$bucket" x/ | grep -c '/wal/.*/0[0-9A-F]*$'
}
# What the server was told to be archived and is not in the store as it was.
lost() {
	lost_of=0
	for lost_f in "$T/a/pg_wal/archive_status/"*.done; do
		lost_n=$(basename "$lost_f" .done)
		[ -e "$T/a/pg_wal/$lost_n" ] || continue
		lost_of=$((lost_of + 1))
		in_dir "$T/a" walfetch -c "$T/plain" "$lost_n" "$T/back" \
			2>"$T/lost.err" &&
			cmp -s "$T/back" "$T/a/pg_wal/$lost_n" ||
			echo "$lost_n: $(cat "$T/lost.err")"
		rm -f "$T/back"
	done
	[ $lost_of -gt 0 ] || echo "nothing was archived"
}
# No worker, and no call either, after the time that one may take.
nothing_left() {
	for left_p in $(grep -lE '^wal(push|fetch)' /proc/[0-9]*/comm \
		2>/dev/null | tr -dc '0-9\n'); do
		! tr '\0' ' ' 2>/dev/null <"/proc/$left_p/cmdline" |
			grep -qF -e "$T/" || return 1
	done
}

# -- in the middle of a drain -----------------------------------------------------
server "$T/a" "$T/a.conf" "push_deadline = 6s"
write_conf "$T/plain" "$T/a" "$T/key" "s3:$bucket/x"
pg_start "$T/a" || bail "no server"
pg_psql "$T/a" "create table rows (n int, t text)"
arrived() {
	held && lingers walpush && [ "$(stored)" -ge $((before + SOME)) ]
}
# Some files are in the store, others on their way, and most wait.
midway() {
	wait_for 30 drained || fail "$1: it did not begin with nothing to do"
	before=$(stored)
	hold "$puts" $SOME
	segments $ALL
	wait_for 10 arrived || fail "$1: no worker sends anything"
	atleast "$1: most of what is archived waits" "$(ready "$T/a")" \
		$((ALL - SOME))
}
drains() {
	proxy_rules p
	[ -e "$T/a/postmaster.pid" ] || pg_start "$T/a" || bail "no server"
	ok "$1: all is archived when the store answers" wait_for 60 drained
	is "$1: and there as it was" "$(lost)" ""
}
for mode in smart fast immediate; do
	midway $mode
	ok "$mode: the server is stopped" pg_stop "$T/a" $mode
	ok "$mode: no worker outlives it" wait_for 5 gone walpush
	ok "$mode: nor does a call" wait_for 10 nothing_left
	atleast "$mode: the drain was not through" "$(ready "$T/a")" 1
	is "$mode: what is acknowledged is in the store" "$(lost)" ""
	drains $mode
done

midway moved
pid=$(head -n 1 "$T/a/postmaster.pid")
mv "$T/a" "$T/away"
ok "moved: no worker outlives the data directory's place" \
	wait_for 5 gone walpush
kill -QUIT "$pid"
ended() {
	! kill -0 "$pid" 2>/dev/null
}
wait_for 10 ended || bail "the server stays"
rm -f "$T/away/postmaster.pid"
mv "$T/away" "$T/a"
ok "moved: no call is left" wait_for 10 nothing_left
is "moved: what is acknowledged is in the store" "$(lost)" ""
drains moved

midway deleted
rm -rf "$T/spool"
drains "spool_dir deleted"
FULL="LD_PRELOAD=$T/diskfull.so DISKFULL=$T/spool DISKFULL_BYTES=0"
set_command "$FULL "
midway full
nok "nothing can be written to spool_dir" env $FULL "$PYTHON" -c \
	'import os, sys; os.write(os.open(sys.argv[1], os.O_CREAT | os.O_RDWR), b"x")' \
	"$T/spool/x"
like "as it is full" "$(cat "$T/err")" "No space left"
drains "spool_dir full"
set_command ""
midway odd
rm -rf "$T/spool"
: >"$T/spool"
drains "spool_dir no directory"
rm "$T/spool"
mkdir "$T/spool"
rows=$(pg_psql "$T/a" "select count(*) from rows")
pg_stop "$T/a" || bail "no stop"

# -- in the middle of a replay ------------------------------------------------------
sed -i 's/^push_deadline.*/fetch_deadline = 60s/' "$T/a.conf"
replaying() {
	held && lingers walfetch && ! wal_writes "$T/rec"
}
replay() {
	rm -rf "$T/rec"
	cp -a "$T/a.base" "$T/rec"
	touch "$T/rec/recovery.signal"
	pg_set "$T/rec" "archive_mode = off" \
		"recovery_target_timeline = 'current'" \
		"restore_command = '${2-}\"$BUILD/walfetch\" -c \"$T/a.conf\" %f %p'"
	hold "$gets" $SOME
	pg_start "$T/rec" || bail "no recovery"
	wait_for 30 replaying || fail "$1: no worker reads ahead"
}
recovers() {
	proxy_rules p
	[ -e "$T/rec/postmaster.pid" ] || pg_start "$T/rec" || bail "no recovery"
	ok "$1: recovery comes to its end" wait_for 60 wal_writes "$T/rec"
	is "$1: with every row" \
		"$(pg_psql "$T/rec" "select count(*) from rows")" "$rows"
	pg_stop "$T/rec" || bail "no stop"
	ok "$1: and nothing is left of it" wait_for 10 nothing_left
	ok "$1: not in pg_wal either" test ! -e "$T/rec/pg_wal/pitrkit.prefetch"
}
for mode in smart fast immediate; do
	replay $mode
	ok "$mode: the recovery is stopped" pg_stop "$T/rec" $mode
	ok "$mode: no worker outlives it" wait_for 5 gone walfetch
	ok "$mode: nor does a call" wait_for 5 nothing_left
	recovers $mode
done
# From here on the calls do not wait for so long once the store answers.
sed -i 's/^fetch_deadline.*/fetch_deadline = 10s/' "$T/a.conf"
replay deleted
rm -rf "$T/spool"
recovers "spool_dir deleted"
replay full "$FULL "
recovers "spool_dir full"
replay odd
rm -rf "$T/spool"
: >"$T/spool"
recovers "spool_dir no directory"
rm "$T/spool"
mkdir "$T/spool"

# -- a standby is promoted, with files that were read ahead ----------------------------
# It replays nothing that was committed within the last hour.
cp -a "$T/a.base" "$T/sb"
touch "$T/sb/standby.signal"
write_conf "$T/sb.conf" "$T/sb" "$T/key" "s3:$bucket/x"
pg_set "$T/sb" "hot_standby = on" "recovery_min_apply_delay = 1h" \
	"archive_command = '\"$BUILD/walpush\" -c \"$T/sb.conf\" %p'" \
	"restore_command = '\"$BUILD/walfetch\" -c \"$T/sb.conf\" %f %p'"
pg_start "$T/sb" || bail "no standby"
has_ahead() {
	[ "$(find "$T/sb/pg_wal/pitrkit.prefetch" -type f 2>/dev/null |
		wc -l)" -ge 2 ]
}
ok "promoted: files wait that were read ahead" wait_for 20 has_ahead
"$(pg_bin 15)/pg_ctl" -D "$T/sb" -w -t 120 -s promote || bail "no promotion"
ok "promoted: it takes over" wait_for 30 wal_writes "$T/sb"
is "promoted: with every row" \
	"$(pg_psql "$T/sb" "select count(*) from rows")" "$rows"
ok "promoted: its worker ends" wait_for 5 gone walfetch
ok "promoted: nothing that was read ahead is left" \
	test ! -e "$T/sb/pg_wal/pitrkit.prefetch"
last=$(pg_switch "$T/sb")
ok "promoted: its own WAL is archived" wait_for 30 pg_archived "$T/sb" "$last"
pg_stop "$T/sb" || bail "no stop"
ok "promoted: and nothing is left of it" wait_for 10 nothing_left

done_testing
