#!/bin/sh
# A host that only has the recipient part of the key makes heads and manifests
# that open, and say what it likes. None of it leads out of the directories that
# are restored into, crashes anything or passes for a backup that is whole, and
# what a lie stops is told with what to do.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/restore.sh"

d=$T/main repo=$T/repo
new_key "$T/key"
repo-key recipient "$T/key" >"$T/recipient"
rs_cluster "$d" "$T/conf" "$T/key" "file:$repo"
pg_psql "$d" "CREATE TABLE large AS
	SELECT g, repeat('x', 500) FROM generate_series(1, 20000) g"
rs_mark "$d" a
basebackup-ship -c "$T/conf" >"$T/out" 2>&1 || bail "$(cat "$T/out")"
true=$(tail -n 1 "$T/out")
rs_mark "$d" b
rs_archived "$d"
pg_stop "$d"
id=${true%-full-*}-full-00000001
cp -a "$repo" "$T/whole"
cp -a "$T/spool" "$T/notes"
echo precious >"$T/secret"
mkdir "$T/away"
outside=$(ls -A "$T" | grep -vE '^(new.*|out|err|liar)$')

# lie NAME LIE [ARG]: the repository as it was, with the backup $id
lie() {
	lie_n=$1
	shift
	rm -rf "$repo" "$T/spool" "$T/new" "$T/old"
	cp -a "$T/whole" "$repo"
	cp -a "$T/notes" "$T/spool"
	PYTHONPATH=$TOP/tests/lib "$PYTHON" "$TOP/tests/lib/liar.py" "$repo" \
		"$T/key" "$T/recipient" "$true" "$1" "$id" ${2+"$2"} \
		>"$T/liar" 2>&1 || bail "no lie: $(cat "$T/liar")"
}
to() {
	pitr-restore -c "$T/conf" --no-progress --target-dir "$T/new" "$@"
}
untouched() {
	is "$lie_n: nothing outside was touched" "$(ls -A "$T" |
		grep -vE '^(new.*|out|err|liar)$')$(ls -A "$T/away")$(cat \
		"$T/secret")" "${outside}precious"
}
# refused STATUS ERE: the backup is, by a dry run as well, with a line
refused() {
	exits "$1" "$lie_n: refused" to --backup "$id"
	like "$lie_n: and told" "$(cat "$T/err")" "$2"
	nok "$lie_n: before anything was written" test -e "$T/new"
	exits "$1" "$lie_n: a dry run says the same" to --backup "$id" --dry-run
	untouched
}
# found ERE [STATUS]: and it is not in the other backup's way
found() {
	exits "${2:-1}" "$lie_n: verified" repo-verify -c "$T/conf" \
		--no-progress --no-record
	like "$lie_n: and found" "$(cat "$T/out")" "$1"
	ok "$lie_n: the true one can be restored" to --backup "$true" --dry-run
}

# -- the manifest ---------------------------------------------------------------
lie "the truth" truth
ok "a backup by the recipient part can be restored" to --backup "$id"
ok "it is what the server's manifest says" \
	"$BUILD/tests/tools/verifytree" "$T/new"
while read -r what how why; do
	lie "$what" $(echo "$how" | tr , ' ')
	refused 5 "$id: .*$(echo "$why" | tr _ ' ').*; choose another backup"
	found "(manifest|$(echo "$how" | cut -d, -f2)): .*$id cannot be restored"
done <<END2
hole hole pieces_do_not_cover_each_file_once
sizes-that-wrap wrap pieces_do_not_cover_each_file_once
a-piece-beyond-2^63 far-end pieces_do_not_cover_each_file_once
a-pack-twice twice is_listed_twice
a-file-twice file-twice "PG.VERSION"_is_listed_twice
a-file-as-a-folder file-folder "PG.VERSION"_is_a_file_and_a_folder
a-folder-as-a-file folder-file "base"_is_a_file_and_a_folder
a-file-below-a-file below-file "PG.VERSION/x"_lies_below_a_file
cut-between-records cut cut_off
a-file-above dots is_not_a_path_below
an-absolute-path absolute is_not_a_path_below
a-folder-above dots-folder is_not_a_path_below
a-link-above dots-link is_not_a_path_below
a-pack-with-slashes pack,../../etc/passwd is_not_a_path_below
END2
for name in "$id/pack/00000001" 20991231T000000Z-full-0000ffff/pack/00000001; do
	lie "a pack that nobody has: $name" pack "$name"
	refused 5 "$name is the first; choose another backup"
	found "$name: is missing: backup $id cannot be restored"
done
for name in TRUE/head TRUE/pack/1; do
	lie "$name for a pack" pack "$name"
	refused 5 "names no pack; choose another backup"
	found "backup $id cannot be restored"
done

# -- where it leads -------------------------------------------------------------
lie "a tablespace in a folder of others" space "$T/away"
refused 5 "4242/authorized_keys', where no server puts anything"
lie "a tablespace in /etc" space /etc
refused 2 "give --tablespace 4242=DIR.*/etc is not empty"
lie "a link in the place of a file that is read" auto-conf "$T/secret"
ok "$lie_n: restored" to --backup "$id"
nok "$lie_n: what it led to was not taken over" grep -r precious "$T/new"
untouched
for what in global wal spaces; do
	lie "a link in the place of a folder: $what" "$what" "$T/away"
	to --backup "$id" >"$T/out" 2>"$T/err"
	atmost "$lie_n: no crash" $? 5
	untouched
done
for what in "file pitrkit.restoring" "folder recovery.signal" \
	"folder global/pg_control" "empty-file base" "file postmaster.pid"; do
	lie "$what" ${what% *} ${what#* }
	to --backup "$id" >"$T/out" 2>"$T/err"
	status=$?
	atmost "$lie_n: no crash" $status 5
	[ $status -eq 0 ] || nok "$lie_n: what is left does not start" \
		test -e "$T/new/global/pg_control"
	untouched
done

# -- the head -------------------------------------------------------------------
for x in 2^63-bytes 2^64-files no-pack; do
	lie "$x" $x
	case $x in
	no-pack) refused 5 "its totals are not what it lists" ;;
	*) refused 5 "backup head: not a JSON document" ;;
	esac
	found "backup $id cannot be restored"
done
for x in far-lsn all-lsn; do
	lie "$x" $x
	refused 1 "$id cannot be made consistent without it; choose another"
	found "segments\): is missing: backup $id cannot be restored"
	ok "$lie_n: pruning goes on" retention-prune -c "$T/conf" --dry-run
done
lie segment-1g segment-1g
refused 1 "$id cannot be made consistent without it; choose another"
found "$id/head: it tells of WAL segments of 1073741824 bytes.*$id cannot be"
exits 2 "$lie_n: nothing is pruned" retention-prune -c "$T/conf"
like "$lie_n: and why" "$(cat "$T/err")" "$id and .* other WAL segment sizes"
for x in timeline-77 last-timeline; do
	lie "$x" $x
	refused 1 "history is not in the archive, though a backup was taken on"
	exits 1 "$lie_n: the newest state is not guessed" to
	like "$lie_n: but how to get it told" "$(cat "$T/err")" \
		"give --target-timeline"
	ok "$lie_n: which does it" to --target-timeline 1
done
for x in future backwards; do
	lie "$x" $x
	found "note: .*backup $id ended .*all WAL counts" 0
	exits 2 "$lie_n: nothing is pruned" retention-prune -c "$T/conf"
	like "$lie_n: and why" "$(cat "$T/err")" "$id ended"
done

# -- the other backup -----------------------------------------------------------
ok "beside a lie the true one is restored" to --backup "$true"
ok "and is what the server's manifest says" \
	"$BUILD/tests/tools/verifytree" "$T/new"

done_testing
