#!/bin/sh
# Pruning a directory repository of a real cluster: what goes, what stays and
# can be restored, plans that no longer fit, holds, remains, no permission.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"
. "$TOP/tests/lib/kill.sh"

d=$T/main repo=$T/repo
rt_cluster "file:$repo"
rt_conf "$T/short" "file:$repo"

rs_mark "$d" a
rt_backup first
rs_mark "$d" b
sleep 1
between=$(pg_psql "$d" "SELECT clock_timestamp()")
sleep 1
rs_mark "$d" c
rs_archived "$d"
rt_backup second
rs_mark "$d" d
rs_archived "$d"
rs_mark "$d" e
rs_archived "$d"
pg_stop "$d"
rt_settle
rt_age "$repo"
rt_files "$repo" >"$T/all"

# -- nothing goes while rules keep it ------------------------------------------

ok "with the usual rules the plan keeps all" \
	retention-prune -c "$T/conf" --dry-run
like "... and says why" "$(cat "$T/out")" "$second .*retain_full; daily .*; retain_minimum"
like "... and that nothing goes" "$(cat "$T/out")" '^0 objects'
records=$(find "$repo" -path '*/audit/*' -type f | wc -l)
ok "pruning finds nothing to do" retention-prune -c "$T/conf"
rt_files "$repo" >"$T/now"
same "... and does nothing" "$T/all" "$T/now"
is "... not even a record" "$(find "$repo" -path '*/audit/*' -type f | wc -l)" "$records"

# -- plans ---------------------------------------------------------------------

ok "a dry run with short rules" retention-prune -c "$T/short" --dry-run
like "it lists the older backup's head with its rule" "$(cat "$T/out")" \
	"base/$first/head .* no rule keeps this backup"
like "it lists WAL" "$(cat "$T/out")" 'wal/00000001/.* 2 d old .*WAL before'
like "it tells what keeps the newer backup" "$(cat "$T/out")" \
	"$second .*retain_minimum"
like "it tells what can be restored now" "$(cat "$T/out")" \
	"timeline 1  .*, from backup $first"
like "... and what afterwards" "$(sed -n '/afterwards/,$p' "$T/out")" \
	"timeline 1  .*, from backup $second"
ok "the same as JSON lines" retention-prune -c "$T/short" --dry-run --json
cp "$T/out" "$T/lines"
ok "each line is a JSON object" "$PYTHON" -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert lines[0]["line"] == "plan" and lines[-1]["line"] == "end"
gone = [x for x in lines if x["line"] == "delete"]
assert len(gone) == lines[-1]["objects"] > 5
assert sum(x["size"] for x in gone) == lines[-1]["bytes"]
assert all(x["rule"] for x in gone)
' "$T/lines"
# Whatever else is in the repository: another cluster, and this one as it was
# before an upgrade.
cp -a "$repo"/main "$repo/other"
cp -a "$(ls -d "$repo"/main/*)" "$repo/main/4711"
retention-prune -c "$T/short" --dry-run --json >"$T/out" || fail "dry run"
is "other clusters and system ids are not looked at" \
	"$(grep '"line":"delete"' "$T/out" | sort)" \
	"$(grep '"line":"delete"' "$T/lines" | sort)"
rm -rf "$repo/other" "$repo/main/4711"
ok "a plan is written as JSON" \
	retention-prune -c "$T/short" --plan "$T/plan" --json
cp "$T/out" "$T/lines"
same "... which is printed, too" "$T/plan" "$T/lines"
ok "a plan is written" retention-prune -c "$T/short" --plan "$T/plan"
rt_files "$repo" >"$T/now"
same "planning deleted nothing" "$T/all" "$T/now"

sed 's|base/[^/]*/head|archive|' "$T/plan" >"$T/forged"
exits 3 "a plan that names other objects is refused" \
	retention-prune -c "$T/short" --apply "$T/forged"
sed "s/\"size\":/\"size\":1/" "$T/plan" >"$T/forged"
exits 2 "so is one that was changed" \
	retention-prune -c "$T/short" --apply "$T/forged"
sed '$d' "$T/plan" >"$T/forged"
exits 2 "and one that was cut" \
	retention-prune -c "$T/short" --apply "$T/forged"
sed 's/"cluster":"main"/"cluster":"other"/' "$T/plan" >"$T/forged"
exits 3 "and another cluster's" \
	retention-prune -c "$T/short" --apply "$T/forged"
exits 3 "and one that the settings no longer allow" \
	retention-prune -c "$T/conf" --apply "$T/plan"

# Whoever edits a plan can give it the right sum, too.
edited() {
	"$PYTHON" "$TOP/tests/lib/editplan.py" "$T/plan" "$T/forged" "$1" ||
		bail "no plan"
}
edited 'line'
exits 0 "(the same, written anew, fits)" \
	sh -c "cmp $T/plan $T/forged"
for now in -9223372036854775808 -1; do
	edited "dict(line, now_us=$now) if 'now_us' in line else line"
	exits 2 "a plan of an impossible moment is refused: $now" \
		retention-prune -c "$T/conf" --apply "$T/forged"
done
edited "[] if line.get('key', '').endswith('/head') else line"
exits 2 "so is one that leaves a backup its head alone" \
	retention-prune -c "$T/short" --apply "$T/forged"
like "... and which is told" "$(cat "$T/err")" "$first/.* would go, and the head"
edited "[dict(line, key=line['key'].replace('$first', '$second')), line] \
	if line.get('key', '').endswith('/head') else line"
exits 3 "and one that adds a backup that is kept" \
	retention-prune -c "$T/short" --apply "$T/forged"
rt_files "$repo" >"$T/now"
same "none of them deleted anything" "$T/all" "$T/now"

ok "a hold is placed" retention-hold -c "$T/short" add --backup "$first" \
	--holder "Legal" --reason "case 4711"
hold=$(cat "$T/out")
exits 3 "a plan from before the hold is refused" \
	retention-prune -c "$T/short" --apply "$T/plan"
like "... and why is said" "$(cat "$T/err")" "$first/head: a rule keeps"

mv "$repo"/main/*/base/"$second" "$T/aside"
retention-hold -c "$T/short" release "$hold" --reason done || fail "release"
exits 3 "a plan is refused when a backup that it keeps is gone" \
	retention-prune -c "$T/short" --apply "$T/plan"
like "... and which is said" "$(cat "$T/err")" "backup $second, which it keeps"
base=$(dirname "$(ls -d "$repo"/main/*/base/"$first")")
mv "$T/aside" "$base/$second"
rt_files "$repo" >"$T/now"
same "none of this deleted anything" "$T/all" "$T/now"

# -- holds ---------------------------------------------------------------------

hold=$(retention-hold -c "$T/short" add --backup "$first" --holder Legal \
	--reason "case 4711") || fail "hold"
ok "pruning with a backup under hold" retention-prune -c "$T/short"
rt_restored "a held backup" a --backup "$first" --target-immediate
rt_restored "beside it, the newest state" abcde
ok "holds are listed" retention-hold -c "$T/short" list
like "... with holder and reason" "$(cat "$T/out")" 'reason    case 4711'
ok "and as JSON" retention-hold -c "$T/short" list --all --json
cp "$T/out" "$T/lines"
ok "... which it is" "$PYTHON" -c '
import json, sys
holds = json.load(open(sys.argv[1]))["holds"]
assert sorted(h["state"] for h in holds) == ["active", "released"], holds
' "$T/lines"
exits 2 "a release in one repository is refused, as it would be one in all" \
	retention-hold -c "$T/short" release "$hold" --reason over \
	--repo local
like "... which is said" "$(cat "$T/err")" 'release takes no --repo'
ok "... and leaves the hold" retention-hold -c "$T/short" list
like "... as it was" "$(cat "$T/out")" "$hold  active"
exits 2 "a hold on a backup that is not there is refused" \
	retention-hold -c "$T/short" add --holder L --reason r \
	--backup 20200101T000000Z-full-00000000
exits 2 "a hold on nothing is refused" \
	retention-hold -c "$T/short" add --holder L --reason r

# Anew, with all WAL: a moment between the two backups.
rm -rf "$repo"
mkdir "$T/again"
pg_start "$d" || bail "PostgreSQL does not start"
write_conf "$T/conf" "$d" "$T/key" "file:$repo"
rt_conf "$T/short" "file:$repo"
rm -rf "$T/spool"/*
rs_archived "$d"
rt_backup first
rs_mark "$d" f
sleep 1
between=$(pg_psql "$d" "SELECT clock_timestamp()")
sleep 1
rs_mark "$d" g
rs_archived "$d"
rs_mark "$d" h
rs_archived "$d"
rt_backup second
rs_mark "$d" i
rs_archived "$d"
pg_stop "$d"
rt_age "$repo"
cp -a "$repo" "$T/again/repo"

ok "moments are put under hold" retention-hold -c "$T/short" add \
	--from "$between" --to "$between" --holder Legal --reason "case 4712"
hold=$(cat "$T/out")
is "... without a warning" "$(cat "$T/err")" ""
ok "a hold on a wrong year is placed" retention-hold -c "$T/short" add \
	--from 2010-11-01T00:00Z --to 2010-11-08T00:00Z --holder L --reason r
like "... and warned of" "$(cat "$T/err")" \
	"no moment of that time can be restored: the oldest backup ended 20"
ok "... and released" \
	retention-hold -c "$T/short" release "$(cat "$T/out")" --reason wrong
ok "pruning with moments under hold" retention-prune -c "$T/short"
rt_restored "the held moment" abcdef --target-time "$between"
rt_restored "the newest state" abcdefghi
ok "the hold is released" \
	retention-hold -c "$T/short" release "$hold" --reason "case closed"
records=$(find "$repo" -path '*/audit/*' -type f | wc -l)
ok "and the backup goes" retention-prune -c "$T/short" \
	--reason "end of case" --approved-by "the board"
is "the deletion is on record, begun and ended" \
	"$(find "$repo" -path '*/audit/*' -type f | wc -l)" $((records + 2))
is "... all of it" "$(ls "$base")" "$second"
nok "the moment cannot be restored now" pitr-restore -c "$T/conf" \
	--target-time "$between" --dry-run
rt_restored "the oldest backup that is left" abcdefghi --backup "$second"
rt_files "$repo" >"$T/pruned"
ok "another run" retention-prune -c "$T/short"
rt_files "$repo" >"$T/now"
same "... finds nothing left" "$T/pruned" "$T/now"

# -- killed --------------------------------------------------------------------

# What is left of a backup without head waits for a day, for it may be a running
# one; this backup is seconds old.
as_pruned() {
	rt_files "$repo" | grep -v "$first/[mp]" >"$T/now"
	diff "$T/pruned" "$T/now"
}
RT_CONF=$T/short
kill_begin
while kill_more 12; do
	rm -rf "$repo"
	cp -a "$T/again/repo" "$repo"
	kill_random retention-prune -c "$T/short"
	rt_killed abcdefghi as_pruned
done
is "twelve prunings were killed" $KILLED 12
is "... and no other one failed" "$KILL_ODD" ""
is "killed at any moment a server can be restored, and the next run ends it" \
	$RT_BROKEN 0
rt_restored "what it left in the end" abcdefghi

# -- remains, other names ------------------------------------------------------

# The repository was set back: without its gap the trail proves that no record
# of what was interrupted is missing.
rm -rf "$repo"/main/*/audit "$T"/spool/audit-*
old=$base/20200101T000000Z-full-00000001
young=$base/$(date -u +%Y%m%dT%H%M%SZ)-full-00000002
mkdir -p "$old/pack" "$young/pack"
echo x >"$old/pack/00000001"
echo x >"$old/manifest"
echo x >"$young/pack/00000001"
echo x >"$base/notes"
touch -d '2 days ago' "$old"/pack/* "$old/manifest" "$base/notes"
ok "pruning with interrupted backups there" retention-prune -c "$T/short"
ok "remains of an old one are gone" test ! -e "$old"
ok "one that may be running is left" test -e "$young/pack/00000001"
ok "what is none of ours is left" test -e "$base/notes"
rm -r "$young" "$base/notes"

# -- no permission -------------------------------------------------------------

rm -rf "$repo"
cp -a "$T/again/repo" "$repo"
rt_files "$repo" >"$T/all"
chmod -R a-w "$base"
exits 1 "without the right to delete, pruning fails" \
	retention-prune -c "$T/short"
like "... and names what" "$(cat "$T/err")" \
	"base/$first/head: not deleted: .*[Pp]ermission"
chmod -R u+w "$base"
is "the backup is whole" "$(rt_files "$repo" | grep -c "base/$first/")" \
	"$(grep -c "base/$first/" "$T/all")"
rt_restored "it" abcde --backup "$first" --target-immediate

head=$(ls "$base/$second/head")
cp "$head" "$T/head"
flip "$head" 300
rt_files "$repo" >"$T/all"
exits 5 "a head that cannot be read stops it" retention-prune -c "$T/short"
like "... and is named" "$(cat "$T/err")" "backup $second"
rt_files "$repo" >"$T/now"
same "... and nothing goes" "$T/all" "$T/now"
cp "$T/head" "$head"

exits 2 "--apply and --dry-run together are wrong" \
	retention-prune -c "$T/short" --dry-run --apply "$T/plan"
exits 2 "an unknown repository is wrong" \
	retention-prune -c "$T/short" --repo nowhere

done_testing
