#!/bin/sh
# A worker that lingers while something is replaced: the content of the data
# directory by another cluster's, while the worker was stopped for a moment (a
# host that sleeps, a container that is frozen); the programs, by an upgrade. And
# what it is born with.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"
. "$(dirname "$0")/../lib/relay.sh"

new_key "$T/key"
write_conf "$T/conf" "$T/x" "$T/key" "file:$T/repo" -- "push_linger = 30s" \
	"fetch_linger = 30s"
for c in a b; do
	wal_cluster "$T/$c"
	pg_set "$T/$c" "archive_mode = on" "archive_command = 'true'" \
		"restore_command = 'false'" "hot_standby = off" \
		"wal_retrieve_retry_interval = 1h"
	pg_start "$T/$c" && pg_stop "$T/$c" || bail "no server"
	pg_set "$T/$c" "archive_command = 'false'"
	cp -a "$T/$c" "$T/$c.base"
	touch "$T/$c.base/standby.signal"
	pg_start "$T/$c" || bail "no server"
	wal_make "$T/$c" 12 >"$T/names.$c"
	pg_stop "$T/$c" immediate || bail "no stop"
done
name() {
	sed -n "$1p" "$T/names.a"
}
# The content of $T/x is that of another directory, and a server runs there.
mkdir -m 700 "$T/x"
becomes() {
	find "$T/x" -mindepth 1 -delete
	cp -a "$1/." "$T/x/"
	case $1 in
	*.base)
		"$(pg_bin 15)/pg_ctl" -D "$T/x" -l "$T/x.log" -W -s -o "-c port=6000 \
			-c listen_addresses= -c unix_socket_directories=$T/s" start
		ln -sf "$T/x" "$T/pg/6000"
		wait_for 20 test -s "$T/x/postmaster.pid"
		;;
	*)
		pg_start "$T/x"
		;;
	esac || bail "no server"
}
call() {
	in_dir "$T/x" "$@"
}
stored() {
	[ "$(find "$T/repo" -name '0*' -type f | wc -l)" -ge "$1" ]
}
stops() {
	socket=$(socket_name "$1") old=$(lingering "$1")
	kill_lingering "$1" STOP
}
# answered PROGRAM ARG...: the status of a call that came while the worker was
# stopped, after it goes on
answered() {
	bg call call "$@"
	wait_for 5 called "$socket" || fail "nobody calls"
	kill_lingering "$1" CONT
	wait "$(bg_pid call)"
	answered_status=$?
	rm "$T/bg/call"
	return $answered_status
}
# born NAME PROGRAM ARG...: a call that starts a worker. Were one of these streams
# open in it, their reader would wait until it ends.
born() {
	born_name=$1
	shift
	born_out=$(call "$@" 2>&1 9>&1 3>&1; echo $?)
	is "$born_name" "$born_out" 0
	ok "$1: a worker holds nothing open that the call was given" \
		wait_for 2 lingers "$1"
	isnt "$1: it is in a session of its own" \
		"$(cut -d' ' -f6 "/proc/$(lingering "$1")/stat")" \
		"$(cut -d' ' -f6 /proc/$$/stat)"
}
is "two clusters have WAL of the same names" "$(cat "$T/names.a")" \
	"$(cat "$T/names.b")"

# -- another cluster in the same place, archiving ----------------------------------
place=$(stat -c %i "$T/x")
becomes "$T/a"
born "a file of one cluster is pushed" walpush -c "$T/conf" \
	"pg_wal/$(name 1)"
ok "and those that wait, ahead" wait_for 20 stored 12
stops walpush
pg_stop "$T/x" immediate || bail "no stop"
becomes "$T/b"
is "another cluster is in the same directory" "$(stat -c %i "$T/x")" "$place"
exits 0 "its file is not judged by the old one's worker" \
	answered walpush -c "$T/conf" "pg_wal/$(name 2)"
ended() {
	! kill -0 "$old" 2>/dev/null
}
ok "which ends" wait_for 5 ended
ok "all of both is archived, some by a worker of its own" sh -c "
	cd '$T/x' && for n in $(tr '\n' ' ' <"$T/names.b"); do
		walpush -c '$T/conf' pg_wal/\$n || exit 1
	done"
is "one object for each" "$(find "$T/repo" -name '0*' -type f | wc -l)" 24
pg_stop "$T/x" immediate || bail "no stop"
ok "and no worker is left" wait_for 5 gone walpush

# -- another cluster in the same place, recovering ------------------------------------
becomes "$T/a.base"
born "a segment is delivered to a standby" \
	walfetch -c "$T/conf" "$(name 1)" pg_wal/RECOVERYXLOG
ahead() {
	[ -n "$(find "$T/x/pg_wal/pitrkit.prefetch" -name "$(name 2)" \
		2>/dev/null)" ]
}
ok "and the next one read ahead" wait_for 10 ahead
stops walfetch
mv "$T/x/pg_wal/pitrkit.prefetch" "$T/prefetch"
pg_stop "$T/x" immediate || bail "no stop"
becomes "$T/b.base"
# As after a restore that left it where it was.
mv "$T/prefetch" "$T/x/pg_wal/pitrkit.prefetch"
exits 0 "the other cluster's standby gets a segment" \
	answered walfetch -c "$T/conf" "$(name 2)" pg_wal/RECOVERYXLOG
same "its own" "$T/x/pg_wal/RECOVERYXLOG" "$T/b/pg_wal/$(name 2)"
ok "and the old one's worker ends" wait_for 5 ended
exits 0 "the next as well" \
	call walfetch -c "$T/conf" "$(name 3)" pg_wal/RECOVERYXLOG
same "its own, too" "$T/x/pg_wal/RECOVERYXLOG" "$T/b/pg_wal/$(name 3)"
pg_stop "$T/x" immediate || bail "no stop"
ok "and no worker is left" wait_for 5 gone walfetch
ok "nor what it read ahead" test ! -e "$T/x/pg_wal/pitrkit.prefetch"

# -- an upgrade of the programs ----------------------------------------------------------
# A package's files come by rename, one after the other, while a worker lingers.
mkdir "$T/bin"
for p in walpush walpush-worker walfetch walfetch-worker; do
	cp "$BUILD/$p" "$T/bin/"
done
upgrade() {
	cp "$T/bin/$1" "$T/bin/$1.dpkg-new"
	mv "$T/bin/$1.dpkg-new" "$T/bin/$1"
}
another() {
	lingering "$1" | grep -qvx "$old"
}
rm -rf "$T/repo" "$T/spool"/*
write_conf "$T/short" "$T/x" "$T/key" "file:$T/repo" -- "push_linger = 3s" \
	"fetch_linger = 3s"
becomes "$T/a"
exits 0 "a file is pushed before an upgrade" call "$T/bin/walpush" \
	-c "$T/short" "pg_wal/$(name 1)"
wait_for 20 stored 12 || fail "no worker pushes the others"
old=$(lingering walpush)
upgrade walpush-worker
exits 0 "the old program's worker is not asked" call "$T/bin/walpush" \
	-v -c "$T/short" "pg_wal/$(name 2)"
like "but the repository" "$(cat "$T/err")" "^walpush: .*: was durable in"
ok "the new program has a worker of its own" wait_for 5 another walpush
upgrade walpush
exits 0 "with the front replaced as well" call "$T/bin/walpush" \
	-c "$T/short" "pg_wal/$(name 3)"
ok "both end when nobody calls" wait_for 10 gone walpush
pg_stop "$T/x" immediate || bail "no stop"
becomes "$T/a.base"
exits 0 "a segment is delivered before an upgrade" call "$T/bin/walfetch" \
	-c "$T/short" "$(name 1)" pg_wal/RECOVERYXLOG
wait_for 10 ahead || fail "no worker reads ahead"
old=$(lingering walfetch)
upgrade walfetch-worker
for i in 2 3; do
	exits 0 "after it, too" call "$T/bin/walfetch" -c "$T/short" \
		"$(name $i)" pg_wal/RECOVERYXLOG
	same "as it was" "$T/x/pg_wal/RECOVERYXLOG" "$T/a/pg_wal/$(name $i)"
done
ok "with a worker of the new program" wait_for 5 another walfetch
ok "both end when nobody calls" wait_for 10 gone walfetch
ok "and leave nothing" test ! -e "$T/x/pg_wal/pitrkit.prefetch"
pg_stop "$T/x" immediate || bail "no stop"

done_testing
