#!/bin/sh
# What goes wrong leaves no backup, and is told so that it can be mended: with
# the stream, and with either source what comes before the copy.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/kill.sh"

new_key "$T/key"
d=$T/pg/main
mkdir "$T/repo"
pg_new 15 "$d" --wal-segsize 1 -k
pg_set "$d" "archive_mode = off" "archive_command = ''"
pg_start "$d" || bail "PostgreSQL does not start"
write_conf "$T/conf" "$d" "$T/key" "file:$T/repo"
root=$T/repo/main/$(pg_psql "$d" \
	"SELECT system_identifier FROM pg_control_system()")

heads() {
	find "$T/repo" -name head | wc -l
}
objects_of_backups() {
	find "$T/repo" -path '*/base/*' -type f | wc -l
}
ship() {
	basebackup-ship -c "$T/conf" --source stream "$@"
}
restart() {
	pg_stop "$d"
	pg_set "$d" "$@"
	pg_start "$d" || bail "PostgreSQL does not start: $*"
	# on another port
	write_conf "$T/conf" "$d" "$T/key" "file:$T/repo"
}
# command TEXT CMD...: archive_command is TEXT; the archiver has read it when
# CMD is true after a switch of segments
command() {
	pg_set "$d" "archive_command = '$1'"
	shift
	failures=$(fails)
	pg_psql "$d" "SELECT pg_reload_conf()" >/dev/null
	wait_for 20 switched "$@" || bail "the archiver does not do $*"
}
switched() {
	pg_psql "$d" "SELECT pg_logical_emit_message(false, '', '')"
	segment=$(pg_switch "$d")
	sleep 0.1
	"$@"
}
fails() {
	pg_psql "$d" "SELECT failed_count FROM pg_stat_archiver"
}
failed() {
	[ "$(fails)" -gt "$failures" ]
}
stored() {
	[ -n "$(find "$T/repo" -name '0000*')" ]
}
passed() {
	pg_archived "$d" "$segment"
}

# ---- usage ----
exits 2 "no other type" ship --type incr
like "and it says so" "$(cat "$T/err")" "type incr: only full"
exits 2 "no other source" basebackup-ship -c "$T/conf" --source tape
exits 2 "no other class" ship --class hourly
exits 2 "no jobs at all" ship --jobs 0
exits 2 "too many jobs" ship --jobs 65
exits 2 "a rate that is none" ship --rate fast
exits 2 "a repository that is not there" ship --repo offsite
like "is named" "$(cat "$T/err")" offsite

# ---- before copying ----
exits 2 "archive_mode off" ship
like "is told with what to set" "$(cat "$T/err")" "archive_mode is off"
restart "archive_mode = on"
exits 2 "no archive_command" ship
like "is told with what to set" "$(cat "$T/err")" "archive_command is empty"
command /bin/false failed
exits 4 "an archive_command that fails" ship --wal-timeout 5s
like "is told with the segment" "$(cat "$T/err")" \
	"archiving does not work: 0000000100000000[0-9A-F]{8} did not come"
like "and what the archiver says" "$(cat "$T/err")" "archive_command failed"
command /bin/true passed
exits 4 "an archive_command that archives elsewhere" ship --wal-timeout 5s
like "is told" "$(cat "$T/err")" "does not put it there"
is "nothing was copied by any of them" "$(objects_of_backups)" 0

command "\"$BUILD/walpush\" -c \"$T/conf\" %p" stored
ok "a backup once archiving works" ship
is "there it is" "$(heads)" 1

# ---- rights ----
pg_psql "$d" "CREATE ROLE plain LOGIN; CREATE ROLE backup LOGIN REPLICATION"
sed "s/user=postgres/user=plain/" "$T/conf" >"$T/conf.plain"
sed "s/user=postgres/user=backup/" "$T/conf" >"$T/conf.backup"
sed "s/user=postgres/user=nobody/" "$T/conf" >"$T/conf.nobody"
exits 4 "a role that may not replicate" basebackup-ship -c "$T/conf.plain"
like "is told what it lacks" "$(cat "$T/err")" 'ALTER ROLE "plain" REPLICATION'
exits 4 "a role that is not there" basebackup-ship -c "$T/conf.nobody"
exits 4 "a role that may not switch WAL" basebackup-ship -c "$T/conf.backup"
like "is told the GRANT" "$(cat "$T/err")" \
	'GRANT EXECUTE ON FUNCTION pg_catalog.pg_switch_wal\(\) TO "backup"'
pg_psql "$d" "GRANT EXECUTE ON FUNCTION pg_catalog.pg_switch_wal() TO backup"
ok "and with it backs up" basebackup-ship -c "$T/conf.backup"
is "there it is" "$(heads)" 2

# ---- the wrong things ----
new_key "$T/other"
sed "s,$T/key,$T/other," "$T/conf" >"$T/conf.other"
exits 5 "another key than the archive's" basebackup-ship -c "$T/conf.other"
like "is told" "$(cat "$T/err")" "other settings of key_file"
sed "s,^key_file.*,encryption = off," "$T/conf" >"$T/conf.off"
exits 5 "encryption off in an encrypted archive" \
	basebackup-ship -c "$T/conf.off"
pg_new 15 "$T/pg/stranger"
sed "s,^pgdata.*,pgdata = $T/pg/stranger," "$T/conf" >"$T/conf.stranger"
exits 3 "pgdata of another cluster" basebackup-ship -c "$T/conf.stranger"
like "is told" "$(cat "$T/err")" "pgdata .*stranger is of [0-9]*: one \
of the two settings is wrong"
sed "s,port=[0-9]*,port=1," "$T/conf" >"$T/conf.gone"
exits 4 "a server that is not there" basebackup-ship -c "$T/conf.gone"

# ---- a host that can write but not read ----
repo-key recipient "$T/key" >"$T/recipient" 2>/dev/null
chmod 600 "$T/recipient"
sed "s,$T/key,$T/recipient," "$T/conf" >"$T/conf.recipient"
ok "the recipient's part of the key suffices" \
	basebackup-ship -c "$T/conf.recipient"
is "there it is" "$(heads)" 3

# ---- interrupted ----
pg_psql "$d" "CREATE TABLE bulk AS SELECT g AS v, md5(g::text) AS t
	FROM generate_series(1, 400000) g"
ok "the archiver has caught up" ship
kill_backups 6 "$root" --source stream
whole=$(heads)
ok "and the next backup is made" ship
is "there it is" "$(heads)" $((whole + 1))

# ---- the server goes away ----
bg ship basebackup-ship -c "$T/conf" --source stream --rate 2MB -v
wait_for 20 grep -q 'copying from' "$T/ship.log" || fail "it copies"
pid=$(bg_pid ship)
pg_stop "$d" immediate
ok "a server that stops meanwhile ends it" \
	wait_for 20 sh -c "! kill -0 $pid 2>/dev/null"
wait "$pid"
is "with the status of what cannot be reached" $? 4
like "it is told" "$(cat "$T/ship.log")" \
	"PostgreSQL: base backup"
is "and leaves no head" "$(heads)" $((whole + 1))
pg_start "$d" || bail "PostgreSQL does not start again"
write_conf "$T/conf" "$d" "$T/key" "file:$T/repo"

# ---- a damaged page ----
file=$d/$(pg_psql "$d" "CHECKPOINT; SELECT pg_relation_filepath('bulk')" |
	tail -n 1)
printf x | dd of="$file" bs=1 seek=40000 conv=notrunc 2>/dev/null
exits 5 "a page with a wrong checksum" ship
like "is told with its file" "$(cat "$T/err")" \
	"checksum verification failed in file .*${file##*/}"
is "and leaves no head" "$(heads)" $((whole + 1))
done_testing
