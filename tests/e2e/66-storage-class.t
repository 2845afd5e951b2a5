#!/bin/sh
# Storage classes: packs alone go to the class of their own, by the backup's
# class; and a restore from a class that has to be thawed says so.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"

s3_start
s3_bucket bucket
d=$T/main
rt_cluster "s3:$bucket"
proxy_start between
conf_proxied "$T/conf" "$T/conf"
sed "/^\[repo r1\]/a storage_class_archive = NOWHERE" "$T/conf" >"$T/archive"
sed "/^\[repo r1\]/a storage_class_base = NOWHERE" "$T/conf" >"$T/base"
sed "/^\[repo r1\]/a storage_class_archive = COLD" "$T/conf" >"$T/cold"
sed "/^\[repo r1\]/a storage_class_base = STANDARD\nstorage_class_archive = STANDARD\nstorage_class = STANDARD" \
	"$T/conf" >"$T/standard"
chmod 600 "$T/archive" "$T/base" "$T/cold" "$T/standard"
rs_mark "$d" a
rs_archived "$d"

# The server knows STANDARD and COLD: another one is refused.
packs() {
	s3_keys "$bucket" | grep -c /pack/
}
exits 2 "a class that the bucket has not is refused for packs" \
	basebackup-ship -c "$T/base"
like "... with what to look at" "$(cat "$T/err")" \
	'/pack/0000.*check storage_class.* NOWHERE'
is "... and nothing is stored" "$(packs)" 0
exits 2 "so is the archive's, for a backup of that class" \
	basebackup-ship -c "$T/archive" --class archive
like "... with what to look at" "$(cat "$T/err")" \
	'/pack/0000.*check storage_class'
ok "other backups, manifests, heads and WAL do not go there" \
	basebackup-ship -c "$T/archive" --class yearly
id=$(tail -n 1 "$T/out")
ok "a class that the bucket has is taken" \
	basebackup-ship -c "$T/standard" --class archive

# -- a class of its own -----------------------------------------------------------

# classes ERE: of the objects whose keys match, each once
classes() {
	s3ctl classes "$bucket" | grep -E -e "$1" | cut -f1 | sort -u |
		tr '\n' ' '
}
is "so far nothing is in the colder class" "$(classes .)" "STANDARD "
rs_mark "$d" b
rs_archived "$d"
ok "a backup for the archive" basebackup-ship -c "$T/cold" --class archive
cold=$(tail -n 1 "$T/out")
rs_mark "$d" c
rs_archived "$d"
ok "one for its year" basebackup-ship -c "$T/cold" --class yearly
yearly=$(tail -n 1 "$T/out")
is "the archive's packs are in the colder class" \
	"$(classes "/$cold/pack/")" "COLD "
like "... by what the store says of one" "$(s3ctl head "$bucket" \
	"$(s3_keys "$bucket" | grep "/$cold/pack/" | head -n 1)")" \
	'^x-amz-storage-class: COLD$'
is "... its manifest and its head are not" \
	"$(classes "/$cold/(manifest|head)\$")" "STANDARD "
is "nor is the other backup, nor WAL, nor records" \
	"$(classes "/$yearly/|/wal/|/audit/|/archive\$")" "STANDARD "
pg_stop "$d"
ok "pruning" retention-prune -c "$T/cold"
is "... leaves each backup in its class" \
	"$(classes "/$cold/pack/")$(classes "/$yearly/pack/")" "COLD STANDARD "
rt_restored "the backup for the archive" ab --backup "$cold" --target-immediate
rt_restored "... and a state behind it" abc --backup "$cold"

# -- thawing ----------------------------------------------------------------------

# A pack that has to be thawed, as S3 answers for GLACIER.
proxy_rules between '[{"method": "GET", "path": "/'"$id"'/pack/", "action": "status", "status": 403, "code": "InvalidObjectState"}]'
rm -rf "$T/new"
exits 4 "a restore of packs in an archive class fails" pitr-restore \
	-c "$T/conf" --backup "$id" --target-immediate --target-dir "$T/new"
like "... naming the object and what to do" "$(cat "$T/err")" \
	"base/$id/pack/0000.*InvalidObjectState.*thaw it first"
exits 4 "... a dry run says so" pitr-restore \
	-c "$T/conf" --backup "$id" --target-immediate --dry-run
like "... and why" "$(cat "$T/out")" 'ready +no'
ok "a verification reads all else" repo-verify -c "$T/conf"
like "... and tells what it did not" "$(cat "$T/out")" \
	"^note: .*/base/$id/: [0-9]* of its packs are in a storage class that has to be thawed"
unlike "... which is no finding" "$(cat "$T/out")" '^main/'
proxy_rules between
ok "when they are thawed" repo-verify -c "$T/conf" --since-last --json
is "... just what was not read before is" "$("$PYTHON" -c '
import json, sys
for b in json.load(open(sys.argv[1]))["repositories"][0]["backups"]:
    if b["content_read"]:
        print(b["id"])' "$T/out" | sort | tr '\n' ' ')" \
	"$id "
ok "... and a restore works" pitr-restore \
	-c "$T/conf" --backup "$id" --target-immediate --target-dir "$T/new"

# -- pruning ----------------------------------------------------------------------

rt_conf "$T/short" "s3:$bucket" -- "retain_archive = 1s"
ok "pruning a backup in the colder class" retention-prune -c "$T/short"
is "... takes it out of there" "$(classes .)" "STANDARD "

done_testing
