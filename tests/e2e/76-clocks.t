#!/bin/sh
# A clock that was wrong when a report was made or the repository was pruned is
# told of, and neither makes a finding nor hides one.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/verify.sh"
. "$TOP/tests/lib/clock.sh"

# Ten days ahead.
clock_make
clock_jump 864000

d=$T/main repo=$T/repo
rt_cluster "file:$repo"
rt_conf "$T/short" "file:$repo"
member() {
	"$PYTHON" -c 'import json, sys
print(json.load(open(sys.argv[1]))["repositories"][0][sys.argv[2]])' "$@"
}

for x in a b c; do
	rs_mark "$d" $x
	rs_archived "$d"
	rt_backup $x
done
rs_mark "$d" d
rs_archived "$d"
rs_mark "$d" e
rs_archived "$d"
pg_stop "$d"

# Our own clock that is behind would keep what should go, and one of a database
# host that was ahead let go what should stay.
clock_jump -864000
exits 2 "with a clock that is behind nothing is pruned" \
	clocked retention-prune -c "$T/short"
like "... and why is told" "$(cat "$T/err")" \
	"backup 20[^ ]* ended at .* but it is .* set the clocks right first"
exits 2 "... nor planned" clocked retention-prune -c "$T/short" --dry-run
is "... all backups are there" "$(ls "$repo"/main/*/base | wc -l)" 3
clock_jump 864000

ok "a report of the future" clocked repo-verify -c "$T/conf"
ok "another, of now" repo-verify -c "$T/conf" --json
cp "$T/out" "$T/one"
like "... which tells that" "$(member "$T/one" notes)" "is of the future"
ok "the next" repo-verify -c "$T/conf" --since-last --json
cp "$T/out" "$T/two"
is "... believes the later one" "$(member "$T/two" since)" \
	"$(member "$T/one" id)"
is "... and tells nothing any more" "$(member "$T/two" notes)" "[]"

ok "a pruning in the future" clocked retention-prune -c "$T/short"
ok "what it let go is not missed" repo-verify -c "$T/conf"
like "... the clock is told of" "$(cat "$T/out")" \
	"^note: .*: a clock is or was wrong, here or where was pruned: .*"
is "... and nothing else" "$(wc -l <"$T/out")" 1
last=$(segments 00000001 | tail -n 2 | head -n 1)
rm "$(file_of "$last")"
find "$repo" -type f -path '*/wal/*' -exec touch -d '2 hours ago' {} +
exits 1 "what it did not is" repo-verify -c "$T/conf" --since-last
like "... by its name" "$(cat "$T/out")" "$last: is missing: no moment after"

done_testing
