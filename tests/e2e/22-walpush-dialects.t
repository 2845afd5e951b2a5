#!/bin/sh
# Stores with other habits than Amazon's: what is archived is never written
# over, and what is no store is never believed.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"

new_key "$T/key"
wal_cluster "$T/pg"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 12 >"$T/names"
pg_stop "$T/pg"

mkdir "$T/store"
bg plain "$PYTHON" "$TOP/tests/lib/plains3.py" --dir "$T/store" \
	--port-file "$T/port" --log "$T/requests" --mode "$T/mode" --owner $$
wait_for 10 test -s "$T/port" || bail "no server: $(cat "$T/plain.log")"
S3_REGION=here S3_ACCESS_KEY_ID=key S3_SECRET_FILE=$T/secret
(umask 077 && echo secret >"$S3_SECRET_FILE")

site() {
	write_conf "$T/$1.conf" "$T/pg" "$T/key" \
		"s3@http://127.0.0.1:$(cat "$T/port"):bucket/$1" -- \
		"push_deadline = 3s" "fetch_deadline = 3s"
	CONF=$T/$1.conf
	: >"$T/requests"
	rm -rf "$T/spool"
}
push() {
	in_dir "$T/pg" walpush -c "$CONF" "$@"
}
fetch() {
	in_dir "$T/pg" walfetch -c "$CONF" "$@"
}
n=0
next() {
	n=$((n + 1))
	name=$(sed -n ${n}p "$T/names")
}
kept() {
	wal_object "$T/store/bucket/$1" "$name"
}
other() {
	mkdir -p "$T/w"
	cp "$T/pg/pg_wal/$name" "$T/w/$name"
	printf x | dd of="$T/w/$name" bs=1 seek=1048575 conv=notrunc \
		status=none
}
# A segment is pushed, then the same with other content.
never_rewritten() {
	next
	exits 0 "$2: a segment" push "pg_wal/$name"
	cp "$(kept "$1")" "$T/object"
	other
	exits 3 "$2: other content under its name is refused" \
		push "$T/w/$name"
	same "$2: and the stored object is what it was" \
		"$(kept "$1")" "$T/object"
	exits 0 "$2: the same content again is a success" push "pg_wal/$name"
	same "$2: which wrote nothing" "$(kept "$1")" "$T/object"
}

# -- a store that honours conditions ------------------------------------------
site good
never_rewritten good "a store with conditions"
: >"$T/requests"
next
exits 0 "a store with conditions: another segment" push "pg_wal/$name"
is "takes one request" "$(wc -l <"$T/requests")" 1

# -- one that passes over them ------------------------------------------------
echo ignore >"$T/mode"
site blind
never_rewritten blind "a store that ignores conditions"
next
exits 0 "a store that ignores conditions: remembered" push "pg_wal/$name"
cp "$(kept blind)" "$T/object"
: >"$T/requests"
other
exits 3 "by the note in spool_dir: other content is refused" push "$T/w/$name"
is "and nothing is written" "$(grep -c PUT "$T/requests")" 0
same "the stored object is what it was" "$(kept blind)" "$T/object"
rm -rf "$T/spool"
: >"$T/spool"
exits 3 "without a place for the note: refused as well" push "$T/w/$name"
same "the stored object is what it was" "$(kept blind)" "$T/object"
rm -f "$T/spool"
exits 0 "what it holds comes back" fetch "$name" "$T/back"
same "as it was" "$T/back" "$T/pg/pg_wal/$name"

# -- another key --------------------------------------------------------------
# The mark is looked at before it is tried to be made: that would write it over
# where the store lets it, and note that it is there.
wrong_key() {
	echo "$1" >"$T/mode"
	site "$1-key"
	next
	exits 0 "$2: an archive is begun" push "pg_wal/$name"
	mark=$(find "$T/store/bucket/$1-key" -name archive)
	cp "$mark" "$T/mark"
	next
	[ -f "$T/key2" ] || new_key "$T/key2"
	sed "s|$T/key\$|&2|" "$CONF" >"$T/key2.conf"
	for again in "" ", and again"; do
		exits 5 "$2: another key is refused$again" \
			in_dir "$T/pg" walpush -c "$T/key2.conf" "pg_wal/$name"
		same "$2: the mark is what it was$again" "$mark" "$T/mark"
	done
	exits 0 "$2: its own key goes on" push "pg_wal/$name"
}
wrong_key good "a store with conditions"
wrong_key ignore "a store that ignores conditions"

# -- one that refuses them ----------------------------------------------------
echo refuse >"$T/mode"
site strict
never_rewritten strict "a store that refuses conditions"

# -- something that says 200 to everything ------------------------------------
echo portal puts >"$T/mode"
site portal
next
exits 4 "200 with an ETag and a page is no success of a PUT" \
	push "pg_wal/$name"
echo portal >"$T/mode"
exits 5 "nor is it an object that is there" push "pg_wal/$name"
exits 200 "nor is it a segment" fetch "$name" "$T/back2"
ok "no file is left of it" test ! -e "$T/back2"

# 202 is a promise, and 206 an answer to something else.
for taken in '202 "x"' '206 "x"' '200 ""'; do
	echo "taken $taken" >"$T/mode"
	exits 4 "nor is $taken" push "pg_wal/$name"
done

# -- answers that are none ----------------------------------------------------
# What comes back is no HTTP: a connection that was cut and joined anew, or
# something in between. Time cures it, so the spill is used for it as well.
: >"$T/mode"
site odd
next
exits 0 "a segment" push "pg_wal/$name"
known=$name
next
echo garbage >"$T/mode"
exits 4 "what is no HTTP is 4" push "pg_wal/$name"
exits 200 "and no absence" fetch "$known" "$T/back2"
: >"$T/requests"
echo endless >"$T/mode"
exits 4 "an error that does not end is 4" push "pg_wal/$name"
taken() {
	sed -n 's/.* \([0-9]*\) endless$/\1/p' "$T/requests" | sort -n | tail -n 1
}
ok "and is not read" wait_for 10 grep -q endless "$T/requests"
atmost "for as long as there is time" "$(taken)" 30000000
# Whoever follows it would send what opens the bucket, or read from elsewhere.
bg other "$PYTHON" "$TOP/tests/lib/plains3.py" --dir "$T/store" \
	--port-file "$T/port2" --log "$T/requests2" --mode "$T/mode2" \
	--owner $$
wait_for 10 test -s "$T/port2" || bail "no server: $(cat "$T/other.log")"
echo "redirect http://127.0.0.1:$(cat "$T/port2")" >"$T/mode"
exits 4 "a redirection is not followed" push "pg_wal/$name"
like "and told" "$(cat "$T/err")" "307: .*not followed: check endpoint"
exits 200 "nor is it by walfetch" fetch "$known" "$T/back2"
nok "nobody was asked elsewhere" test -s "$T/requests2"
for length in -5 9223372036854775807 99999999999999999999 5,5; do
	echo "length $length" >"$T/mode"
	exits 200 "$length bytes are no segment" fetch "$known" "$T/back2"
done
ok "no file is left of all that" test ! -e "$T/back2"
: >"$T/mode"
exits 0 "when it is over the segment is stored" push "pg_wal/$name"

done_testing
