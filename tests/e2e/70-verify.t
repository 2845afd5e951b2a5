#!/bin/sh
# Verifying a directory repository of a real cluster: a clean one says nothing,
# and whatever is taken from it or changed in it is found, with what it means.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/verify.sh"

d=$T/main repo=$T/repo
rt_cluster "file:$repo"

# found NAME ERE: without a record of it
found() {
	finds "$1" "$2" --no-record
	atmost "... in few lines" "$(wc -l <"$T/found")" 4
}
# The nth segment of timeline 1 behind the first backup's.
segment() {
	segments 00000001 | sed -n "$(($(stop_line) + $1))p"
}
stop_line() {
	segments 00000001 | grep -n "$stop" | cut -d: -f1
}

rs_mark "$d" a
rs_archived "$d"
finds "an archive without a backup" \
	"there is no backup: nothing can be restored" --no-record
ok "... whose WAL is whole" repo-verify -c "$T/conf" --wal --no-record
ok "a plan of pruning it" retention-prune -c "$T/conf" --dry-run
like "... says so, too" "$(cat "$T/out")" \
	"^There is no backup: nothing can be restored"
rt_backup first
stop=$(segments 00000001 | tail -n 1)
for x in b c d e f g h; do
	rs_mark "$d" $x
	rs_archived "$d"
done
rt_backup second
for x in i j; do
	rs_mark "$d" $x
	rs_archived "$d"
done
# Old enough that nothing can be on its way.
rt_age "$repo"
base=$(dirname "$(ls -d "$repo"/main/*/base/"$first")")

# -- clean ---------------------------------------------------------------------

clean "a clean repository"
is "a report was written" "$(ls "$repo"/main/*/verify/*/report | wc -l)" 1
clean "... and again" --since-last
young=$base/$(date -u +%Y%m%dT%H%M%SZ)-full-00000002
mkdir -p "$young/pack"
echo x >"$young/pack/00000001"
clean "with a backup that may be running beside"
rm -r "$young"
old=$base/20200101T000000Z-full-00000001
mkdir -p "$old/pack"
echo x >"$old/pack/00000001"
touch -d '2 days ago' "$old/pack/00000001"
ok "with the remains of an old one" repo-verify -c "$T/conf"
like "... which are noted" "$(cat "$T/out")" \
	"^note: .*20200101T000000Z-full-00000001/: an interrupted backup"
rm -r "$old"
ok "as JSON" repo-verify -c "$T/conf" --json
cp "$T/out" "$T/json"
ok "... with the windows" "$PYTHON" -c '
import json, sys
r = json.load(open(sys.argv[1]))["repositories"][0]
assert r["clean"] and r["findings"] == [] and len(r["windows"]) == 1, r
assert r["windows"][0]["backup"] == sys.argv[2], r
assert r["wal"][0]["content_read"] == r["wal"][0]["segments"], r
assert all(b["extents_read"] == b["extents"] > 0 for b in r["backups"]), r
' "$T/json" "$first"
keep

# -- WAL -----------------------------------------------------------------------

three=$(segment 3)
rm "$(file_of "$three")"
found "a missing segment" \
	"$three: is missing: no moment between 20.* and 20.* on timeline 1 can"
reset

# It is not waited for until the end of a time that a clock ahead has left.
sed 's/^spool_dir/push_deadline = 1s\n&/' "$T/conf" >"$T/hasty"
chmod 600 "$T/hasty"
rm "$(file_of "$three")"
touch -d '10 years' "$(file_of "$(segment 4)")"
exits 1 "... behind it a time in the future" timeout 120 \
	repo-verify -c "$T/hasty" --no-record --no-progress
reset

four=$(segment 4)
five=$(segment 5)
rm "$(file_of "$four")" "$(file_of "$five")"
found "two in a row" "$four to $five \(2 segments\): is missing: no moment"
reset

last=$(segments 00000001 | tail -n 2 | head -n 1)
rm "$(file_of "$last")"
found "one behind the last backup" \
	"$last: is missing: no moment after 20.* on timeline 1 can be reached"
reset

rm "$(file_of "$stop")"
found "one that a backup needs" "$stop: is missing: backup $first cannot be"
reset

f=$(file_of "$three")
truncate -s $(($(stat -c %s "$f") - 100)) "$f"
found "a truncated segment" "$three: .*: no moment between"
exits 1 "... in the smallest sample" repo-verify -c "$T/conf" --no-record \
	--sample 0.01 --seed 1
like "... too" "$(cat "$T/out")" "$three: .*: no moment between"
reset

flip "$(file_of "$three")"
found "a flipped byte" "$three: .*: no moment between"
reset

a=$(file_of "$three") b=$(file_of "$five")
mv "$a" "$T/x"
mv "$b" "$a"
mv "$T/x" "$b"
found "two swapped segments" "$three: .*: no moment between"
like "... both" "$(cat "$T/found")" "$five: .*: no moment between"
reset

rm "$repo"/main/*/archive
found "a missing mark" "/archive: is missing: walfetch cannot prove"
reset

# -- backups -------------------------------------------------------------------

rm "$base/$first/pack/00000001"
found "a missing pack" \
	"$first/pack/00000001: is missing: backup $first cannot be restored"
exits 1 "... with --backup" repo-verify -c "$T/conf" --backup "$first" \
	--no-record
ok "... and not with the other's" repo-verify -c "$T/conf" \
	--backup "$second" --no-record
ok "... nor with --wal" repo-verify -c "$T/conf" --wal --no-record
reset

cp "$base/$second/pack/00000001" "$base/$first/pack/00000001"
found "a pack of another backup" \
	"$first/pack/00000001: .*: backup $first cannot be restored"
reset

size=$(stat -c %s "$base/$first/pack/00000001")
cp "$base/$first/pack/00000001" "$T/pack"
flip "$base/$first/pack/00000001"
found "a flipped byte in a pack" \
	"$first/pack/00000001: .*: backup $first cannot be restored"
reset

truncate -s $((size - 1)) "$base/$first/pack/00000001"
found "a truncated pack" \
	"$first/pack/00000001: is $((size - 1)) bytes long, .* $size"
reset

rm "$base/$first/manifest"
found "a missing manifest" "$first/manifest: is missing: backup $first"
reset

cp "$base/$second/manifest" "$base/$first/manifest"
found "another one's manifest" "$first/manifest: .*: backup $first cannot"
reset

flip "$base/$first/head"
found "a damaged head" "$first/head: .*: backup $first cannot be restored"
# What was found before it could go no further is told in either form.
chmod 0 "$repo"/main/*/wal
exits 4 "with WAL that may not be read" \
	repo-verify -c "$T/conf" --no-record --no-progress
like "... the head is told" "$(cat "$T/out")" "$first/head: "
exits 4 "as JSON" repo-verify -c "$T/conf" --no-record --json
cp "$T/out" "$T/json"
chmod 700 "$repo"/main/*/wal
ok "... the head is told as well, and why there is no more" "$PYTHON" -c '
import json, sys
r = json.load(open(sys.argv[1]))["repositories"]
assert len(r) == 1 and r[0]["repo"] == "r1" and not r[0]["clean"], r
assert sys.argv[2] + "/head" in r[0]["findings"][0]["object"], r
assert r[0]["notes"] == [] and "/wal" in r[0]["failed"], r
' "$T/json" "$first"
reset

# -- samples -------------------------------------------------------------------

ok "a sample" repo-verify -c "$T/conf" --sample 50 --no-record --json
cp "$T/out" "$T/one"
seed=$("$PYTHON" -c '
import json, sys
print(json.load(open(sys.argv[1]))["repositories"][0]["seed"])' "$T/one")
ok "... the same again" repo-verify -c "$T/conf" --sample 50 \
	--seed "$seed" --no-record --json
cp "$T/out" "$T/two"
ok "... reads the same" "$PYTHON" -c '
import json, sys
a, b = (json.load(open(x))["repositories"][0] for x in sys.argv[1:])
for r in a, b:
    w = r["wal"][0]
    assert w["content_read"] + w["header_read"] == w["segments"], r
assert a["wal"] == b["wal"] and a["backups"] == b["backups"], (a, b)
assert a["stored_read"] == b["stored_read"]
' "$T/one" "$T/two"
ok "without --json" repo-verify -c "$T/conf" --sample 50 --no-record
like "... the seed is printed" "$(cat "$T/out")" '^sample: 50 %, seed [0-9]+$'

# -- since the last ------------------------------------------------------------

reset
ok "a whole run" repo-verify -c "$T/conf" --json
cp "$T/out" "$T/one"
rs_mark "$d" k
rs_archived "$d"
ok "since then" repo-verify -c "$T/conf" --since-last --json
cp "$T/out" "$T/two"
ok "... only new WAL is read" "$PYTHON" -c '
import json, sys
a, b = (json.load(open(x))["repositories"][0] for x in sys.argv[1:])
w = b["wal"][0]
assert 1 <= w["content_read"] <= 3, w
assert w["read_before"] == a["wal"][0]["segments"], w
assert not any(x["content_read"] for x in b["backups"]), b
assert b["stored_read"] < a["stored_read"] / 4, (a, b)
' "$T/one" "$T/two"
rm "$(file_of "$three")"
exits 1 "one that was read and is gone now is found" \
	repo-verify -c "$T/conf" --since-last
like "... by its name" "$(cat "$T/out")" "$three: is missing"
reset
ok "a sample" repo-verify -c "$T/conf" --sample 10
ok "since a sample" repo-verify -c "$T/conf" --since-last --json
cp "$T/out" "$T/two"
ok "... what a whole run before it read counts" "$PYTHON" -c '
import json, sys
r = json.load(open(sys.argv[1]))["repositories"][0]
assert r["wal"][0]["content_read"] == 0, r
' "$T/two"
# And the trail, which names the reports.
rm -r "$repo"/main/*/verify "$repo"/main/*/audit "$T/spool"/audit-*
ok "a sample alone" repo-verify -c "$T/conf" --sample 10
ok "since it" repo-verify -c "$T/conf" --since-last --json
cp "$T/out" "$T/two"
ok "... all is read" "$PYTHON" -c '
import json, sys
r = json.load(open(sys.argv[1]))["repositories"][0]
assert r["wal"][0]["read_before"] == 0, r
assert all(x["content_read"] for x in r["backups"]), r
' "$T/two"
flip "$(ls "$repo"/main/*/verify/*/report | tail -n 1)"
flip "$(file_of "$three")"
exits 1 "a report that does not open is told" \
	repo-verify -c "$T/conf" --since-last
like "... and nothing of it believed" "$(cat "$T/out")" "$three: .*: no moment"
like "... itself" "$(cat "$T/out")" "/report: .*: nothing is known"
exits 1 "damage is told again since then" \
	repo-verify -c "$T/conf" --since-last
like "... by its name" "$(cat "$T/out")" "$three: .*: no moment"
reset

# -- the trail -----------------------------------------------------------------

ok "the trail has this run" repo-verify -c "$T/conf"
clean "... and is whole"
record=$(ls "$repo"/main/*/audit/*/* | tail -n 2 | head -n 1)
mv "$record" "$T/x"
found "a missing audit record" \
	"${record##*/audit/}: .*: the audit trail proves nothing there"
mv "$T/x" "$record"
last=$(ls "$repo"/main/*/audit/*/* | tail -n 1)
cp "$record" "$T/x"
flip "$record"
found "an altered one" "${record##*/audit/}: .*: the audit trail proves nothing"
cp "$T/x" "$record"
ok "a report that knows the last record" repo-verify -c "$T/conf"
rm "$(ls "$repo"/main/*/audit/*/* | tail -n 1)" "$last"
found "the trail cut off at its end" "/audit/.*: the audit trail proves nothing"
reset

# -- the way there -------------------------------------------------------------

new_key "$T/other"
sed "s|$T/key|$T/other|" "$T/conf" >"$T/wrong"
exits 5 "with a wrong key nothing is found" repo-verify -c "$T/wrong"
is "... and nothing told" "$(cat "$T/out")" ""
mv "$repo" "$T/away"
nok "without the repository it fails" repo-verify -c "$T/conf"
is "... and tells no finding" "$(cat "$T/out")" ""
mv "$T/away" "$repo"
exits 2 "without room for a manifest it fails" sh -c \
	'trap "" XFSZ; ulimit -f 1; exec "$@"' sh \
	repo-verify -c "$T/conf" --no-record --no-progress
is "... and tells no finding, either" "$(cat "$T/out")" ""
# With so many readers the descriptors run out somewhere: that is no finding.
short=0 wrong=0
for n in 4 5 6 7 8 9 10 12 16; do
	(ulimit -n $n && exec repo-verify -c "$T/conf" --no-record \
		--no-progress --jobs 64) >"$T/out" 2>"$T/err"
	case $? in
	0) ;;
	4) short=$((short + 1)) ;;
	*) wrong=$((wrong + 1)) && diag "$n: $(cat "$T/err")" ;;
	esac
	[ ! -s "$T/out" ] || { wrong=$((wrong + 1)) && diag "$(cat "$T/out")"; }
done
atleast "with few descriptors it cannot be verified" $short 1
is "... and nothing is found" $wrong 0
exits 2 "an unknown backup is wrong usage" repo-verify -c "$T/conf" \
	--backup 20200101T000000Z-full-00000001
exits 2 "a sample of nothing as well" repo-verify -c "$T/conf" --sample 0
exits 2 "a seed without sample" repo-verify -c "$T/conf" --seed 1
chmod -R a-w "$repo"/main
nok "a report that cannot be written is a failure" repo-verify -c "$T/conf"
ok "... unless none is wanted" repo-verify -c "$T/conf" --no-record
chmod -R u+w "$repo"/main

pg_stop "$d"
done_testing
