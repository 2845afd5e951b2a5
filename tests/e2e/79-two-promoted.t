#!/bin/sh
# Two servers that were both promoted, while a network was cut: each has a
# timeline 2 of its own, in the repository that it reached.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/restore.sh"

new_key "$T/key"
a=$T/a b=$T/b
rs_twins
promoted() {
	touch "$1/recovery.signal"
	pg_start "$1" || bail "no recovery"
	wait_for 60 rs_writes "$1" || bail "no promotion"
}

# Both went on for a time on timeline 1, the first one longer.
goes_on() {
	pg_start "$1" || bail "$1 does not start"
	for g_mark in $2; do
		rs_mark "$1" $g_mark
		pg_psql "$1" "CREATE TABLE t$g_mark AS SELECT
			generate_series(1, $3)" >/dev/null
		rs_archived "$1"
	done
	pg_stop "$1"
}
goes_on "$a" "c d e" 100
goes_on "$b" "x y" 200
promoted "$a"
promoted "$b"
for m in f g; do
	rs_mark "$a" $m
	rs_archived "$a"
done
rs_mark "$b" z
rs_archived "$b"
to() {
	pitr-restore --target-dir "$T/none" --dry-run "$@"
}
for r in a b; do
	ok "its own repository has no finding" repo-verify -c "$T/conf.$r" \
		--no-progress
	is "and no note" "$(cat "$T/out")" ""
	ok "and its newest state" to -c "$T/conf.$r"
	like "on timeline 2" "$(cat "$T/out")" "^target .* on timeline 2"
done
exits 2 "together they have two timelines 2" to -c "$T/conf"
like "which is told" "$(cat "$T/err")" "00000002.history in repository r1 is \
not what it is in repository r2, .*--repo r1 or --repo r2"
ok "before the fork there is nothing to choose" to -c "$T/conf" \
	--target-immediate
ok "one that is chosen" to -c "$T/conf" --repo r2

# The network is whole again.
write_conf "$T/conf.b" "$b" "$T/key" "file:$T/r1"
exits 3 "the other's history is refused where the first one's is" \
	walpush -c "$T/conf.b" "$b/pg_wal/00000002.history"
like "with what that means" "$(cat "$T/err")" "00000002.history is there with \
other content: does another server archive as cluster main"

pg_stop "$a"
pg_stop "$b"

# The second one's timeline in the first one's repository: it branches off where
# that has WAL of another server.
system=$(ls "$T/r1/main")
rm -r "$T/r1/main/$system/wal/00000002"
cp -a "$T/r2/main/$system/wal/00000002" "$T/r1/main/$system/wal/"
fork=$(ls "$T/r1/main/$system/wal/00000002"/*/ | grep -E '^[0-9A-F]{24}$' |
	head -n 1)
exits 1 "no way leads across the fork" to -c "$T/conf.a"
like "which is told" "$(cat "$T/err")" "$fork does not go on where 00000001[0-9A-F]* \
ends, as if another server had written it"
for o in "" --since-last; do
	exits 1 "repo-verify $o finds it" repo-verify -c "$T/conf.a" \
		--no-progress $o
	like "with what it means" "$(cat "$T/out")" "/$fork: does not go on where \
00000001.*: no moment after .* on timeline 2 can be reached"
	unlike "timeline 1 is not concerned" "$(cat "$T/out")" "on timeline 1"
done
done_testing
