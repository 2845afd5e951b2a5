#!/bin/sh
# Object lock: what is stored is locked from its first moment, for as long as
# the rules are certain to keep it, and for longer when it is promoted.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"

s3_start
s3_bucket locked lock
s3_bucket plain
d=$T/main
rt_cluster "s3:$locked/pre"
conf() {
	write_conf "$1" "$d" "$T/key" "s3:$2" -- "retain_full = 3d
retain_wal = 2d"
	sed -i '/^\[repo r1\]/a object_lock = '"$3" "$1"
}
conf "$T/conf" "$locked/pre" governance

keys() {
	s3_keys "$locked" pre/ | grep -e "$1"
}
# days KEY: for how long it is locked from now on, rounded
days() {
	s3ctl retention "$locked" "$1" >"$T/retention" 2>&1 || {
		echo none
		return
	}
	"$PYTHON" -c '
import datetime, re, sys
mode, until = open(sys.argv[1]).read().split()
until = datetime.datetime.fromisoformat(re.sub(r"(\.\d+)?Z$", "+00:00", until))
left = until - datetime.datetime.now(datetime.timezone.utc)
print(mode, round(left.total_seconds() / 86400, 1))' "$T/retention"
}
# all_days ERE: the distinct ones of all such objects
all_days() {
	keys "$1" | while read -r k; do days "$k"; done | sort -u
}

# -- at the upload ---------------------------------------------------------------

rs_mark "$d" a
rs_archived "$d"
rt_backup first
rs_mark "$d" b
rs_archived "$d"
is "WAL outside of the backup is locked for retain_wal" \
	"$(days "$(keys '/wal/.*/[0-9A-F]*$' | tail -n 1)")" "GOVERNANCE 2.0"
is "packs, manifest and head are locked for retain_full" \
	"$(all_days "/$first/")" "GOVERNANCE 3.0"
is "... a number of objects" "$(keys "/$first/" | wc -l | tr -d ' ')" \
	"$(keys "/$first/\(head\|manifest\|pack/\)" | wc -l | tr -d ' ')"
like "records of the trail are locked" "$(all_days /audit/)" \
	'^GOVERNANCE [0-9.]+$'
is "... for as long as anything" "$(all_days /audit/)" "$(all_days /archive$)"
label=$(keys '\.backup$' | tail -n 1)
start=${label##*/}
start=${start%%.*}
is "the WAL that makes it consistent is locked as long" \
	"$(days "$(keys "/$start\$")")" "GOVERNANCE 3.0"
is "the archive's mark is locked as long as any rule may keep" \
	"$(days "$(keys '/archive$')")" "GOVERNANCE 2562.0"
rt_backup archived --class archive
is "a backup for the archive is locked for retain_archive" \
	"$(all_days "/$archived/")" "GOVERNANCE 2557.0"
head=$(keys "/$first/head")
version=$(s3ctl versions "$locked" "$head" | cut -f3)
nok "nobody deletes a locked version" \
	s3ctl delete "$locked" "$head" "$version"

# -- by the store's clock ----------------------------------------------------------

# The host's clock may be wrong, or jump while a file is sent; nobody can shorten
# a lock afterwards. Here the store's seems to be 14 minutes ahead.
proxy_start skewed
skew=$(date -u -d '14 minutes' '+%a, %d %b %Y %H:%M:%S GMT')
skewed() {
	proxy_rules skewed '[{"method": "'"$1"'", "path": "'"$2"'", "first": 1,
		"action": "status", "status": 403,
		"code": "RequestTimeTooSkewed", "headers": {"Date": "'"$skew"'"}}]'
}
# minutes KEY: for how long it is locked
minutes() {
	s3ctl retention "$locked" "$1" >"$T/retention"
	read -r mode until <"$T/retention"
	echo $((($(date -d "$until" +%s) - $(date +%s)) / 60))
}
rs_mark "$d" s
wal=$(pg_switch "$d")
kept=$((2 * 24 * 60 + 14 - 10))
conf "$T/skew" "$locked/skew" governance
conf_proxied "$T/skew" "$T/skewed"
skewed PUT "/wal/.*$wal"
ok "the store's clock is told with a PUT" \
	sh -c "cd $d && walpush -c $T/skewed pg_wal/$wal"
is "... which is tried again" "$(proxy_count skewed "^PUT .*/wal/.*$wal")" 2
key=$(s3_keys "$locked" skew/ | grep "/$wal\$")
atleast "... with a lock from then on" "$(minutes "$key")" $kept
conf "$T/late" "$locked/late" off
ok "a file is stored without a lock" \
	sh -c "cd $d && walpush -c $T/late pg_wal/$wal"
conf "$T/late" "$locked/late" governance
conf_proxied "$T/late" "$T/skewed"
rm -f "$T"/spool/*.marks
printf '1\t0/3000000\tno recovery target specified\n' >"$T/00000002.history"
sed 's/^object_lock = .*/object_lock = off/' "$T/late" >"$T/unlocked"
chmod 600 "$T/unlocked"
ok "so is a history file" \
	sh -c "cd $d && walpush -c $T/unlocked $T/00000002.history"
skewed GET object-lock
ok "... and handed over once more" \
	sh -c "cd $d && walpush -c $T/skewed pg_wal/$wal"
key=$(s3_keys "$locked" late/ | grep "/$wal\$")
atleast "... is locked by the store's clock" "$(minutes "$key")" $kept
ok "handed over once more the history file" \
	sh -c "cd $d && walpush -c $T/late $T/00000002.history"
is "... is locked as long as any rule may keep" \
	"$(days "$(s3_keys "$locked" late/ | grep history)")" "GOVERNANCE 2562.0"

# -- buckets without ---------------------------------------------------------------

conf "$T/plain" "$plain" compliance
rs_mark "$d" c
wal=$(pg_switch "$d")
exits 2 "walpush refuses a bucket without object lock" \
	sh -c "cd $d && walpush -c $T/plain pg_wal/$wal"
like "... and says what to do" "$(cat "$T/err")" \
	"bucket $plain has no object lock: make a bucket with it"
is "... and stores nothing there" "$(s3ctl list "$plain")" ""
exits 2 "so does basebackup-ship" basebackup-ship -c "$T/plain"

# -- promotion -------------------------------------------------------------------

ok "nothing is promoted within the day" \
	retention-prune -c "$T/conf" --dry-run --json
unlike "... so nothing is locked for longer" "$(cat "$T/out")" '"line":"lock"'

# The same repository with longer rules: what was locked for three days is to
# be locked for ten.
sed 's/^retain_full = .*/retain_full = 10d/' "$T/conf" >"$T/longer"
chmod 600 "$T/longer"
ok "with a longer retain_full it is planned to be" \
	retention-prune -c "$T/longer" --plan "$T/plan"
like "... by name" "$(cat "$T/out")" "$first  until 20"
unlike "... but not what is locked for longer" "$(cat "$T/out")" \
	"$archived  until"
is "a plan changes nothing" "$(all_days "/$first/")" "GOVERNANCE 3.0"
like "... and has a line for each lock" "$(cat "$T/plan")" '"line":"lock"'
exits 3 "nor does one that the rules do not bear out" \
	retention-prune -c "$T/conf" --apply "$T/plan"
is "... at all" "$(all_days "/$first/")" "GOVERNANCE 3.0"

# Killed on the way: the head comes last, so the next run goes on.
proxy_start cut
conf_proxied "$T/longer" "$T/proxied"
proxy_rules cut '[{"method": "PUT", "path": "/pack/[0-9]*\\?retention", "action": "status", "status": 403, "code": "AccessDenied"}]'
nok "the store fails in the middle" \
	retention-prune -c "$T/proxied" --apply "$T/plan"
atleast "... of the backup" "$(proxy_count cut "^PUT .*/pack/.*retention.* 403")" 1
is "... and the head is as it was" "$(days "$(keys "/$first/head")")" \
	"GOVERNANCE 3.0"
proxy_rules cut
ok "the same plan again" retention-prune -c "$T/proxied" --apply "$T/plan"
like "... tells how much" "$(cat "$T/out")" '^[1-9][0-9]* objects are locked'
is "all of the backup is locked for longer" "$(all_days "/$first/")" \
	"GOVERNANCE 10.0"
is "... with its WAL" "$(days "$(keys "/$start\$")")" "GOVERNANCE 10.0"
is "the lock of the archived one is not shortened" \
	"$(all_days "/$archived/")" "GOVERNANCE 2557.0"
ok "another run" retention-prune -c "$T/longer" --dry-run --json
unlike "... finds nothing to do" "$(cat "$T/out")" '"line":"lock"'
ok "a shorter rule" retention-prune -c "$T/conf"
is "... shortens nothing" "$(all_days "/$first/")" "GOVERNANCE 10.0"

# -- WAL of the window -----------------------------------------------------------

# As if it had been archived four days ago, with a window of five: until the
# backup that came after it can take its place, five days from now.
sed 's/^retain_wal = .*/retain_wal = 5d/' "$T/proxied" >"$T/window"
chmod 600 "$T/window"
{
	echo "<ListBucketResult><IsTruncated>false</IsTruncated>"
	s3ctl list "$locked" pre/ | grep /wal/ | while read -r size key; do
		echo "<Contents><Key>$key</Key><Size>$size</Size><LastModified>"
		echo "$(date -u -d '4 days ago' +%Y-%m-%dT%H:%M:%S.000Z)"
		echo "</LastModified></Contents>"
	done
	echo "</ListBucketResult>"
} | tr -d '\n' >"$T/listing"
between=$(keys '/wal/.*/[0-9A-F]*$' | tail -n 1)
proxy_rules cut '[{"method": "GET", "path": "list-type=2.*wal%2F", "action": "replace", "file": "'"$T"'/listing"}]'
is "WAL beside the backups is locked for two days" "$(days "$between")" \
	"GOVERNANCE 2.0"
ok "pruning when a window needs it for longer" retention-prune -c "$T/window"
is "... locks it until a newer backup takes over" "$(days "$between")" \
	"GOVERNANCE 5.0"
ok "another run" retention-prune -c "$T/window" --dry-run --json
unlike "... finds nothing to do" "$(cat "$T/out")" '"line":"lock"'
proxy_rules cut

# -- pruning ---------------------------------------------------------------------

sed 's/^retain_full = .*/retain_full = 1s\nretain_daily = 0\nretain_weekly = 0\nretain_monthly = 0\nretain_yearly = 0\nretain_minimum = 1/
	s/^retain_wal = .*/retain_wal = 1s/' "$T/conf" >"$T/short"
chmod 600 "$T/short"
sleep 2
s3ctl versions "$locked" pre/ | grep -v -e /audit/ >"$T/before"
ok "pruning what is locked is no failure" retention-prune -c "$T/short"
like "... and told" "$(cat "$T/err")" \
	"$first/head: not deleted: locked until 20[0-9-]*T"
s3ctl versions "$locked" pre/ | grep -v -e /audit/ >"$T/now"
same "... and deletes nothing" "$T/before" "$T/now"

ok "the newest state can be restored" pitr-restore -c "$T/conf" --dry-run
pg_stop "$d"
done_testing
