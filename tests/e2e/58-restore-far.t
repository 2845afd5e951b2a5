#!/bin/sh
# A far store and a near directory together: gaps of one are filled by the other,
# a store that refuses or hangs is left out in time and told, and a backup that
# lost a part in the bucket is found out before anything is written.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/restore.sh"

s3_start
s3_bucket bucket
proxy_start far tls
new_key "$T/key"
d=$T/main
rs_cluster "$d" "$T/conf" "$T/key" "s3@$PROXY_URL:$bucket/x"
write_conf "$T/conf" "$d" "$T/key" "s3@$PROXY_URL:$bucket/x" "file:$T/repo" \
	-- "push_quorum = 2" "store_deadline = 10s"
rs_mark "$d" a
ok "a backup in the bucket" basebackup-ship -c "$T/conf"
id=$(tail -n 1 "$T/out")
rs_mark "$d" b
segment=$(pg_psql "$d" "SELECT pg_walfile_name(pg_current_wal_lsn())")
rs_archived "$d"
rs_mark "$d" c
rs_archived "$d"
pg_stop "$d"

to() {
	to_dir=$1
	shift
	pitr-restore -c "$T/conf" --target-dir "$to_dir" "$@"
}
refused() {
	f_status=$1 f_name=$2 f_why=$3
	shift 3
	exits "$f_status" "$f_name: the dry run says no" to "$T/none" \
		--dry-run "$@"
	like "$f_name: it says why" "$(cat "$T/out")" "^ready +no: .*$f_why"
	exits "$f_status" "$f_name: refused" to "$T/none" "$@"
	nok "$f_name: nothing is made" test -e "$T/none"
}
proxy_rules far '[{"action": "latency", "ms": 80}]'
s3ctl list "$bucket" >"$T/objects"
object() {
	grep -oE "x/main/[^ \"]*$1" "$T/objects"
}

# -- a gap in the bucket -----------------------------------------------------
ok "a segment is lost in the bucket" s3ctl delete "$bucket" \
	"$(object "/$segment")"
refused 1 "the bucket alone" "$segment is not in the archive although" --repo r1
ok "both together: restored" to "$T/both"
ok "the tree is what the server's manifest says" \
	"$BUILD/tests/tools/verifytree" "$T/both"
ok "it starts" rs_start "$T/both"
wait_for 120 rs_writes "$T/both" || fail "it does not promote"
is "and holds everything" "$(rs_marks "$T/both")" abc
pg_stop "$T/both" immediate

# -- a backup with a gap -----------------------------------------------------
pack=$(object "$id/pack/[0-9]*" | tail -n 1)
s3ctl get "$bucket" "$pack" "$T/pack" || bail "no pack"
s3ctl delete "$bucket" "$pack" || bail "not deleted"
refused 5 "a pack that is gone" "1 of its packs are missing or cut, $id/pack/"
head -c 500 "$T/pack" >"$T/cut"
s3ctl put "$bucket" "$pack" "$T/cut"
refused 5 "a pack that is cut" "1 of its packs are missing or cut, $id/pack/"
s3ctl put "$bucket" "$pack" "$T/pack"
ok "and whole again" to "$T/none" --dry-run

# -- the bucket does not answer ----------------------------------------------
newest="newest cannot be known without repository r1.*--repo r2"
proxy_rules far '[{"action": "status", "status": 403, "code": "AccessDenied"}]'
refused 4 "a store that refuses" "$newest"
proxy_rules far '[{"action": "hang"}]'
refused 4 "a store that hangs" "$newest"
proxy_rules far '[{"action": "status", "status": 503, "code": "SlowDown"}]'
refused 4 "a store that is busy" "$newest"
proxy_rules far
ok "it is back" to "$T/back"
done_testing
