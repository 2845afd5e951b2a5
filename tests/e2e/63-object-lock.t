#!/bin/sh
# Object lock: what is stored is locked from its first moment, for as long as
# the rules are certain to keep it, and for longer when it is promoted.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/restore.sh"

s3_start
s3_bucket locked lock
s3_bucket plain
d=$T/main
new_key "$T/key"
rs_cluster "$d" "$T/conf" "$T/key" "s3:$locked/pre"
conf() {
	write_conf "$1" "$d" "$T/key" "s3:$2" -- "retain_full = 3d
retain_wal = 2d"
	sed -i '/^\[repo r1\]/a object_lock = '"$3" "$1"
}
conf "$T/conf" "$locked/pre" governance

keys() {
	s3ctl list "$locked" pre/ | cut -f2 | grep -e "$1"
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
backup() {
	basebackup-ship -c "$T/conf" "$@" >"$T/out" 2>&1 ||
		bail "no backup: $(cat "$T/out")"
	tail -n 1 "$T/out"
}

# -- at the upload ---------------------------------------------------------------

rs_mark "$d" a
rs_archived "$d"
first=$(backup)
rs_mark "$d" b
rs_archived "$d"
is "WAL outside of the backup is locked for retain_wal" \
	"$(days "$(keys '/wal/.*/[0-9A-F]*$' | tail -n 1)")" "GOVERNANCE 2.0"
is "packs, manifest and head are locked for retain_full" \
	"$(all_days "/$first/")" "GOVERNANCE 3.0"
is "... a number of objects" "$(keys "/$first/" | wc -l | tr -d ' ')" \
	"$(keys "/$first/\(head\|manifest\|pack/\)" | wc -l | tr -d ' ')"
label=$(keys '\.backup$' | tail -n 1)
start=${label##*/}
start=${start%%.*}
is "the WAL that makes it consistent is locked as long" \
	"$(days "$(keys "/$start\$")")" "GOVERNANCE 3.0"
is "the archive's mark is locked as long as any rule may keep" \
	"$(days "$(keys '/archive$')")" "GOVERNANCE 2562.0"
archived=$(backup --class archive)
is "a backup for the archive is locked for retain_archive" \
	"$(all_days "/$archived/")" "GOVERNANCE 2557.0"
head=$(keys "/$first/head")
version=$(s3ctl versions "$locked" "$head" | cut -f3)
nok "nobody deletes a locked version" \
	s3ctl delete "$locked" "$head" "$version"

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

ok "the newest state can be restored" pitr-restore -c "$T/conf" --dry-run
pg_stop "$d"
done_testing
