#!/bin/sh
# Verifying while the repository is in use, several repositories, large segments
# and no encryption.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"

# -- in use --------------------------------------------------------------------

d=$T/main repo=$T/repo
rt_cluster "file:$repo"
rt_conf "$T/conf" "file:$repo"
rt_backup first

# WAL without end, several segments at a time; backups and prunings all the
# while, which let go what is two days old.
busy() {
	while [ ! -e "$T/enough" ]; do
		pg_psql "$d" "SELECT pg_logical_emit_message(false, '',
			repeat(md5(random()::text), 60000))" >/dev/null
	done
}
backups() {
	while [ ! -e "$T/enough" ]; do
		basebackup-ship -c "$T/conf" --no-progress >/dev/null || return
		touch -d '2 days ago' "$repo"/main/*/wal/*/*/*[0-9A-F]
		retention-prune -c "$T/conf" >/dev/null || return
		echo x >>"$T/rounds"
	done
}
: >"$T/rounds"
bg busy busy
bg backups backups
n=0 wrong=0
while [ $n -lt 15 ] || [ "$(wc -l <"$T/rounds")" -lt 3 ]; do
	n=$((n + 1))
	[ $n -lt 500 ] || break
	repo-verify -c "$T/conf" --no-record --no-progress >"$T/out" 2>"$T/err"
	s=$?
	if [ $s -ne 0 ] || [ -s "$T/out" ]; then
		wrong=$((wrong + 1))
		diag "exit $s: $(cat "$T/out" "$T/err")"
	fi
done
touch "$T/enough"
for job in busy backups; do
	wait "$(bg_pid $job)" || fail "$job: $(tail -n 3 "$T/$job.log")"
	rm -f "$T/bg/$job"
done
atleast "backups were taken and pruned meanwhile" "$(wc -l <"$T/rounds")" 3
is "nothing that is on its way or goes is missed" $wrong 0
ok "afterwards all is well" repo-verify -c "$T/conf"
is "... and nothing is told" "$(cat "$T/out")" ""
pg_stop "$d"

# -- two repositories, large segments, not encrypted ----------------------------

two=$T/two
pg_new 15 "$two" --wal-segsize=64
pg_archive "$two" "$T/both"
pg_start "$two" || bail "PostgreSQL does not start"
write_conf "$T/both" "$two" - "file:$T/a" "file:$T/b" -- "push_quorum = 2"
pg_psql "$two" "CREATE TABLE mark (v text PRIMARY KEY)"
rs_mark "$two" a
ok "a backup into the first" basebackup-ship -c "$T/both"
id=$(tail -n 1 "$T/out")
rs_mark "$two" b
rs_archived "$two"
rs_mark "$two" c
rs_archived "$two"
pg_stop "$two"
find "$T/a" "$T/b" -path '*/wal/*' -type f -exec touch -d '2 days ago' {} +
ok "both are verified" repo-verify -c "$T/both" --json
cp "$T/out" "$T/json"
ok "... each by itself" "$PYTHON" -c '
import json, sys
r = json.load(open(sys.argv[1]))["repositories"]
assert [x["repo"] for x in r] == ["r1", "r2"], r
for x in r:
    assert x["clean"] and x["wal"][0]["content_read"] >= 3, x
assert [len(x["backups"]) for x in r] == [1, 0], r
' "$T/json"
exits 1 "the second alone has no backup" repo-verify -c "$T/both" --repo r2 \
	--no-record
like "... which is told" "$(cat "$T/out")" \
	"there is no backup: nothing can be restored$"
last=$(ls "$T"/b/main/*/wal/*/*/ | grep -E '^[0-9A-F]{24}$' | tail -n 1)
flip "$(ls "$T"/b/main/*/wal/*/*/"$last")" 5000
# The second holds backups only if they were shipped there: a hole is told
# where one needs the WAL.
flip "$(ls "$T"/a/main/*/wal/*/*/"$last")" 5000
exits 1 "damage in a large segment" repo-verify -c "$T/both" --no-record
like "... is told with its repository" "$(cat "$T/out")" \
	"^r1: .*$last: .*: no moment after"
like "... for each" "$(cat "$T/out")" "^r2: .*$last: "
ok "one alone" repo-verify -c "$T/both" --repo r1 --no-record --backup "$id"
mv "$T/a" "$T/away"
nok "one that is not there" repo-verify -c "$T/both" --no-record
like "... is told" "$(cat "$T/err")" "r1"
like "... and the other one verified" "$(cat "$T/out")" "$last"
exits 2 "an unknown repository is wrong usage" repo-verify -c "$T/both" \
	--repo nowhere

done_testing
