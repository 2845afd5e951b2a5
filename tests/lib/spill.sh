# For the tests of the spill; read after pitrkit.sh.  Reads archive.sh, and makes
# SHM, a directory on another file system than that of $T.
#
#	spill_cluster N           a stopped cluster $T/pg with N segments, which is
#	                          the working directory then, and the key $T/key;
#	                          sets id to its system identifier
#	nth N                     prints the name of its Nth segment
#	push CONF N               walpush by the settings $T/CONF
#	fetches CONF N            walfetch delivers it, as it was
#	files DIR                 prints how many files of WAL are below DIR
#	away DIR, back DIR        the repository in a directory goes and comes
#	forget                    as if the minute was over in which no repository
#	                          is asked
. "$TOP/tests/lib/archive.sh"

SHM=$(mktemp -d /dev/shm/pitrkit-spill.XXXXXX) || bail "no /dev/shm"
trap 'shm_status=$?; rm -rf "$SHM"; (exit $shm_status); tap_cleanup' EXIT
[ "$(stat -c %d "$SHM")" != "$(stat -c %d "$T")" ] ||
	bail "TMPDIR is on /dev/shm, too"

spill_cluster() {
	new_key "$T/key"
	wal_cluster "$T/pg"
	pg_start "$T/pg" || bail "no server"
	wal_make "$T/pg" "$1" >"$T/names"
	id=$(wal_id "$T/pg")
	pg_stop "$T/pg"
	cd "$T/pg" || bail "no data directory"
}

nth() {
	sed -n "$1p" "$T/names"
}

push() {
	walpush -c "$T/$1" "pg_wal/$(nth "$2")"
}

fetches() {
	rm -f "$T/got"
	walfetch -c "$T/$1" "$(nth "$2")" "$T/got" &&
		cmp -s "$T/got" "pg_wal/$(nth "$2")"
}

files() {
	find "$1" -type f -name '0000*' 2>/dev/null | wc -l
}

away() {
	mv "$1" "$1.away"
}

back() {
	mv "$1.away" "$1"
	forget
}

forget() {
	rm -f "$T"/spool/*.away
}
