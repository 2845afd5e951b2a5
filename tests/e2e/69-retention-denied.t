#!/bin/sh
# Credentials that may put but not delete: pruning fails, names the right that
# is missing, deletes nothing and says so in the trail; in a bucket that keeps
# versions also those that may only hide objects under a marker. With the right
# ones all versions go.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/retention.sh"

s3_start
s3_bucket plain
s3_bucket versioned versioned
s3_bucket lock lock
d=$T/main
rt_cluster "s3:$plain"
rt_conf "$T/conf" "s3:$plain" "s3:$versioned" "s3:$lock" -- "push_quorum = 3"
conf_user "$T/conf" "$T/keeper" "$plain" keeper keep

versions() {
	s3ctl versions "$bucket" | grep -v /audit/
}
records() {
	s3ctl list "$bucket" | grep -c /audit/
}
# denied RIGHTS LACK: pruning with these deletes nothing
denied() {
	"$TOP/tests/servers/ceph" grant "$S3_DIR" "$bucket" "keeper$$" "$1" ||
		bail "no grant"
	before=$(records)
	exits 4 "$what, rights to $1: pruning fails" \
		retention-prune -c "$T/keeper" --repo "$repo"
	like "... the right that is missing is named" "$(cat "$T/err")" \
		"repository $repo: .*the key needs $2\$"
	like "... the sum says that nothing went" "$(cat "$T/out")" \
		'^0 objects, 0 B deleted'
	versions >"$T/now"
	same "... all versions are there, and no marker" "$T/all" "$T/now"
	is "... the trail has its beginning and its end" "$(records)" \
		$((before + 2))
	ok "... the backup can be restored" pitr-restore -c "$T/conf" \
		--repo "$repo" --dry-run --backup "$first" --target-immediate
}

rs_mark "$d" a
rs_archived "$d"
for repo in r1 r2 r3; do
	rt_backup "first_$repo" --repo $repo
done
rs_mark "$d" b
rs_archived "$d"
for repo in r1 r2 r3; do
	rt_backup "second_$repo" --repo $repo
done
rs_archived "$d"
pg_stop "$d"
rt_settle

# Ceph refuses the request; Amazon's S3 answers 200, with a line for each object.
bucket=$plain
versions >"$T/all"
proxy_start between
conf_proxied "$T/conf" "$T/proxied"
head=$(s3_keys "$plain" | grep "/$first_r1/head")
answer="<DeleteResult><Error><Key>$head</Key><Code>AccessDenied</Code></Error>"
proxy_rules between '[{"method": "POST", "path": "[?&]delete", "action": "status",
	"status": 200, "body": "'"$answer</DeleteResult>"'"}]'
exits 1 "an object that is refused within an answer of 200 is a failure" \
	retention-prune -c "$T/proxied" --repo r1
like "... and named" "$(cat "$T/err")" \
	"base/$first_r1/head: not deleted: .*AccessDenied"
like "... the sum says that nothing went" "$(cat "$T/out")" \
	'^0 objects, 0 B deleted'
is "... nothing else of the backup was tried" \
	"$(proxy_count between '^POST .*delete')" 1
versions >"$T/now"
same "... and all is there" "$T/all" "$T/now"

for what in plain versioned lock; do
	case $what in
	plain) repo=r1 bucket=$plain first=$first_r1 second=$second_r1 ;;
	versioned) repo=r2 bucket=$versioned first=$first_r2 second=$second_r2 ;;
	lock) repo=r3 bucket=$lock first=$first_r3 second=$second_r3 ;;
	esac
	versions >"$T/all"
	atleast "$what: there are versions of the newer one" \
		"$(grep -c "/$second/" "$T/all")" 3
	if [ $what = plain ]; then
		denied keep s3:DeleteObject
	else
		denied keep s3:DeleteObjectVersion
		denied hide s3:DeleteObjectVersion
	fi
	ok "$what: with the right to delete it is pruned" \
		retention-prune -c "$T/conf" --repo $repo
	versions >"$T/now"
	is "... no version of it is left, and no marker" \
		"$(grep -e "/$first/" -e ^marker "$T/now")" ""
	is "... all of the newer one is" "$(grep "/$second/" "$T/now")" \
		"$(grep "/$second/" "$T/all")"
done
rt_restored "what is left" ab --repo r3

done_testing
