#!/bin/sh
# Backups that a tier keeps change their storage class: plain buckets and such
# that keep versions, where none is left behind; locks and holds; plans that no
# longer fit; answers that lie; no permission; a restore from the colder class.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"

s3_start
s3_bucket plain
s3_bucket kept versioned
s3_bucket locked lock
d=$T/main
RT_SHORT="retain_full = 1s
retain_wal = 1s
retain_daily = 0
retain_minimum = 1"
rt_cluster "s3:$plain"
rt_conf "$T/conf" "s3:$plain" "s3:$kept" "s3:$locked" -- "push_quorum = 3"

# moving FILE FROM LINE...: the settings FROM, with these lines for each bucket
moving() {
	mv_to=$1 mv_from=$2
	shift 2
	mv_lines=$(printf '%s\\n' "$@")
	sed "/^\[repo /a ${mv_lines%\\n}" "$mv_from" >"$mv_to"
	chmod 600 "$mv_to"
}
moving "$T/weekly" "$T/conf" "storage_class_weekly = COLD"
moving "$T/yearly" "$T/conf" "storage_class_yearly = COLD"
moving "$T/later" "$T/conf" "storage_class_weekly = COLD" \
	"storage_class_after = 30d"
moving "$T/nowhere" "$T/conf" "storage_class_weekly = NOWHERE"

# Several packs each.
pg_psql "$d" "CREATE TABLE bulk AS SELECT i,
	decode(md5(i::text) || md5('a' || i) || md5('b' || i) || md5('c' || i) ||
	md5('d' || i) || md5('e' || i) || md5('f' || i) || md5('g' || i), 'hex')
	FROM generate_series(1, 300000) i" || bail "bulk"
# backups NAME [OPTION...]: one in each bucket, whose ids are NAME1, NAME2, NAME3
backups() {
	bk=$1
	shift
	for i in 1 2 3; do
		rt_backup "$bk$i" --repo r$i "$@"
	done
}
rs_mark "$d" a
rs_archived "$d"
backups week --class weekly
rs_mark "$d" b
rs_archived "$d"
backups year --class yearly
backups month --class monthly
rs_mark "$d" c
rs_archived "$d"
backups new
rs_archived "$d"
pg_stop "$d"
rt_settle

# classes BUCKET ERE: of the objects whose keys match, each once
classes() {
	s3ctl classes "$1" | grep -E -e "$2" | cut -f1 | sort -u | tr '\n' ' '
}
packs() {
	s3_keys "$1" | grep -c "/$2/pack/"
}
old_versions() {
	s3ctl versions "$1" | grep -c "	old	.*/pack/"
}
objects() {
	s3_keys "$1" | wc -l
}
moves() {
	"$BUILD/tests/tools/audit" -c "$T/weekly" "$@" >"$T/trail" ||
		bail "trail"
	awk -F '\t' '$1 == "record" && $5 == "move" { print $6, $7 }' \
		"$T/trail" | tr '\n' ' '
}
atleast "a backup has several packs" "$(packs "$plain" "$week1")" 3

# -- settings ----------------------------------------------------------------------

sed "/^\[repo r1\]/a object_lock = governance" "$T/weekly" >"$T/both"
chmod 600 "$T/both"
exits 2 "with object_lock no class can be named" retention-prune -c "$T/both"
like "... and why is said" "$(cat "$T/err")" \
	'storage_class_weekly has no effect with object_lock'
rt_conf "$T/dir" "file:$T/repo"
moving "$T/dir" "$T/dir" "storage_class_after = 1d"
exits 2 "nor for a directory" retention-prune -c "$T/dir"

# -- what moves --------------------------------------------------------------------

ok "without a class nothing is to move" retention-prune -c "$T/conf" --dry-run
unlike "... the plan has none" "$(cat "$T/out")" moves
ok "nor before its time" retention-prune -c "$T/later" --dry-run
unlike "... the plan has none" "$(cat "$T/out")" moves
ok "a dry run" retention-prune -c "$T/weekly" --dry-run
like "... has the weekly backup" "$(cat "$T/out")" \
	"^  $week1 .* from STANDARD to COLD by storage_class_weekly\$"
like "... and, without a class of its own, the yearly" "$(cat "$T/out")" \
	"^  $year1 .* from STANDARD to COLD by storage_class_weekly\$"
unlike "... not the newest" "$(cat "$T/out")" "^  $new1 .* to COLD"
is "... and moves nothing" "$(classes "$plain" .)" "STANDARD "

exits 1 "a class that the store has not" retention-prune -c "$T/nowhere"
like "... is named with its setting" "$(cat "$T/err")" \
	'to class NOWHERE \(storage_class_weekly\)'
like "... and the object with the store's word" "$(cat "$T/err")" \
	'/pack/0000.*: not moved: .*does the store have a class NOWHERE'
is "... nothing moved" "$(classes "$plain" .)" "STANDARD "

ok "a plan" retention-prune -c "$T/weekly" --plan "$T/plan"
exits 3 "... does not fit other settings" \
	retention-prune -c "$T/yearly" --apply "$T/plan"
like "... and says so" "$(cat "$T/err")" \
	"backup $week1 is not to go from class STANDARD to COLD; make a new plan"
is "... nothing moved" "$(classes "$plain" .)" "STANDARD "

ok "the yearly alone" retention-prune -c "$T/yearly"
like "... is told" "$(cat "$T/out")" \
	"^$(packs "$plain" "$year1") objects, .* moved to another storage class"
is "... its packs are in the colder class" \
	"$(classes "$plain" "/$year1/pack/")" "COLD "
is "... nothing else is" \
	"$(classes "$plain" "/($week1|$month1|$new1)/|/(head|manifest)\$|/wal/|/audit/")" \
	"STANDARD "
# What the plan has and is done already is no work, but on record.
ok "the plan of before" retention-prune -c "$T/weekly" --apply "$T/plan"
is "... does what is left of it" \
	"$(classes "$plain" "/$week1/pack/")$(classes "$plain" "/$new1/pack/")" \
	"COLD STANDARD "
n=$(objects "$plain")
ok "another run" retention-prune -c "$T/weekly"
is "... does nothing, and leaves no record" "$(objects "$plain")" "$n"
ok "settings with the yearly class alone" retention-prune -c "$T/yearly"
is "... bring nothing back" "$(classes "$plain" "/$week1/pack/")" "COLD "
is "records tell from which class to which, and by which setting" \
	"$(moves --details >/dev/null
	grep -E "^detail.(.*_class|setting)" "$T/trail" | cut -f2- | sort -u |
		tr '\t\n' '= ')" \
	"from_class=STANDARD setting=storage_class_weekly setting=storage_class_yearly to_class=COLD to_class=NOWHERE "
is "moves are on record, before and after" "$(moves)" \
	"begun -1 ended 1 begun -1 ended 0 begun -1 ended 0 begun -1 ended 0 begun -1 ended 0 "
ok "a dry run" pitr-restore -c "$T/conf" --repo r1 --dry-run \
	--backup "$week1" --target-immediate
like "... tells in which class the packs are" "$(cat "$T/out")" \
	'^packs      in storage class COLD$'
rt_restored "the weekly backup" a --repo r1 --backup "$week1" --target-immediate
is "... whole" "$(pg_start "$T/new" -carchive_mode=off >/dev/null 2>&1
	pg_psql "$T/new" "SELECT count(*) FROM bulk")" 300000
pg_stop "$T/new"
rt_restored "a state behind the yearly" abc --repo r1 --backup "$year1"
ok "verification of what was moved" repo-verify -c "$T/conf" --repo r1

# -- versions ----------------------------------------------------------------------

proxy_start between
conf_proxied "$T/weekly" "$T/proxied"
conf_proxied "$T/yearly" "$T/answers"
# Answers of 200 without a word, and bytes that are told to be others.
proxy_rules between '[{"method": "PUT", "path": "/pack/", "action": "empty200"}]'
exits 1 "an answer that says nothing" retention-prune -c "$T/answers" --repo r2
like "... is no success" "$(cat "$T/err")" \
	'/pack/0000.*: not moved: .*empty answer, not a CopyObjectResult'
is "... nothing moved" "$(classes "$kept" "/pack/")" "STANDARD "
proxy_rules between '[{"method": "PUT", "path": "/pack/", "action": "status",
	"status": 403, "code": "InvalidObjectState"}]'
ok "packs that would have to be thawed" retention-prune -c "$T/answers" --repo r2
like "... stay for now" "$(cat "$T/err")" \
	"backup $year2 stays in class STANDARD for now: .*thaw it first"
proxy_rules between '[{"method": "HEAD", "path": "/pack/", "after": 3, "action": "headers",
	"headers": {"etag": "\"00000000000000000000000000000000\""}}]'
exits 1 "a copy of other bytes" retention-prune -c "$T/answers" --repo r2
like "... is told" "$(cat "$T/err")" \
	'/pack/0000.*: not moved: .*other bytes there: verify the backup'
atleast "... and what was there before stays" "$(old_versions "$kept")" 1
# Answers that are errors, before and after the deed, and lost ones.
proxy_rules between '[
	{"method": "PUT", "path": "/pack/", "action": "200error", "code": "InternalError", "nth": 1},
	{"method": "PUT", "path": "/pack/", "action": "after-200error", "code": "InternalError", "nth": 1},
	{"method": "PUT", "path": "/pack/", "action": "drop-response", "nth": 1},
	{"method": "POST", "path": "delete", "action": "drop-response", "nth": 1}]'
ok "errors within an answer of 200, and lost answers" \
	retention-prune -c "$T/answers" --repo r2
proxy_rules between
is "... all of it is in the colder class" \
	"$(classes "$kept" "/$year2/pack/")" "COLD "
is "... and no older version is left" "$(old_versions "$kept")" 0
# A right that is missing: the object is copied, and its older version stays.
conf_user "$T/weekly" "$T/keeper" "$kept" keeper keep
exits 1 "who may not delete a version" retention-prune -c "$T/keeper" --repo r2
like "... is told of the right" "$(cat "$T/err")" \
	'/pack/0000.*: not moved: .*s3:DeleteObjectVersion'
like "... and of what was not tried" "$(cat "$T/err")" \
	"could not be moved to class COLD \(storage_class_weekly\)"
atleast "... older versions are left" "$(old_versions "$kept")" 1
# What another account copied is its own, until the bucket's policy says more.
"$TOP/tests/servers/ceph" grant "$S3_DIR" "$kept" "*" write || bail "no grant"

# Each request that changes something is the last one, once.
changes='"method": "PUT|POST|DELETE"'
stopped() {
	[ "$(proxy_count between '^(PUT|POST|DELETE) ')" -ge "$1" ] ||
		! kill -0 "$(bg_pid prune)" 2>/dev/null
}
n=0 killed=0
while :; do
	n=$((n + 1))
	: >"$PROXY_LOG"
	proxy_rules between "[{$changes, \"after\": $n, \"action\": \"hang\"}]"
	bg prune retention-prune -c "$T/proxied" --repo r2
	wait_for 60 stopped $((n + 1)) || diag "request $n does not come"
	kill -KILL "$(bg_pid prune)" 2>/dev/null && killed=$((killed + 1))
	wait "$(bg_pid prune)" 2>/dev/null
	rm -f "$T/bg/prune"
	[ "$(proxy_count between '^(PUT|POST|DELETE) ')" -gt $n ] || break
	[ $n -lt 60 ] || break
done
proxy_rules between
atleast "killed at one request after the other" $killed 4
ok "the last run ends it" retention-prune -c "$T/weekly" --repo r2
is "all packs are in the colder class" \
	"$(classes "$kept" "/($week2|$month2|$year2)/pack/")" "COLD "
is "... and no older version is left" "$(old_versions "$kept")" 0
is "the newest is where it was" "$(classes "$kept" "/$new2/pack/")" "STANDARD "
n=$(objects "$kept")
ok "another run" retention-prune -c "$T/weekly" --repo r2
is "... does nothing, and leaves no record" "$(objects "$kept")" "$n"
rt_restored "the weekly backup" a --repo r2 --backup "$week2" --target-immediate

# -- locks -------------------------------------------------------------------------

pack() {
	s3_keys "$locked" | grep "/$1/pack/" | head -n 1
}
s3ctl lock "$locked" "$(pack "$week3")" 86400 || bail "lock"
s3ctl hold "$locked" "$(pack "$year3")" ON || bail "hold"
ok "a pack that is locked is no failure" retention-prune -c "$T/weekly" --repo r3
like "... when it ends is told" "$(cat "$T/err")" \
	"backup $week3 stays in class STANDARD for now: pack 0000.*: locked until 20[0-9-]*T"
like "... or that it is held" "$(cat "$T/err")" \
	"backup $year3 stays in class STANDARD for now: pack 0000.*: under a legal hold"
like "... and counted" "$(cat "$T/out")" \
	'^2 objects stay in their storage class for now'
is "... it is where it was" \
	"$(classes "$locked" "$(pack "$week3")|$(pack "$year3")")" "STANDARD "
is "... the others moved" "$(s3ctl classes "$locked" | grep -c ^COLD)" \
	$(($(packs "$locked" "$week3") + $(packs "$locked" "$month3") +
	$(packs "$locked" "$year3") - 2))
is "... and no older version is left" "$(old_versions "$locked")" 0
s3ctl hold "$locked" "$(pack "$year3")" OFF || bail "hold"
ok "without the hold" retention-prune -c "$T/weekly" --repo r3
is "... it moves" "$(classes "$locked" "/$year3/pack/")" "COLD "
is "... and leaves no older version" "$(old_versions "$locked")" 0

done_testing
