#!/bin/sh
# Several repositories, of which one is away, empty or could not take a hold:
# what pruning and holds make of that. A hold once stood in none when the first
# one was away, and one that was placed into the folder on which a repository
# was not mounted counted as placed.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"

d=$T/main
rt_cluster "file:$T/r1"
write_conf "$T/conf" "$d" "$T/key" "file:$T/r1" "file:$T/r2" -- \
	"push_quorum = 1"
rt_conf "$T/short" "file:$T/r1" "file:$T/r2"
both() {
	rt_backup "$1"
	basebackup-ship -c "$T/conf" --repo r2 >"$T/out" 2>&1 ||
		bail "no backup: $(cat "$T/out")"
	eval "$1_2=\$(tail -n 1 \"\$T/out\")"
}
rs_mark "$d" a
both old
rs_mark "$d" b
both middle
rs_mark "$d" c
both new
rs_archived "$d"
rt_settle
away() {
	mv "$T/$1" "$T/$1.away"
}
back() {
	rm -rf "${T:?}/$1"
	mv "$T/$1.away" "$T/$1"
}
hold() {
	retention-hold add -c "$T/conf" --holder court --reason "case 1" "$@"
}
active() {
	retention-hold list -c "$T/conf" --repo "$1" | grep -c active
}
# told ERE: of the list of all, for people
told() {
	retention-hold list -c "$T/conf" >"$T/list" 2>"$T/err"
	grep -c -E -e "$1" "$T/list"
}
prune() {
	retention-prune -c "$T/short" "$@"
}

# -- a hold, and a repository that cannot take it ------------------------------
away r1
exits 4 "the first one is away: a hold is not in all" \
	hold --backup "$old_2"
one=$(cat "$T/out")
like "its id is told, and where it is not" "$(cat "$T/err")" "in force in 1 of 2 \
repositories: hold $one is not in repository r1: .*is it mounted"
is "the other one has it" "$(active r2)" 1
exits 4 "what the others hold is listed, and which one is not known" \
	retention-hold list -c "$T/conf"
like "... all of it" "$(cat "$T/out")" "^$one  active"
like "... by its name" "$(cat "$T/err")" \
	"the holds of repository r1 are not known: .*is it mounted"
exits 4 "as JSON as well" retention-hold list -c "$T/conf" --json
like "... with its name" "$(tr -d ' \n' <"$T/out")" \
	'"in":\["r2"\],"missing_in":\[\].*"unread":\["r1"\]'
mkdir "$T/r1"
exits 4 "a folder on which nothing is mounted takes none" \
	hold --backup "$old_2"
also=$(cat "$T/out")
like "and it is told" "$(cat "$T/err")" "not in repository r1: it shows no \
archive of cluster main: not mounted, or a wrong place"
is "nothing is written there" "$(find "$T/r1" -type f)" ""
exits 2 "nor is there anything to prune" prune
like "which is told" "$(cat "$T/err")" "holds nothing of cluster main"
exits 2 "nor to plan" prune --dry-run
is "no record is left there either" "$(find "$T/r1" -type f)" ""
back r1
is "the first one has none" "$(active r1)" 0

away r2
exits 4 "the second one is away" hold --backup "$old"
two=$(cat "$T/out")
is "the first one has it" "$(active r1)" 1
back r2
ok "all are listed" retention-hold list -c "$T/conf"
is "... once" "$(grep -c active "$T/out")" 3
is "... with where they are missing" "$(sed -n '/^20/h
	/missing/{H;x;s/  active\n */ /p;}' "$T/out" | tr -s ' ' | sort)" \
	"$(printf '%s\n' "$one missing in r1" "$also missing in r1" \
		"$two missing in r2" | sort)"
ok "one repository" retention-hold list -c "$T/conf" --repo r2
unlike "... is not compared" "$(cat "$T/out")" missing
three=$(hold --backup "$middle") || fail "a hold in both"
is "one that is in both" "$(told "$three  active")" 1
is "... is missing nowhere" "$(told missing)" 3
away r2
exits 4 "its release cannot reach one" retention-hold release "$three" \
	-c "$T/conf" --reason "over"
back r2
is "it is active there" "$(told "$three  active")" 1
is "... which is told" "$(told "^  release missing in r2\$")" 1
ok "released again" retention-hold release "$three" -c "$T/conf" \
	--reason "over"
is "... it is over in both" "$(told "$three")" 0

# -- what a hold keeps stays in each of them -----------------------------------
there() {
	test -e "$T/$1/main/$(ls "$T/$1/main")/base/$2/head"
}
ok "pruning the second" prune --repo r2
ok "what it holds itself stays" there r2 "$old_2"
nok "what nothing keeps goes" there r2 "$middle_2"
cp -a "$T/r1"/main/*/base/"$old" "$(echo "$T/r2"/main/*/base)" ||
	bail "no copy"
ok "a backup that only the first one's hold names" prune --repo r2
like "is kept by it" "$(cat "$T/out")" "^  $old .*hold $two"
ok "and stays" there r2 "$old"
# A hold that is there, and cannot be read, may hold anything.
placed=$(find "$T/r1" -type f -path "*$two*" | head -n 1)
cp -p "$placed" "$T/placed"
flip "$placed"
exits 5 "a hold of the first one is damaged" prune --repo r2
like "and told" "$(cat "$T/err")" "repository r1: .*$two"
ok "what it may name stays" there r2 "$old"
cp -p "$T/placed" "$placed"
away r1
ok "the first one is away" prune --repo r2 --dry-run
like "then it is told that its holds are not known" "$(cat "$T/err")" \
	"WARNING: .*repository r1: .*is it mounted"
back r1
ok "released where it stands" retention-hold release "$two" -c "$T/conf" \
	--reason "over"
ok "it keeps nothing any more" prune --repo r2
nok "in the second one either" there r2 "$old"
ok "nor in the first" prune
nok "as it goes there, too" there r1 "$old"
ok "the other hold keeps what it names" there r2 "$old_2"

# -- each repository can be restored from by itself ----------------------------
pg_stop "$d"
for r in r1 r2; do
	rt_restored "$r alone" abc --repo $r
done
ok "nothing is found in either" repo-verify -c "$T/short" --no-progress
is "nor noted" "$(cat "$T/out")" ""
done_testing
