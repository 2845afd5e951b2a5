#!/bin/sh
# Every byte of every object of a small repository, changed one at a time (or
# cut away, or exchanged with another object), is noticed by whoever reads it.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"
. "$(dirname "$0")/../lib/restore.sh"

new_key "$T/key"
d=$T/main
rs_cluster "$d" "$T/conf" "$T/key" "file:$T/repo"
rs_mark "$d" a
basebackup-ship -c "$T/conf" >"$T/id" || bail "no backup"
backup=$(cat "$T/id")
rs_mark "$d" b
rs_archived "$d"
pg_stop "$d"
# A history, too, and a second backup, for objects to be exchanged with.
pitr-restore -c "$T/conf" --target-dir "$T/two" >"$T/out" 2>&1 || bail "no two"
pg_start "$T/two" || bail "no server"
wait_for 30 rs_writes "$T/two" || bail "no promotion"
write_conf "$T/conf2" "$T/two" "$T/key" "file:$T/repo"
basebackup-ship -c "$T/conf2" >"$T/id" || bail "no second backup"
pg_stop "$T/two"
root=$(echo "$T"/repo/main/*)
few=$T/repo
# Segments are all alike in form: a few are enough.
if [ "$PITRKIT_SUITE" = check ]; then
	few=$T/few
	mkdir "$T/few" "$T/few/main"
	cp -R "$root" "$T/few/main/"
	find "$few" -type f -name '????????????????????????' | sort |
		sed '1,2d' | xargs rm
	rm -r "$few"/main/*/base/"$backup/pack"
fi
all=
[ "$PITRKIT_SUITE" = check ] || all=-a
seed=$(date +%s)
diag "seed $seed"
ok "no damage is accepted" "$BUILD/tests/tools/flipper" $all -s "$seed" \
	"$T/key" "$few" main
diag "$(tail -n 1 "$T/out")"
like "every kind of object was tried" "$(tail -n 1 "$T/out")" \
	"objects, [0-9]{5,} flips, [0-9]{3,} cuts, [0-9]{2,} swaps: 0 accepted"

# -- through the programs ----------------------------------------------------
# damaged STATUS NAME FILE OFFSET CMD...: with one bit of FILE changed
damaged() {
	f_status=$1 f_name=$2 f_file=$3 f_at=$4
	shift 4
	f_size=$(wc -c <"$f_file")
	[ "$f_at" -ge 0 ] || f_at=$((f_size + f_at))
	flip "$f_file" "$f_at"
	exits "$f_status" "$f_name, byte $f_at of $f_size" "$@"
	flip "$f_file" "$f_at"
}
fetch() {
	rm -f "$T/dest"
	in_dir "$T/main" walfetch -c "$T/conf" "$1" "$T/dest"
}
to() {
	rm -rf "$T/r"
	pitr-restore -c "$T/conf" --target-dir "$T/r" --backup "$backup" \
		--target-timeline 1
}
first=$(find "$root/wal/00000001" -type f -name '????????????????????????' |
	sort | sed -n 3p)
for at in 0 9 50 200 -300 -41 -1; do
	damaged 200 "a segment" "$first" $at fetch "${first##*/}"
	nok "nothing is delivered" test -e "$T/dest"
done
head=$root/base/$backup/head
manifest=$root/base/$backup/manifest
pack=$(find "$root/base/$backup/pack" -type f | sort | head -n 1)
for at in 0 20 100 -60 -1; do
	damaged 5 "a head" "$head" $at to
	nok "nothing is made" test -e "$T/r"
	damaged 5 "a manifest" "$manifest" $at to
	nok "nothing is made that starts" test -e "$T/r/global/pg_control"
done
size=$(wc -c <"$pack")
for at in 0 20 100 5000 $((size / 2)) $((size - 1000)); do
	damaged 5 "a pack" "$pack" $at to
	nok "nothing is made that starts" test -e "$T/r/global/pg_control"
done
mv "$pack" "$T/pack"
exits 5 "a pack that is gone" to
cp "$(find "$root/base" -path "*$(cat "$T/id")/pack/*" -type f | head -n 1)" \
	"$pack"
exits 5 "a pack of another backup" to
nok "nothing is made that starts" test -e "$T/r/global/pg_control"
mv "$T/pack" "$pack"
ok "with all of it whole again: restored" to
done_testing
