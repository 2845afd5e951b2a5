#!/bin/sh
# The spill: when no repository takes WAL and pg_wal has no room, it goes to
# another disk of the host, is told, is found there by recovery, and goes to the
# repositories first when they are back.  Nothing is acknowledged that is not
# durable, nothing leaves the spill before the quorum holds it.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/spill.sh"
. "$TOP/tests/lib/kill.sh"

spill_cluster 40

# conf NAME REPO [LINE...]
conf() {
	conf_n=$1 conf_r=$2
	shift 2
	write_conf "$T/$conf_n" "$T/pg" "$T/key" "file:$conf_r" -- \
		"spill_dir = $SHM/$conf_n" "push_deadline = 20s" "$@"
}

# -- as long as all is well ---------------------------------------------------
conf a "$T/repo.a" "spill_below = 100%"
ok "with a repository that answers, a push" push a 1
is "goes there" "$(files "$T/repo.a")" 1
is "and the spill gets its mark alone" \
	"$(cd "$SHM/a" && find . -type f)" "./main/$id/archive"
is "for nobody else to read" \
	"$(find "$SHM/a" -perm /077 | wc -l)" 0

# -- no repository ------------------------------------------------------------
away "$T/repo.a"
conf room "$T/repo.a" "spill_below = 1kB"
exits 4 "while pg_wal has room a push fails as without a spill" push room 2
is "and nothing is put aside" "$(files "$SHM/room")" 0
forget
ok "with less than spill_below it is durable in the spill" push a 2
like "and says that it is on this host only" "$(cat "$T/err")" \
	"$(nth 2): put into $SHM/a: on this host only \(1 files, .* since .*\), not yet in a repository: .*mounted"
ok "so is the next one" push a 3
like "which is counted" "$(cat "$T/err")" \
	"\(2 files, .*within the last minute"
ok "a file that PostgreSQL hands over again is there already" push a 3
is "once" "$(files "$SHM/a")" 2
is "no object can be read by others" "$(find "$SHM/a" -perm /077 | wc -l)" 0
head -c 500000 "pg_wal/$(nth 4)" >"$T/$(nth 4)"
exits 3 "a file that is damaged is refused as ever" \
	walpush -c "$T/a" "$T/$(nth 4)"
ok "walfetch finds in the spill what it cannot get from a repository" \
	fetches a 2
exits 200 "but what is nowhere is not proven absent" fetches a 5

back "$T/repo.a"
ok "nor does it need a repository that lacks it" fetches a 3
exits 1 "with the repository back, absence is proven" fetches a 5
flip "$(wal_object "$SHM/a" "$(nth 3)")" 3000
exits 200 "a damaged object in the spill is no absence" fetches a 3
flip "$(wal_object "$SHM/a" "$(nth 3)")" 3000

# -- it drains ----------------------------------------------------------------
ok "the next push, with the repository back" push a 4
is "empties the spill first" "$(files "$SHM/a")" 0
is "and then stores its own file" "$(files "$T/repo.a")" 4
for i in 2 3 4; do
	ok "segment $i is whole in the repository" fetches room $i
done
is "of the spill the mark is left" \
	"$(cd "$SHM/a" && find . -type f)" "./main/$id/archive"
ok "walpush --drain has nothing to do" walpush -c "$T/a" --drain

away "$T/repo.a"
ok "a push into the spill" push a 5
exits 4 "walpush --drain says that no repository answers" \
	walpush -c "$T/a" --drain
like "and what waits" "$(cat "$T/err")" "on this host only \(1 files"
back "$T/repo.a"
ok "walpush --drain empties it" in_dir / walpush -v -c "$T/a" --drain
like "and says how much" "$(cat "$T/err")" "1 files went to the repositories"
is "nothing is left there" "$(files "$SHM/a")" 0
ok "and it is in the repository" fetches room 5
exits 2 "--drain takes no file" walpush -c "$T/a" --drain "pg_wal/$(nth 5)"
exits 2 "and there is no other call without one" walpush -c "$T/a"

# The data directory is lost, and its last WAL is in the spill.
away "$T/repo.a"
ok "a push into the spill" push a 6
back "$T/repo.a"
sed "s|^pgdata.*|pgdata = $T/lost|" "$T/a" >"$T/lost.conf"
ok "it is drained when the data directory is gone" \
	in_dir / walpush -c "$T/lost.conf" --drain
ok "and it is in the repository" fetches room 6

# -- what it refuses ----------------------------------------------------------
away "$T/repo.a"
write_conf "$T/same" "$T/pg" "$T/key" "file:$T/repo.a" -- \
	"spill_dir = $T/spill.same" "spill_below = 100%"
exits 4 "a spill in pg_wal's file system is of no use" push same 7
like "and told" "$(cat "$T/err")" "same file system as pg_wal"
nok "and not made" test -e "$T/spill.same"
forget
mkdir -m 770 "$SHM/open"
write_conf "$T/open" "$T/pg" "$T/key" "file:$T/repo.a" -- \
	"spill_dir = $SHM/open" "spill_below = 100%"
exits 4 "one in which others may write takes nothing" push open 7
like "and it is told" "$(cat "$T/err")" "nobody else may write in it"
back "$T/repo.a"
ok "while a repository answers, that is a warning" push open 7
like "with each push" "$(cat "$T/err")" "spill_dir could take nothing: .*write"
conf twice "$SHM/twice" "spill_below = 100%"
exits 2 "one that is a repository is refused" push twice 8
ln -s "$SHM/repo" "$SHM/alias"
write_conf "$T/alias" "$T/pg" "$T/key" "file:$SHM/repo" -- \
	"spill_dir = $SHM/alias" "spill_below = 100%"
ok "under another name, too" push alias 8
like "which is told" "$(cat "$T/err")" "is the directory of repository r1"
exits 2 "and it is not drained into itself" walpush -c "$T/alias" --drain
cp -a "$SHM/repo" "$SHM/copy"
write_conf "$T/copy" "$T/pg" "$T/key" "file:$SHM/repo" -- \
	"spill_dir = $SHM/copy" "spill_below = 100%"
exits 2 "nor by another mount or protocol: it has a repository's mark" \
	walpush -c "$T/copy" --drain
is "and keeps what it has" "$(files "$SHM/copy")" 1
printf '%s\n' "[cluster x]" "spill_below = 5%" >"$T/alone"
exits 2 "spill_below without spill_dir is an error" walpush -c "$T/alone" x
for value in 0% 101% 5%% % x "" 1000%; do
	conf bad "$T/repo.a" "spill_below = $value"
	exits 2 "spill_below = '$value' is an error" push bad 8
done

# -- not mounted --------------------------------------------------------------
away "$SHM/a"
ok "while the spill is not mounted the repository is used" push a 8
like "and it is told what may be missing" "$(cat "$T/err")" \
	"$SHM/a: the archive's mark, which was there, is gone: is it mounted"
exits 200 "what is in no repository is not absent" fetches a 30
exits 4 "walpush --drain is no success" walpush -c "$T/a" --drain
mkdir -m 700 "$SHM/a"
away "$T/repo.a"
exits 4 "an empty mount point takes nothing" push a 9
like "and it is told why" "$(cat "$T/err")" "spill_dir does not take it"
is "nothing is put there" "$(find "$SHM/a" -type f | wc -l)" 0
exits 200 "nor is anything absent" fetches a 30
back "$T/repo.a"
exits 200 "not with the repository either" fetches a 30
rmdir "$SHM/a"
back "$SHM/a"
exits 1 "until it is mounted" fetches a 30
conf fresh "$T/repo.a"
exits 1 "a spill that was never used proves nothing wrong" fetches fresh 30
away "$SHM/a"
exits 1 "--repo asks that repository alone" \
	walfetch --repo r1 -c "$T/a" "$(nth 30)" "$T/got"
back "$SHM/a"

# -- other content ------------------------------------------------------------
printf '1\t0/3000000\tone way\n' >"$T/00000002.history"
away "$T/repo.a"
ok "a history file into the spill" walpush -c "$T/a" "$T/00000002.history"
ok "and a segment" push a 10
back "$T/repo.a"
printf '1\t0/3000000\tanother way\n' >"$T/00000002.history"
ok "another host stores the same name with other content" \
	walpush -c "$T/room" "$T/00000002.history"
exits 3 "walpush --drain refuses it" walpush -c "$T/a" --drain
like "and tells it" "$(cat "$T/err")" \
	"1 files stay there, on this host only: .*00000002.history is there with other content"
is "it stays" "$(files "$SHM/a")" 1
ok "what came after it is in the repository" fetches room 10
ok "a push goes on" push a 11
like "and tells it each time" "$(cat "$T/err")" "1 files stay there"
ok "the repository has what it had" \
	walfetch -c "$T/room" 00000002.history "$T/got"
same "unchanged" "$T/got" "$T/00000002.history"
rm "$(wal_object "$SHM/a" 00000002.history)"
ok "once it was removed by hand, all is well" walpush -c "$T/a" --drain

away "$T/repo.a"
ok "two into the spill" push a 12
ok "of which one" push a 13
back "$T/repo.a"
flip "$(wal_object "$SHM/a" "$(nth 12)")" 5000
exits 5 "is damaged there, which the drain tells" walpush -c "$T/a" --drain
exits 1 "it is not stored" fetches room 12
ok "the other one is" fetches room 13
flip "$(wal_object "$SHM/a" "$(nth 12)")" 5000
ok "and when the disk is sound again, both are" walpush -c "$T/a" --drain
ok "whole" fetches room 12

# -- part of a quorum; a host that can only write -----------------------------
repo-key recipient "$T/key" >"$T/recipient" || bail "no recipient"
write_conf "$T/two" "$T/pg" "$T/recipient" "file:$T/two.1" "file:$T/two.2" \
	-- "spill_dir = $SHM/two" "spill_below = 100%" "push_quorum = 2" \
	"push_deadline = 20s"
ok "two repositories of a quorum of two" push two 14
away "$T/two.2"
ok "with one of them" push two 15
is "what it has it keeps" "$(files "$T/two.1")" 2
is "and the spill has it until the other one does" "$(files "$SHM/two")" 1
exits 4 "one is not enough" walpush -c "$T/two" --drain
is "it stays" "$(files "$SHM/two")" 1
back "$T/two.2"
ok "with both it is drained, without a private key" \
	walpush -c "$T/two" --drain
is "to the one that lacked it" "$(files "$T/two.2")" 2
is "and is gone from the spill" "$(files "$SHM/two")" 0
sed "s|$T/recipient|$T/key|; s|^spill.*||" "$T/two" >"$T/two.key"
sed -i 's|^repo = r1||' "$T/two.key"
sed -i 's|^push_quorum.*||' "$T/two.key"
ok "whole" fetches two.key 15
printf '1\t0/3000000\tone way\n' >"$T/00000002.history"
away "$T/two.2"
ok "a history file" walpush -c "$T/two" "$T/00000002.history"
back "$T/two.2"
rm "$(wal_object "$T/two.1" 00000002.history)"
printf '1\t0/3000000\tanother way\n' >"$T/00000002.history"
ok "of which there is another one in both" \
	walpush -c "$T/two.key" "$T/00000002.history"
exits 3 "is told from it without a private key" walpush -c "$T/two" --drain
is "and stays" "$(files "$SHM/two")" 1

# -- a segment that does not fit into memory ----------------------------------
pg_new 15 "$T/big" --wal-segsize=32
pg_set "$T/big" "wal_keep_size = 256MB"
pg_start "$T/big" || bail "no server"
big=$(wal_make "$T/big" 1)
pg_stop "$T/big"
write_conf "$T/big.conf" "$T/big" "$T/key" "file:$T/repo.big" -- \
	"spill_dir = $SHM/big" "spill_below = 100%" "push_deadline = 20s" \
	"compression = none"
away_push() {
	mkdir "$T/repo.big" && chmod 500 "$T/repo.big" &&
		in_dir "$T/big" walpush -c "$T/big.conf" "pg_wal/$big"
}
ok "32 MB, to a repository that may not be written to" away_push
atleast "are in the spill" \
	"$(stat -c %s "$(wal_object "$SHM/big" "$big")")" 33554432
chmod 700 "$T/repo.big"
ok "and go on to the repository" walpush -c "$T/big.conf" --drain
ok "from where they" in_dir "$T/big" \
	walfetch -c "$T/big.conf" "$big" "$T/got"
same "come back" "$T/got" "$T/big/pg_wal/$big"
rm -rf "$T/repo.big" "$T/big" "$T/got"

# -- the spill is full --------------------------------------------------------
preload diskfull
write_conf "$T/full" "$T/pg" "$T/key" "file:$T/repo.full" -- \
	"spill_dir = $SHM/full" "spill_below = 100%" "compression = none" \
	"push_deadline = 20s"
mkdir "$T/repo.full" "$T/full.d"
push_full() {
	in_dir "$T/pg" env LD_PRELOAD="$T/diskfull.so" DISKFULL="$SHM/full" \
		DISKFULL_BYTES=4600000 ASAN_OPTIONS=verify_asan_link_order=0 \
		walpush -c "$T/full" "pg_wal/$(nth "$1")" \
		2>"$T/full.d/err.$1"
	echo $? >"$T/full.d/status.$1"
}
push_full 16
away "$T/repo.full"
for i in 17 18 19 20 21 22 23 24; do
	push_full $i
done
there=$(files "$SHM/full")
back "$T/repo.full"
push_full 24
left=$(files "$SHM/full")
is "some are put aside, then walpush fails" \
	"$(cd "$T/full.d" && cat status.16 status.17 status.18 status.22 \
		status.23 | tr '\n' ' ')" "0 0 0 4 4 "
like "and tells why" "$(cat "$T/full.d/err.23")" "No space left"
acked=0
for i in 17 18 19 20 21 22 23; do
	[ "$(cat "$T/full.d/status.$i")" -ne 0 ] || acked=$((acked + 1))
done
is "what was acknowledged is there, and no more" "$there" "$acked"
is "with the repository back the last push succeeds" \
	"$(cat "$T/full.d/status.24")" 0
is "and all of it is drained" "$left" 0
is "into the repository" "$(files "$T/repo.full")" $((acked + 2))

# -- SIGKILL ------------------------------------------------------------------
conf k "$T/repo.k" "spill_below = 100%" "compression = none"
ok "a repository" push k 1
lost=0
kill_begin
for round in 1 2 3 4; do
	away "$T/repo.k"
	for i in 2 3 4 5 6; do
		n=$((round * 5 + i))
		for try in 1 2 3; do
			kill_random walpush -c "$T/k" "pg_wal/$(nth $n)"
			[ "$KILL_END" != 0 ] || fetches k $n 2>>"$T/noise" ||
				lost=$((lost + 1))
		done
		push k $n 2>>"$T/noise" && fetches k $n 2>>"$T/noise" ||
			lost=$((lost + 1))
	done
	back "$T/repo.k"
	tries=0
	while [ "$(files "$SHM/k")" -gt 0 ] && [ $tries -lt 40 ]; do
		tries=$((tries + 1))
		kill_random walpush -c "$T/k" --drain
		for i in 2 3 4 5 6; do
			fetches k $((round * 5 + i)) 2>>"$T/noise" ||
				lost=$((lost + 1))
		done
	done
	walpush -c "$T/k" --drain || lost=$((lost + 1))
done
atleast "walpush was killed as it put files aside and drained them" \
	"$KILLED" 30
is "every other one succeeded" "$KILL_ODD" ""
is "at no moment was anything lost, or half there" $lost 0
is "nothing is left in the spill but its mark" \
	"$(cd "$SHM/k" && find . -type f)" "./main/$id/archive"
is "all of it is in the repository" "$(files "$T/repo.k")" 21

# -- several at once ----------------------------------------------------------
away "$T/repo.k"
for i in $(seq 27 36); do
	push k "$i" 2>>"$T/noise" || fail "not put aside: $i"
done
is "ten files are put aside" "$(files "$SHM/k")" 10
back "$T/repo.k"
for i in 1 2 3; do
	bg drain$i walpush -c "$T/k" --drain
done
bg pushes sh -c 'for i in 37 38; do
	walpush -c "$0/k" "pg_wal/$(sed -n "${i}p" "$0/names")"
done' "$T"
for i in 1 2 3; do
	wait "$(bg_pid drain$i)"
done
wait "$(bg_pid pushes)"
ok "three drains and two pushes side by side empty the spill" \
	walpush -c "$T/k" --drain
is "into the repository" "$(files "$T/repo.k")" 33

# -- PostgreSQL, and a store that stops, hangs and comes back ------------------
s3_start
s3_bucket bucket
proxy_start p
new_d=$T/live
wal_cluster "$new_d"
pg_set "$new_d" "wal_keep_size = 0" "max_wal_size = 4MB"
cp -a "$new_d" "$T/base"
write_conf "$T/live.conf" "$new_d" "$T/key" "s3@$PROXY_URL:$bucket/x" -- \
	"spill_dir = $SHM/live" "spill_below = 100%" "push_deadline = 6s" \
	"fetch_deadline = 10s"
pg_archive "$new_d" "$T/live.conf"
pg_start "$new_d" || bail "no server"
first=$(wal_make "$new_d" 1)
ok "the archive works" wait_for 30 pg_archived "$new_d" "$first"
proxy_rules p '[{"method":"PUT","action":"status","status":503}]'
last=$(wal_make "$new_d" 8 | tail -n 1)
ok "while the store refuses, WAL is archived all the same" \
	wait_for 60 pg_archived "$new_d" "$last"
atleast "into the spill" "$(files "$SHM/live")" 8
proxy_rules p '[{"action":"hang"}]'
forget
last=$(wal_make "$new_d" 4 | tail -n 1)
ok "and while it hangs" wait_for 60 pg_archived "$new_d" "$last"
held=$(files "$SHM/live")
find "$SHM/live" -type f -name '0000*' -printf '%f\n' | sort >"$T/held"
atleast "into the spill" "$held" 12
like "the server's log says so" "$(cat "$new_d.log")" \
	"on this host only \([0-9]+ files, .*not yet in a repository"
rows=$(pg_psql "$new_d" "select count(*) from rows")
pg_stop "$new_d" immediate

# Recovery on this host, of an older copy, before anything was drained.
recover() {
	cp -a "$T/base" "$1"
	rm -rf "$1"/pg_wal/0*
	pg_archive "$1" "$2"
	touch "$1/recovery.signal"
	pg_set "$1" "archive_mode = off" "hot_standby = off"
	pg_start "$1" && wait_for 60 wal_writes "$1"
}
nok "while the store hangs, recovery does not end early" \
	recover "$T/r1" "$T/live.conf"
ok "the server is not open" test -e "$T/r1/recovery.signal"
proxy_rules p
ok "with the store back it recovers" recover "$T/r2" "$T/live.conf"
is "and has every row, of which most WAL is in the spill alone" \
	"$(pg_psql "$T/r2" "select count(*) from rows")" "$rows"
pg_stop "$T/r2"
is "nothing was drained for it" "$(files "$SHM/live")" "$held"

: >"$PROXY_LOG"
forget
pg_start "$new_d" || bail "no server"
last=$(wal_make "$new_d" 3 | tail -n 1)
empty() {
	[ "$(files "$SHM/live")" = 0 ]
}
ok "the server goes on, and is archived" \
	wait_for 120 pg_archived "$new_d" "$last"
next() {
	wal_make "$new_d" 1 >/dev/null
	empty
}
ok "and its calls drain the spill" wait_for 120 next
# Segments that waited in pg_wal go in between.
grep '^PUT' "$PROXY_LOG" | grep -o '[0-9A-F]\{24\} ' | tr -d ' ' |
	grep -xFf "$T/held" | uniq >"$T/order"
same "the oldest first" "$T/order" "$T/held"
rows=$(pg_psql "$new_d" "select count(*) from rows")
last=$(pg_switch "$new_d")
ok "all is archived" wait_for 60 pg_archived "$new_d" "$last"
pg_stop "$new_d"
rm -rf "$SHM/live"
sed '/^spill/d' "$T/live.conf" >"$T/other.conf"
ok "another host recovers from the repository alone" \
	recover "$T/r3" "$T/other.conf"
is "and has every row" \
	"$(pg_psql "$T/r3" "select count(*) from rows")" "$rows"
pg_stop "$T/r3"

done_testing
