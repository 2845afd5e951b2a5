#!/bin/sh
# Look-ahead: what a lingering worker did is told to the next calls by identity,
# and nothing but time depends on it.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"
. "$(dirname "$0")/../lib/relay.sh"

new_key "$T/key"
wal_cluster "$T/pg"
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo" -- "push_linger = 3s"
pg_set "$T/pg" "archive_mode = on" "archive_command = 'false'"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 40 >"$T/names"

ready() {
	ls "$T/pg/pg_wal/archive_status" | grep -c 'ready$'
}
drained() {
	[ "$(ready)" -eq 0 ]
}
set_command() {
	pg_psql "$T/pg" "alter system set archive_command = '$1'"
	pg_psql "$T/pg" "select pg_reload_conf()" >/dev/null
}
stored() {
	find "$1" -type f -name '0*' | wc -l
}
push() {
	in_dir "$T/pg" walpush -c "${CONF:-$T/conf}" "$@"
}
name() {
	sed -n "$1p" "$T/names"
}
# Archive status as if nothing had been archived.
all_ready() {
	rm -f "$T/pg/pg_wal/archive_status/"*
	for all_n in $(cat "$T/names"); do
		: >"$T/pg/pg_wal/archive_status/$all_n.ready"
	done
}

# -- a drain ------------------------------------------------------------------
set_command "\"$BUILD/walpush\" -c \"$T/conf\" %p"
ok "a worker works ahead while PostgreSQL archives" wait_for 10 lingers walpush
ok "all that waited is archived" wait_for 30 drained
# The server's log has each command that failed, as the one before did.
atleast "a failure would be told" \
	"$(grep -c 'failed archive command was: false' "$T/pg.log")" 1
is "there was none" \
	"$(grep 'failed archive command was: .*walpush' "$T/pg.log")" ""
is "one worker did it" "$(lingering walpush | wc -l)" 1
set_command false
odd=0
for n in $(cat "$T/names"); do
	in_dir "$T/pg" walfetch -c "$T/conf" "$n" "$T/back" &&
		cmp -s "$T/back" "$T/pg/pg_wal/$n" || odd=$((odd + 1))
done
is "each one comes back as it was" $odd 0
ok "and ends when nobody calls any more" wait_for 8 gone walpush

# -- a lone file ----------------------------------------------------------------
rm -rf "$T/repo" "$T/spool/"*
rm -f "$T/pg/pg_wal/archive_status/"*
exits 0 "a file that is alone is pushed" push "pg_wal/$(name 1)"
is "and starts no worker" "$(lingering walpush)" ""
all_ready
exits 0 "called by hand with -v it says what was done" push -v "pg_wal/$(name 1)"
like "in the usual words" "$(cat "$T/err")" \
	"^walpush: pg_wal/$(name 1): was durable in 1 repositories, 1048576"
ok "with others waiting there is a worker" wait_for 5 lingers walpush
ahead_begun() {
	[ "$(stored "$T/repo")" -gt 1 ]
}
ok "that pushes them" wait_for 10 ahead_begun
ahead_done() {
	[ "$(stored "$T/repo")" -eq 40 ]
}
ok "all of them" wait_for 10 ahead_done
exits 0 "what it did ahead is told in the same words" push -v "pg_wal/$(name 2)"
like "and was done once" "$(cat "$T/err")" \
	"^walpush: pg_wal/$(name 2): durable in 1 repositories, 1048576"
exits 0 "by any path of the same file" push "$T/pg/pg_wal/$(name 3)"

cat >"$T/garbage" <<'PY'
import os, re, random, socket, struct, sys, time
random.seed(1)
names = [m for m in re.findall(r"@(pitrkit-walpush-\S+)",
         open("/proc/net/unix").read())]
def say(name, data):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(5)
    try:
        for i in range(100):
            try:
                s.connect("\0" + name)
                break
            except BlockingIOError: # its backlog is full
                time.sleep(0.01)
        pid = struct.unpack("3i", s.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        if str(pid) != sys.argv[1]:
            return 0
        s.send(data)
        return 1
    except OSError:
        return 0
    finally:
        s.close()
sent = 0
for name in set(names):
    for i in range(200):
        good = struct.pack("4I", 0x50726c61, 0, random.choice([0, 1, 2, 9]),
                           random.choice([0, 1, 5, 4000, 0xffffffff]))
        sent += say(name, random.choice([os.urandom(random.randrange(4000)),
            good, good + b"x" * 5, good + b"a\0b\0c", b"\0"]))
print(sent)
PY
exits 0 "nonsense on its socket" "$PYTHON" "$T/garbage" "$(lingering walpush)"
is "is heard" "$(cat "$T/out")" 200
exits 0 "and does not disturb it" push "pg_wal/$(name 3)"
is "it is still there" "$(lingering walpush | wc -l)" 1

# -- identity ---------------------------------------------------------------------
other=$T/pg/pg_wal/$(name 4)
cp "$other" "$T/kept"
printf x | dd of="$other" bs=1 seek=1048575 conv=notrunc status=none
exits 3 "other content under a name that was done ahead is no success" \
	push "pg_wal/$(name 4)"
like "and the message is the usual one" "$(cat "$T/err")" \
	"^walpush: .*there with other content"
cp "$T/kept" "$other.new" && mv "$other.new" "$other"
exits 0 "the file put back is one" push "pg_wal/$(name 4)"
mv "$T/pg/pg_wal/$(name 5)" "$T/kept5"
exits 1 "a file that is gone is none" push "pg_wal/$(name 5)"
mkdir "$T/else"
cp "$T/kept" "$T/else/$(name 5)"
exits 3 "nor is another file of the same name elsewhere" \
	push "$T/else/$(name 5)"
mv "$T/kept5" "$T/pg/pg_wal/$(name 5)"

# -- the worker in trouble ---------------------------------------------------------
begin_again() {
	wait_for 8 gone walpush || bail "a worker stays"
	rm -rf "$T/repo" "$T/spool/"*
	all_ready
	push "pg_wal/$(name 1)" || bail "no push"
	wait_for 5 lingers walpush || bail "no worker"
}
begin_again
kill_lingering walpush KILL
exits 0 "when the worker was killed, the call does it" push "pg_wal/$(name 2)"
is "and the file is in the repository" \
	"$(wal_object "$T/repo" "$(name 2)" | wc -l)" 1
begin_again
kill_lingering walpush STOP
start=$(now_ms)
exits 0 "when it hangs, the call does it" push "pg_wal/$(name 20)"
is "and the file is in the repository" \
	"$(wal_object "$T/repo" "$(name 20)" | wc -l)" 1
intime "after some seconds of silence" $(($(now_ms) - start)) 8
# Each call would wait for it, and a server that is being stopped with much to
# archive: for minutes.
ok "and the worker that hangs is no more" wait_for 10 gone walpush
begin_again
wait_for 10 ahead_done || bail "the worker does not work"
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo2" -- "push_linger = 3s"
exits 0 "when the settings have changed, the old worker is not asked" \
	push "pg_wal/$(name 2)"
is "the file is where the new ones say" \
	"$(wal_object "$T/repo2" "$(name 2)" | wc -l)" 1
ok "and both workers end" wait_for 10 gone walpush

# What the worker has no descriptors for (or memory), the call has.
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo" -- "push_linger = 3s" \
	"push_jobs = 8"
rm -rf "$T/repo" "$T/spool/"*
all_ready
odd=0
for n in $(cat "$T/names"); do
	(ulimit -n 16 && push "pg_wal/$n") || odd=$((odd + 1))
done 2>"$T/err"
is "what a worker without descriptors cannot do, the calls do" $odd 0
ok "there was one" lingers walpush
ok "and it ends" wait_for 10 gone walpush

# -- a store in trouble ---------------------------------------------------------------
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo" -- "push_linger = 3s"
begin_again
wait_for 10 ahead_done || bail "the worker does not work"
kill_lingering walpush KILL
rm -rf "$T/repo" "$T/spool/"*
: >"$T/repo"
all_ready
run in_dir "$T/pg" walpush-worker -c "$T/conf" "pg_wal/$(name 7)"
direct=$STATUS
cp "$T/err" "$T/direct"
for i in 1 2; do
	exits $direct "a store that fails gives the usual status, call $i" \
		push "pg_wal/$(name 7)"
	is "and message" "$(cat "$T/err")" "$(cat "$T/direct")"
done
rm "$T/repo"
exits 0 "and when it works again, so does the call" push "pg_wal/$(name 7)"
is "and the file is in the repository" \
	"$(wal_object "$T/repo" "$(name 7)" | wc -l)" 1

# -- two clusters ------------------------------------------------------------------
wait_for 8 gone walpush
wal_cluster "$T/pg2"
write_conf "$T/conf2" "$T/pg2" "$T/key" "file:$T/repo"
pg_set "$T/pg2" "archive_mode = on" "archive_command = 'false'"
pg_start "$T/pg2" || bail "no server"
wal_make "$T/pg2" 5 >"$T/names2"
begin_again
exits 0 "another cluster pushes files of the same names" in_dir "$T/pg2" \
	walpush -c "$T/conf2" "pg_wal/$(head -n 1 "$T/names2")"
is "through a worker of its own" "$(lingering walpush | wc -l)" 2
one=$(head -n 1 "$T/names2")
exits 0 "and what it fetches" \
	in_dir "$T/pg2" walfetch -c "$T/conf2" "$one" "$T/back"
same "is its own" "$T/back" "$T/pg2/pg_wal/$one"
pg_stop "$T/pg2" || bail "no stop"

# -- nothing stays behind --------------------------------------------------------------
for mode in smart fast immediate; do
	pg_psql "$T/pg" "select 1" >/dev/null 2>&1 ||
		pg_start "$T/pg" || bail "no server"
	begin_again
	pg_stop "$T/pg" $mode || bail "no stop"
	ok "no worker outlives the server: $mode" wait_for 5 gone walpush
done
pg_start "$T/pg" || bail "no server"
begin_again
kill -KILL "$(head -n 1 "$T/pg/postmaster.pid")"
ok "no worker outlives the server: SIGKILL" wait_for 5 gone walpush
rm "$T/pg/postmaster.pid"
pg_start "$T/pg" || bail "no server"
begin_again
mv "$T/pg" "$T/moved"
ok "no worker outlives the data directory's place" wait_for 5 gone walpush
mv "$T/moved" "$T/pg"
pg_stop "$T/pg" immediate

done_testing
