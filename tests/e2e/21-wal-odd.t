#!/bin/sh
# What is legitimate though it looks odd is archived, and what could hold up
# the archiver or end recovery early does not.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"

new_key "$T/key"
wal_cluster "$T/pg"
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo"
pg_set "$T/pg" "archive_mode = on" "archive_command = 'false'"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 2 >"$T/names"
one=$(head -n 1 "$T/names") two=$(tail -n 1 "$T/names")
push() {
	in_dir "$T/pg" walpush -c "${CONF:-$T/conf}" "$@"
}
fetch() {
	in_dir "$T/pg" walfetch -c "${CONF:-$T/conf}" "$@"
}

# -- a backup's label ---------------------------------------------------------
# PostgreSQL takes any text for it, of several lines too, and writes it into the
# .backup file as it is.
label() {
	PGOPTIONS='-c client_min_messages=warning' pg_psql "$T/pg" \
		"select pg_backup_stop(false)" \
		-c "select pg_backup_start(E'$1', true)" >/dev/null || return 1
	name=$(cd "$T/pg/pg_wal" && ls -t | grep 'backup$' | head -n 1)
}
for text in 'two\nlines' 'x\nLABEL: y' 'x\nSTART TIMELINE: none' \
	'x\nSTART WAL LOCATION: 0/0 (file 000000010000000000000000)' \
	'x\nBACKUP FROM: elsewhere'; do
	label "$text" || bail "no backup"
	exits 0 "a backup called $text is archived" push "pg_wal/$name"
	exits 0 "and its file comes back" fetch "$name" "$T/back"
	same "as it was" "$T/back" "$T/pg/pg_wal/$name"
done
pg_stop "$T/pg"
mkdir "$T/w"
sed 's/^START WAL LOCATION: ./&1/' "$T/pg/pg_wal/$name" >"$T/w/$name"
exits 3 "one whose start is not where its name says is refused" \
	push "$T/w/$name"

# -- nobody reads the server's log --------------------------------------------
# A pipe that is full and that nobody empties: the message waits, the archiver
# must not.
cat >"$T/stuck" <<'END'
import os, subprocess, sys, time
r, w = os.pipe()
os.set_blocking(w, False)
try:
    while True:
        os.write(w, b"x" * 4096)
except BlockingIOError:
    pass
os.set_blocking(w, True)
p = subprocess.Popen(sys.argv[1:], stderr=w)
try:
    sys.exit(p.wait(60))
except subprocess.TimeoutExpired:
    p.kill()
    sys.exit(99)
END
cd "$T/pg" || bail "no data directory"
sed 's/^spool_dir/push_deadline = 1s\nfetch_deadline = 1s\n&/' "$T/conf" \
	>"$T/conf2"
exits 4 "a log that takes no more does not hold up walpush" \
	"$PYTHON" "$T/stuck" "$BUILD/walpush" -c "$T/conf2" pg_wal/none
exits 200 "nor walfetch" \
	"$PYTHON" "$T/stuck" "$BUILD/walfetch" -c "$T/conf2" none "$T/x"

# -- a directory that is not mounted ------------------------------------------
# The mount point stays behind, and takes files. What is put there is hidden, and
# missing, once the file system is back.
cd "$T" || bail "no folder"
write_conf "$T/conf3" "$T/pg" "$T/key" "file:$T/repo3"
CONF=$T/conf3
exits 0 "a segment in a directory" push "pg_wal/$one"
mv "$T/repo3" "$T/mounted"
mkdir "$T/repo3"
exits 4 "one that lost its mark may not be mounted: nothing is put there" \
	push "pg_wal/$two"
like "and the message says what may be" "$(cat "$T/err")" "is it mounted"
note_ages
exits 4 "however long ago the mark was seen" push "pg_wal/$two"
is "nothing was put there" "$(find "$T/repo3" | wc -l)" 1
rmdir "$T/repo3"
mv "$T/mounted" "$T/repo3"
exits 0 "when it is back, the archive goes on" push "pg_wal/$two"
# Settings of the same cluster that name another one share the note.
sed "s|$T/repo3|&other|" "$T/conf3" >"$T/conf3other"
CONF=$T/conf3other
exits 0 "other settings, another directory" push "pg_wal/$one"
mv "$T/repo3" "$T/mounted"
mkdir "$T/repo3"
CONF=$T/conf3
exits 4 "the first one's mark is still known" push "pg_wal/$two"
rmdir "$T/repo3"
mv "$T/mounted" "$T/repo3"
write_conf "$T/conf4" "$T/pg" "$T/key" "file:$T/repo4" "file:$T/repo3"
CONF=$T/conf4
exits 0 "of two directories" push "pg_wal/$one"
mv "$T/repo3" "$T/mounted"
mkdir "$T/repo3"
note_ages
for try in once "for the second time" "for the third time"; do
	exits 0 "one may be away $try" push "pg_wal/$two"
	is "and nothing is put there" "$(find "$T/repo3" | wc -l)" 1
done
CONF=$T/conf3
rm -rf "$T/repo3" "$T"/spool/*.marks
exits 0 "a directory emptied on purpose, and the note with it, starts anew" \
	push "pg_wal/$two"
exits 0 "and shows its mark again" test -e "$T"/repo3/main/*/archive

# -- another key, and one new directory of two -------------------------------
write_conf "$T/conf5" "$T/pg" "$T/key" "file:$T/repo5"
CONF=$T/conf5
exits 0 "an archive is begun with one key" push "pg_wal/$one"
new_key "$T/key2"
write_conf "$T/conf6" "$T/pg" "$T/key2" "file:$T/repo6" "file:$T/repo5"
CONF=$T/conf6
for try in once twice; do
	exits 0 "a new one is begun with another key, $try" push "pg_wal/$two"
	like "which the one beside it is told not to take" "$(cat "$T/err")" \
		"durable, but.*begun with another key"
	is "and nothing is put there" "$(wal_object "$T/repo5" "$two")" ""
done

# -- statuses -----------------------------------------------------------------
full() {
	walfetch --help >/dev/full
}
exits 200 "a help text that cannot be written is no absence" full


# -- files that may not be read -------------------------------------------------
cd "$T" || bail "no folder"
CONF=$T/conf
chmod 000 "$T/key"
exits 5 "a key file that may not be read is a key that is missing" \
	push "pg_wal/$one"
exits 200 "and no absence" fetch "$one" "$T/x"
chmod 600 "$T/key"
cp "$T/conf" "$T/conf5"
chmod 000 "$T/conf5"
CONF=$T/conf5
exits 2 "settings that may not be read" push "pg_wal/$one"
exits 200 "and no absence" fetch "$one" "$T/x"

done_testing
