#!/bin/sh
# Several repositories: one that was away for a time, one that is away now, one
# that lost a part of a backup. A restore never goes to an older state without
# being told to.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/restore.sh"

new_key "$T/key"
d=$T/main
rs_cluster "$d" "$T/conf" "$T/key" "file:$T/r1"
write_conf "$T/conf" "$d" "$T/key" "file:$T/r1" "file:$T/r2" \
	-- "push_quorum = 1"
rs_mark "$d" a
ok "a backup in the first repository" basebackup-ship -c "$T/conf"
old=$(tail -n 1 "$T/out")
rs_mark "$d" b
rs_archived "$d"
mv "$T/r1" "$T/r1.away"
rs_mark "$d" c
rs_archived "$d"
ok "the first is away: a backup in the second" \
	basebackup-ship -c "$T/conf" --repo r2
new=$(tail -n 1 "$T/out")
rs_mark "$d" d
rs_archived "$d"
sleep 0.05
between=$(pg_psql "$d" "SELECT clock_timestamp()")
rs_mark "$d" e
rs_archived "$d"
pg_stop "$d"
mv "$T/r1.away" "$T/r1"

to() {
	to_dir=$1
	shift
	pitr-restore -c "$T/conf" --target-dir "$to_dir" "$@"
}
json() {
	"$PYTHON" -c 'import json, sys
print(eval("j" + sys.argv[2], {"j": json.load(open(sys.argv[1]))}))' \
		"$T/out" "$1" 2>&1
}
# holds NAME DIR MARKS: a restored server gets there
holds() {
	ok "$1: it starts" rs_start "$2"
	wait_for 60 rs_writes "$2" || fail "$1: it does not promote"
	is "$1: the marks" "$(rs_marks "$2")" "$3"
	pg_stop "$2" immediate
}
restore_command() {
	sed -n 's/^restore_command = //p' "$1/postgresql.auto.conf"
}

# -- the first one lags ------------------------------------------------------
ok "what is newest: restored" to "$T/newest" --json
is "from the newest backup of all" "$(json "['backup']['id']")" "$new"
is "all repositories count" "$(json ".get('left_out')")" None
like "and recovery asks" "$(restore_command "$T/newest")" "walfetch"
unlike "them all" "$(restore_command "$T/newest")" "--repo"
holds "what is newest" "$T/newest" abcde
ok "the first one's backup: restored" to "$T/across" --backup "$old"
ok "the tree is what the server's manifest says" \
	"$BUILD/tests/tools/verifytree" "$T/across"
holds "over WAL of both" "$T/across" abcde
ok "the first alone, as it was told to" to "$T/alone" --repo r1
like "recovery goes by it, too" "$(restore_command "$T/alone")" "--repo ''r1''"
holds "the older state" "$T/alone" ab

# -- the first one does not answer -------------------------------------------
# refused STATUS NAME ERE OPTION...
refused() {
	f_status=$1 f_name=$2 f_why=$3
	shift 3
	exits "$f_status" "$f_name: refused" to "$T/none" "$@"
	cp "$T/err" "$T/said"
	like "$f_name: it says why" "$(cat "$T/err")" "$f_why"
	exits "$f_status" "$f_name: so does the dry run" to "$T/none" \
		--dry-run --json "$@"
	cp "$T/out" "$T/report"
	is "$f_name: in JSON, too" "$(json "['ready']")" False
	nok "$f_name: nothing is made" test -e "$T/none"
	cp "$T/report" "$T/out"
}
mv "$T/r1" "$T/r1.away"
newest="newest cannot be known without repository r1.*--repo r2"
refused 4 "the newest state without the first" "$newest"
like "the one that is left out is told" "$(cat "$T/said")" \
	"repository r1 is left out: .*r1"
is "in JSON, too" "$(json "['left_out']")" "['r1']"
refused 4 "the newest timeline without the first" "$newest" \
	--target-time "$between"
refused 4 "both are asked for" "$newest" --repo r1 --repo r2
exits 2 "one that is given twice" to "$T/none" --repo r2 --repo r2
mkdir "$T/r1"
refused 2 "a directory that is not mounted" "$newest.*holds nothing of cluster main"
rmdir "$T/r1"
ok "a target on a timeline that is named" to "$T/named" \
	--target-time "$between" --target-timeline 1 --target-action promote
like "recovery does not ask the first" "$(restore_command "$T/named")" \
	"--repo ''r2''"
holds "the target" "$T/named" abcd
ok "the end of a backup that is named" to "$T/end" --backup "$new" \
	--target-immediate --target-action promote
holds "the backup's end" "$T/end" abc
ok "the newest of the second, as it was told to" to "$T/second" --repo r2
holds "the second" "$T/second" abcde
mv "$T/r2" "$T/r2.away"
exits 4 "neither answers" to "$T/none"
mv "$T/r1.away" "$T/r1"
mv "$T/r2.away" "$T/r2"

# -- a backup that lost a part -----------------------------------------------
system=$(ls "$T/r2/main")
base=$T/r2/main/$system/base/$new
pack=$(ls "$base/pack" | tail -n 1)
mv "$base/pack/$pack" "$T/pack"
refused 5 "a pack is gone" "not whole in repository r2.*$new/pack/$pack"
like "it is named" "$(cat "$T/said")" "^pitr-restore: $new/pack/$pack: missing"
ok "an older backup is not concerned" to "$T/older" --dry-run --backup "$old"
head -c 1000 "$T/pack" >"$base/pack/$pack"
refused 5 "a pack is cut" "not whole in repository r2.*$new/pack/$pack"
like "with its sizes" "$(cat "$T/said")" "$new/pack/$pack: 1000 bytes"
mkdir -p "$T/r1/main/$system/base"
cp -r "$base" "$T/r1/main/$system/base/"
cp "$T/pack" "$T/r1/main/$system/base/$new/pack/$pack"
ok "a copy in the first repository is whole" to "$T/copy" --json
like "and taken" "$(json "['repository']")" "/r1$"
rm "$T/r1/main/$system/base/$new/pack/$pack"
mv "$T/pack" "$base/pack/$pack"
ok "the first one's copy is not, the second's is" to "$T/copy2" --json
like "and taken" "$(json "['repository']")" "/r2$"
holds "it" "$T/copy2" abcde
mv "$base/manifest" "$T/manifest"
rm "$T/r1/main/$system/base/$new/manifest"
refused 5 "the manifest is gone" "manifest of backup $new"
done_testing
