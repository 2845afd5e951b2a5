#!/bin/sh
# The audit trail on a directory: each command leaves its records, none is
# needed to save or restore data but each deletion waits for its own, and what
# somebody does to the trail is found.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"

d=$T/main repo=$T/repo
rt_cluster "file:$repo"
rt_conf "$T/short" "file:$repo"

trail() {
	"$BUILD/tests/tools/audit" -c "$T/conf" "$@" >"$T/trail" 2>"$T/err"
}
# Records of an action: "PHASE STATUS OBJECT" a line.
records() {
	awk -F '\t' -v a="$1" '$1 == "record" && $5 == a {
		print $6, $7, $8 }' "$T/trail"
}
sound() {
	trail && return
	cat "$T/trail" >&2
	return 1
}
# The file of record N of the only writer.
file_of() {
	printf '%s/%012d' "$(ls -d "$repo"/main/*/audit/*)" "$1"
}
# What is wrong, "KIND FIRST LAST" a line.
flaws() {
	trail "$@"
	grep -q ^head "$T/trail" || echo "no trail: $(cat "$T/err")"
	awk -F '\t' '$1 == "flaw" { print $2, $4, $5 }' "$T/trail"
}

# -- each command --------------------------------------------------------------

rs_mark "$d" a
ok "a backup" basebackup-ship -c "$T/conf" --label "the first" --class weekly
first=$(tail -n 1 "$T/out")
unlike "... is silent about its first record" "$(cat "$T/err")" 'audit'
ok "its trail is sound" sound
is "it is on record, begun and ended" "$(records backup)" "begun -1 $first
ended 0 $first"
trail --details
like "... with its label" "$(cat "$T/trail")" 'detail	label	the first'
like "... and class" "$(cat "$T/trail")" 'detail	class	weekly'
like "... and what it depends on" "$(cat "$T/trail")" 'detail	start_lsn	0/'
like "... and its checksum" "$(cat "$T/trail")" 'sum	sha256:[0-9a-f]{64}'
rs_mark "$d" b
rs_archived "$d"
basebackup-ship -c "$T/conf" >"$T/out" 2>&1 || fail "a second backup"
second=$(tail -n 1 "$T/out")
rs_mark "$d" c
rs_archived "$d"
chmod a-w "$repo"/main/*/base
exits 4 "a backup that cannot be stored fails" basebackup-ship -c "$T/conf"
chmod u+w "$repo"/main/*/base
ok "its trail is sound" sound
like "the failure is on record" "$(tail -n 2 "$T/trail")" \
	'backup	ended	4	.*[Pp]ermission'
pg_stop "$d"

ok "a dry run of a restore" pitr-restore -c "$T/conf" --dry-run
ok "a restore" pitr-restore -c "$T/conf" --target-dir "$T/new"
nok "a restore over a cluster is refused" \
	pitr-restore -c "$T/conf" --target-dir "$T/new" --backup "$first"
ok "the trail is sound" sound
is "the dry run is on record" "$(records restore-check)" "done 0 $second"
is "the restores are, the one refused with its status" \
	"$(records restore | sed 's/done [1-9]/done N/')" "begun -1 $second
ended 0 $second
done N $first"
trail --details
like "... where to" "$(cat "$T/trail")" "target_dir	$T/new"
like "... and for which target" "$(cat "$T/trail")" 'detail	target	'
rm -rf "$T/new"

ok "a hold" retention-hold -c "$T/short" add --backup "$first" \
	--holder Legal --reason "case 4711"
hold=$(cat "$T/out")
ok "its release" retention-hold -c "$T/short" release "$hold" --reason over
ok "the trail is sound" sound
is "the hold is on record" "$(records hold-add)" "done 0 $hold"
is "its release is" "$(records hold-release)" "begun -1 $hold
ended 0 $hold"

sleep 2
find "$repo" -type f -path '*/wal/*' -exec touch -d '2 days ago' {} +
cp -a "$repo" "$T/before"
cp -a "$T/spool" "$T/spool.before"
retention-prune -c "$T/short" --plan "$T/plan" >"$T/out" 2>&1 || fail "a plan"
ok "a pruning" retention-prune -c "$T/short" --apply "$T/plan" \
	--reason "by rule" --approved-by "the board"
ok "the trail is sound" sound
is "the pruning is on record" "$(records prune)" "begun -1 
ended 0 "
trail --details
like "... with its reason" "$(cat "$T/trail")" 'detail	reason	by rule'
like "... its approval" "$(cat "$T/trail")" 'detail	approved	the board'
sum=$(sed -n '$s/.*"sum":"\([0-9a-f]*\)".*/\1/p' "$T/plan")
like "... its plan" "$(cat "$T/trail")" "detail	sum	sha256:$sum"
like "... and how far back each moment stays" "$(cat "$T/trail")" \
	'detail	wal_window_from_us	[0-9]{16}$'
like "... and by which settings, where they are others than before" \
	"$(cat "$T/trail")" 'changed	retain_full		1s$'
like "... of which file" "$(cat "$T/trail")" \
	"changed	settings_file	$T/conf	$T/short\$"
is "all this was one writer" "$(grep -c ^head "$T/trail")" 1

# -- what needs its record, and what does not ------------------------------------

audit=$(ls -d "$repo"/main/*/audit/*)
rm -rf "$repo" "$T/spool"
cp -a "$T/before" "$repo"
cp -a "$T/spool.before" "$T/spool"
(cd "$repo" && find . -type f ! -path '*/audit/*' | sort) >"$T/all"
chmod a-w "$audit"
nok "no deletion without its record" \
	retention-prune -c "$T/short" --apply "$T/plan"
like "... which is said" "$(cat "$T/err")" 'nothing is deleted: audit record'
(cd "$repo" && find . -type f ! -path '*/audit/*' | sort) >"$T/now"
same "... and nothing is gone" "$T/all" "$T/now"
ok "a restore does not need its record" \
	pitr-restore -c "$T/conf" --target-dir "$T/new"
like "... but says that it is missing" "$(cat "$T/err")" \
	'WARNING: .*without its record'
is "... once" "$(grep -c WARNING "$T/err")" 1
rm -rf "$T/new"
ok "a hold is placed without" retention-hold -c "$T/short" add \
	--backup "$first" --holder L --reason r
hold=$(cat "$T/out")
like "... with a warning" "$(cat "$T/err")" 'WARNING: the hold is placed, but'
nok "its release needs a record" \
	retention-hold -c "$T/short" release "$hold" --reason over
chmod u+w "$audit"
retention-hold -c "$T/short" list >"$T/out" 2>&1
like "... and without one it stays" "$(cat "$T/out")" "$hold"
ok "later, it is released" \
	retention-hold -c "$T/short" release "$hold" --reason over
ok "... and pruning goes on" retention-prune -c "$T/short" --apply "$T/plan"
ok "... and the trail is sound" sound

# A prune that is killed between its two records.
rm -rf "$repo" "$T/spool"
cp -a "$T/before" "$repo"
cp -a "$T/spool.before" "$T/spool"
had=$(ls "$audit" | wc -l)
# Without a process of its own: it is a matter of moments.
more() {
	set -- "$audit"/*
	[ $# -gt "$had" ]
}
killed=0 n=0
while [ $n -lt 60 ] && [ $killed -eq 0 ]; do
	n=$((n + 1))
	rm -rf "$repo" "$T/spool"
	cp -a "$T/before" "$repo"
	cp -a "$T/spool.before" "$T/spool"
	bg prune retention-prune -c "$T/short" --apply "$T/plan"
	p=$(bg_pid prune)
	while kill -0 "$p" 2>/dev/null && ! more; do :; done
	kill -KILL "$p" 2>/dev/null
	wait "$p" 2>/dev/null
	rm -f "$T/bg/prune"
	trail
	[ "$(records prune | wc -l)" -ne 1 ] || killed=1
done
is "a prune was killed between its two records" $killed 1
ok "... which leaves the trail sound" sound
is "... and the beginning on record" "$(records prune)" "begun -1 "
ok "the next one deletes the rest" retention-prune -c "$T/short"
ok "... and the trail is sound" sound
is "... in the same chain" "$(grep -c ^head "$T/trail")" 1

# -- tampering -------------------------------------------------------------------

trail
grep ^head "$T/trail" >"$T/known"
last=$(cut -f3 "$T/known")
cp -a "$audit" "$T/audit"
again() {
	rm -rf "$audit"
	cp -a "$T/audit" "$audit"
}
rm "$(file_of 2)"
is "a removed record is found" "$(flaws)" "missing 2 2"
again
flip "$(file_of 3)" 200
is "an altered one" "$(flaws)" "unreadable 3 3"
again
mv "$(file_of 2)" "$T/aside"
mv "$(file_of 4)" "$(file_of 2)"
mv "$T/aside" "$(file_of 4)"
is "two that were swapped" "$(flaws)" "unreadable 2 2
unreadable 4 4"
again
cp "$(file_of 1)" "$(file_of $((last + 1)))"
is "one that was copied" "$(flaws)" \
	"unreadable $((last + 1)) $((last + 1))"
again
rm "$(file_of "$last")"
is "a cut end is not to be seen in what is left" "$(flaws)" ""
is "... but by whom that knew the end" "$(flaws --known "$T/known")" \
	"cut $last $last"
again
is "whole again, nothing is wrong" "$(flaws --known "$T/known" --since)" ""
repo_key() {
	"$BUILD/repo-key" "$@"
}
repo_key recipient "$T/key" >"$T/recipient" || fail "recipient"
chmod 600 "$T/recipient"
write_conf "$T/writer" "$d" "$T/recipient" "file:$repo"
exits 5 "without the private key a trail cannot be checked" \
	"$BUILD/tests/tools/audit" -c "$T/writer"

# -- the page --------------------------------------------------------------------

id=$(basename "$(ls -d "$repo"/main/*)")
page() {
	"$PYTHON" "$TOP/tests/lib/trail.py" --key "$T/key" "$repo" main "$id"
}
ok "a decoder that was written from the page walks the chain" page
is "... all of it" "$(wc -l <"$T/out")" "$last"
rm "$(file_of 2)"
nok "... and finds a gap as well" page

done_testing
