# For the tests of retention and of what it leaves behind; read after
# pitrkit.sh.  Reads restore.sh.
#
#	RT_SHORT                  settings that keep only the newest full backup
#	                          and what is younger than a second
#	rt_cluster REPO           a running cluster $T/main that archives to REPO
#	                          by the settings $T/conf, with the key $T/key
#	rt_conf FILE REPO... [-- LINE...]   settings for it, with RT_SHORT
#	rt_backup VAR [OPTION...] a backup of it; sets VAR to its id
#	rt_settle                 what is there now is old enough for RT_SHORT
#	rt_age DIR                all WAL in a directory repository is two days old
#	rt_files DIR              what pruning may touch of a directory repository
#	rt_restored NAME MARKS OPTION...   a server restored by $T/conf, with these
#	                          options, comes up and holds the marks
#	rt_holds MARKS            0 when a server restored by $T/conf, to the
#	                          newest state, comes up and holds the marks
#	rt_killed MARKS CMD...    for a pruning that was killed: a server with the
#	                          marks is restored, the next run leaves what CMD
#	                          must confirm, and the dry run says yes again;
#	                          counts in RT_BROKEN if not
. "$TOP/tests/lib/restore.sh"

RT_SHORT="retain_full = 1s
retain_wal = 1s
retain_daily = 0
retain_weekly = 0
retain_monthly = 0
retain_yearly = 0
retain_minimum = 1"
RT_BROKEN=0

rt_cluster() {
	new_key "$T/key"
	rs_cluster "$T/main" "$T/conf" "$T/key" "$1"
}

rt_conf() {
	rt_file=$1 rt_repos=
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		rt_repos="$rt_repos $1"
		shift
	done
	[ $# -eq 0 ] || shift
	write_conf "$rt_file" "$T/main" "$T/key" $rt_repos -- "$RT_SHORT" "$@"
}

rt_backup() {
	rt_var=$1
	shift
	basebackup-ship -c "$T/conf" "$@" >"$T/out" 2>"$T/err" ||
		bail "no backup: $(cat "$T/err")"
	eval "$rt_var=\$(tail -n 1 \"\$T/out\")"
}

rt_settle() {
	sleep 2
}

rt_age() {
	find "$1" -type f -path '*/wal/*' -exec touch -d '2 days ago' {} +
}

# Not the records.
rt_files() {
	(cd "$1" && find . -type f ! -path '*/audit/*' ! -path '*/hold/*' |
		sort)
}

rt_restored() {
	rt_name=$1 rt_marks=$2
	shift 2
	rm -rf "$T/new"
	ok "$rt_name: restored" pitr-restore -c "$T/conf" \
		--target-dir "$T/new" --target-action promote "$@" || return
	ok "$rt_name: the server starts" rs_start "$T/new" || return
	wait_for 60 rs_writes "$T/new" || fail "$rt_name: no promotion"
	is "$rt_name: its rows are there" "$(rs_marks "$T/new")" "$rt_marks"
	pg_stop "$T/new"
}

rt_holds() {
	rt_got=
	rm -rf "$T/new"
	pitr-restore -c "$T/conf" --target-dir "$T/new" || return 1
	if rs_start "$T/new" && wait_for 60 rs_writes "$T/new"; then
		rt_got=$(rs_marks "$T/new")
	fi
	pg_stop "$T/new" immediate
	[ "$rt_got" = "$1" ] || {
		echo "marks: '$rt_got', not '$1'"
		return 1
	}
}

rt_killed() {
	rt_marks=$1
	shift
	rt_holds "$rt_marks" >"$T/out" 2>&1 &&
		retention-prune -c "${RT_CONF:-$T/conf}" >"$T/out" 2>&1 &&
		"$@" >"$T/out" 2>&1 &&
		pitr-restore -c "$T/conf" --dry-run >"$T/out" 2>&1 || {
		RT_BROKEN=$((RT_BROKEN + 1))
		diag "$(cat "$T/out")"
		return 1
	}
}
