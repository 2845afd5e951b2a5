# For the tests of pitr-restore; read after pitrkit.sh.
#
#	rs_cluster DIR CONF KEYFILE REPO [INITDB-ARG...]
#	                          PostgreSQL 15, 1 MB segments, archiving to REPO,
#	                          with a table "mark"; running
#	rs_mark DIR LETTER        one committed row
#	rs_marks DIR              the letters, in order
#	rs_archived DIR           all WAL so far is in the repository
#	rs_writes DIR             0 when the server is out of recovery
#	rs_at_target DIR          0 when it waits at the target
#	rs_start DIR [ARG...]     start a restored server; it archives nothing
#	rs_sums DIR               a line for each file below DIR with its sum
#	rs_twins                  two servers with one past, stopped, with the marks
#	                          a and b: $T/a archives to $T/r1 by $T/conf.a, its
#	                          copy $T/b to $T/r2 by $T/conf.b; $T/conf has both
#	                          repositories, $T/shared the id of the backup that
#	                          both have

rs_cluster() {
	rs_d=$1 rs_conf=$2 rs_key=$3 rs_repo=$4
	shift 4
	pg_new 15 "$rs_d" --wal-segsize=1 "$@"
	pg_set "$rs_d" "checkpoint_timeout = 1h" "autovacuum = off" \
		"track_commit_timestamp = on" "min_wal_size = 2MB"
	pg_archive "$rs_d" "$rs_conf"
	pg_start "$rs_d" || bail "PostgreSQL does not start"
	write_conf "$rs_conf" "$rs_d" "$rs_key" "$rs_repo"
	pg_psql "$rs_d" "CREATE TABLE mark (v text PRIMARY KEY)"
}

rs_mark() {
	pg_psql "$1" "INSERT INTO mark VALUES ('$2')"
}

rs_marks() {
	pg_psql "$1" "SELECT string_agg(v, '' ORDER BY v) FROM mark"
}

# An idle server has nothing to switch away from.
rs_archived() {
	pg_psql "$1" "SELECT pg_logical_emit_message(false, '', '')" >/dev/null
	wait_for 60 pg_archived "$1" "$(pg_switch "$1")" ||
		bail "WAL is not archived: $(grep -v WARNING "$1.log" | tail -n 5)"
}

rs_writes() {
	[ "$(pg_psql "$1" "SELECT pg_is_in_recovery()")" = f ]
}

rs_at_target() {
	[ "$(pg_psql "$1" "SELECT pg_get_wal_replay_pause_state()")" = paused ]
}

rs_start() {
	pg_start "$@" -carchive_mode=off
}

rs_sums() {
	(cd "$1" && find . -type f -exec cksum {} + | sort -k3)
}

rs_twins() {
	rs_cluster "$T/a" "$T/conf.a" "$T/key" "file:$T/r1"
	rs_mark "$T/a" a
	basebackup-ship -c "$T/conf.a" >"$T/out" 2>&1 || bail "$(cat "$T/out")"
	tail -n 1 "$T/out" >"$T/shared"
	rs_mark "$T/a" b
	rs_archived "$T/a"
	pg_stop "$T/a"
	cp -a "$T/a" "$T/b"
	cp -a "$T/r1" "$T/r2"
	write_conf "$T/conf.b" "$T/b" "$T/key" "file:$T/r2"
	write_conf "$T/conf" "$T/a" "$T/key" "file:$T/r1" "file:$T/r2" -- \
		"push_quorum = 1"
	pg_archive "$T/b" "$T/conf.b"
}
