#!/bin/sh
# What PostgreSQL's host can do to walpush and walfetch: they end in time, with
# a status that PostgreSQL understands, and nothing is lost or half there.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"

new_key "$T/key"
wal_cluster "$T/pg"
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 3 >"$T/names"
pg_stop "$T/pg"
one=$(sed -n 1p "$T/names") two=$(sed -n 2p "$T/names")
three=$(sed -n 3p "$T/names")

push() {
	in_dir "$T/pg" walpush -c "${CONF:-$T/conf}" "$@"
}
fetch() {
	in_dir "$T/pg" walfetch -c "${CONF:-$T/conf}" "$@"
}

# -- usage and settings ------------------------------------------------------
exits 2 "walpush without a file is wrong usage" push
exits 2 "walpush with two files is wrong usage" push a b
exits 2 "settings that are not there" walpush -c "$T/none" "$one"
exits 200 "for walfetch wrong usage is no absence" fetch "$one"
exits 200 "nor are settings that are not there" \
	in_dir "$T/pg" walfetch -c "$T/none" "$one" "$T/x"
exits 200 "nor is a name that is none" fetch archive "$T/x"
exits 200 "nor is a system id that is none" \
	fetch --system-id 12x "$one" "$T/x"
exits 200 "nor is an option that is none" fetch --what "$one" "$T/x"
exits 0 "walpush -V" walpush -V
exits 0 "walfetch -h" walfetch -h

# -- streams, working directory ----------------------------------------------
no_streams() {
	push "pg_wal/$one" <&- >&- 2>&-
}
exits 0 "walpush works with streams 0 to 2 closed" no_streams
rm -f "$T"/repo/main/*/wal/*/*/"$one"
full() {
	push -v "pg_wal/$one" >/dev/full 2>/dev/full
}
exits 0 "and with streams that take nothing" full
fetch_no_streams() {
	fetch "$one" "$T/x" <&- >&- 2>&-
}
exits 0 "walfetch works with streams 0 to 2 closed" fetch_no_streams
same "and what it delivers is whole" "$T/x" "$T/pg/pg_wal/$one"
mkdir "$T/gone"
cwd_gone() (
	cd "$T/gone" && rmdir "$T/gone" &&
		walpush -c "$T/conf" "$T/pg/pg_wal/$two"
)
exits 0 "a working directory that is gone falls back on pgdata" cwd_gone

# -- the disk is full --------------------------------------------------------
# A limit on file size stands for the full disk: both fail the write. The shell
# counts in blocks of 512 bytes.
mkdir "$T/repo2"
write_conf "$T/conf2" "$T/pg" "$T/key" "file:$T/repo2" -- "compression = none"
CONF=$T/conf2
small_disk() (
	ulimit -f 1000
	"$@"
)
exits 1 "a repository that is full is 1, not a signal" \
	small_disk push "pg_wal/$one"
like "and the message names the object" "$(cat "$T/err")" "$one"
is "and nothing has a name that counts" "$(find "$T/repo2" -type f |
	grep -c "$one\$")" 0
exits 0 "when there is room again the segment is stored" push "pg_wal/$one"
CONF=$T/conf
exits 200 "a full disk at the destination of walfetch is no absence" \
	small_disk fetch "$one" "$T/pg/pg_wal/RECOVERYXLOG"
is "and nothing is left there" "$(find "$T/pg/pg_wal" -name 'RECOVERY*' |
	wc -l)" 0
exits 200 "so is a destination that does not exist" fetch "$one" "$T/no/x"
mkdir "$T/folder"
exits 200 "so is a destination that is a folder" fetch "$one" "$T/folder"
: >"$T/pg/standby.signal"
exits 4 "on a standby all that is 4, and it tries again" \
	fetch "$one" "$T/no/x"
: >"$T/pg/recovery.signal"
exits 4 "with both signal files it is a standby" fetch "$one" "$T/no/x"
exits 4 "for wrong usage, too" fetch "$one"
exits 4 "for settings that are not there, too" \
	in_dir "$T/pg" walfetch -c "$T/none" "$one" "$T/x"
rm "$T/pg/standby.signal"
exits 200 "recovery.signal alone makes no standby" fetch "$one" "$T/no/x"
rm "$T/pg/recovery.signal"

# -- absence ------------------------------------------------------------------
exits 1 "an absent file in an archive that shows its mark is proven absent" \
	fetch 000000010000000000000FFF "$T/x"
exits 1 "an absent history file, too" fetch 00000007.history "$T/x"
exits 200 "another system id has no archive there" \
	in_dir "$T" walfetch -c "$T/conf" --system-id 123 "$one" "$T/x"
like "and the message says what may be wrong" "$(cat "$T/err")" \
	"holds no archive of cluster main, system id 123.*not mounted"
mv "$T/repo" "$T/away"
exits 200 "a repository that is not there proves nothing" \
	fetch 000000010000000000000FFF "$T/x"
mkdir "$T/repo"
exits 200 "nor does an empty folder: the disk is not mounted" \
	fetch 000000010000000000000FFF "$T/x"
rmdir "$T/repo"
mv "$T/away" "$T/repo"
mark=$T/repo/main/$(ls "$T/repo/main")/archive
cp "$mark" "$T/mark"
flip "$mark" 300
exits 200 "a mark that does not open proves nothing" \
	fetch 000000010000000000000FFF "$T/x"
cp "$T/mark" "$mark"
chmod 0 "$T/repo/main"
exits 200 "a folder that may not be read proves nothing" \
	fetch 000000010000000000000FFF "$T/x"
chmod 700 "$T/repo/main"
rm "$mark"
exits 200 "an archive without mark proves nothing" \
	fetch 000000010000000000000FFF "$T/x"
exits 4 "nor is anything put there, as the note knows the mark" \
	push "pg_wal/$two"
note_ages
exits 4 "however old it is" push "pg_wal/$two"
rm "$T"/spool/*.marks
exits 0 "without the note the mark is made anew" push "pg_wal/$two"
exits 1 "and absence can be proven again" \
	fetch 000000010000000000000FFF "$T/x"

# -- a hanging command, a segment that shrinks -------------------------------
# Nothing listens on port 1; the secret is asked for before.
slow_conf() {
	cat >"$1" <<-CONF
	[cluster main]
	pgdata = $T/pg
	key_file = $T/key
	repo = r
	spool_dir = $T/spool
	push_deadline = 2s
	fetch_deadline = 2s
	[repo r]
	url = s3://bucket/x
	endpoint = http://127.0.0.1:1
	insecure = yes
	access_key_id = x
	secret_access_key_command = $2
	CONF
}
slow_conf "$T/conf3" "sleep 98"
CONF=$T/conf3
took() {
	took_start=$(now_ms)
	"$@"
	took_status=$?
	took_ms=$(($(now_ms) - took_start))
	return $took_status
}
exits 4 "a secret's command that hangs does not outlive the deadline" \
	took push "pg_wal/$one"
intime "by much" $took_ms 2
exits 200 "nor for walfetch" took fetch "$one" "$T/x"
intime "by much" $took_ms 2
slow_conf "$T/conf3" "echo secret"
exits 4 "a store that does not answer is told within the deadline" \
	took push "pg_wal/$one"
intime "and not much later" $took_ms 2
exits 200 "for walfetch it is no absence" took fetch "$one" "$T/x"
intime "and not much later" $took_ms 2

# A segment larger than 16 MB is read again while it is sealed for a repository;
# here the secret's command, which runs just before, cuts it short.
pg_new 15 "$T/big" --wal-segsize=32
pg_set "$T/big" "wal_keep_size = 200MB"
pg_start "$T/big"
big=$(pg_switch "$T/big")
pg_stop "$T/big"
slow_conf "$T/conf4" "truncate -s 1000000 $T/big/pg_wal/$big; echo secret"
sed -i "s|^pgdata.*|pgdata = $T/big|" "$T/conf4"
exits 1 "a segment that is cut short while it is read is 1, not a signal" \
	in_dir "$T/big" walpush -c "$T/conf4" "pg_wal/$big"
like "and the message says so" "$(cat "$T/err")" "cut short"

# -- keys -------------------------------------------------------------------
exits 3 "a key file is never replaced" repo-key generate "$T/key"
exits 2 "repo-key knows no other verbs" repo-key rotate "$T/key"
is "a key file is for its owner alone" "$(stat -c %a "$T/key")" 600
exits 5 "no recipient part of a key that is not there" \
	repo-key recipient "$T/nokey"
nok "no key in a folder that is not there" repo-key generate "$T/no/key"
recipient_full() {
	repo-key recipient "$T/key" >/dev/full
}
exits 1 "a recipient part that cannot be written is a failure" recipient_full
repo-key recipient "$T/key" >"$T/recipient"
unlike "a recipient part holds no private key" "$(cat "$T/recipient")" private
chmod 644 "$T/key"
CONF=$T/conf
exits 2 "a key file that others may read is refused" push "pg_wal/$three"

# -- a bucket without credentials (both once crashed) -----------------------
chmod 600 "$T/key"
sed 's|^url = .*|url = s3://bucket/prefix|' "$T/conf" >"$T/poor"
exits 2 "a bucket without credentials" \
	env -u AWS_ACCESS_KEY_ID walpush -c "$T/poor" "$T/pg/pg_wal/$one"
like "... which says where they belong" "$(cat "$T/err")" \
	"repository r1: there are no credentials: set access_key_id .*AWS_"
exits 200 "for walfetch that proves no absence" \
	env -u AWS_ACCESS_KEY_ID walfetch -c "$T/poor" "$one" "$T/x"

done_testing
