#!/bin/sh
# A hold is in force as soon as it is placed: a pruning that is deleting at that
# moment goes no further. It would go on deleting what its plan, of before, lets
# go, for hours where there is much.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"
. "$TOP/tests/lib/clock.sh"

preload gate
# Two days later.
clock_make
clock_jump 172800
d=$T/main repo=$T/repo
rt_cluster "file:$repo"
rt_conf "$T/short" "file:$repo"
for x in a b c; do
	rs_mark "$d" $x
	rs_archived "$d"
	rt_backup $x
done
pg_stop "$d"
base=$(dirname "$(ls -d "$repo"/main/*/base/"$a")")
rt_age "$repo"

# The plan lets b and a go, in this order.
bg prune env LD_PRELOAD="$T/gate.so $CLOCK_LIB" GATE="$T/gate" \
	GATE_LEAF=head retention-prune -c "$T/short"
pid=$(bg_pid prune)
wait_for 60 test -e "$T/gate.at" -o ! -d "/proc/$pid" &&
	test -e "$T/gate.at" || bail "nothing is deleted: $(cat "$T/prune.log")"
ok "a hold, while a pruning is under way" retention-hold add -c "$T/conf" \
	--backup "$a" --holder "Case 7" --reason claim
hold=$(tail -n 1 "$T/out")
: >"$T/gate.go"
wait "$pid"
is "it ends" $? 3
like "... and says why" "$(cat "$T/prune.log")" \
	"hold $hold was placed meanwhile: nothing more is deleted"
ok "... one backup is gone" test ! -e "$base/$b/head"
ok "... the other is there" test -e "$base/$a/head"
ok "what is held can be restored" pitr-restore -c "$T/conf" --dry-run \
	--target-dir "$T/new" --backup "$a" --target-immediate
ok "the next pruning" clocked retention-prune -c "$T/short"
ok "... and keeps what is held" pitr-restore -c "$T/conf" --dry-run \
	--target-dir "$T/new" --backup "$a" --target-immediate
ok "nothing is found" repo-verify -c "$T/short" --no-record

done_testing
