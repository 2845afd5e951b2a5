#!/bin/sh
# What is gone from the audit trail, or of the reports that it names, is told by
# each verification, not only by the first, until an operator accepts it with a
# reason; and what is done to the same place later is told again.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/verify.sh"

d=$T/main repo=$T/repo
rt_cluster "file:$repo"

verify() {
	repo-verify -c "$T/conf" --no-progress "$@"
}
# The same by each run, whatever it reads.
always() {
	finds "$1" "$2" --since-last
	finds "$1, by the next" "$2" --since-last
	finds "$1, by a whole one" "$2"
	finds "$1, by the one after" "$2" --since-last
}
accepts() {
	accepts_n=$1
	shift
	for accepts_w in "$@"; do
		set -- "$@" --accept-trail "$accepts_w"
		shift
	done
	ok "$accepts_n" verify "$@" --reason "a disk was lost, case 4711" \
		--approved-by "the board"
}
silent() {
	clean "$1" --since-last
	clean "$1, by the next" --since-last
	clean "$1, by a whole one"
	clean "$1, by the one after" --since-last
}
records() {
	ls "$all"/audit/"$1"
}
rs_mark "$d" a
rt_backup first
rs_mark "$d" b
rs_archived "$d"
pg_stop "$d"
all=$(dirname "$(ls -d "$repo"/main/*/wal)")
writer=$(ls "$all/audit")
clean "the first run"
# Another host's chain.
rm "$T/spool"/audit-*
clean "a second writer" --since-last
silent "nothing is gone"
keep
last=$(records "$writer" | tail -n 1)
own=$(ls "$all/audit" | grep -v "^$writer$")

# -- the end of a chain --------------------------------------------------------

rm "$all/audit/$writer/$last"
always "the end of another's chain" \
	"audit/$writer/$last: .*was there before, and is gone.*; once it is \
known why: --accept-trail $writer/$last\$"
exits 2 "what is not wrong cannot be accepted" verify \
	--accept-trail "$writer/000000000001" --reason r
exits 2 "nothing is accepted without a reason" verify \
	--accept-trail "$writer/$last"
exits 2 "... nor without a record" verify \
	--accept-trail "$writer/$last" --reason r --no-record
finds "still the same" "audit/$writer/$last: .*is gone" --since-last
accepts "it is accepted" "$writer/$last"
"$BUILD/tests/tools/audit" -c "$T/conf" --details >"$T/trail"
like "... which is on record" "$(cat "$T/trail")" \
	"trail-accept	done	0	$writer/$last"
like "... with the reason" "$(cat "$T/trail")" \
	"^detail	reason	a disk was lost, case 4711$"
like "... and who approved" "$(cat "$T/trail")" "approved	the board"
silent "it is told no more"
before=$(records "$writer" | tail -n 1)
rm "$all/audit/$writer/$before"
always "one more that is taken is told" \
	"audit/$writer/$before: .*was there before, and is gone"
unlike "... alone" "$(cat "$T/found")" "$writer/$last"
reset

# -- the middle, and what is there instead -------------------------------------

two=$all/audit/$own/000000000002
mv "$two" "$T/x"
always "one in the middle" "audit/$own/000000000002: is gone"
accepts "it is accepted" "$own/000000000002"
silent "it is told no more"
cp "$all/audit/$own/000000000001" "$two"
finds "another one in its place is told" "audit/$own/000000000002: .*unreadable"
accepts "it is accepted, too" "$own/000000000002"
silent "that one"
cp "$all/audit/$own/000000000003" "$two"
finds "and yet another one" "audit/$own/000000000002: .*unreadable"
# A pruning goes by the same.
mkdir -p "$all/base/20200101T000000Z-full-00000001/pack"
echo x >"$all/base/20200101T000000Z-full-00000001/pack/00000001"
touch -d '2 days ago' "$all/base/20200101T000000Z-full-00000001"/*/*
nok "a pruning does not take for unfinished what may have been recorded" \
	retention-prune -c "$T/conf"
like "... and says what is wrong" "$(cat "$T/err")" "trail is not whole: .*$own"
accepts "it is accepted" "$own/000000000002"
nok "... which does not prove what may be gone" retention-prune -c "$T/conf"
like "... and is no loss any more" "$(cat "$T/err")" \
	"20200101T000000Z-full-00000001: its head is gone or never was"
unlike "... nor told" "$(cat "$T/err")" "trail is not whole"
ok "... an operator gives it up" retention-prune -c "$T/conf" \
	--forget-lost 20200101T000000Z-full-00000001 --reason "case 4711"
reset

# -- all of it -----------------------------------------------------------------

rm -r "$all/audit/$writer"
always "a whole chain" "audit/$writer/$last: .*was there before, and is gone"
accepts "it is accepted" "$writer/$last"
silent "it is told no more"
reset
rm -r "$all/audit"
always "the whole trail" "audit/$writer/$last: .*was there before, and is gone"
reset

# -- reports -------------------------------------------------------------------

newest=$(ls "$all/verify" | tail -n 1)
old=$(ls "$all/verify" | head -n 1)
rm -r "$all/verify/$newest"
always "the newest report" "verify/$newest/report: was written .* and is gone"
accepts "it is accepted" "$newest"
silent "it is told no more"
reset
rm -r "$all/verify/$old"
always "the oldest report" "verify/$old/report: was written .* and is gone"
ok "... which the JSON names as well" \
	test "$(verify --since-last --json | grep -c "verify/$old/report")" = 1
reset
rm -r "$all/verify"
always "all reports" "verify/$old/report: was written .* and is gone"
accepts "they are accepted" $(sed -n \
	's|.*/verify/\([^/]*\)/report: was written.*|\1|p' "$T/found")
silent "they are told no more"
reset
echo garbage >"$all/verify/$old/report"
finds "an old report that is garbage, by a whole run" "verify/$old/report: "
reset
echo garbage >"$all/verify/2150$(echo "$old" | cut -c5-)"
mkdir "$all/verify/20000101T000000Z-00000000"
echo garbage >"$all/verify/20000101T000000Z-00000000/report"
silent "a report that nobody wrote"
rm -r "$all/verify/20000101T000000Z-00000000"
silent "and is gone"

# A run that could not write its record.
reset
chmod a-w "$all/audit/$own"
nok "a run without its record" verify
chmod u+w "$all/audit/$own"
newest=$(ls "$all/verify" | tail -n 1)
always "its report is in no record" "verify/$newest/report: is not in the audit"
accepts "it is accepted" "$newest"
silent "it is told no more"
rm -r "$all/verify/$newest"
always "that report, as the next one named it" \
	"verify/$newest/report: was written .* and is gone"
reset

# The end of a chain, with the report that noted it.
clean "one more run" --since-last
clean "and one more" --since-last
newest=$(ls "$all/verify" | tail -n 1)
before=$(ls "$all/verify" | tail -n 2 | head -n 1)
rm -r "$all/verify/$newest"
for last in $(records "$own" | tail -n 2); do
	rm "$all/audit/$own/$last"
done
rm "$T/spool"/audit-*
always "the end of a chain with the report that noted it" \
	"verify/$before/report: is not in the audit trail"
accepts "it is accepted" "$before"
silent "it is told no more"

done_testing
