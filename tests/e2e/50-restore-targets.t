#!/bin/sh
# Every target leads a real server exactly there, and what a dry run says is
# what then happens.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/restore.sh"

new_key "$T/key"
d=$T/main
rs_cluster "$d" "$T/conf" "$T/key" "file:$T/repo"
mkdir "$T/space1" "$T/space2"
for n in 1 2; do
	pg_psql "$d" "CREATE TABLESPACE space$n LOCATION '$T/space$n'"
	pg_psql "$d" "CREATE TABLE in$n TABLESPACE space$n AS
		SELECT g AS v FROM generate_series(1, 1000) g"
done
oid1=$(pg_psql "$d" "SELECT oid FROM pg_tablespace WHERE spcname = 'space1'")
oid2=$(pg_psql "$d" "SELECT oid FROM pg_tablespace WHERE spcname = 'space2'")
early=$(pg_psql "$d" "SELECT clock_timestamp()")

# Targets of earlier recoveries, as people leave them behind. PostgreSQL
# refuses to start with two.
pg_set "$d" "recovery_target_xid = '4711'" "recovery_target_inclusive = off"
cat >>"$d/postgresql.auto.conf" <<END
recovery_target_time = '2020-01-01 00:00:00+00'
recovery_target_action = 'shutdown'
work_mem = '5MB'
END
rs_mark "$d" a
ok "a base backup" basebackup-ship -c "$T/conf"
backup=$(tail -n 1 "$T/out")

# mark, a moment that lies between two commits, and a segment of its own each
step() {
	rs_mark "$d" "$1"
	sleep 0.05
	pg_switch "$d" >"$T/segment.$1"
}
commit_time() {
	pg_psql "$d" "SELECT pg_xact_commit_timestamp(xmin) FROM mark
		WHERE v = '$1'"
}
xid_of() {
	pg_psql "$d" "SELECT xmin FROM mark WHERE v = '$1'"
}
step b
step c
between=$(pg_psql "$d" "SELECT clock_timestamp()")
pg_psql "$d" "SELECT pg_create_restore_point('the point')" >/dev/null
step d
lsn=$(pg_psql "$d" "SELECT pg_current_wal_insert_lsn()")
step e
step f
step g
rs_archived "$d"
at_c=$(commit_time c) xid_e=$(xid_of e)
pg_stop "$d"

# into NAME OPTION...: dry run and restore agree that it can be done
into() {
	in_dir=$T/$1
	shift
	ok "$*: the dry run says yes" pitr-restore -c "$T/conf" --dry-run \
		--target-dir "$in_dir" --tablespace "$oid1=$in_dir.s1" \
		--tablespace "$oid2=$in_dir.s2" --json "$@"
	is "$*: and nothing was made" "$(ls -d "$in_dir"* 2>/dev/null)" ""
	is "$*: and its JSON is ready" "$(json ready)" True
	ok "$*: restored" pitr-restore -c "$T/conf" --target-dir "$in_dir" \
		--tablespace "$oid1=$in_dir.s1" \
		--tablespace "$oid2=$in_dir.s2" "$@"
	in_said=$(cat "$T/out")
	ok "$*: the tree is what the server's manifest says" \
		"$BUILD/tests/tools/verifytree" "$in_dir"
}
json() {
	"$PYTHON" -c 'import json, sys
print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$T/out" "$1" 2>&1
}
# holds NAME MARKS OPTION...: a server restored so has these marks
holds() {
	h_dir=$T/$1 h_want=$2
	into "$1" $3 "$4" ${5+--target-action promote $5}
	ok "$3 $4: it starts" rs_start "$h_dir"
	wait_for 30 rs_writes "$h_dir" || fail "$3 $4: it is not promoted"
	is "$3 $4: the marks" "$(rs_marks "$h_dir")" "$h_want"
	is "$3 $4: both tablespaces" "$(pg_psql "$h_dir" "SELECT
		(SELECT sum(v) FROM in1) || ' ' || (SELECT sum(v) FROM in2)")" \
		"500500 500500"
	pg_stop "$h_dir" immediate
}

holds time abc --target-time "$between" --no-progress
is "tablespaces lie where they were sent" \
	"$(readlink "$T/time/pg_tblspc/$oid1" "$T/time/pg_tblspc/$oid2")" \
	"$T/time.s1
$T/time.s2"
like "other settings of the cluster stay" \
	"$(cat "$T/time/postgresql.auto.conf")" "^work_mem = '5MB'"
holds at abc --target-time "$at_c" --no-progress
holds before ab --target-time "$at_c" --target-exclusive
holds lsn abcd --target-lsn "$lsn" --no-progress
holds xid abcde --target-xid "$xid_e" --no-progress
holds xidex abcd --target-xid "$xid_e" --target-exclusive

# -- actions -----------------------------------------------------------------
into paused --target-name "the point"
like "what will happen is told" "$in_said" "stay read-only"
ok "a named point: it starts" rs_start "$T/paused"
wait_for 30 rs_at_target "$T/paused" || fail "it does not pause"
is "a named point: the marks" "$(rs_marks "$T/paused")" abc
pg_psql "$T/paused" "SELECT pg_wal_replay_resume()"
wait_for 30 rs_writes "$T/paused" || fail "it does not promote"
ok "and takes writes" rs_mark "$T/paused" z
pg_stop "$T/paused" immediate

into down --target-lsn "$lsn" --target-action shutdown
rs_start "$T/down" >/dev/null # or it was down before pg_ctl had seen it
ok "action shutdown: it ends at the target" \
	wait_for 30 test ! -e "$T/down/postmaster.pid"
like "as it was told to" "$(cat "$T/down.log")" \
	"shutdown at recovery target"
like "and stays in recovery" "$("$(pg_bin 15)/pg_controldata" "$T/down")" \
	"shut down in recovery"
into now --target-immediate --target-action promote --backup "$backup"
ok "the backup's end: it starts" rs_start "$T/now"
wait_for 30 rs_writes "$T/now" || fail "it is not promoted"
is "the backup's end: the marks" "$(rs_marks "$T/now")" a
pg_stop "$T/now" immediate

# -- timelines ---------------------------------------------------------------
into two --target-name "the point" --target-action promote
ok "a server that archives on" pg_start "$T/two"
wait_for 30 rs_writes "$T/two" || fail "it is not promoted"
rs_mark "$T/two" x
rs_archived "$T/two"
pg_stop "$T/two"
into latest --no-progress
ok "the newest state: it starts" rs_start "$T/latest"
wait_for 30 rs_writes "$T/latest" || fail "it is not promoted"
is "the newest state is on the new timeline" "$(rs_marks "$T/latest")" abcx
pg_stop "$T/latest" immediate
holds one abcdefg --target-timeline 1


# -- what cannot be reached --------------------------------------------------
# refuses STATUS ERE OPTION...: the dry run and the restore, with that reason
refuses() {
	f_status=$1 f_why=$2
	shift 2
	exits "$f_status" "$*: the dry run says no" pitr-restore -c "$T/conf" \
		--dry-run --json "$@"
	is "$*: also in JSON" "$(json ready)" False
	like "$*: it says why" "$(cat "$T/err")" "$f_why"
	exits "$f_status" "$*: refused" pitr-restore -c "$T/conf" \
		--target-dir "$T/none" --tablespace "$oid1=$T/none.s1" \
		--tablespace "$oid2=$T/none.s2" "$@"
	is "$*: nothing was made" "$(ls -d "$T"/none* 2>/dev/null)" ""
}
what="not in the archive: timeline [12] goes to LSN [0-9A-F]+/[0-9A-F]+, "
what="${what}its newest commit is 2"
refuses 2 "$what" --target-time "2100-01-01 00:00:00+00" --no-progress
refuses 2 "$what" --target-lsn 7/0 --no-progress
refuses 2 "transaction 4711 does not end in the archive" --target-xid 4711
refuses 2 "no restore point 'nowhere' is in the archive" \
	--target-name nowhere
refuses 2 "the oldest is $backup, .* its end, 2.*can be restored" \
	--target-time "$early"
refuses 2 "the oldest is $backup, .* its end, 2.*can be restored" --target-lsn 0/1
refuses 2 "backup $backup ended at 2.*choose an older" \
	--target-time "$early" --backup "$backup"
refuses 1 "00000009.history is not in the archive" --target-timeline 9

object() {
	find "$T/repo" -type f -name "$1"
}
hide() {
	hidden=$(object "$1")
	mv "$hidden" "$T/hidden"
}
lost=$(cat "$T/segment.c")
hide "$lost"
refuses 1 "$lost is not in the archive although $(cat "$T/segment.d") is" \
	--target-timeline 1
refuses 1 "$lost is not in the archive" --target-xid "$xid_e" \
	--target-timeline 1
ok "what lies before the hole is reached" pitr-restore -c "$T/conf" \
	--dry-run --target-xid "$(xid=$xid_e; echo $((xid - 3)))" \
	--target-timeline 1
mv "$T/hidden" "$hidden"

# The newest timeline's history is lost: what was written on it must not
# silently be left out.
hide 00000002.history
refuses 1 "00000002.history is not in the archive although WAL of timeline 2" \
	--no-progress
ok "the older one, when it is asked for" pitr-restore -c "$T/conf" \
	--dry-run --target-timeline 1
mv "$T/hidden" "$hidden"
# Its first segment, but not the next.
first=$(find "$T/repo" -type f -name '00000002????????????????' |
	sed 's|.*/||' | sort | head -n 1)
pg_start "$T/two" || bail "no server"
rs_mark "$T/two" y
rs_archived "$T/two"
pg_stop "$T/two"
hide "$first"
refuses 1 "$first is not in the archive although WAL of" --no-progress
mv "$T/hidden" "$hidden"

done_testing
