# The whole path on one version of PostgreSQL, one segment size, one store:
# archive, base backup, restore to a moment, promote, archive on, restore again
# across the new timeline.  Sourced by tests/e2e/4*-main-job-*.t after
# pitrkit.sh; main_job VERSION SEGMENT-MB file|s3 files|stream does it all, with
# that source of the first base backup. Several segments wait at once, so that a
# worker pushes ahead, and each recovery has some to read ahead.
. "$TOP/tests/lib/relay.sh"

archived() {
	wait_for 60 pg_archived "$1" "$(pg_switch "$1")" ||
		bail "WAL is not archived: $(tail -n 3 "$1.log")"
}

# Data directory $1 holds exactly the marks $2 (letters), all bulk rows, and no
# broken index.
holds() {
	is "$3: the marks are $2" \
		"$(pg_psql "$1" "SELECT string_agg(v, '' ORDER BY v) FROM mark")" "$2"
	is "$3: every row of both tablespaces is there" \
		"$(pg_psql "$1" "SELECT (SELECT count(*) || ' ' || sum(v)
			FROM bulk) || ' ' || (SELECT count(*) FROM far)")" \
		"20000 200010000 5000"
	ok "$3: pg_amcheck finds nothing" check_indexes "$1"
}

# Heap and indexes of the whole database, through the server's own amcheck.
check_indexes() {
	pg_psql "$1" "CREATE EXTENSION IF NOT EXISTS amcheck" >/dev/null &&
		"$(pg_client)/pg_amcheck" --heapallindexed --parent-check \
			-h "$T/s" -p "$(pg_port "$1")" -U postgres postgres
}

# restore NAME DIR OPTION...: into $T/DIR with its tablespace in $T/DIR.far
restore() {
	r_name=$1 r_dir=$T/$2
	shift 2
	ok "$r_name: dry run says yes" pitr-restore -c "$T/conf" \
		--target-dir "$r_dir" --tablespace "$far=$r_dir.far" \
		--dry-run "$@"
	like "$r_name: and says so" "$(cat "$T/out")" '^ready +yes'
	ok "$r_name: restored" pitr-restore -c "$T/conf" --target-dir "$r_dir" \
		--tablespace "$far=$r_dir.far" --target-action promote "$@"
	ok "$r_name: the tree is what the server's manifest says" \
		"$BUILD/tests/tools/verifytree" "$r_dir"
	# pg_verifybackup of 15 reads the manifests of 13 to 16.
	[ "$version" -gt 16 ] ||
		ok "$r_name: pg_verifybackup agrees" \
			"$(pg_client)/pg_verifybackup" -n "$r_dir"
	ok "$r_name: the server starts" pg_start "$r_dir"
	wait_for 60 promoted "$r_dir" || fail "$r_name: it does not promote"
}

promoted() {
	[ "$(pg_psql "$1" "SELECT pg_is_in_recovery()")" = f ]
}

mark() {
	pg_psql "$1" "INSERT INTO mark VALUES ('$2')"
}

# Several segments are there to be archived before the first one is.
works_ahead() {
	pg_psql "$d" "DO \$\$ BEGIN FOR i IN 1..4 LOOP
		PERFORM pg_logical_emit_message(true, 'main-job', 'x');
		PERFORM pg_switch_wal();
		END LOOP; END \$\$" || return 1
	for ahead_i in 1 2 3 4 5 6 7 8 9 10; do
		lingers walpush && return
		sleep 0.1
	done
	return 1
}

main_job() {
	version=$1 d=$T/main
	if [ "$3" = s3 ]; then
		s3_start
		s3_bucket bucket
		repo=s3:$bucket/pre/fix
	else
		repo=file:$T/repo
	fi
	pg_new "$version" "$d" --wal-segsize "$2" -k
	pg_archive "$d" "$T/conf"
	new_key "$T/key"
	write_conf "$T/conf" "$d" "$T/key" "$repo"
	pg_start "$d" || bail "PostgreSQL $version does not start"
	write_conf "$T/conf" "$d" "$T/key" "$repo"

	mkdir "$T/far"
	pg_psql "$d" "CREATE TABLESPACE far LOCATION '$T/far'"
	pg_psql "$d" "CREATE TABLE mark (v text PRIMARY KEY)
		; CREATE TABLE bulk AS SELECT g AS v FROM generate_series(1, 20000) g
		; CREATE INDEX ON bulk (v)
		; CREATE TABLE far TABLESPACE far AS
			SELECT g AS v, repeat('x', 50) AS t
			FROM generate_series(1, 5000) g
		; CREATE UNLOGGED TABLE scratch AS SELECT 1 AS v"
	far=$(pg_psql "$d" "SELECT oid FROM pg_tablespace WHERE spcname = 'far'")
	mark "$d" a

	ok "a base backup is shipped" basebackup-ship -c "$T/conf" --source "$4"
	backup=$(tail -n 1 "$T/out")
	like "its id is the last line" "$backup" '^[0-9]{8}T[0-9]{6}Z-full-'

	ok "a worker pushes ahead" wait_for 5 works_ahead
	mark "$d" b
	sleep 0.1
	between=$(pg_psql "$d" "SELECT clock_timestamp()")
	sleep 0.1
	mark "$d" c
	archived "$d"
	pg_stop "$d"

	restore "between two commits" t2 --target-time "$between"
	holds "$T/t2" ab "between two commits"
	is "it is a new timeline" "$(pg_psql "$T/t2" \
		"SELECT timeline_id FROM pg_control_checkpoint()")" 2

	mark "$T/t2" d
	archived "$T/t2"
	write_conf "$T/conf2" "$T/t2" "$T/key" "$repo"
	ok "a backup of the restored server" basebackup-ship -c "$T/conf2"
	pg_stop "$T/t2"

	restore "across the switch of timelines" t3 --backup "$backup"
	holds "$T/t3" abd "across the switch of timelines"
	pg_stop "$T/t3"

	restore "the old timeline to its end" t1 --backup "$backup" \
		--target-timeline 1
	holds "$T/t1" abc "the old timeline to its end"
	pg_stop "$T/t1"
	ok "no worker of walpush is left" wait_for 5 gone walpush
	ok "nor one of walfetch" wait_for 5 gone walfetch
}
