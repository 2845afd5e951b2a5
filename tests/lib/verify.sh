# For the tests of repo-verify, of a repository in the directory $repo; read
# after pitrkit.sh.  Reads retention.sh.
#
#	clean NAME [ARG...]       repo-verify by $T/conf succeeds and says nothing
#	finds NAME ERE [ARG...]   it exits with 1 and tells what matches ERE; all
#	                          that it told is in $T/found
#	segments TIMELINE         prints the names of its segments, in order
#	file_of NAME              prints where a WAL file is
#	second_server DIR [OPTION...]   a server that pitr-restore makes by $T/conf
#	                          takes over from $T/main, on a timeline of its own
#	keep                      notes the repository as it is, and what this host
#	                          knows of its records
#	reset                     it is again as it was when it was kept
# ARG may be -c FILE, for other settings.
. "$TOP/tests/lib/retention.sh"

clean() {
	clean_n=$1
	shift
	ok "$clean_n" repo-verify -c "$T/conf" --no-progress "$@"
	is "... and says nothing" "$(cat "$T/out")" ""
}

finds() {
	finds_n=$1 finds_e=$2
	shift 2
	exits 1 "found: $finds_n" repo-verify -c "$T/conf" --no-progress "$@"
	cp "$T/out" "$T/found"
	like "... and told" "$(cat "$T/found")" "$finds_e"
}

segments() {
	ls "$repo"/main/*/wal/"$1"/*/ | grep -E '^[0-9A-F]{24}$'
}

file_of() {
	ls "$repo"/main/*/wal/*/*/"$1"
}

second_server() {
	second_d=$1
	shift
	ok "a second server" pitr-restore -c "$T/conf" --target-dir "$second_d" \
		--target-action promote "$@"
	pg_stop "$T/main"
	pg_set "$second_d" \
		"archive_command = '\"$BUILD/walpush\" -c \"$T/conf\" %p'"
	write_conf "$T/conf" "$second_d" "$T/key" "file:$repo"
	pg_start "$second_d" -carchive_mode=on || bail "no second server"
	wait_for 60 rs_writes "$second_d" || bail "no promotion"
	write_conf "$T/conf" "$second_d" "$T/key" "file:$repo"
}

keep() {
	rm -rf "$T/kept" "$T/kept.notes"
	cp -a "$repo" "$T/kept"
	mkdir "$T/kept.notes"
	find "$T/spool" -name 'audit-*' -exec cp -a -t "$T/kept.notes" {} +
}

reset() {
	rm -rf "$repo" "$T/spool"/audit-*
	cp -a "$T/kept" "$repo"
	cp -a "$T/kept.notes/." "$T/spool"
}
