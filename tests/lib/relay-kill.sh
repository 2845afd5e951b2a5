# The workers of walpush and walfetch are killed at 200 random moments each,
# while PostgreSQL archives and while it recovers, and PostgreSQL is stopped in
# every mode during both: nothing is acknowledged that is not in the store,
# nothing wrong is delivered, no process is left behind.
#
#	relay_kill file | s3
. "$TOP/tests/lib/archive.sh"
. "$TOP/tests/lib/relay.sh"

KILLS=${PITRKIT_KILLS:-200}

# The names of the objects in the repository.
objects() {
	case $RELAY_STORE in
	file) find "$T/repo" -type f ;;
	s3) s3ctl list "$relay_bucket" ;;
	esac | sed 's|.*/||'
}

# killer PROGRAM: kills its workers until $KILLS are dead
killer() {
	bg killer "$PYTHON" "$TOP/tests/lib/killer.py" --workers "$1" "$T/" \
		"$KILLS" "$T/killed.$1"
}
killed() {
	cat "$T/killed.$1" 2>/dev/null || echo 0
}
ready() {
	ls "$T/pg/pg_wal/archive_status" | grep -c 'ready$'
}
drained() {
	[ "$(ready)" -eq 0 ]
}

relay_kill_archiving() {
	pg_start "$T/pg" || bail "no server"
	killer walpush
	pg_psql "$T/pg" "create table rows (n int, t text)" || bail "no table"
	rounds=0
	while [ "$(killed walpush)" -lt "$KILLS" ] && [ $rounds -lt 400 ]; do
		rounds=$((rounds + 1))
		pg_psql "$T/pg" 'do $$ begin for i in 1..8 loop
			insert into rows select n, md5(n::text)
				from generate_series(1, 1000) n;
			perform pg_switch_wal();
			end loop; end $$' || bail "no WAL"
		case $((rounds % 12)) in
		3) mode=smart ;;
		6) mode=fast ;;
		9) mode=immediate ;;
		*) continue ;;
		esac
		pg_stop "$T/pg" $mode || fail "it does not stop: $mode"
		wait_for 5 gone walpush || fail "a worker outlives the server: $mode"
		pg_start "$T/pg" || bail "no server"
	done
	atleast "workers of walpush were killed while PostgreSQL archived" \
		"$(killed walpush)" "$KILLS"
	bg_stop killer
	ok "all is archived in the end" wait_for 120 drained
	diag "$rounds rounds"
	rows=$(pg_psql "$T/pg" "select count(*) from rows")
	pg_stop "$T/pg" || bail "no stop"
	ok "no worker is left" wait_for 5 gone walpush
	odd=0 n_done=0
	for f in "$T/pg/pg_wal/archive_status/"*.done; do
		n=$(basename "$f" .done)
		n_done=$((n_done + 1))
		[ -e "$T/pg/pg_wal/$n" ] || bail "$n is not kept"
		in_dir "$T/pg" walfetch -c "$T/conf" "$n" "$T/back" &&
			cmp -s "$T/back" "$T/pg/pg_wal/$n" || {
			odd=$((odd + 1))
			diag "lost or wrong: $n"
		}
		rm -f "$T/back"
	done
	is "what PostgreSQL was told to be archived is there as it was" $odd 0
	is "and there is one object for each" \
		"$(objects | grep -c '^0')" $n_done
	is "nothing else is in the repository" "$(objects | grep -v '^0')" archive
}

relay_kill_recovering() {
	killer walfetch
	rounds=0 odd=0
	while [ $rounds -lt 5 ] ||
		{ [ "$(killed walfetch)" -lt "$KILLS" ] && [ $rounds -lt 40 ]; }; do
		rounds=$((rounds + 1))
		rec=$T/rec$rounds
		cp -a "$T/base" "$rec"
		touch "$rec/recovery.signal"
		pg_set "$rec" "archive_mode = off" \
			"recovery_target_timeline = 'current'"
		pg_start "$rec" || bail "no recovery"
		case $((rounds % 5)) in
		1) mode=smart ;;
		2) mode=fast ;;
		3) mode=immediate ;;
		*) mode= ;;
		esac
		if [ -n "$mode" ]; then
			sleep 0.$rounds
			pg_stop "$rec" $mode || fail "it does not stop: $mode"
			wait_for 5 gone walfetch ||
				fail "a worker outlives the server: $mode"
			pg_start "$rec" || bail "no recovery"
		fi
		wait_for 300 wal_writes "$rec" || bail "recovery does not end"
		[ "$(pg_psql "$rec" "select count(*) from rows")" = "$rows" ] ||
			odd=$((odd + 1))
		pg_stop "$rec" || bail "no stop"
		wait_for 5 gone walfetch || odd=$((odd + 1))
		rm -rf "$rec"
	done
	atleast "workers of walfetch were killed while PostgreSQL recovered" \
		"$(killed walfetch)" "$KILLS"
	bg_stop killer
	diag "$rounds recoveries"
	is "each recovery came to the end with every row" $odd 0
	is "no worker is left" "$(lingering walfetch)$(lingering walpush)" ""
}

relay_kill() {
	RELAY_STORE=$1 RELAY_REPO=file:$T/repo
	if [ "$1" = s3 ]; then
		s3_start
		s3_bucket relay_bucket
		RELAY_REPO=s3:$relay_bucket/kill
	fi
	new_key "$T/key"
	wal_cluster "$T/pg"
	pg_set "$T/pg" "wal_keep_size = 4GB"
	write_conf "$T/conf" "$T/pg" "$T/key" "$RELAY_REPO"
	pg_archive "$T/pg" "$T/conf"
	pg_start "$T/pg" && pg_stop "$T/pg" || bail "no server"
	cp -a "$T/pg" "$T/base"
	relay_kill_archiving
	relay_kill_recovering
}
