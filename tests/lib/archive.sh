# For the tests of walpush and walfetch; read after pitrkit.sh.
#
#	wal_cluster DIR [INITDB-ARG...]   PostgreSQL 15 with 1 MB segments that
#	                          keeps them all, not archiving, stopped
#	wal_make DIR N            a running server writes N segments and some
#	                          rows; prints the names of the full ones
#	wal_id DIR                prints the system identifier of a server
#	wal_writes DIR            0 when the server is out of recovery
#	wal_object DIR NAME       prints where a directory repository keeps it
#	in_dir DIR CMD...         CMD with DIR as working directory
#	note_ages                 walpush's note about marks is a day old
#	lives_in_every_kind DIR   a running, archiving server makes a segment, a
#	                          .backup, a .history and a .partial file; sets
#	                          SEGMENT LABEL HISTORY PARTIAL

wal_cluster() {
	wal_d=$1
	shift
	pg_new 15 "$wal_d" --wal-segsize=1 "$@"
	pg_set "$wal_d" "wal_keep_size = 200MB" "min_wal_size = 2MB" \
		"checkpoint_timeout = 1h" "autovacuum = off"
}

wal_make() {
	pg_psql "$1" "set client_min_messages = warning;
		create table if not exists rows (n int, t text)"
	wal_n=$2
	while [ "$wal_n" -gt 0 ]; do
		pg_psql "$1" "insert into rows select n, md5(n::text)
			from generate_series(1, 1000) n"
		pg_switch "$1"
		wal_n=$((wal_n - 1))
	done
}

wal_id() {
	pg_psql "$1" "select system_identifier from pg_control_system()"
}

wal_writes() {
	[ "$(pg_psql "$1" "select pg_is_in_recovery()")" = f ]
}

wal_object() {
	find "$1" -type f -name "$2"
}

in_dir() {
	in_where=$1
	shift
	(cd "$in_where" && "$@")
}

lives_in_every_kind() {
	SEGMENT=$(wal_make "$1" 1)
	PGOPTIONS='-c client_min_messages=warning' \
		pg_psql "$1" "select pg_backup_stop()" \
		-c "select pg_backup_start('of a test', true)" \
		-c "select pg_switch_wal()" >/dev/null || bail "no backup"
	pg_psql "$1" "insert into rows values (-1, 'in the last segment')"
	pg_stop "$1" immediate
	touch "$1/recovery.signal"
	pg_start "$1" || bail "no recovery"
	wait_for 30 test ! -e "$1/recovery.signal" || bail "no promotion"
	wait_for 30 wal_writes "$1" || bail "no promotion"
	HISTORY=00000002.history
	pg_psql "$1" "insert into rows values (-2, 'on the new timeline')"
	kinds_last=$(pg_switch "$1")
	wait_for 30 pg_archived "$1" "$kinds_last" || bail "not archived"
	LABEL=$(cd "$1/pg_wal" && ls | grep 'backup$')
	PARTIAL=$(cd "$1/pg_wal/archive_status" &&
		ls | sed -n 's/\(.*\.partial\)\.done$/\1/p')
}

note_ages() {
	for note_f in "$T"/spool/*.marks; do
		sed 's/^\([a-z]*\) [0-9]* /\1 1 /' "$note_f" >"$note_f.old" &&
			mv "$note_f.old" "$note_f"
	done
}
