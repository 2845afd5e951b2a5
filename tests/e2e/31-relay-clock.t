#!/bin/sh
# The host's clock is set, by years, while PostgreSQL waits for a worker: how
# long a call waits, and a worker lingers, does not depend on it.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"
. "$(dirname "$0")/../lib/relay.sh"
. "$(dirname "$0")/../lib/clock.sh"

s3_start
s3_bucket bucket
proxy_start p
new_key "$T/key"
clock_make
clock_jump 0
wal_cluster "$T/a"
pg_start "$T/a" && pg_stop "$T/a" || bail "no server"
cp -a "$T/a" "$T/sb"
touch "$T/sb/standby.signal"
pg_set "$T/a" "archive_mode = on" "archive_command = 'false'"
pg_set "$T/sb" "restore_command = 'false'" "hot_standby = off" \
	"wal_retrieve_retry_interval = 1h"
pg_start "$T/a" || bail "no server"
wal_make "$T/a" 8 >"$T/names"
name() {
	sed -n "$1p" "$T/names"
}
# conf FILE LINGER: the same, but for how long a worker lingers
conf() {
	write_conf "$T/$1" "$T/a" "$T/key" "s3@$PROXY_URL:$bucket/x" -- \
		"push_deadline = 6s" "fetch_deadline = 6s" "push_linger = $2" \
		"fetch_linger = $2"
}
conf conf 60s
conf short 3s
# The first one goes through, all others hang.
hold() {
	proxy_rules p "[{\"method\":\"$1\",\"path\":\"/wal/(?!.*$(name 1))\",
		\"action\":\"hang\"}]"
}
# Years forth and back, until it is told to end.
jumps() {
	trap 'exit 0' TERM
	while :; do
		for jumps_d in 400 -400 9000 0 -3; do
			clock_jump $((jumps_d * 86400))
			sleep 0.3
		done
	done
}
years() {
	clock_jump $(($1 * 365 * 86400))
}
# waits NAME PROGRAM ARG...: a call in $d that can get nothing waits for all of
# its time, and no longer
waits() {
	waits_name=$1
	shift
	waits_old=$(lingering "$1")
	isnt "$waits_name: a worker lingers" "$waits_old" ""
	bg jumps jumps
	waits_start=$(now_ms)
	exits 4 "$waits_name: a call that the store keeps waiting ends" \
		in_dir "$d" clocked "$@"
	waits_took=$(($(now_ms) - waits_start))
	bg_stop jumps
	clock_jump 0
	atleast "$waits_name: not before its time" $waits_took 5500
	intime "$waits_name: nor long after" $waits_took 8
}
# stays PROGRAM: the worker looks at the time after each call
stays() {
	stays_old=$(lingering "$1")
	isnt "with a long linger" "$stays_old" ""
	years 20
	for stays_i in 4 5; do
		exits 0 "twenty years later the worker is there" in_dir "$d" \
			clocked "$@" -c "$T/conf" $(operands $stays_i)
	done
	is "the same" "$(lingering "$1")" "$stays_old"
	clock_jump 0
}
is "the clock of a program can be set" "$(years 10
	clocked date +%Y)" "$(date -d '3650 days' +%Y)"
clock_jump 0

# -- archiving ------------------------------------------------------------------------
push() {
	in_dir "$d" clocked walpush -c "$T/$1" "pg_wal/$(name "$2")"
}
d=$T/a
hold PUT
exits 0 "a file is pushed, and others wait" push conf 1
wait_for 10 lingers walpush
waits archiving walpush -c "$T/conf" "pg_wal/$(name 2)"
proxy_rules p
ok "once the store answers, the same call is through" wait_for 6 push conf 2
operands() {
	echo "pg_wal/$(name "$1")"
}
sent() {
	s3_keys "$bucket" x/ | grep -q "/$(name 8)\$"
}
wait_for 10 sent || fail "the worker does not go on"
stays walpush
kill_lingering walpush KILL
exits 0 "with a short push_linger" push short 6
wait_for 10 lingers walpush || fail "no worker"
years -20
ok "a worker ends in its time, though the clock was set back" \
	wait_for 3 gone walpush
clock_jump 0
for n in $(cat "$T/names"); do
	in_dir "$d" walpush -c "$T/conf" "pg_wal/$n" || fail "$n"
done
is "all is in the store once" "$(s3_keys "$bucket" x/ |
	grep -c '/wal/.*/0[0-9A-F]*$')" 8
kill_lingering walpush KILL

# -- recovering -----------------------------------------------------------------------
d=$T/sb
"$(pg_bin 15)/pg_ctl" -D "$d" -l "$d.log" -W -s -o "-c port=6000 \
	-c listen_addresses= -c unix_socket_directories=$T/s" start
ln -s "$d" "$T/pg/6000"
wait_for 20 grep -q "entering standby mode" "$d.log" || bail "no standby"
fetch() {
	in_dir "$d" clocked walfetch -c "$T/$1" "$(name "$2")" pg_wal/RECOVERYXLOG
}
hold GET
exits 0 "a segment is delivered" fetch conf 1
wait_for 10 lingers walfetch
waits recovering walfetch -c "$T/conf" "$(name 2)" pg_wal/RECOVERYXLOG
proxy_rules p
ok "once the store answers, the same call is through" wait_for 6 fetch conf 2
same "with the right one" "$d/pg_wal/RECOVERYXLOG" "$T/a/pg_wal/$(name 2)"
operands() {
	echo "$(name "$1") pg_wal/RECOVERYXLOG"
}
exits 0 "and the next" fetch conf 3
wait_for 10 lingers walfetch
has_ahead() {
	[ -n "$(find "$d/pg_wal/pitrkit.prefetch" -name "$(name 5)" 2>/dev/null)" ]
}
wait_for 10 has_ahead || fail "nothing is read ahead"
stays walfetch
same "the right one" "$d/pg_wal/RECOVERYXLOG" "$T/a/pg_wal/$(name 5)"
kill_lingering walfetch KILL
exits 0 "with a short fetch_linger" fetch short 6
wait_for 10 lingers walfetch || fail "no worker"
years -20
ok "a worker ends in its time, though the clock was set back" \
	wait_for 3 gone walfetch
clock_jump 0

pg_stop "$T/a" immediate && pg_stop "$T/sb" immediate || bail "no stop"
ok "nothing is left" wait_for 5 gone walfetch
ok "of either kind" gone walpush

done_testing
