#!/bin/sh
# walpush to a directory: every kind of file that PostgreSQL hands over comes
# back as it was, nothing is written over, and what is damaged, misnamed or
# another cluster's is refused.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"

new_key "$T/key"
wal_cluster "$T/pg"
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo"
pg_archive "$T/pg" "$T/conf"
pg_start "$T/pg" || bail "no server"

# -- every kind of file, by PostgreSQL itself --------------------------------
lives_in_every_kind "$T/pg"
for kind in "$SEGMENT" "$LABEL" "$HISTORY" "$PARTIAL"; do
	is "PostgreSQL archives ${kind#????????????????????????}: one object" \
		"$(wal_object "$T/repo" "$kind" | wc -l)" 1
done
is "and nothing failed on the way" "$(pg_psql "$T/pg" \
	'select failed_count from pg_stat_archiver')" 0
id=$(wal_id "$T/pg")
exits 0 "an archived segment comes back" \
	in_dir "$T/pg" walfetch -c "$T/conf" "$SEGMENT" "$T/back"
same "as it was" "$T/back" "$T/pg/pg_wal/$SEGMENT"
exits 0 "a history file comes back from any place with --system-id" \
	in_dir / walfetch -c "$T/conf" --system-id "$id" "$HISTORY" "$T/back"
same "as it was" "$T/back" "$T/pg/pg_wal/$HISTORY"
exits 0 "a .backup file comes back" \
	in_dir "$T/pg" walfetch -c "$T/conf" "$LABEL" "$T/back"
same "as it was" "$T/back" "$T/pg/pg_wal/$LABEL"
exits 0 "a .partial file comes back" \
	in_dir "$T/pg" walfetch -c "$T/conf" "$PARTIAL" "$T/back"
is "with the length of a segment" "$(wc -c <"$T/back")" 1048576
is "what is in the repository is for its owner alone" \
	"$(find "$T/repo" -type f ! -perm 600 | wc -l)" 0
is "and no plain text is in it" "$(grep -rlF 'of a test' "$T/repo" | wc -l)" 0
pg_stop "$T/pg"

# -- the same again, and other content ---------------------------------------
push() {
	in_dir "$T/pg" walpush -c "${CONF:-$T/conf}" "$@"
}
object=$(wal_object "$T/repo" "$SEGMENT")
cp "$object" "$T/object"
mkdir "$T/w"
cp "$T/pg/pg_wal/$SEGMENT" "$T/w/good"
exits 0 "the same segment again is a success" push "pg_wal/$SEGMENT"
exits 0 "the same history file again is a success" push "pg_wal/$HISTORY"
exits 0 "the same .backup file again is a success" push "pg_wal/$LABEL"
wal=$T/w/$SEGMENT
# Zeroes behind the last record are content, too.
cp "$T/w/good" "$wal"
printf x | dd of="$wal" bs=1 seek=1048575 conv=notrunc status=none
exits 3 "other content under a name that is taken is refused" push "$wal"
like "and the message says so" "$(cat "$T/err")" "there with other content"
same "and the stored object is what it was" "$object" "$T/object"
cp "$T/back" "$T/w/$PARTIAL"
printf x | dd of="$T/w/$PARTIAL" bs=1 seek=1048575 conv=notrunc status=none
exits 3 "another .partial file of the same name is refused" \
	push "$T/w/$PARTIAL"
like "and the message says what to do" "$(cat "$T/err")" "to .done"

# -- what is no intact file of this cluster ----------------------------------
write_conf "$T/conf2" "$T/pg" "$T/key" "file:$T/repo2"
CONF=$T/conf2
bad() {
	exits 3 "$1 is refused" push "$wal"
	like "and the message says: $2" "$(cat "$T/err")" "$2"
}
cp "$T/w/good" "$wal"
flip "$wal" 200000
bad "a segment with a bit changed in the middle" "is damaged: "
cp "$T/w/good" "$wal"
dd if=/dev/zero of="$wal" bs=8192 seek=3 count=1 conv=notrunc status=none
bad "a segment with a page of zeroes in the middle" "is damaged: "
head -c 524288 "$T/w/good" >"$wal"
bad "a segment of half its size" "$SEGMENT"
head -c 1000000 "$T/w/good" >"$wal"
bad "a segment that was cut" "1000000 bytes"
cat "$T/w/good" "$T/w/good" >"$wal"
bad "a segment of twice its size" "$SEGMENT"
: >"$wal"
bad "an empty segment" "0 bytes"
cp "$T/w/good" "$wal"
flip "$wal" 24
bad "a segment of another system" "system id"
dd if=/dev/zero of="$wal" bs=1048576 count=1 status=none
bad "a segment of zeroes" "$SEGMENT"
cp "$T/w/good" "$wal"
mv "$wal" "$T/w/00000001000000000000003F"
exits 3 "a renamed segment is refused" push "$T/w/00000001000000000000003F"
mv "$T/w/00000001000000000000003F" "$T/w/$SEGMENT.x"
exits 3 "a name that PostgreSQL does not use is refused" push "$wal.x"
sed 's/START WAL LOCATION: \([0-9A-F]*\)/START WAL LOCATION: 7\1/' \
	"$T/pg/pg_wal/$LABEL" >"$T/w/$LABEL"
exits 3 "a .backup file that began elsewhere is refused" push "$T/w/$LABEL"
echo "nonsense" >"$T/w/$HISTORY"
exits 3 "a history file that is none is refused" push "$T/w/$HISTORY"
exits 1 "a file that is not there may be tried again" push pg_wal/"${SEGMENT%?}F"
exits 1 "a folder is no segment" push "$T/w/../pg/pg_wal/archive_status/../$(
	mkdir -p "$T/pg/pg_wal/0000000100000000000000AA"
	echo 0000000100000000000000AA)"
rmdir "$T/pg/pg_wal/0000000100000000000000AA"
is "nothing of all that was stored" "$(find "$T/repo2" 2>/dev/null |
	wc -l)" 0

# -- system id ----------------------------------------------------------------
wal_cluster "$T/other"
exits 3 "the working directory is another cluster's: refused" \
	in_dir "$T/other" walpush -c "$T/conf2" "$T/pg/pg_wal/$SEGMENT"
like "and the message names the setting" "$(cat "$T/err")" "pgdata = "
exits 0 "pgdata serves where the working directory is none" \
	in_dir / walpush -c "$T/conf2" "$T/pg/pg_wal/$SEGMENT"

# -- keys -------------------------------------------------------------------
write_conf "$T/conf3" "$T/pg" "$T/nokey" "file:$T/repo3"
CONF=$T/conf3
exits 5 "without the key file nothing is pushed" push "pg_wal/$SEGMENT"
ok "and nothing is stored" test ! -e "$T/repo3"
new_key "$T/key2"
write_conf "$T/conf3" "$T/pg" "$T/key2" "file:$T/repo"
exits 5 "another key cannot tell whether the same content is there" \
	push "pg_wal/$SEGMENT"
same "and the stored object is what it was" "$object" "$T/object"
# The segments of a new key would lie in an archive which that key cannot prove,
# beside backups that it cannot open.
echo "1	0/0	x" >"$T/pg/pg_wal/0000000A.history"
exits 5 "nor does an archive take new files with another key" \
	push pg_wal/0000000A.history
like "and the message says what to do" "$(cat "$T/err")" \
	"begun with another key.*put that key back"
write_conf "$T/conf3" "$T/pg" - "file:$T/repo"
exits 5 "nor unencrypted ones" push pg_wal/0000000A.history
is "nothing of it is stored" "$(find "$T/repo" -name 0000000A.history)" ""
cat "$T/key2" "$T/key" >"$T/both"
chmod 600 "$T/both"
write_conf "$T/conf3" "$T/pg" "$T/both" "file:$T/repo"
exits 0 "a new key above the old one goes on with the archive" \
	push pg_wal/0000000A.history
exits 0 "and opens what either has sealed" \
	in_dir "$T/pg" walfetch -c "$T/conf3" "$SEGMENT" "$T/back"
exits 1 "and proves what is absent" \
	in_dir "$T/pg" walfetch -c "$T/conf3" 0000000B.history "$T/back"
rm "$T/pg/pg_wal/0000000A.history"
repo-key recipient "$T/key" >"$T/recipient"
write_conf "$T/conf4" "$T/pg" "$T/recipient" "file:$T/repo4"
CONF=$T/conf4
exits 0 "a host with the recipient part can push" push "pg_wal/$SEGMENT"
exits 0 "and recognises what it pushed" push "pg_wal/$SEGMENT"
printf x | dd of="$T/w/good" bs=1 seek=1048575 conv=notrunc status=none
cp "$T/w/good" "$wal"
exits 3 "and what is other content" push "$wal"
exits 200 "but it can read nothing" \
	in_dir "$T/pg" walfetch -c "$T/conf4" "$SEGMENT" "$T/none"
ok "and no file is left" test ! -e "$T/none"
write_conf "$T/conf5" "$T/pg" "$T/key" "file:$T/repo4"
exits 0 "whoever has the key can" \
	in_dir "$T/pg" walfetch -c "$T/conf5" "$SEGMENT" "$T/back"
same "read it" "$T/back" "$T/pg/pg_wal/$SEGMENT"

done_testing
