#!/bin/sh
# What is known of each segment's push (when it became durable, and how long
# that took) goes with the segments behind it, and repo-verify makes one record
# of each day of it, once. Hosts that can only write tell it as well.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/spill.sh"

spill_cluster 14
repo-key recipient "$T/key" >"$T/recipient" || bail "no recipient"
chmod 600 "$T/recipient"
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/one"
write_conf "$T/push" "$T/pg" "$T/recipient" "file:$T/one"
write_conf "$T/two" "$T/pg" "$T/recipient" "file:$T/one" "file:$T/far"
write_conf "$T/spills" "$T/pg" "$T/recipient" "file:$T/one" -- \
	"spill_dir = $SHM/spill" "spill_below = 100%"
journal=$T/spool/main-$id.pushed

pushes() {
	for pushes_n in "$@"; do
		push push "$pushes_n" || fail "push $pushes_n"
	done
}
# A day is summed up when it is over by an hour: these days end two hours ago at
# the latest, and stay the same when midnight passes meanwhile.
today=$((($(date +%s) - 7200) / 86400))
day() {
	date -u -d "@$(((today - $1) * 86400))" +%Y-%m-%d
}
# All WAL there came so many days ago.
aged() {
	find "$T/one" -type f -path '*/wal/*' -newer "$T/began" \
		-exec touch -d "$(day "$1") 12:00 UTC" {} +
}
verify() {
	repo-verify -c "$T/conf" --no-progress --wal --json "$@"
}
# says NAME EXPRESSION: of the days d that the last run told of
says() {
	says_n=$1
	shift
	ok "$says_n" "$PYTHON" -c '
import json, sys
d = json.load(open(sys.argv[1]))["repositories"][0]["wal_days"]
a = sys.argv[3:]
assert eval(sys.argv[2]), d
' "$T/json" "$@"
}
told() {
	ok "$1" verify
	cp "$T/out" "$T/json"
}
trail() {
	"$BUILD/tests/tools/audit" -c "$T/conf" --details |
		awk -F '\t' -v a="$1" '$1 == "record" { on = $5 == "wal" && $8 == a }
			on' >"$T/trail"
	cat "$T/trail"
}
touch -d '1 hour ago' "$T/began"

# -- one day ---------------------------------------------------------------------

pushes 1 2 3 4
mode=$(stat -c %a "$journal")
is "only its owner reads what is noted in spool_dir" "$mode" 600
is "one segment is noted there, of which no other has told" \
	"$(stat -c %s "$journal")" 40
told "today is not over"
says "... and not summed up" 'd == []'
aged 3
old=$(day 3)
told "nor is it three days later, while nothing came behind it"
says "... for a clock may be wrong" 'd == []'
pushes 5
told "when something has"
says "one day" 'len(d) == 1 and d[0]["day"] == a[0]' "$old"
says "... of four segments" 'd[0]["segments"] == 4 and d[0]["bytes"] == 4 << 20'
says "... from the first to the last" \
	'(d[0]["first"], d[0]["last"]) == tuple(a)' "$(nth 1)" "$(nth 4)"
says "... of which all is known" 'd[0]["unknown"] == 0'
says "... with the times that it took" \
	'0 <= d[0]["median_ms"] <= d[0]["longest_ms"] <= 60000'
says "... and that commits waited, the first ones longest" \
	'0 < d[0]["lag_ms"] <= d[0]["loss_ms"] and d[0]["loss_of"] == a[0]' \
	"$(nth 1)"
like "it is in the trail" "$(trail "$old")" "	wal	done	0	$old"
like "... with the longest time" "$(cat "$T/trail")" \
	'^detail	longest_ms	[0-9]+$'
like "... and whose it was" "$(cat "$T/trail")" \
	"^detail	loss_of	$(nth 1)$"
told "the next run"
says "... tells of it no more" 'd == []'
ok "nor does one that reads what is new" verify --since-last
is "... and there is one record" "$(trail "$old" | grep -c ^record)" 1

# -- the next day ----------------------------------------------------------------

touch -d '1 minute ago' "$T/began"
# Nothing is left of what the journal knew.
rm "$journal"
pushes 6
printf 'garbage, of forty bytes or more, that says nothing' >"$journal"
pushes 7
# What is there already has nothing to tell, and takes nothing away.
pushes 7
is "what is there already is not noted again" "$(stat -c %s "$journal")" 40
# Only one of two repositories.
mkdir "$T/far"
chmod a-w "$T/far"
ok "a push that one of two repositories takes" push two 8
chmod u+w "$T/far"
pushes 9
# Put aside, and drained.
away "$T/one"
ok "a segment is put aside" push spills 10
is "... which is durable nowhere else, and so not noted" \
	"$(stat -c %s "$journal")" 40
back "$T/one"
ok "and drained" walpush -c "$T/spills" --drain
is "... which is" "$(stat -c %s "$journal")" 80
pushes 11
# Killed at any moment: what it is worst for is that nothing is known.
walpush -c "$T/push" "pg_wal/$(nth 12)" &
kill -KILL $!
wait $! 2>/dev/null
pushes 12
aged 2
pushes 13
told "two days later"
says "one day" 'len(d) == 1 and d[0]["day"] == a[0]' "$(day 2)"
says "... of eight segments" 'd[0]["segments"] == 8'
says "... nothing known of two whose notes were lost, or of three at most" \
	'2 <= d[0]["unknown"] <= 3'
says "... one that was not in all repositories" 'd[0]["partly"] == 1'
says "... and one that had been put aside" 'd[0]["drained"] == 1'
ok "as text" repo-verify -c "$T/conf" --no-progress --wal -v
unlike "... not again" "$(cat "$T/err")" "WAL of"
aged 1
pushes 14
ok "with -v" repo-verify -c "$T/conf" --no-progress --wal -v
like "... it is told" "$(cat "$T/err")" "WAL of $(day 1): 1 segments, .*nothing \
is known of when 0 became durable"

# -- who may not write -------------------------------------------------------------

# A day that is on record is not summed up again, whoever comes.
rm -f "$T"/spool/audit-*
told "another host's run"
says "... has nothing to sum up" 'd == []'
"$BUILD/tests/tools/audit" -c "$T/conf" >"$T/all"
is "each day has one record" "$(awk -F '\t' '$5 == "wal" { print $8 }' \
	"$T/all" | sort | uniq -d)" ""
is "... three days" "$(awk -F '\t' '$5 == "wal" { print $8 }' "$T/all" |
	wc -l)" 3
cp -a "$T/one" "$T/kept"
rm -r "$T"/one/main/*/audit "$T"/one/main/*/verify
touch -d '1 hour ago' "$T/began"
ok "without records" verify --no-record
cp "$T/out" "$T/json"
says "... none is made" 'd == []'
told "with records"
says "... all days are, for their records are gone" \
	'[x["day"] for x in d] == a' "$(day 3)" "$(day 2)" "$(day 1)"

# -- a burst -------------------------------------------------------------------------

# The worker pushes several at a time.
cd "$T" || bail
pg_archive "$T/pg" "$T/push"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 20 >"$T/names"
wait_for 60 pg_archived "$T/pg" "$(tail -n 1 "$T/names")" || bail "not archived"
pg_stop "$T/pg"
had=$(find "$T/one" -type f -path '*/wal/*' \
	-name '????????????????????????' | wc -l)
rm -r "$T"/one/main/*/audit "$T"/one/main/*/verify "$T"/spool/audit-*
find "$T/one" -type f -path '*/wal/*' -exec touch -d '4 days ago' {} +
touch "$(wal_object "$T/one" "$(tail -n 1 "$T/names")")"
told "a burst"
says "... is all there, but for the newest" \
	'd[0]["segments"] == int(a[0]) - 1 >= 33' "$had"
says "... and known, but for what was lost and the newest few" \
	'd[0]["unknown"] <= 10 and d[0]["median_ms"] >= 0'

done_testing
