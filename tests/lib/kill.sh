# SIGKILL at random moments, on a machine of any speed; read after pitrkit.sh.
#
#	kill_begin                begins a series of calls
#	kill_more N               0 until N of its calls were killed; gives up
#	                          after ten times as many calls
#	kill_random CMD...        calls a program and kills it at some moment of the
#	                          time it takes; the first call of a series ends by
#	                          itself, which tells that time.  What it prints is
#	                          added to $T/killed.log
#	kill_backups N ROOT OPTION...   N calls of basebackup-ship by $T/conf are
#	                          killed; ROOT is the cluster's folder in a directory
#	                          repository.  Tells that what has a head is whole
#
# Of the series: KILLED, how many were; KILL_END, how the last one ended, "killed"
# or its exit status; KILL_DONE, how many ended with 0; KILL_ODD, the exit
# statuses of the others.
kill_begin() {
	KILLED=0 KILL_DONE=0 KILL_ODD= kill_calls=0 kill_span=
}

kill_more() {
	[ $KILLED -lt "$1" ] && [ $kill_calls -lt $(($1 * 10)) ]
}

kill_random() {
	kill_calls=$((kill_calls + 1))
	kill_said=$("$PYTHON" -ES "$TOP/tests/lib/killer.py" "$kill_span" "$@" \
		2>>"$T/killed.log") || bail "killer.py: $(tail -n 5 "$T/killed.log")"
	KILL_END=${kill_said% *} kill_span=${kill_said#* }
	case $KILL_END in
	killed) KILLED=$((KILLED + 1)) ;;
	0) KILL_DONE=$((KILL_DONE + 1)) ;;
	*) KILL_ODD="$KILL_ODD $KILL_END" ;;
	esac
}

kill_backups() {
	kb_n=$1 kb_base=$2/base kb_odd=
	shift 2
	kill_begin
	while kill_more "$kb_n"; do
		kb_before=$(cd "$kb_base" && echo */head)
		kill_random basebackup-ship -c "$T/conf" "$@"
		[ "$KILL_END" = killed ] || continue
		# One that was killed after its commit point is a backup.
		for kb_h in $(cd "$kb_base" && echo */head); do
			case " $kb_before " in *" $kb_h "*) continue ;; esac
			repo-verify -c "$T/conf" --no-record \
				--backup "${kb_h%/head}" >"$T/out" 2>&1 &&
				continue
			kb_odd="$kb_odd $kb_h"
			diag "$(cat "$T/out")"
		done
	done
	is "killed at any moment a backup leaves no head, or is whole" \
		"$kb_odd" ""
	is "... $kb_n times" $KILLED "$kb_n"
	is "... and every other one succeeded" "$KILL_ODD" ""
}
