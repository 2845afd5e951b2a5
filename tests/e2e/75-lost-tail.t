#!/bin/sh
# The newest WAL that a report of repo-verify saw is missed when it is cut off,
# though nothing that is left tells of it; what retention let go is not.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/verify.sh"

d=$T/main repo=$T/repo
rt_cluster "file:$repo"
rt_conf "$T/short" "file:$repo"

rs_mark "$d" a
rt_backup first
for x in b c d e; do
	rs_mark "$d" $x
	rs_archived "$d"
done
clean "nothing is missed"
newest=$(segments 00000001 | tail -n 1)
before=$(segments 00000001 | tail -n 2 | head -n 1)
keep
mv "$repo"/main/*/wal/00000001/*/"$newest" "$T/one"
mv "$repo"/main/*/wal/00000001/*/"$before" "$T/two"
finds "the newest two segments" "$before to $newest \(2 segments\): is missing: \
no moment after 20.* on timeline 1 can be reached" --no-record
finds "... since the last report" "$before to $newest .*no moment after" \
	--since-last
finds "... and by the next run" "$before to $newest .*no moment after"
rm -r "$repo"/main/*/verify
finds "without a report nothing tells of them, but that it is gone" \
	"/report: was written by a verification, and is gone" --no-record
unlike "..." "$(cat "$T/found")" "$before|$newest"
reset

# -- timelines -----------------------------------------------------------------

# Timeline 2 leaves timeline 1 before its end.
second_server "$T/two-pg" --target-immediate
rs_mark "$T/two-pg" f
rs_archived "$T/two-pg"
rt_backup id
rs_mark "$T/two-pg" g
rs_archived "$T/two-pg"
pg_stop "$T/two-pg"
# What this host knows of its records is of another past of the repository.
rm -rf "$repo"/main/*/audit "$repo"/main/*/verify "$T"/spool/audit-*
clean "two timelines"
keep
rm -r "$repo"/main/*/wal/00000002
rm -r "$repo"/main/*/base/"$id"
finds "a timeline that is gone altogether" \
	"00000002.history: is missing: timeline 2, which the last report saw" \
	--no-record
finds "... and by the run after" "00000002.history: is missing"
finds "... and the next" "00000002.history: is missing" --since-last
reset

rt_settle
find "$repo" -type f -path '*/wal/*' -exec touch -d '2 days ago' {} +
find "$repo" -type f -path '*/wal/00000001/*' -exec touch -d '3 days ago' {} +
ok "the old timeline goes" retention-prune -c "$T/short"
ok "... with its tail" test ! -e "$repo"/main/*/wal/00000001/*/"$newest"
clean "... and is not missed"
clean "... nor by the next" --since-last

done_testing
