#!/bin/sh
# A stored object that is damaged, cut, moved or forged is never delivered and
# never "absent": PostgreSQL stops (200), and nothing is at the destination.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"

new_key "$T/key"
new_key "$T/key2"
wal_cluster "$T/pg"
wal_cluster "$T/other"
for d in pg other; do
	pg_start "$T/$d" || bail "no server"
	wal_make "$T/$d" 2 >"$T/$d.names"
	pg_stop "$T/$d"
done
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo"
write_conf "$T/conf2" "$T/pg" "$T/key2" "file:$T/repo2"
write_conf "$T/conf3" "$T/other" "$T/key" "file:$T/repo"
write_conf "$T/clear" "$T/pg" - "file:$T/repo4"
one=$(sed -n 1p "$T/pg.names") two=$(sed -n 2p "$T/pg.names")
push() {
	in_dir "$T/pg" walpush "$@" || bail "no push"
}
push -c "$T/conf" "pg_wal/$one"
push -c "$T/conf" "pg_wal/$two"
push -c "$T/conf2" "pg_wal/$one"
push -c "$T/clear" "pg_wal/$one"
in_dir "$T/other" walpush -c "$T/conf3" "pg_wal/$one" || bail "no push"

id=$(od -An -tu8 -N 8 "$T/pg/global/pg_control" | tr -d ' ')
other_id=$(od -An -tu8 -N 8 "$T/other/global/pg_control" | tr -d ' ')
object() {
	wal_object "$T/$1/main/$2" "$3"
}
target=$(object repo "$id" "$one")
cp "$target" "$T/good"
size=$(wc -c <"$T/good")
mkdir "$T/dest"
refused() {
	exits 200 "$1" in_dir "$T/pg" walfetch -c "$T/conf" "$one" "$T/dest/x"
	[ -z "$(ls -A "$T/dest")" ] || fail "$1: something is at the destination"
	rm -f "$T/dest"/*
	cp "$T/good" "$target"
}

# -- every part of it ---------------------------------------------------------
wrong=0 tried=0 at=0
while [ $at -lt "$size" ]; do
	flip "$target" $at
	in_dir "$T/pg" walfetch -c "$T/conf" "$one" "$T/dest/x" 2>/dev/null
	[ $? -eq 200 ] && [ ! -e "$T/dest/x" ] || wrong=$((wrong + 1))
	flip "$target" $at
	tried=$((tried + 1))
	# All of the header's and the trailer's first bytes, then samples.
	if [ $at -lt 128 ] || [ $at -ge $((size - 56)) ]; then
		at=$((at + 3))
	else
		at=$((at + (size - 180) / 60))
		[ $at -lt $((size - 56)) ] || at=$((at < size ? at : size))
	fi
done
flip "$target" $((size - 1))
refused "a bit in the last byte"
atleast "bits were changed at many places" $tried 90
is "and every single one was refused" $wrong 0
wrong=0
for cut in 0 1 15 16 100 4095 4096 $((size / 2)) $((size - 41)) \
	$((size - 40)) $((size - 1)); do
	head -c "$cut" "$T/good" >"$target"
	in_dir "$T/pg" walfetch -c "$T/conf" "$one" "$T/dest/x" 2>/dev/null
	[ $? -eq 200 ] && [ ! -e "$T/dest/x" ] || wrong=$((wrong + 1))
done
is "an object that was cut is refused wherever it was" $wrong 0
cp "$T/good" "$target"
printf x >>"$target"
refused "an object with a byte too many"
cat "$T/good" "$T/good" >"$target"
refused "an object twice"

# -- another object in its place ----------------------------------------------
cp "$(object repo "$id" "$two")" "$target"
refused "the next segment under this name"
cp "$(object repo "$other_id" "$one")" "$target"
refused "another cluster's segment of this name, sealed with the same key"
cp "$(object repo2 "$id" "$one")" "$target"
refused "this segment sealed with another key"
cp "$(object repo4 "$id" "$one")" "$target"
refused "this segment as it is without encryption"
cp "$T/repo/main/$id/archive" "$target"
refused "the archive's mark"
cp "$T/pg/pg_wal/$one" "$target"
refused "the bare segment"
rm "$target"
mkdir "$target"
exits 200 "a folder is no object, and no absence" \
	in_dir "$T/pg" walfetch -c "$T/conf" "$one" "$T/dest/x"
rmdir "$target"
ln -s "$T/good" "$target"
exits 200 "a symbolic link is none" \
	in_dir "$T/pg" walfetch -c "$T/conf" "$one" "$T/dest/x"
rm "$target"
cp "$T/good" "$target"
chmod 0 "$target"
exits 200 "an object that may not be read is no absence" \
	in_dir "$T/pg" walfetch -c "$T/conf" "$one" "$T/dest/x"
chmod 600 "$target"

# -- keys -------------------------------------------------------------------
write_conf "$T/conf5" "$T/pg" "$T/nokey" "file:$T/repo"
exits 200 "without the key file" \
	in_dir "$T/pg" walfetch -c "$T/conf5" "$one" "$T/dest/x"
write_conf "$T/conf5" "$T/pg" "$T/key2" "file:$T/repo"
exits 200 "with another key" \
	in_dir "$T/pg" walfetch -c "$T/conf5" "$one" "$T/dest/x"
exits 200 "and with another key even an absent file is not proven absent" \
	in_dir "$T/pg" walfetch -c "$T/conf5" 000000010000000000000FFF \
	"$T/dest/x"
exits 0 "what was archived without encryption" \
	in_dir "$T/pg" walfetch -c "$T/clear" "$one" "$T/dest/x"
same "comes back without a key" "$T/dest/x" "$T/pg/pg_wal/$one"
exits 0 "after all that the good object" \
	in_dir "$T/pg" walfetch -c "$T/conf" "$one" "$T/dest/x"
same "comes back" "$T/dest/x" "$T/pg/pg_wal/$one"

done_testing
