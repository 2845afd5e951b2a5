#!/bin/sh
# Verifying tells what retention let go from what was lost, and follows
# timelines.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/verify.sh"

d=$T/main repo=$T/repo
rt_cluster "file:$repo"

# unmissed NAME CONF [ARG...], missed NAME CONF ERE: without a record of it
unmissed() {
	unmissed_n=$1 unmissed_c=$2
	shift 2
	clean "$unmissed_n" -c "$unmissed_c" --no-record "$@"
}
missed() {
	finds "$1" "$3" -c "$2" --no-record
}

# -- thinning ------------------------------------------------------------------

rs_mark "$d" a
rt_backup first
for x in b c d; do
	rs_mark "$d" $x
	rs_archived "$d"
done
middle=$(segments 00000001 | tail -n 2 | head -n 1)
rt_backup second
for x in e f; do
	rs_mark "$d" $x
	rs_archived "$d"
done
rt_backup third
rs_mark "$d" g
rs_archived "$d"
rt_settle
rt_age "$repo"
rt_conf "$T/short" "file:$repo"
unmissed "before pruning" "$T/conf"
unmissed "... by the rules that would let go" "$T/short"

retention-hold -c "$T/short" add --backup "$first" --holder Legal \
	--reason "case 1" >"$T/out" || fail "hold"
ok "an old backup stays under hold, WAL behind it goes" \
	retention-prune -c "$T/short"
ok "the second backup went" test ! -e "$repo"/main/*/base/"$second"
ok "WAL in the middle went" test ! -e "$repo"/main/*/wal/00000001/*/"$middle"
unmissed "a thinned repository" "$T/short"
unmissed "... by rules that keep longer now" "$T/conf"
keep
ok "with a report" repo-verify -c "$T/conf"
unmissed "a later run knows the prunings from the report" "$T/conf" --since-last
reset

own=$(segments 00000001 | head -n 1)
rm "$repo"/main/*/wal/00000001/*/"$own"
missed "the WAL of the held backup" "$T/short" \
	"$own: is missing: backup $first cannot be restored"
missed "... by other rules as well" "$T/conf" \
	"$own: is missing: backup $first cannot be restored"
reset
gone=$(segments 00000001 | tail -n 2 | head -n 1)
rm "$repo"/main/*/wal/00000001/*/"$gone"
missed "WAL in the window" "$T/short" \
	"$gone: is missing: (no moment after|backup $third)"
reset

# Without the record of the pruning the rules of now count.
rm -r "$repo"/main/*/audit
unmissed "the rules of the pruning alone tell, too" "$T/short"
exits 1 "... and others miss what it let go" repo-verify -c "$T/conf" \
	--no-record
reset

# A hold on moments that were let go before it was placed.
retention-hold -c "$T/short" add --from "2001-01-01 00:00:00+00" \
	--holder Legal --reason "case 2" >"$T/out" || fail "hold"
unmissed "a hold that came too late for some WAL" "$T/short"
unmissed "... by rules that keep longer now" "$T/conf"

# -- timelines -----------------------------------------------------------------

second_server "$T/two"
rs_mark "$T/two" h
rs_archived "$T/two"
rs_mark "$T/two" i
rs_archived "$T/two"
rt_backup fourth
rs_mark "$T/two" j
rs_archived "$T/two"
pg_stop "$T/two"
rt_age "$repo"
unmissed "two timelines" "$T/conf"
ok "as JSON" repo-verify -c "$T/conf" --no-record --json
cp "$T/out" "$T/json"
ok "... with a window each" "$PYTHON" -c '
import json, sys
w = json.load(open(sys.argv[1]))["repositories"][0]["windows"]
assert sorted(x["timeline"] for x in w)[-1] == 2, w
assert all(x["from_us"] <= x["to_us"] for x in w), w
' "$T/json"
keep

history=$(ls "$repo"/main/*/wal/00000002/00000002.history)
rm "$history"
missed "a missing history file" "$T/conf" \
	"00000002.history: is missing: timeline 2 cannot be followed"
reset
flip "$history" 200
missed "a damaged one" "$T/conf" \
	"00000002.history: .*: timeline 2 cannot be followed"
reset

# The new timeline's first segment, then the last before the fork.
fork=$(segments 00000002 | head -n 1)
rm "$repo"/main/*/wal/00000002/*/"$fork"
missed "the first segment of a timeline" "$T/conf" \
	"$fork: is missing: no moment (after|between) .* on timeline 2 can be"
reset
before=$(printf '00000001%s%08X' "$(echo "$fork" | cut -c9-16)" \
	$((0x$(echo "$fork" | cut -c17-24) - 1)))
rm "$repo"/main/*/wal/00000001/*/"$before"
missed "the last segment before the fork" "$T/conf" \
	"$before: is missing: .*(on timeline 2 can be|cannot be restored)"
reset

last=$(segments 00000002 | tail -n 2 | head -n 1)
rm "$repo"/main/*/wal/00000002/*/"$last"
missed "one on the new timeline" "$T/conf" \
	"$last: is missing: (no moment after .* on timeline 2|backup $fourth)"
unlike "... which is nothing to the old one" "$(cat "$T/found")" "timeline 1"

done_testing
