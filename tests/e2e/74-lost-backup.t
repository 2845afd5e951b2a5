#!/bin/sh
# A backup that somebody else than retention took away is missed: repo-verify
# tells it, and retention-prune does not take what is left of it for the remains
# of a backup that was never finished.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/verify.sh"
. "$TOP/tests/lib/clock.sh"

d=$T/main repo=$T/repo
rt_cluster "file:$repo"
rt_conf "$T/short" "file:$repo"

# Two days later: no backup of today is taken for a running one.
clock_make
clock_jump 172800
at=

age() {
	find "$repo" -type f ! -path '*/audit/*' ! -path '*/verify/*' \
		-exec touch -d '2 days ago' {} +
}
objects() {
	(cd "$repo" && find . -type f ! -path '*/audit/*' | sort)
}
# refused NAME ERE [ARG...]: nothing is pruned, and why
refused() {
	refused_n=$1 refused_e=$2
	shift 2
	objects >"$T/before"
	exits 5 "no pruning: $refused_n" $at retention-prune -c "$T/conf" "$@"
	cp "$T/err" "$T/why"
	like "... why" "$(cat "$T/why")" "$refused_e"
	objects >"$T/behind"
	same "... and nothing is gone" "$T/before" "$T/behind"
}

for x in a b c; do
	rs_mark "$d" $x
	rs_archived "$d"
	rt_backup $x
done
rs_mark "$d" d
rs_archived "$d"
age
base=$(dirname "$(ls -d "$repo"/main/*/base/"$a")")
clean "nothing is missed" --no-record
# A backup that never ended: no record tells that it was finished.
never=20200101T000000Z-full-00000001
mkdir -p "$base/$never/pack"
echo x >"$base/$never/pack/00000001"
age
keep

# -- a head is gone ------------------------------------------------------------

rm "$base/$b/head"
finds "a head that was taken" \
	"base/$b/: the backup was finished, 20.*, and its head is gone; nothing \
recorded its removal: moments from 20.* to 20.* can only be reached from \
backup $a" --no-record
unlike "... and not as an interrupted backup" "$(cat "$T/found")" \
	"$b/: an interrupted"
refused "a lost backup" "backup $b: it was finished, its head is gone"
like "... and what to do" "$(cat "$T/why")" "forget-lost"
unlike "... of the one that never ended nothing is said" "$(cat "$T/why")" \
	"$never"
refused "... and no plan" "backup $b: it was finished" --dry-run
cp -a "$T/kept"/main/*/base/"$b/head" "$base/$b/head"
ok "with its head it is back" repo-verify -c "$T/conf" --no-record
ok "... and pruning goes on" retention-prune -c "$T/conf"
ok "... with the remains of what never ended" test ! -e "$base/$never/pack"
reset

rm "$base/$a/head"
finds "that of the oldest backup" \
	"base/$a/: .*: no moment from 20.* to 20.* can be reached" --no-record
reset
rm "$base/$a/head" "$base/$b/head" "$base/$c/head"
finds "all of them" "base/$a/: .*: no moment from 20.* on can be reached" \
	--no-record
reset
rm "$base/$c/head"
finds "that of the newest backup" \
	"base/$c/: .*: moments from .* to .* can only be reached from backup $b" \
	--no-record --wal
reset

# -- all of it is gone ---------------------------------------------------------

rm -r "${base:?}/$b"
finds "a folder that was taken" \
	"base/$b/: the backup was finished, 20.*, and all of it is gone"
finds "... and again, since the last report" "all of it is gone" --since-last
exits 2 "it is given up with a reason only" retention-prune -c "$T/conf" \
	--forget-lost "$b"
exits 2 "one that is there cannot be given up" retention-prune -c "$T/conf" \
	--forget-lost "$a" --reason test
exits 2 "nor one of which nothing is known" retention-prune -c "$T/conf" \
	--forget-lost 20200101T000000Z-full-00000002 --reason test
ok "it is given up" retention-prune -c "$T/conf" --forget-lost "$b" \
	--reason "case 7" --approved-by Somebody
"$BUILD/tests/tools/audit" -c "$T/conf" --details >"$T/trail" 2>&1
like "... which is on record" "$(cat "$T/trail")" "detail	forget_lost	$b"
clean "... and missed no more" --since-last
clean "... by no run"
reset

# -- the trail is not whole ----------------------------------------------------

record=$(grep -l "" "$repo"/main/*/audit/*/* | sed -n 4p) # the second's end
rm "$record"
rm "$base/$b/head"
finds "a trail that lacks its record" \
	"/audit/: is not whole: that no other backup is gone is not proven" \
	--no-record
at=clocked
refused "what is not proven to be unfinished" \
	"backup $b: its head is gone or never was, and .* not proven"
like "... and the other one neither" "$(cat "$T/why")" "backup $never: its head"
refused "... unless all are named" "backup $never: " --reason x \
	--forget-lost "$b"
ok "both are given up" clocked retention-prune -c "$T/conf" --reason x \
	--forget-lost "$b" --forget-lost "$never"
ok "... and gone" test ! -e "$base/$b/pack" -a ! -e "$base/$never/pack"
reset

at=

# A report knows what the trail no longer tells.
ok "a report" repo-verify -c "$T/conf"
rm -r "$repo"/main/*/audit
rm "$base/$b/head"
finds "without a trail" "base/$b/: .*its head is gone" --no-record
refused "without a trail" "backup $b: it was finished"
reset

# -- what retention lets go ----------------------------------------------------

rt_settle
ok "two backups are let go" retention-prune -c "$T/short"
"$BUILD/tests/tools/audit" -c "$T/conf" --details >"$T/trail" 2>&1
like "... by name" "$(cat "$T/trail")" "detail	let_go	$b $a|let_go	$a $b"
clean "... and not missed"
clean "... since then" --since-last
reset

ok "a report that knows them" repo-verify -c "$T/conf"
keep
chmod a-w "$base/$a/pack" "$base/$b"
exits 1 "a pruning that cannot delete all" retention-prune -c "$T/short"
"$BUILD/tests/tools/audit" -c "$T/conf" --details >"$T/trail" 2>&1
like "... says which stay" "$(cat "$T/trail")" "detail	stayed	$b\$"
ok "one is half gone" test ! -e "$base/$a/head" -a -e "$base/$a/pack"
ok "... one is there" test -e "$base/$b/head"
chmod u+w "$base/$a/pack" "$base/$b"
ok "... which is no finding" repo-verify -c "$T/conf" --since-last
rm "$base/$b/head"
finds "who takes the other then is found" "base/$b/: .*its head is gone" \
	--since-last
refused "it was not let go" "backup $b: it was finished"
unlike "... the first one was" "$(cat "$T/why")" "backup $a:"
reset
chmod a-w "$base/$a/pack"
exits 1 "a pruning that was interrupted" retention-prune -c "$T/short"
chmod u+w "$base/$a/pack"
ok "... is completed by the next" clocked retention-prune -c "$T/short"
ok "... all of it" test ! -e "$base/$a/pack"
reset

# -- a bucket ------------------------------------------------------------------

s3_start
s3_bucket bucket
write_conf "$T/conf" "$d" "$T/key" "s3:$bucket/pre"
rt_conf "$T/short" "s3:$bucket/pre"
rs_mark "$d" e
rs_archived "$d"
rt_backup a
rs_mark "$d" f
rs_archived "$d"
rt_backup b
rs_mark "$d" g
rs_archived "$d"
pg_stop "$d"
ok "a bucket" repo-verify -c "$T/conf"
head=$(s3ctl list "$bucket" pre/ | cut -f2 | grep "/$b/head")
s3ctl get "$bucket" "$head" "$T/head" || bail "no head"
s3ctl delete "$bucket" "$head" || bail "not deleted"
finds "a head that was taken from a bucket" \
	"base/$b/: .*its head is gone.*: moments from .* reached from backup $a" \
	--since-last
s3ctl put "$bucket" "$head" "$T/head" || bail "not put"
ok "it is put back" repo-verify -c "$T/conf" --since-last

done_testing
