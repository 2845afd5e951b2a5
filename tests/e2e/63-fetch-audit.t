#!/bin/sh
# What recovery reads is on record: who read which segments, in few records, by
# a worker that no call waits for. A worker that was killed has its record
# written by the next, a repository that may not be written only warns, and
# where nothing was archived nothing is made.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"
. "$(dirname "$0")/../lib/relay.sh"
. "$(dirname "$0")/../lib/fetchaudit.sh"

n=14
new_key "$T/key"
wal_cluster "$T/main"
write_conf "$T/conf" "$T/main" "$T/key" "file:$T/repo" -- \
	"fetch_linger = 30s" "fetch_ahead = 4MB"
fa_base "$T/main" "$T/conf" $n
cp "$T/conf" "$T/usual"
cp -a "$T/repo" "$T/repo.before"
cp -a "$T/spool" "$T/spool.before"
# As it was after archiving.
again() {
	wait_for 10 gone walfetch || fail "a worker stays"
	rm -rf "$T/repo" "$T/spool"
	cp -a "$T/repo.before" "$T/repo"
	cp -a "$T/spool.before" "$T/spool"
	cp "$T/usual" "$T/conf"
}
tallies() {
	ls "$T/spool" | grep -c fetched-
}
has_records() {
	[ "$(find "$T/repo" -path '*/audit/*' -type f | wc -l)" -ge "$1" ]
}

# -- a recovery, with promotion --------------------------------------------------

ok "a server recovers" fa_recovers "$T/rec"
pg_stop "$T/rec"
ok "its trail is sound" fa_trail
read=$(grep -c 'restored log file "[0-9A-F]\{24\}"' "$T/rec.log")
# What is delivered twice (the last one, when recovery ends) was read twice.
is "what it read is on record, begun and ended" "$(fa_records)" \
	"begun -1 -
ended 0 $read"
atleast "... all of it" "$read" $n
is "... as one operation" "$(fa_detail operation | sort -u | wc -l)" 1
is "... from the first" "$(fa_detail first | sort -u)" \
	"$(sed -n 's/.*restored log file "\([0-9A-F]*\)".*/\1/p' "$T/rec.log" |
		grep -x '.\{24\}' | head -n 1)"
is "... to the last" "$(fa_detail last)" "$(tail -n 1 "$T/names")"
is "... so many bytes" "$(fa_detail bytes)" $((read * 1048576))
is "... by which data directory" "$(fa_detail data_directory | sort -u)" \
	"$T/rec"
is "... of which cluster" "$(fa_detail cluster | sort -u)" main
is "... and system" "$(fa_detail system_id | sort -u)" \
	"$(basename "$(ls -d "$T"/repo/main/[0-9]*)")"
is "... and timeline" "$(fa_detail timeline | sort -u)" 00000001
like "... and since when" "$(fa_detail since)" '^20[0-9-]*T[0-9:.]*Z$'
is "nothing is left to be recorded" "$(tallies)" 0
ok "repo-verify has no finding" repo-verify -c "$T/conf" --wal
ok "a decoder that was written from the page walks the chain" \
	fa_pages "$T/repo"

# -- a worker that is killed -----------------------------------------------------

again
sb=$T/sb
fa_standby "$sb"
ok "a segment" fa_fetch "$sb" 1 "$T/conf"
ok "... is on record soon" wait_for 10 has_records 1
for i in 2 3 4; do
	fa_fetch "$sb" $i "$T/conf" || fail "segment $i"
done
# The slot: its number of segments is at offset 40.
counts() {
	for counts_f in "$T"/spool/*.fetched-*; do
		[ "$(od -An -tu8 -j 40 -N 8 "$counts_f" | tr -d ' ')" = "$1" ] &&
			return
	done
	return 1
}
ok "what it delivers is counted in spool_dir" wait_for 10 counts 4
kill_lingering walfetch KILL
wait_for 5 gone walfetch || fail "a worker survives SIGKILL"
fa_trail
is "killed, it has recorded the beginning alone" "$(fa_records)" "begun -1 -"
ok "the next segment" fa_fetch "$sb" 5 "$T/conf"
ok "... has the sum recorded" wait_for 10 has_records 2
fa_trail || fail "the trail is not sound"
is "... of what the killed one delivered" "$(fa_records)" "begun -1 -
ended 0 4"
is "... and says so" "$(fa_detail left_behind)" yes
ok "the new worker counts" wait_for 10 counts 1
kill_lingering walfetch KILL
wait_for 5 gone walfetch || fail "a worker survives SIGKILL"
ok "another segment" fa_fetch "$sb" 6 "$T/conf"
ok "is counted with the one before" wait_for 10 counts 2
fa_trail
is "killing it again makes no record more: one a day" \
	"$(fa_records | wc -l)" 2
rm "$sb/standby.signal"
ok "recovery over, the worker ends" wait_for 10 gone walfetch
fa_trail || fail "the trail is not sound"
is "... and the rest is on record" "$(fa_records)" "begun -1 -
ended 0 4
done 0 2"
is "... all of it once" "$(fa_total)" 6
is "... as one recovery" "$(fa_detail recovery | sort -u | wc -l)" 1
is "nothing is left to be recorded" "$(tallies)" 0
touch "$sb/standby.signal"

# -- the server goes, and its directory ------------------------------------------

again
ok "a segment" fa_fetch "$sb" 1 "$T/conf"
ok "... is on record" wait_for 10 has_records 1
pg_stop "$sb" immediate
ok "the server gone, the worker is as well" wait_for 10 gone walfetch
fa_trail
is "... and writes nothing" "$(fa_records)" "begun -1 -"
is "... but leaves its count" "$(tallies)" 1
# Not removed: the new one could get its inode, and be taken for it.
mv "$sb" "$T/gone"
fa_standby "$sb"
ok "another data directory reads" fa_fetch "$sb" 2 "$T/conf"
ok "... and records what was left behind" wait_for 10 has_records 3
ok "the trail is sound" fa_trail
is "... with both beginnings" "$(fa_records | sort)" "begun -1 -
begun -1 -
ended 0 1"
is "its own count is left" "$(tallies)" 1

# -- a repository that may not be written ----------------------------------------

kill_lingering walfetch KILL
again
mkdir "$T/repo/main/$(ls "$T/repo/main")/audit"
chmod a-w "$T"/repo/main/*/audit
: >"$T/told"
for i in 1 2 3 4 5 6 7 8; do
	fa_fetch "$sb" $i "$T/conf" 2>>"$T/told" || fail "segment $i"
	# The record is tried beside the fetching.
	[ $i -ne 2 ] || wait_for 10 counts 2 || fail "nothing is counted"
done
pass "a repository that may not be written delivers"
wait_for 10 counts 8 || fail "not all is counted"
# The last call may come before it is known.
tells() {
	fa_fetch "$sb" 9 "$T/conf" 2>>"$T/told" && grep -q WARNING "$T/told"
}
ok "... and the missing record is told" wait_for 10 tells
fa_fetch "$sb" 10 "$T/conf" 2>>"$T/told" || fail "segment 10"
fa_fetch "$sb" 11 "$T/conf" 2>>"$T/told" || fail "segment 11"
like "... in one line" "$(cat "$T/told")" \
	'^walfetch: WARNING: recovery goes on, but without its record in the'
is "... once" "$(grep -c . "$T/told")" 1
kill_lingering walfetch KILL
chmod u+w "$T"/repo/main/*/audit

# -- no worker -------------------------------------------------------------------

again
sed 's/^fetch_linger.*/fetch_jobs = 0/' "$T/usual" >"$T/conf"
chmod 600 "$T/conf"
preload devlog
bg devlog "$PYTHON" "$TOP/tests/lib/devlog.py" "$T/s/log" "$T/syslog"
wait_for 10 test -S "$T/s/log" || bail "no syslog"
export LD_PRELOAD="$T/devlog.so" DEVLOG="$T/s/log"
for i in 1 2 3; do
	fa_fetch "$sb" $i "$T/conf" || fail "segment $i"
done
mkdir "$T/else"
name=$(sed -n 4p "$T/names")
walfetch -c "$T/conf" --system-id "$(basename "$(ls -d "$T"/repo/main/[0-9]*)")" \
	"$name" "$T/else/file" || fail "by hand"
unset LD_PRELOAD DEVLOG
wait_for 10 grep -q "$name" "$T/syslog"
is "without a worker syslog has one line of a recovery" \
	"$(grep -c 'walfetch.*fetch begun' "$T/syslog")" 1
like "... and one for what is read by hand" "$(cat "$T/syslog")" \
	"fetch done.*user=.*object=\"$name\".*NOT STORED in the repository"
is "... and no more" "$(wc -l <"$T/syslog")" 2
is "... and the repository no record" \
	"$(find "$T/repo" -path '*/audit/*' -type f | wc -l)" 0
ok "they are counted" counts 3
cp "$T/usual" "$T/conf"
ok "when a worker comes" fa_fetch "$sb" 4 "$T/conf"
ok "... it records them" wait_for 10 has_records 1
ok "the trail is sound" fa_trail
is "... all three" "$(fa_records)" "done 0 3"

# -- two repositories, of which one is nobody's archive ---------------------------

kill_lingering walfetch KILL
again
mkdir "$T/empty"
write_conf "$T/conf" "$T/main" "$T/key" "file:$T/empty" "file:$T/repo" -- \
	"fetch_linger = 1s"
ok "with an empty repository before it" fa_fetch "$sb" 1 "$T/conf"
ok "the record goes to the archive" wait_for 10 has_records 1
ok "nobody calls, and the worker ends" wait_for 10 gone walfetch
is "... with a sum" "$(find "$T/repo" -path '*/audit/*' -type f | wc -l)" 2
is "nothing is made where nothing was archived" "$(find "$T/empty" | wc -l)" 1
fa_fetch "$sb" 2 "$T/conf" || fail "segment 2"
wait_for 10 counts 1 || fail "no worker counts"
ok "it reads on, and ends" wait_for 10 gone walfetch
is "... with no record more on that day" \
	"$(find "$T/repo" -path '*/audit/*' -type f | wc -l)" 2

# -- no spool_dir ----------------------------------------------------------------

again
write_conf "$T/conf" "$T/main" "$T/key" "file:$T/repo" -- "fetch_linger = 5s"
sed -i "s|^spool_dir.*|spool_dir = $T/no/where|" "$T/conf"
ok "without spool_dir" fa_fetch "$sb" 1 "$T/conf"
wait_for 10 lingers walfetch || fail "no worker"
ok "a segment is delivered, and the worker ends" wait_for 10 gone walfetch
is "... without a record: they would be as many as the workers" \
	"$(find "$T/repo" -path '*/audit/*' -type f | wc -l)" 0

done_testing
