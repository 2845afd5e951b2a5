#!/bin/sh
# A hold is in force as soon as it is placed: a pruning that is deleting at that
# moment goes no further. It would go on deleting what its plan, of before, lets
# go, for hours where there is much.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/restore.sh"

for x in gate clockjump; do
	${CC:-cc} -shared -fPIC -O1 -o "$T/$x.so" "$TOP/tests/lib/$x.c" ||
		bail "no compiler"
done
# Two days later.
echo 172800 >"$T/jump"
d=$T/main repo=$T/repo
new_key "$T/key"
rs_cluster "$d" "$T/conf" "$T/key" "file:$repo"
write_conf "$T/short" "$d" "$T/key" "file:$repo" -- "retain_full = 1s
retain_wal = 1s
retain_daily = 0
retain_weekly = 0
retain_monthly = 0
retain_yearly = 0
retain_minimum = 1"
for x in a b c; do
	rs_mark "$d" $x
	rs_archived "$d"
	basebackup-ship -c "$T/conf" >"$T/out" 2>&1 || bail "$(cat "$T/out")"
	eval "$x=\$(tail -n 1 "$T/out")"
done
pg_stop "$d"
base=$(dirname "$(ls -d "$repo"/main/*/base/"$a")")
find "$repo" -type f -path '*/wal/*' -exec touch -d '2 days ago' {} +

# The plan lets b and a go, in this order.
bg prune env LD_PRELOAD="$T/gate.so $T/clockjump.so" \
	CLOCKJUMP="$T/jump" GATE="$T/gate" GATE_LEAF=head \
	retention-prune -c "$T/short"
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
ok "the next pruning" env LD_PRELOAD="$T/clockjump.so" CLOCKJUMP="$T/jump" \
	retention-prune -c "$T/short"
ok "... and keeps what is held" pitr-restore -c "$T/conf" --dry-run \
	--target-dir "$T/new" --backup "$a" --target-immediate
ok "nothing is found" repo-verify -c "$T/short" --no-record

done_testing
