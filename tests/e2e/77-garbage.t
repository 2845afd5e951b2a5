#!/bin/sh
# Somebody who can write to the repository, and has no key, puts objects there.
# They are told of, and what they stop names them; when they are gone they leave
# nothing behind: reports once handed on what such objects had pretended.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/verify.sh"

d=$T/main repo=$T/repo
rt_cluster "file:$repo"
rs_mark "$d" a
rt_backup first
for x in b c; do
	rs_mark "$d" $x
	rs_archived "$d"
done
pg_stop "$d"
all=$(dirname "$(ls -d "$repo"/main/*/wal)")
newest=$(segments 00000001 | tail -n 1)
high=$(echo "$newest" | cut -c9-16) low=$(echo "$newest" | cut -c17-24)
clean "nothing is found"
keep

# found STATUS ERE ARG...: the same by each run
found() {
	found_s=$1 found_e=$2
	shift 2
	exits "$found_s" "... verified" repo-verify -c "$T/conf" --no-progress \
		"$@"
	if [ -n "$found_e" ]; then
		like "... and told" "$(cat "$T/out")" "$found_e"
	else
		is "... and nothing told" "$(cat "$T/out")" ""
	fi
}
# put KEY
put() {
	mkdir -p "$(dirname "$all/$1")"
	echo garbage >"$all/$1"
}
# garbage NAME KEY STATUS ERE PRUNE-STATUS: while it is there, and then
garbage() {
	pass "$1"
	put "$2"
	found "$3" "$4"
	found "$3" "$4" --since-last
	leave "$2" "$5"
}
# leave KEY PRUNE-STATUS
leave() {
	exits "$2" "... pruned" retention-prune -c "$T/conf"
	[ "$2" -eq 0 ] ||
		like "... or it is named" "$(cat "$T/err")" "$(echo "$1" |
			cut -d/ -f2)"
	rm "$all/$1"
	rmdir -p --ignore-fail-on-non-empty "$(dirname "$all/$1")"
	clean "... gone, and forgotten"
	clean "... since the last report" --since-last
	ok "... and pruning goes on" retention-prune -c "$T/conf"
	reset
}
old=base/20200101T000000Z-full-00000001
ahead=00000001$high${low%??}7F
garbage "a head" $old/head 1 "$old/head: is cut off" 5
garbage "a backup of a time that is none" \
	base/99999999T999999Z-full-00000001/head 0 \
	"note: .*: objects with names that mean nothing: 1" 0
garbage "a backup of the future" \
	base/20990101T000000Z-full-00000001/pack/00000001 0 "" 2
garbage "a segment far ahead" "wal/00000001/00000001$high/$ahead" 1 \
	"$ahead: is cut off" 0
garbage "a segment of another timeline" \
	"wal/00000009/00000009$high/00000009$high$low" 1 \
	"00000009.history: is missing" 0
garbage "a history" wal/00000009/00000009.history 1 \
	"timeline 9 cannot be followed" 5
garbage "a report that no other could follow" \
	verify/99991231T235959Z-ffffffff/report 0 "" 0
for x in 20990101T000000Z-1a2b3c4d 21991231T235959Z-ffffffff; do
	pass "a report of the future: $x"
	put verify/$x/report
	found 1 "/$x/report: .*: nothing is known to have been read before"
	leave verify/$x/report 0
done
garbage "a hold" hold/20200101T000000Z-00000001/placed 1 \
	"nothing will be pruned" 5
garbage "a record" audit/evil-1a2b3c4d/000000000001 1 \
	"the audit trail proves nothing there" 0

done_testing
