#!/bin/sh
# The audit trail in a bucket: credentials that can only put go on with their
# chain, those that can only read restore without a record, and what somebody
# does to the trail is found.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/restore.sh"

s3_start
s3_bucket bucket
d=$T/main
new_key "$T/key"
"$BUILD/repo-key" recipient "$T/key" >"$T/recipient" || bail "recipient"
chmod 600 "$T/recipient"
rs_cluster "$d" "$T/conf" "$T/key" "s3:$bucket/pre"
write_conf "$T/owner" "$d" "$T/key" "s3:$bucket/pre"

# as NAME RIGHTS KEYFILE FILE: settings with another user's credentials.
as() {
	conf_user "$T/owner" "$4" "$bucket" "$1" "$2"
	sed -i "s|^key_file = .*|key_file = $3|" "$4"
}
trail() {
	"$BUILD/tests/tools/audit" -c "$T/owner" "$@" >"$T/trail" 2>"$T/err"
}
sound() {
	trail "$@" && return
	cat "$T/trail" >&2
	return 1
}
flaws() {
	trail "$@"
	grep -q ^head "$T/trail" || echo "no trail: $(cat "$T/err")"
	awk -F '\t' '$1 == "flaw" { print $2, $4, $5 }' "$T/trail"
}
records() {
	awk -F '\t' -v a="$1" '$1 == "record" && $5 == a { print $6, $7 }' \
		"$T/trail" | tr '\n' ' '
}
objects() {
	s3_keys "$bucket" pre/ | grep /audit/
}
# -- put and list, no get, no delete, no private key -----------------------------

rs_mark "$d" a
rs_archived "$d"
as appender append "$T/recipient" "$T/appender"
pg_set "$d" "archive_command = '\"$BUILD/walpush\" -c \"$T/appender\" %p'"
pg_psql "$d" "SELECT pg_reload_conf()" >/dev/null
for i in 1 2; do
	ok "backup $i with credentials that can only put" \
		basebackup-ship -c "$T/appender"
	unlike "... and no word about its record" "$(cat "$T/err")" \
		'audit|WARNING'
done
# What another account put is its own, until its bucket's policy says more.
"$TOP/tests/servers/ceph" grant "$S3_DIR" "$bucket" "*" write ||
	bail "no grant"
ok "its trail is sound" sound
is "both are on record" "$(records backup)" "begun -1 ended 0 begun -1 ended 0 "
is "... in one chain" "$(grep -c ^head "$T/trail")" 1

# -- a network that loses answers ------------------------------------------------

proxy_start proxy
conf_proxied "$T/owner" "$T/broken"
chmod 600 "$T/broken"
proxy_rules proxy '[{"method": "PUT", "path": "/base/", "every": 2,
	"action": "drop-response"}]'
ok "a backup, where answers to its objects are lost" \
	basebackup-ship -c "$T/broken"
atleast "... and some were lost" \
	"$(proxy_count proxy '^PUT .*/base/.* drop-response')" 1
pg_stop "$d"
proxy_rules proxy '[{"method": "PUT", "path": "/audit/", "every": 2,
	"action": "drop-response"}]'
ok "a hold, where answers to records are lost" \
	retention-hold -c "$T/broken" add --from 2026-01-01T00:00Z \
	--holder L --reason r
hold=$(cat "$T/out")
ok "its release" retention-hold -c "$T/broken" release "$hold" --reason over
atleast "... and some were lost" \
	"$(proxy_count proxy '^PUT .*/audit/.* drop-response')" 1
proxy_rules proxy
ok "the trail is sound" sound
is "the release is on record, once" "$(records hold-release)" \
	"begun -1 ended 0 "
is "another address is another chain" "$(grep -c ^head "$T/trail")" 2

# -- read only -------------------------------------------------------------------

as reader read "$T/key" "$T/reader"
objects >"$T/before"
ok "credentials that may only read can restore" \
	pitr-restore -c "$T/reader" --target-dir "$T/new"
like "... with a warning" "$(cat "$T/err")" 'WARNING: .*without its record'
objects >"$T/now"
same "... and nothing was written" "$T/before" "$T/now"
"$TOP/tests/servers/ceph" grant "$S3_DIR" "$bucket" "*" write ||
	bail "no grant"
ok "the owner restores" pitr-restore -c "$T/owner" --target-dir "$T/new2"
ok "the trail is sound, without a gap" sound
is "his restore is on record" "$(records restore)" "begun -1 ended 0 "

# -- two at a time, and a state that was lost ------------------------------------

for i in 1 2 3 4; do
	bg "hold$i" retention-hold -c "$T/owner" add \
		--from 2026-01-01T00:00Z --holder L --reason "r $i"
done
for i in 1 2 3 4; do
	wait "$(bg_pid "hold$i")" || fail "hold $i: $(cat "$T/hold$i.log")"
	rm -f "$T/bg/hold$i"
done
ok "four at a time leave a sound trail" sound
is "... with all of them" "$(records hold-add)" "done 0 done 0 done 0 done 0 done 0 "
chains=$(grep -c ^head "$T/trail")
rm -f "$T/spool"/audit-*
retention-hold -c "$T/owner" add --from 2026-01-01T00:00Z --holder L \
	--reason r >"$T/out" 2>&1 || fail "a hold"
ok "a lost state leaves a sound trail" sound
is "... with one chain more" "$(grep -c ^head "$T/trail")" $((chains + 1))

# -- tampering -------------------------------------------------------------------

grep ^head "$T/trail" >"$T/known"
writer=$(awk -F '\t' '$3 >= 6 { print $2 }' "$T/known" | head -n 1)
last=$(awk -F '\t' -v w="$writer" '$2 == w { print $3 }' "$T/known")
file_of() {
	objects | grep "/$writer/$(printf %012d "$1")\$"
}
fetch() {
	s3ctl get "$bucket" "$1" "$2" || bail "get $1"
}
fetch "$(file_of 2)" "$T/two"
fetch "$(file_of 3)" "$T/three"
fetch "$(file_of "$last")" "$T/last"
two=$(file_of 2) three=$(file_of 3) end=$(file_of "$last")
s3ctl delete "$bucket" "$two" || bail "delete"
is "a removed record is found" "$(flaws)" "missing 2 2"
cp "$T/two" "$T/altered"
flip "$T/altered" 300
s3ctl put "$bucket" "$two" "$T/altered" || bail "put"
is "an altered one" "$(flaws)" "unreadable 2 2"
s3ctl put "$bucket" "$two" "$T/three" || bail "put"
s3ctl put "$bucket" "$three" "$T/two" || bail "put"
is "two that were swapped" "$(flaws)" "unreadable 2 2
unreadable 3 3"
s3ctl put "$bucket" "$two" "$T/two" || bail "put"
s3ctl put "$bucket" "$three" "$T/three" || bail "put"
s3ctl delete "$bucket" "$end" || bail "delete"
is "a cut end, by whom that knew it" "$(flaws --known "$T/known" --since)" \
	"cut $last $last"
s3ctl put "$bucket" "$end" "$T/last" || bail "put"
ok "whole again, nothing is wrong" sound --known "$T/known"

done_testing
