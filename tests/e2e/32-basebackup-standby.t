#!/bin/sh
# Backups from a standby, and of a server that was promoted before it archived.
. "$(dirname "$0")/../lib/pitrkit.sh"

new_key "$T/key"
d=$T/pg/main
s=$T/pg/standby
mkdir "$T/repo"
pg_new 15 "$d" --wal-segsize 1 -k
pg_start "$d" || bail "PostgreSQL does not start"
pg_stop "$d"

# Promoted while nothing was archived: 00000002.history was never handed to
# archive_command, and never will be.
pg_set "$d" "restore_command = '/bin/false'"
touch "$d/recovery.signal"
pg_start "$d" || bail "PostgreSQL does not start"
in_production() {
	[ "$(pg_psql "$d" "SELECT pg_is_in_recovery()")" = f ]
}
wait_for 30 in_production || bail "it is not promoted"
pg_psql "$d" "CHECKPOINT"
pg_stop "$d"
pg_archive "$d" "$T/conf"
pg_set "$d" "archive_timeout = 1s"
pg_start "$d" || bail "PostgreSQL does not start"
# No look-ahead: its worker would go on pushing for some seconds after
# archive_command was taken away below.
write_conf "$T/conf" "$d" "$T/key" "file:$T/repo" -- "push_jobs = 0"
root=$T/repo/main/$(pg_psql "$d" \
	"SELECT system_identifier FROM pg_control_system()")
is "the server is on timeline 2" \
	"$(pg_psql "$d" "SELECT timeline_id FROM pg_control_checkpoint()")" 2
nok "the archive has no history of it" \
	test -e "$root/wal/00000002/00000002.history"
ok "it is backed up" basebackup-ship -c "$T/conf" -v
like "the history is taken from the server" "$(cat "$T/err")" \
	"00000002.history taken from the server"
ok "and is in the archive" test -e "$root/wal/00000002/00000002.history"
ok "walfetch gives it back" walfetch -c "$T/conf" 00000002.history "$T/history"
same "as the server has it" "$T/history" "$d/pg_wal/00000002.history"

# ---- from a standby ----
"$(pg_bin 15)/pg_basebackup" -D "$s" -X stream -c fast -h "$T/s" \
	-p "$(pg_port "$d")" -U postgres -R >"$T/pgbb" 2>&1 ||
	bail "no standby: $(cat "$T/pgbb")"
pg_set "$s" "hot_standby = on"
pg_start "$s" || bail "the standby does not start"
write_conf "$T/conf.s" "$s" "$T/key" "file:$T/repo"
is "it is a standby" "$(pg_psql "$s" "SELECT pg_is_in_recovery()")" t
bg traffic sh -c "while :; do psql -qAtX -h '$T/s' -p $(pg_port "$d") \
	-U postgres -d postgres -c 'SELECT txid_current()'; sleep 0.2; done"
ok "a backup from the standby" basebackup-ship -c "$T/conf.s" --wal-timeout 60s
id=$(tail -n 1 "$T/out")
like "says that archiving was not proved first" "$(cat "$T/err")" \
	"the server is a standby"
"$PYTHON" "$TOP/tests/lib/backup.py" --key "$T/key" --root "$root" \
	head "$id" >"$T/head"
like "and its head says from where" "$(cat "$T/head")" '"from_standby": true'
like "and on which timeline" "$(cat "$T/head")" '"timeline": 2'
mkdir "$T/tree"
ok "it unpacks" "$PYTHON" "$TOP/tests/lib/backup.py" --key "$T/key" \
	--root "$root" unpack "$id" "$T/tree"
ok "and is what the server's manifest says" \
	"$BUILD/tests/tools/verifytree" "$T/tree"
like "its label says from where, too" "$(cat "$T/tree/backup_label")" \
	"BACKUP FROM: standby"

# The primary stops archiving: the backup must not count.
pg_set "$d" "archive_command = '/bin/false'"
pg_psql "$d" "SELECT pg_reload_conf()" >/dev/null
before=$(find "$T/repo" -name head | wc -l)
failed() {
	[ "$(pg_psql "$d" "SELECT last_failed_time > last_archived_time
		FROM pg_stat_archiver")" = t ]
}
wait_for 20 failed || fail "the archiver does not fail"
exits 4 "a backup from a standby whose primary does not archive" \
	basebackup-ship -c "$T/conf.s" --wal-timeout 3s
like "is told with the segment" "$(cat "$T/err")" \
	"not complete without its WAL: 00000002[0-9A-F]{16} did not come"
is "and leaves no head" "$(find "$T/repo" -name head | wc -l)" "$before"
bg_stop traffic
done_testing
