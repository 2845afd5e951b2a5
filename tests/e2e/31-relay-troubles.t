#!/bin/sh
# Look-ahead and prefetch while something is wrong with the host: the clock
# jumps, spool_dir goes or takes nothing, two clusters are at work, a standby is
# promoted, servers are stopped in every mode, the data directory is moved.
# Nothing is acknowledged that is not in the store, nothing wrong is delivered,
# no process is left behind.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/archive.sh"
. "$TOP/tests/lib/relay.sh"
. "$TOP/tests/lib/clock.sh"

s3_start
s3_bucket bucket
new_key "$T/key"
# What runs with $JUMP has a clock that can be wrong.
clock_make
JUMP=LD_PRELOAD=$CLOCK_LIB
clock_jump 0
is "the clock of a program can be made to jump" "$(clock_jump 864000
	clocked date +%Y-%m-%d)" "$(date -d '10 days' +%Y-%m-%d)"
clock_jump 0

# Numbers of days by which the clock is wrong in turn, until it is told to end.
jumps() {
	trap 'exit 0' TERM
	while :; do
		for jumps_d in 0 3 -2 0 400 -30 9000; do
			clock_jump $((jumps_d * 86400))
			sleep 0.2
		done
	done
}

# server NAME CONF REPO [LINE...]: a cluster that archives, and has a copy of
# its beginning to recover from
server() {
	srv_d=$T/$1 srv_c=$2 srv_r=$3
	shift 3
	wal_cluster "$srv_d"
	write_conf "$srv_c" "$srv_d" "$T/key" "$srv_r" -- "push_deadline = 20s" \
		"$@"
	pg_set "$srv_d" "wal_keep_size = 2GB" "archive_mode = on" \
		"archive_command = '$JUMP \"$BUILD/walpush\" -c \"$srv_c\" %p'" \
		"restore_command = '$JUMP \"$BUILD/walfetch\" -c \"$srv_c\" %f %p'"
	pg_start "$srv_d" && pg_stop "$srv_d" || bail "no server"
	cp -a "$srv_d" "$srv_d.base"
	pg_start "$srv_d" || bail "no server"
	pg_psql "$srv_d" "create table rows (n int, t text)"
}
# A worker reads ahead for the server, or all was quicker than a look at it.
reads() {
	lingers walfetch || wal_writes "$1"
}
# The rows are there with the segment after the last.
segments() {
	pg_psql "$1" "do \$\$ begin for i in 1..$2 loop
		insert into rows select n, md5(n::text)
			from generate_series(1, 1000) n;
		perform pg_switch_wal();
		end loop; end \$\$" && pg_switch "$1" >/dev/null || bail "no WAL"
}
drained() {
	! ls "$1/pg_wal/archive_status" | grep -q 'ready$'
}
# What the server was told to be archived and does not come back as it was.
lost() {
	lost_of=0
	for lost_f in "$1/pg_wal/archive_status/"*.done; do
		lost_n=$(basename "$lost_f" .done)
		[ -e "$1/pg_wal/$lost_n" ] || continue
		lost_of=$((lost_of + 1))
		in_dir "$1" walfetch -c "$2" "$lost_n" "$T/back" \
			2>"$T/lost.err" &&
			cmp -s "$T/back" "$1/pg_wal/$lost_n" || {
			echo "$lost_n"
			diag "$lost_n: $(cat "$T/lost.err")" >&2
		}
		rm -f "$T/back"
	done
	[ $lost_of -gt 0 ] || echo "nothing was archived"
}
recovery() {
	rm -rf "$2"
	cp -a "$1.base" "$2"
	touch "$2/recovery.signal"
	pg_set "$2" "archive_mode = off" "recovery_target_timeline = 'current'"
	pg_start "$2" || bail "no recovery"
}
rows() {
	pg_psql "$1" "select count(*) from rows"
}

# -- the clock jumps, on S3 ------------------------------------------------------
server a "$T/a.conf" "s3:$bucket/x"
bg jumps jumps
segments "$T/a" 40
works() {
	lingers walpush || drained "$T/a"
}
wait_for 5 works || bail "nothing is archived"
segments "$T/a" 40
sleep 2
bg_stop jumps
clock_jump 0
ok "all is archived once the clock is right" wait_for 120 drained "$T/a"
is "what PostgreSQL was told to be archived is there as it was" \
	"$(lost "$T/a" "$T/a.conf")" ""
bg jumps jumps
cp -a "$T/a.base" "$T/rec"
touch "$T/rec/recovery.signal"
pg_set "$T/rec" "archive_mode = off" "recovery_target_timeline = 'current'"
# It may be stopped by a clock that no certificate is valid for; it never ends
# its recovery early.
pg_start "$T/rec"
sleep 2
bg_stop jumps
clock_jump 0
[ -e "$T/rec/postmaster.pid" ] || pg_start "$T/rec"
ok "recovery comes to its end" wait_for 60 wal_writes "$T/rec"
is "with every row" "$(rows "$T/rec")" "$(rows "$T/a")"
pg_stop "$T/rec" || bail "no stop"
ok "and no worker is left of it" wait_for 5 gone walfetch

# -- two clusters at the same time, one repository --------------------------------
server b "$T/b.conf" "s3:$bucket/x"
segments "$T/a" 20 &
segments "$T/b" 30
wait $!
ok "two clusters archive files of the same names" wait_for 60 drained "$T/b"
ok "at the same time" wait_for 60 drained "$T/a"
is "and each gets back its own" \
	"$(lost "$T/a" "$T/a.conf")$(lost "$T/b" "$T/b.conf")" ""
# Two recoveries on one host.
recovery "$T/a" "$T/rec" &
recovery "$T/b" "$T/rec2"
wait $!
ok "one recovers" wait_for 60 wal_writes "$T/rec"
ok "and so does the other" wait_for 60 wal_writes "$T/rec2"
is "each with its own rows" "$(rows "$T/rec") $(rows "$T/rec2")" \
	"$(rows "$T/a") $(rows "$T/b")"
pg_stop "$T/rec" && pg_stop "$T/rec2" || bail "no stop"
ok "and no worker is left of them" wait_for 5 gone walfetch

# -- spool_dir goes, and takes nothing ----------------------------------------------
segments "$T/b" 10
rm -rf "$T/spool"
segments "$T/b" 20
ok "all is archived when spool_dir is deleted meanwhile" \
	wait_for 60 drained "$T/b"
rm -rf "$T/spool"
mkdir -m 500 "$T/spool"
segments "$T/b" 20
ok "and when it takes nothing" wait_for 60 drained "$T/b"
rm -rf "$T/spool"
: >"$T/spool"
segments "$T/b" 20
ok "and when it is no directory" wait_for 60 drained "$T/b"
rm "$T/spool"
mkdir "$T/spool"
is "and all is there as it was" "$(lost "$T/b" "$T/b.conf")" ""

# -- stopped in every mode, and moved away, while it recovers ------------------------
for mode in smart fast immediate; do
	recovery "$T/b" "$T/rec"
	wait_for 10 reads "$T/rec" || fail "no worker reads ahead: $mode"
	pg_stop "$T/rec" $mode
	ok "no worker outlives a recovery that is stopped: $mode" \
		wait_for 5 gone walfetch
	pg_start "$T/rec" || bail "no recovery"
	ok "and it goes on" wait_for 60 wal_writes "$T/rec"
	is "to the end" "$(rows "$T/rec")" "$(rows "$T/b")"
	pg_stop "$T/rec" || bail "no stop"
	wait_for 5 gone walfetch || fail "a worker outlives: $mode"
done
recovery "$T/b" "$T/rec"
pid=$(head -n 1 "$T/rec/postmaster.pid")
mv "$T/rec" "$T/moved"
ok "no worker outlives the data directory's place" wait_for 5 gone walfetch
kill -QUIT "$pid" 2>/dev/null
ended() {
	! kill -0 "$pid" 2>/dev/null
}
wait_for 30 ended || kill -KILL "$pid"
rm -f "$T/moved/postmaster.pid"
mv "$T/moved" "$T/rec"
pg_start "$T/rec" || bail "no recovery"
ok "put back, it recovers" wait_for 60 wal_writes "$T/rec"
is "to the end" "$(rows "$T/rec")" "$(rows "$T/b")"
pg_stop "$T/rec" || bail "no stop"
wait_for 5 gone walfetch || fail "a worker is left"

# -- a standby is promoted while it reads ahead ----------------------------------------
cp -a "$T/b.base" "$T/sb"
touch "$T/sb/standby.signal"
write_conf "$T/sb.conf" "$T/sb" "$T/key" "s3:$bucket/x"
pg_set "$T/sb" "hot_standby = on" \
	"archive_command = '\"$BUILD/walpush\" -c \"$T/sb.conf\" %p'" \
	"restore_command = '\"$BUILD/walfetch\" -c \"$T/sb.conf\" %f %p'"
pg_start "$T/sb" || bail "no standby"
reads_ahead() {
	lingers walfetch || [ "$(rows "$T/sb")" = "$(rows "$T/b")" ]
}
wait_for 10 reads_ahead || fail "no worker reads ahead"
"$(pg_bin 15)/pg_ctl" -D "$T/sb" -w -t 60 -s promote || bail "no promotion"
ok "it takes over" wait_for 30 wal_writes "$T/sb"
ok "its worker ends" wait_for 5 gone walfetch
segments "$T/sb" 10
ok "what it writes is archived" wait_for 60 drained "$T/sb"
ok "and nothing that was read ahead is left" \
	test ! -e "$T/sb/pg_wal/pitrkit.prefetch"
is "all of both lines is there as it was" \
	"$(lost "$T/sb" "$T/sb.conf")$(lost "$T/b" "$T/b.conf")" ""

# -- a secret's command hangs --------------------------------------------------------
# Its shell waits for a pipe, so that ending the shell alone would leave it.
sed 's|^secret_access_key_file.*|secret_access_key_command = sleep 98765 \| cat|
	s/^push_deadline.*/push_deadline = 1s/' "$T/a.conf" >"$T/hang.conf"
hanging() {
	grep -lzxF 98765 /proc/[0-9]*/cmdline 2>/dev/null |
		sed 's/cmdline$/environ/' | xargs -r grep -lzxF "PITRKIT_T=$T"
}
hangs() {
	[ -n "$(hanging)" ]
}
hangs_no_more() {
	! hangs
}
bg hang in_dir "$T/a" walpush -c "$T/hang.conf" \
	"pg_wal/$(ls "$T/a/pg_wal" | grep -m 1 '^0')"
ok "a secret's command is run" wait_for 10 hangs
ok "and ends with the call, in time" wait_for 30 hangs_no_more
wait "$(bg_pid hang)"
is "which says so" "$?" 4
bg_stop hang

for s in a b sb; do
	pg_stop "$T/$s" || bail "no stop"
done
ok "no worker is left" wait_for 5 gone walpush
is "of either kind" "$(lingering walfetch)" ""

done_testing
