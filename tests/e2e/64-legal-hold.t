#!/bin/sh
# Holds where the store has object lock: each object that a hold keeps is under
# a legal hold of the store, and is let go when no hold keeps it any more.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"

s3_start
s3_bucket bucket lock
d=$T/main
rt_cluster "s3:$bucket"
rt_conf "$T/conf" "s3:$bucket" -- "retain_archive = 1s"
sed -i '/^\[repo r1\]/a object_lock = governance' "$T/conf"

keys() {
	s3_keys "$bucket" | grep -e "$1"
}
# held ERE: how many of these objects are under a legal hold
held() {
	s3ctl held "$bucket" $(keys "$1") | grep -c '^ON'
}
count() {
	keys "$1" | wc -l | tr -d ' '
}
hold() {
	retention-hold -c "$T/conf" add --holder Legal --reason "a case" "$@"
}

rs_mark "$d" a
rt_backup first
label=$(keys '\.backup$' | tail -n 1)
start=${label##*/}
start=${start%%.*}
rs_mark "$d" b
rs_archived "$d"
sleep 1
from=$(pg_psql "$d" "SELECT clock_timestamp()")
rt_backup second
rs_mark "$d" c
rs_archived "$d"
is "nothing is held at first" "$(held .)" 0

# -- a backup ----------------------------------------------------------------------

ok "a backup is put under hold" hold --backup "$first"
one=$(cat "$T/out")
is "all its objects are under a legal hold" \
	"$(held "/base/$first/")" "$(count "/base/$first/")"
atleast "... which are some" "$(count "/base/$first/")" 3
atleast "... and of its WAL" "$(count "/wal/.*/$start")" 1
is "... its WAL is" "$(held "/wal/.*/$start")" "$(count "/wal/.*/$start")"
is "... and nothing else" "$(held .)" \
	"$(($(count "/base/$first/") + $(count "/wal/.*/$start")))"
head=$(keys "/$first/head")
version=$(s3ctl versions "$bucket" "$head" | cut -f3)
sleep 2
nok "nobody can delete it" s3ctl delete "$bucket" "$head" "$version"

# Two holds on one backup: the first release lets nothing go.
two=$(hold --backup "$first") || fail "another hold"
ok "one of two holds is released" \
	retention-hold -c "$T/conf" release "$one" --reason over
is "... and the backup stays held" \
	"$(held "/base/$first/")" "$(count "/base/$first/")"

# -- a range that reaches into the future -------------------------------------------

ok "moments are put under hold, with no end" hold --from "$from"
three=$(cat "$T/out")
before=$(held /wal/)
atleast "... with their WAL" "$before" 3
rs_mark "$d" d
rs_archived "$d"
pg_stop "$d"
is "new WAL is not held yet" "$(held /wal/)" "$before"
ok "pruning looks after it" retention-prune -c "$T/conf"
atleast "... so that it is" "$(held /wal/)" $((before + 1))
is "what is held is there" "$(held "/base/$first/")" \
	"$(count "/base/$first/")"
ok "a dry run" retention-prune -c "$T/conf" --dry-run

# -- interrupted -------------------------------------------------------------------

proxy_start cut
conf_proxied "$T/conf" "$T/proxied"
all=$(held "/base/$first/")
ok "the other hold on the backup is released" \
	retention-hold -c "$T/conf" release "$two" --reason over
# The range's hold begins from the first backup, as no other ended before.
is "what the range needs stays held" "$(held "/base/$first/")" "$all"
proxy_rules cut '[{"method": "PUT", "path": "/pack/[0-9]*\\?legal-hold", "action": "status", "status": 403, "code": "AccessDenied"}]'
nok "the store fails while the range is released" \
	retention-hold -c "$T/proxied" release "$three" --reason over
like "... which is said" "$(cat "$T/err")" "retention-prune will complete"
is "... half-way" \
	"$(held "/wal/"),$(held "/base/$first/head"),$(held "/manifest")" 0,0,1
proxy_rules cut
ok "releasing again completes it" \
	retention-hold -c "$T/proxied" release "$three" --reason over
is "nothing is held any more" "$(held .)" 0

# A hold that is cut off, and released before anybody completes it.
proxy_rules cut '[{"method": "PUT", "path": "/pack/[0-9]*\\?legal-hold", "action": "status", "status": 403, "code": "AccessDenied"}]'
nok "the store fails while a hold is placed" retention-hold \
	-c "$T/proxied" add --holder Legal --reason "a case" --backup "$first"
four=$(cat "$T/out")
atleast "... half-way" "$(held .)" 1
proxy_rules cut
ok "it is released" \
	retention-hold -c "$T/proxied" release "$four" --reason over
is "and nothing stays held" "$(held .)" 0

# A release that is cut off, and a new hold.
for at in head "pack/[0-9]*" manifest; do
	five=$(hold --backup "$first") || fail "a hold"
	proxy_rules cut "[{\"method\": \"PUT\", \"path\": \"/$at\\\\?legal-hold\",
		\"action\": \"status\", \"status\": 403, \"code\": \"AccessDenied\"}]"
	nok "the store fails at /$at while it is released" \
		retention-hold -c "$T/proxied" release "$five" --reason over
	proxy_rules cut
	six=$(hold --backup "$first") || fail "another hold"
	is "the new hold is on all of the backup" \
		"$(held "/base/$first/")" "$(count "/base/$first/")"
	ok "it is released" \
		retention-hold -c "$T/conf" release "$six" --reason over
	is "and nothing is held any more" "$(held .)" 0
done

# Somebody else's legal hold is not ours to take off.
pg_start "$d" || bail "PostgreSQL does not start"
sed -i "s|^conninfo = .*|conninfo = $(pg_conninfo "$d")|" "$T/conf"
rt_backup third
pg_stop "$d"
sleep 2
s3ctl hold "$bucket" "$(keys "/$second/head")" ON || bail "no hold"
all=$(count "/base/$second/")
ok "pruning with a foreign legal hold on a backup" retention-prune -c "$T/conf"
like "... tells of it" "$(cat "$T/err")" \
	"$second/head: not deleted: under a legal hold of the store"
is "... and leaves all of that backup" "$(count "/base/$second/")" "$all"
is "what was under our hold before is gone" "$(count "/base/$first/")" 0

# -- a hold that ends by itself ------------------------------------------------------

until=$(($(date +%s) + 6))
ok "a hold with an end" hold --backup "$third" \
	--until "$(date -u -d @$until +%Y-%m-%dT%H:%M:%SZ)"
is "... holds" "$(held "/base/$third/")" "$(count "/base/$third/")"
ended() {
	[ "$(date +%s)" -gt $until ]
}
wait_for 10 ended || bail "time stands still"
# A hold of the store is let go on record, or not at all.
proxy_rules cut '[{"method": "PUT", "path": "/audit/", "action": "status",
	"status": 403, "code": "AccessDenied"}]'
exits 4 "a pruning that cannot be recorded" retention-prune -c "$T/proxied"
is "... lets nothing go" "$(held "/base/$third/")" "$(count "/base/$third/")"
proxy_rules cut
ok "pruning after it" retention-prune -c "$T/conf"
is "... lets go" "$(held "/base/$third/")" 0
"$BUILD/tests/tools/audit" -c "$T/conf" --details >"$T/trail" 2>&1
like "... on record" "$(cat "$T/trail")" "detail	legal_off	[1-9]"
ok "the newest state can be restored" pitr-restore -c "$T/conf" --dry-run

done_testing
