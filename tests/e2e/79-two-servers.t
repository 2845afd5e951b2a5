#!/bin/sh
# Two servers with one past (a copied machine, an old primary that goes on)
# write WAL of the same names, system id and timeline. What each says in an
# archive that took some of both: nothing there is missing, every segment is
# whole, and recovery would end in the middle of it, and promote.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/restore.sh"

new_key "$T/key"
a=$T/a b=$T/b
rs_twins
old=$(cat "$T/shared")
pg_start "$a" || bail "the first server does not start"
pg_start "$b" || bail "the second server does not start"
write_conf "$T/conf.b" "$b" "$T/key" "file:$T/r2"

# The network is cut: each reaches one repository. What they write differs in
# length as well, as that of two servers does sooner or later.
writes() {
	wr_d=$1 wr_rows=$2
	shift 2
	for wr_mark; do
		rs_mark "$wr_d" "$wr_mark"
		pg_psql "$wr_d" "CREATE TABLE t$wr_mark AS SELECT n, md5(n::text)
			FROM generate_series(1, $wr_rows) n" >/dev/null
		rs_archived "$wr_d"
		sleep 0.05
	done
}
writes "$a" 100 c d e
before=$(pg_psql "$a" "SELECT clock_timestamp()")
writes "$a" 100 f g h i j k l
writes "$b" 200 v w
basebackup-ship -c "$T/conf.b" >"$T/out" 2>&1 || bail "$(cat "$T/out")"
new=$(tail -n 1 "$T/out")
writes "$b" 200 x y z

names() {
	find "$1" -type f -path '*/wal/*' | sed -n 's,.*/\([0-9A-F]\{24\}\)$,\1,p' |
		sort
}
object() {
	find "$1" -type f -path '*/wal/*' -name "$2"
}
# The last one that both have written alike, and those behind it.
for name in $(names "$T/r1"); do
	cmp -s "$(object "$T/r1" "$name")" "$(object "$T/r2" "$name")" || break
	shared=$name
done
one=$name
two=$(names "$T/r1" | sed -n "/$one/{n;p;}")
three=$(names "$T/r1" | sed -n "/$two/{n;p;}")
to() {
	to_dir=$1
	shift
	pitr-restore -c "$T/conf" --target-dir "$to_dir" "$@"
}
verify() {
	repo-verify -c "$T/conf" --no-progress "$@"
}

# -- as long as each repository holds one server's alone -----------------------
ok "either repository has no finding" verify
is "and no note" "$(cat "$T/out")" ""

# -- together there are two newest states, and two moments of one time ---------
exits 2 "each has its own newest state: neither is taken for it" to "$T/none" \
	--backup "$old" --dry-run
like "and the operator is to choose" "$(cat "$T/err")" "in repository r1 is \
not what it is in repository r2, as if two servers had archived as cluster \
main: choose one with --repo r1 or --repo r2"
exits 2 "nor is one restored" to "$T/none" --backup "$old"
nok "nothing is made" test -e "$T/none"
# The network is there again, and the first server goes on in both.
newest=$(names "$T/r1" | tail -n 1)
cp -a "$(object "$T/r1" "$newest")" "$(dirname "$(object "$T/r2" "$one")")"
exits 2 "that they agree again later does not make them one" to "$T/none" \
	--backup "$old" --dry-run
rm "$(object "$T/r2" "$newest")"
for r in r1 r2; do
	ok "$r, chosen by the operator" to "$T/none" --backup "$old" --repo $r \
		--dry-run
done
ok "what both have in common needs no choice" to "$T/none" --dry-run \
	--backup "$old" --target-immediate

# -- together they would be one archive: WAL of one fills a gap in the other's -
mkdir "$T/away"
mv "$(object "$T/r1" "$two")" "$T/away/$two"
exits 1 "WAL that another server wrote fills no gap" to "$T/none" \
	--backup "$old" --dry-run
like "it is told where the one ends and the other begins" "$(cat "$T/err")" \
	"^pitr-restore: $two does not go on where $one ends, as if another \
server had written it .*nothing after .* \
can be reached from backup $old; --repo asks one repository alone"
exits 1 "nor does a restore begin" to "$T/none" --backup "$old"
nok "nothing is made" test -e "$T/none"
ok "one repository alone is whole" to "$T/none" --repo r2 --dry-run
write_conf "$T/turned" "$a" "$T/key" "file:$T/r2" "file:$T/r1" -- \
	"push_quorum = 1"
exits 1 "when it is asked first, the other's does not go on behind its end" \
	pitr-restore -c "$T/turned" --dry-run
like "and the newest of all is refused" "$(cat "$T/err")" \
	"does not go on where .* can be reached from backup $new; --repo asks"

# -- one repository that took some of both -------------------------------------
cp -a "$(object "$T/r2" "$two")" "$(dirname "$(object "$T/r1" "$one")")"
# broken ARG...: what repo-verify says of it
broken() {
	exits 1 "repo-verify $*: it is found" verify --repo r1 "$@"
	like "where the other server's begins" "$(cat "$T/out")" \
		"/$two: does not go on where $one ends, .* \(.*\): no moment after "
	like "and where it ends" "$(cat "$T/out")" \
		"/$three: does not go on where $two ends, "
	is "and nothing else" "$(grep -vc ^sample: "$T/out")" 2
}
broken --since-last
broken
broken --wal
broken --sample 0.01 --seed 1
broken --since-last
exits 1 "as JSON" verify --repo r1 --json
is "the last moment that can be restored is one before it" "$("$PYTHON" -c '
import json, sys
for r in json.load(open(sys.argv[1]))["repositories"]:
	for w in r["windows"]:
		print(w["to"] < sys.argv[2].replace(" ", "T"))' "$T/out" \
	"$before")" True
exits 1 "a dry run says no" to "$T/none" --repo r1 --dry-run
like "and why" "$(cat "$T/err")" \
	"$two does not go on where $one ends.*its first record says"
ok "a moment before it can be restored" to "$T/early" --repo r1 \
	--target-time "$(pg_psql "$a" "SELECT pg_xact_commit_timestamp(xmin)
		FROM mark WHERE v = 'c'")" --target-action promote
ok "it starts" rs_start "$T/early"
wait_for 60 rs_writes "$T/early" || fail "it does not promote"
is "with what was committed by then" "$(rs_marks "$T/early")" abc
pg_stop "$T/early" immediate
# -- a backup beside another server's WAL ---------------------------------------
rm -rf "$T/r3"
cp -a "$T/r1" "$T/r3"
cp -a "$T/r2"/main/*/base/"$new" "$T/r3"/main/*/base/
write_conf "$T/conf3" "$b" "$T/key" "file:$T/r3"
exits 1 "a backup whose end is not in the WAL under those names: found" \
	repo-verify -c "$T/conf3" --no-progress
like "with what it means" "$(cat "$T/out")" "base/$new/head: .* is of another \
server: no backup that began at .* ends there at .*: backup $new cannot be \
restored"
exits 1 "again since the last report" repo-verify -c "$T/conf3" --no-progress \
	--since-last
like "which knows nothing of it" "$(cat "$T/out")" "base/$new/head: "
exits 1 "it is not restored" pitr-restore -c "$T/conf3" --backup "$new" \
	--target-immediate --target-dir "$T/none"
like "and it is told why" "$(cat "$T/err")" "backup $new cannot be made \
consistent: .*another server.*choose another backup"
nok "nothing is made" test -e "$T/none"

# -- the second server archives where the first one does ----------------------
write_conf "$T/conf.b" "$b" "$T/key" "file:$T/r1"
rs_mark "$b" 1
last=$(pg_switch "$b")
refused() {
	grep -q "^walpush: .*other content: does another server archive as" \
		"$b.log"
}
ok "archive_command is refused" wait_for 60 refused
pg_psql "$a" "SELECT pg_logical_emit_message(false, '', '')" >/dev/null
until [ "$(names "$T/r1" | tail -n 1)" \> "$last" ]; do
	rs_archived "$a"
done
repo-key recipient "$T/key" >"$T/key.pub" || bail "no recipient"
chmod 600 "$T/key.pub"
write_conf "$T/sealed.b" "$b" "$T/key.pub" "file:$T/r1"
backups=$(ls "$T/r1"/main/*/base | wc -l)
# More than the second one's attempts will take.
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	rs_archived "$a"
done
for source in stream files; do
	exits 3 "no backup stands on WAL that another server archives ($source)" \
		basebackup-ship -c "$T/conf.b" --source $source \
		--wal-timeout 60s
	like "and it is told why" "$(cat "$T/err")" "^basebackup-ship: .* is not \
this server's WAL: does another server archive as cluster main.* \
archive_command failed for "
done
exits 3 "nor on a host that can only write" \
	basebackup-ship -c "$T/sealed.b" --source files --wal-timeout 60s
like "it compares the server's file" "$(cat "$T/err")" "not complete without \
its WAL: .* is not this server's WAL"
run basebackup-ship -c "$T/sealed.b" --source stream --wal-timeout 60s
like "where it cannot, it warns" "$(cat "$T/err")" "WARNING: whether the WAL of \
this backup is this server's cannot be seen.*archive_command failed for "
is "the first server is not concerned" "$(rs_archived "$a" 2>&1)" ""

# -- what the manual says: the refused one gets a name of its own --------------
sed 's/^\[cluster main\]/[cluster main2]/' "$T/conf.b" >"$T/renamed"
cat "$T/renamed" >"$T/conf.b"
rs_archived "$b"
ok "it archives under it" basebackup-ship -c "$T/conf.b"
rs_mark "$b" 2
rs_archived "$b"
pg_stop "$b"
ok "a repository with both: nothing is found of it" \
	repo-verify -c "$T/conf.b" --no-progress
is "nor of the other, whose name begins like it" "$(cat "$T/out")" ""
ok "it is restored" pitr-restore -c "$T/conf.b" --target-dir "$T/own"
ok "and starts" rs_start "$T/own"
wait_for 60 rs_writes "$T/own" || fail "it does not promote"
is "with all it has written" "$(rs_marks "$T/own")" 12abvwxyz
pg_stop "$T/own" immediate
done_testing
