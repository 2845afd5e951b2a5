#!/bin/sh
# The spill when only a part of the world is in order: a repository hangs while
# the others make the quorum, the cluster was upgraded, what a repository holds
# is damaged, a call ended half-way.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/spill.sh"

spill_cluster 12

# -- a repository that takes connections and never answers --------------------
cat >"$T/mute.py" <<'PY'
import os, socket, sys
s = socket.socket()
s.bind(('127.0.0.1', 0))
s.listen(100)
open(sys.argv[1] + '.new', 'w').write(str(s.getsockname()[1]))
os.rename(sys.argv[1] + '.new', sys.argv[1])
kept = []
while True:
    kept.append(s.accept())
    open(sys.argv[1] + '.calls', 'a').write('.')
PY
bg mute "$PYTHON" "$T/mute.py" "$T/mute.port"
wait_for 10 test -s "$T/mute.port" || bail "no listener"
printf 'nothing' >"$T/secret"
chmod 600 "$T/secret"
S3_REGION=us-east-1 S3_ACCESS_KEY_ID=nobody S3_SECRET_FILE=$T/secret
mute=s3@http://127.0.0.1:$(cat "$T/mute.port"):bucket/x

for n in 1 2; do
	forget
	SPILL="spill_dir = $SHM/mute$n"
	write_conf "$T/mute$n.sound" "$T/pg" "$T/key" "file:$T/repo.m$n" -- \
		"$SPILL" "spill_below = 100%" "push_deadline = 24s"
	[ $n = 1 ] && set -- "$mute" "file:$T/repo.m1"
	[ $n = 2 ] && set -- "file:$T/repo.m2" "$mute"
	write_conf "$T/mute$n" "$T/pg" "$T/key" "$@" -- \
		"$SPILL" "spill_below = 100%" "push_deadline = 24s"
	ok "a repository ($n)" push mute$n.sound 1
	away "$T/repo.m$n"
	for i in 2 3 4; do
		ok "without it segment $i goes aside" push mute$n.sound $i
	done
	back "$T/repo.m$n"
	ok "walpush --drain, one repository hangs, the other makes the quorum" \
		walpush -c "$T/mute$n" --drain
	is "and all is drained" "$(files "$SHM/mute$n")" 0
	is "into the one that answers" "$(files "$T/repo.m$n")" 4
	away "$T/repo.m$n"
	ok "another one goes aside" push mute$n.sound 5
	back "$T/repo.m$n"
	ok "a push, one repository hangs, the other makes the quorum" \
		push mute$n 6
	is "drains" "$(files "$SHM/mute$n")" 0
	is "and is stored where the quorum is" "$(files "$T/repo.m$n")" 6
	away "$T/repo.m$n"
	for i in 7 8 9; do
		ok "segment $i goes aside" push mute$n.sound $i
	done
	back "$T/repo.m$n"
	touch "pg_wal/archive_status/$(nth 11).ready"
	ok "a push while others wait, too, one repository hangs" push mute$n 10
	rm "pg_wal/archive_status/$(nth 11).ready"
	is "drains as much as there is time for" "$(files "$SHM/mute$n")" 0
done

# -- two settings files of one cluster -----------------------------------------
# They share what is noted in spool_dir; each has a spill of its own.
for n in a b; do
	write_conf "$T/share.$n" "$T/pg" "$T/key" "file:$T/repo.share" -- \
		"spill_dir = $SHM/share.$n" "spill_below = 100%"
done
write_conf "$T/share.hangs" "$T/pg" "$T/key" "$mute" -- \
	"spill_dir = $SHM/share.a" "spill_below = 100%" "push_deadline = 600s"
forget
ok "a push" push share.a 1
away "$T/repo.share"
ok "a file goes into the spill of one" push share.a 2
ok "and one into that of the other" push share.b 3
back "$T/repo.share"
mv "$SHM/share.a" "$SHM/share.unmounted"
exits 200 "what may be in the first, which is not mounted, is not absent" \
	walfetch -c "$T/share.a" "$(nth 2)" "$T/got"
mv "$SHM/share.unmounted" "$SHM/share.a"
rm "$T/mute.port.calls"
bg drains walpush -c "$T/share.hangs" --drain
ok "while the first is drained, which hangs" \
	wait_for 20 test -s "$T/mute.port.calls"
ok "the other one is, too" walpush -c "$T/share.b" --drain
is "wholly" "$(files "$SHM/share.b")" 0
bg_stop drains
ok "and then the first" walpush -c "$T/share.a" --drain
is "wholly" "$(files "$SHM/share.a")" 0

# -- damage in the repository -------------------------------------------------
write_conf "$T/sound" "$T/pg" "$T/key" "file:$T/repo" -- \
	"spill_dir = $SHM/sound" "spill_below = 100%" "push_deadline = 20s"
forget
ok "a push" push sound 1
away "$T/repo"
ok "a file goes aside" push sound 2
back "$T/repo"
grep -v '^spill' "$T/sound" >"$T/plain"
ok "another call stores it as well" push plain 2
flip "$(wal_object "$T/repo" "$(nth 2)")" 3000
exits 200 "what is damaged in the repository is not delivered from there" \
	walfetch -c "$T/plain" "$(nth 2)" "$T/got"
ok "but from the spill, where it is whole" fetches sound 2
flip "$(wal_object "$T/repo" "$(nth 2)")" 3000
ok "walpush --drain" walpush -c "$T/sound" --drain
is "removes it, as it is stored" "$(files "$SHM/sound")" 0

# -- what a put that did not end leaves ----------------------------------------
wal=$SHM/sound/main/$id/wal
mkdir -p "$wal/00000001/0000000100000000"
ok "a push, where empty folders are left in the spill" push sound 3
nok "removes them: nothing seems to wait" test -e "$wal"
ok "the archive's mark stays" test -e "$SHM/sound/main/$id/archive"

# -- the cluster was upgraded: another system identifier -----------------------
away "$T/repo"
# Nobody who has not been there before can make it anew.
ln -s /nowhere/at/all "$T/repo"
ok "a file goes aside" push sound 4
wal_cluster "$T/new"
pg_start "$T/new" || bail "no server"
wal_make "$T/new" 1 >"$T/new.names"
pg_stop "$T/new"
sed "s|^pgdata.*|pgdata = $T/new|" "$T/sound" >"$T/upgraded"
ok "and one of the cluster that took its place" in_dir "$T/new" \
	walpush -c "$T/upgraded" "pg_wal/$(cat "$T/new.names")"
is "both wait" "$(files "$SHM/sound")" 2
exits 4 "walpush --drain says that no repository answers" \
	in_dir "$T/new" walpush -c "$T/upgraded" --drain
rm "$T/repo"
back "$T/repo"
ok "walpush --drain, called for the new one" \
	in_dir "$T/new" walpush -c "$T/upgraded" --drain
is "empties the spill of both" "$(files "$SHM/sound")" 0
ok "what the old one left is in the repository" fetches plain 4
ok "nor does it matter that the data directory is gone" \
	sh -c 'sed "s|^pgdata.*|pgdata = /nowhere|" "$0/sound" >"$0/gone" &&
		cd / && walpush -c "$0/gone" --drain' "$T"

done_testing
