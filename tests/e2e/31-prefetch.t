#!/bin/sh
# Prefetch: segments that a lingering worker read ahead are whole, verified and
# the right ones, "absent" is never said from memory, and nothing stays behind.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"
. "$(dirname "$0")/../lib/relay.sh"

new_key "$T/key"
wal_cluster "$T/pg"
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo" -- "fetch_ahead = 4MB" \
	"fetch_linger = 30s"
pg_archive "$T/pg" "$T/conf"
pg_start "$T/pg" && pg_stop "$T/pg" || bail "no server"
cp -a "$T/pg" "$T/base"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 40 >"$T/names"
wait_for 60 pg_archived "$T/pg" "$(tail -n 1 "$T/names")" || bail "no archive"
rows=$(pg_psql "$T/pg" "select count(*) from rows")
pg_stop "$T/pg" || bail "no stop"
sb=$T/sb ahead=$T/sb/pg_wal/pitrkit.prefetch
fetch() {
	in_dir "$sb" walfetch -c "${CONF:-$T/conf}" "$@"
}
name() {
	sed -n "$1p" "$T/names"
}
fetched() {
	find "$ahead" -type f 2>/dev/null | wc -l
}
has() {
	[ -n "$(find "$ahead" -name "$1" 2>/dev/null)" ]
}
as_it_was() {
	cmp -s "$sb/pg_wal/RECOVERYXLOG" "$T/pg/pg_wal/$1"
}

# -- a recovery ---------------------------------------------------------------
cp -a "$T/base" "$T/rec"
touch "$T/rec/recovery.signal"
pg_set "$T/rec" "archive_mode = off" "recovery_target_timeline = 'current'"
pg_start "$T/rec" || bail "no recovery"
ok "recovery comes to its end" wait_for 60 wal_writes "$T/rec"
is "with every row" "$(pg_psql "$T/rec" "select count(*) from rows")" "$rows"
ok "the worker ends with it" wait_for 5 gone walfetch
ok "and leaves nothing in pg_wal" test ! -e "$T/rec/pg_wal/pitrkit.prefetch"
pg_stop "$T/rec"

# -- one call after the other, on a standby that asks nothing itself -------------
cp -a "$T/base" "$sb"
touch "$sb/standby.signal"
pg_set "$sb" "restore_command = 'false'" "hot_standby = off" \
	"wal_retrieve_retry_interval = 1h"
"$(pg_bin 15)/pg_ctl" -D "$sb" -l "$sb.log" -o \
	"-c listen_addresses= -c unix_socket_directories=$T/s -c port=6000" \
	-W -s start >/dev/null 2>&1
ln -s "$sb" "$T/pg/6000" 2>/dev/null
wait_for 20 grep -q "entering standby mode" "$sb.log" || bail "no standby"
odd=0
for n in $(cat "$T/names"); do
	fetch "$n" pg_wal/RECOVERYXLOG && as_it_was "$n" || odd=$((odd + 1))
done
is "each of 40 segments is delivered as it was" $odd 0
is "by one worker" "$(lingering walfetch | wc -l)" 1
exits 1 "the one after the last is absent" fetch \
	"0000000100000000000000FE" pg_wal/RECOVERYXLOG

# -- from what was read ahead, and not ------------------------------------------
exits 0 "a jump back is delivered" fetch "$(name 3)" pg_wal/RECOVERYXLOG
ok "and it reads on from there" wait_for 5 has "$(name 5)"
# How far depends on whether a call had to wait before.
settled() {
	settled_n=$(fetched)
	sleep 0.5
	[ "$(fetched)" -eq "$settled_n" ]
}
wait_for 5 settled || fail "it reads on and on"
atmost "no more than fetch_ahead allows" "$(fetched)" 4
mv "$T/repo" "$T/away"
exits 0 "what was read ahead is there without the repository" \
	fetch -v "$(name 4)" pg_wal/RECOVERYXLOG
like "and told in the usual words" "$(cat "$T/err")" \
	"^walfetch: $(name 4): delivered\$"
ok "and is as it was" as_it_was "$(name 4)"
exits 4 "asked for once more it comes from the repository, which is away" \
	fetch "$(name 4)" pg_wal/AGAIN
ok "so nothing is delivered" test ! -e "$sb/pg_wal/AGAIN"
mv "$T/away" "$T/repo"
exits 0 "when the repository is back it is delivered again" \
	fetch "$(name 4)" pg_wal/RECOVERYXLOG
ok "as it was" as_it_was "$(name 4)"
exits 1 "a history file is always asked of the repository" \
	fetch 00000002.history pg_wal/RECOVERYHISTORY
exits 1 "another timeline's segment is not taken for this one's" \
	fetch "00000002$(name 5 | cut -c9-)" pg_wal/RECOVERYXLOG

# -- the archive grows ------------------------------------------------------------
last=$(name 40) before=$(name 39)
mkdir "$T/held"
object=$(wal_object "$T/repo" "$last")
mv "$object" "$T/held/"
exits 0 "the last segment but one is delivered" \
	fetch "$before" pg_wal/RECOVERYXLOG
exits 1 "the last is not there" fetch "$last" pg_wal/RECOVERYXLOG
sleep 1.2
exits 1 "and stays absent" fetch "$last" pg_wal/RECOVERYXLOG
mv "$T/held/$last" "$object"
exits 0 "the moment it is there it is delivered" \
	fetch "$last" pg_wal/RECOVERYXLOG
ok "as it was" as_it_was "$last"

# -- damage ---------------------------------------------------------------------------
cp "$(wal_object "$T/repo" "$(name 12)")" "$T/held/good"
flip "$(wal_object "$T/repo" "$(name 12)")" 3000
exits 0 "before a damaged object" fetch "$(name 11)" pg_wal/RECOVERYXLOG
sleep 0.5
exits 4 "the damage is found" fetch "$(name 12)" pg_wal/BAD
ok "and nothing is delivered" test ! -e "$sb/pg_wal/BAD"
cp "$T/held/good" "$(wal_object "$T/repo" "$(name 12)")"
exits 0 "repaired, it is delivered" fetch "$(name 12)" pg_wal/RECOVERYXLOG

# -- the worker in trouble ---------------------------------------------------------
lingers walfetch || bail "no worker"
kill_lingering walfetch KILL
wait_for 5 gone walfetch || fail "a worker survives SIGKILL"
ok "a worker that was killed leaves its files" test -e "$ahead"
exits 0 "the next call does without" fetch "$(name 20)" pg_wal/RECOVERYXLOG
ok "as it was" as_it_was "$(name 20)"
wait_for 5 has "$(name 21)" || bail "no worker"
is "and the files are gone" "$(ls "$ahead" | wc -l)" 1
kill_lingering walfetch STOP
exits 0 "one that hangs holds nobody up" fetch "$(name 21)" pg_wal/RECOVERYXLOG
ok "as it was" as_it_was "$(name 21)"
kill_lingering walfetch KILL
exits 0 "and then" fetch "$(name 22)" pg_wal/RECOVERYXLOG
ok "another one takes its place" wait_for 5 has "$(name 23)"
find "$ahead" -type f -exec rm {} +
exits 0 "files that somebody removed are fetched" \
	fetch "$(name 23)" pg_wal/RECOVERYXLOG
ok "as they were" as_it_was "$(name 23)"
kill_lingering walfetch KILL
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo" -- "fetch_ahead = 4MB" \
	"fetch_linger = 1s"
exits 0 "with a shorter fetch_linger" fetch "$(name 24)" pg_wal/RECOVERYXLOG
ok "a worker comes" wait_for 5 has "$(name 25)"
ok "it ends when nobody calls any more" wait_for 15 gone walfetch
ok "and removes its files" test ! -e "$ahead"

# -- how far it reads ahead ---------------------------------------------------------
preload holdlink
mkdir "$T/hold"
held() {
	find "$T/hold" -type f ! -name go | wc -l
}
holds() {
	[ "$(held)" -eq "$1" ]
}
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo" -- "fetch_ahead = 16MB"
export LD_PRELOAD="$T/holdlink.so" HOLD="$T/hold" HOLD_IN=/pitrkit.prefetch/
exits 0 "the first call" fetch "$(name 25)" pg_wal/RECOVERYXLOG
ok "has fetch_jobs segments read ahead" wait_for 20 holds 2
bg waits in_dir "$sb" walfetch -c "$T/conf" "$(name 26)" pg_wal/RECOVERYXLOG
ok "a call that waits brings in all threads at once" wait_for 20 holds 8
: >"$T/hold/go"
wait "$(bg_pid waits)"
is "it is answered" $? 0
unset LD_PRELOAD HOLD HOLD_IN
ok "as it was" as_it_was "$(name 26)"
wait_for 20 holds 9 || fail "it does not go on"
atmost "and what is ahead stays within fetch_ahead" "$(fetched)" 16
kill_lingering walfetch KILL
wait_for 5 gone walfetch || fail "a worker survives SIGKILL"

# -- what ends it -------------------------------------------------------------------
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo" -- "fetch_ahead = 4MB"
start_worker() {
	fetch "$1" pg_wal/RECOVERYXLOG || bail "not delivered"
	wait_for 5 lingers walfetch || bail "no worker"
}
start_worker "$(name 1)"
mv "$sb/standby.signal" "$T/held"
ok "a promotion ends it" wait_for 3 gone walfetch
ok "and removes its files" test ! -e "$ahead"
exits 0 "without recovery" fetch "$(name 5)" pg_wal/RECOVERYXLOG
is "there is no worker" "$(lingering walfetch)" ""
mv "$T/held/standby.signal" "$sb"
start_worker "$(name 2)"
"$(pg_bin 15)/pg_ctl" -D "$sb" -m immediate -w -s stop
ok "the end of the server ends it" wait_for 3 gone walfetch
ok "and removes its files" test ! -e "$ahead"
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo" -- "fetch_jobs = 0"
exits 0 "with fetch_jobs = 0" fetch "$(name 5)" pg_wal/RECOVERYXLOG
is "there is no worker" "$(lingering walfetch)" ""

done_testing
