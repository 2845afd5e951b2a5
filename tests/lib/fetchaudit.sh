# For the tests of what walfetch leaves in the audit trail; read after
# pitrkit.sh, archive.sh and relay.sh.
#
#	fa_base DIR CONF N        a stopped copy of a cluster in $T/base, whose
#	                          N segments, named in $T/names, are archived by
#	                          CONF; DIR is stopped, too
#	fa_recovers DIR LINE...   a copy of $T/base in DIR recovers to the end
#	                          of the archive, and its worker has ended
#	fa_standby DIR            a copy of it runs, and asks nothing by itself
#	fa_fetch DIR N CONF       segment N is delivered there
#	fa_trail                  0 when the trail is sound; it is in $T/trail
#	fa_records                "PHASE STATUS OBJECTS" of walfetch's, a line each
#	fa_detail NAME            that detail of walfetch's records, a line each
#	fa_total                  how many segments these records tell of
#	fa_pages DIR              a decoder that was written from the page walks
#	                          the trail of the directory repository DIR

fa_base() {
	fa_n=$3
	pg_archive "$1" "$2"
	pg_start "$1" && pg_stop "$1" || bail "no server"
	cp -a "$1" "$T/base"
	pg_start "$1" || bail "no server"
	wal_make "$1" "$fa_n" >"$T/names"
	wait_for 60 pg_archived "$1" "$(tail -n 1 "$T/names")" ||
		bail "no archive"
	pg_stop "$1" || bail "no stop"
}

fa_recovers() {
	fa_d=$1
	shift
	cp -a "$T/base" "$fa_d"
	touch "$fa_d/recovery.signal"
	pg_set "$fa_d" "archive_mode = off" \
		"recovery_target_timeline = 'current'" "$@"
	pg_start "$fa_d" && wait_for 60 wal_writes "$fa_d" &&
		wait_for 10 gone walfetch
}

fa_standby() {
	rm -f "$1.log"
	cp -a "$T/base" "$1"
	touch "$1/standby.signal"
	pg_set "$1" "restore_command = 'false'" "hot_standby = off" \
		"wal_retrieve_retry_interval = 1h"
	echo x >>"$T/ports"
	fa_port=$((5431 + $(wc -l <"$T/ports")))
	"$(pg_bin 15)/pg_ctl" -D "$1" -l "$1.log" -o \
		"-c listen_addresses= -c unix_socket_directories=$T/s -c port=$fa_port" \
		-W -s start >/dev/null 2>&1
	ln -s "$1" "$T/pg/$fa_port"
	wait_for 20 grep -q "entering standby mode" "$1.log" ||
		bail "no standby"
}

fa_fetch() {
	in_dir "$1" walfetch -c "$3" "$(sed -n "$2p" "$T/names")" \
		pg_wal/RECOVERYXLOG
}

fa_trail() {
	"$BUILD/tests/tools/audit" -c "$T/conf" --details \
		>"$T/trail" 2>"$T/trail.err" && return
	cat "$T/trail" "$T/trail.err" >&2
	return 1
}

fa_records() {
	awk -F '\t' '
	function out() { if (mine) print phase, status, n }
	$1 == "record" {
		out()
		mine = $5 == "fetch" && $4 == "walfetch"
		phase = $6; status = $7; n = "-"
	}
	$1 == "detail" && $2 == "objects" { n = $3 }
	END { out() }' "$T/trail"
}

fa_detail() {
	awk -F '\t' -v name="$1" '
	$1 == "record" { mine = $5 == "fetch" }
	mine && $1 == "detail" && $2 == name { print $3 }' "$T/trail"
}

fa_total() {
	fa_records | awk '$1 != "begun" { n += $3 } END { print n + 0 }'
}

fa_pages() {
	fa_id=$(basename "$(dirname "$(find "$1"/main -name audit | head -n 1)")")
	"$PYTHON" "$TOP/tests/lib/trail.py" --key "$T/key" "$1" main "$fa_id"
}
