#!/bin/sh
# A full backup of every supported version, from either source, with other
# segment sizes and a second tablespace, is what a reader written from
# pitrkit-format(5) alone takes it for: all of the cluster, byte for byte as
# backup_manifest says.
. "$(dirname "$0")/../lib/pitrkit.sh"

backup() {
	"$PYTHON" "$TOP/tests/lib/backup.py" --key "$T/key" --root "$root" "$@"
}

# archived NAME: a segment of timeline 1
archived() {
	[ -f "$root/wal/00000001/$(echo "$1" | cut -c1-16)/$1" ]
}

new_key "$T/key"
for version in $("$TOP/tests/servers/postgres" versions); do
	case $version in
	14 | 17) mb=1 ;;
	16) mb=64 ;;
	*) mb=16 ;;
	esac
	d=$T/pg/$version
	pg_new "$version" "$d" --wal-segsize $mb -k
	pg_archive "$d" "$T/conf"
	pg_start "$d" || bail "PostgreSQL $version does not start"
	mkdir "$T/repo" "$T/far"
	write_conf "$T/conf" "$d" "$T/key" "file:$T/repo"
	pg_psql "$d" "CREATE TABLESPACE far LOCATION '$T/far'"
	pg_psql "$d" "CREATE TABLE far TABLESPACE far AS SELECT g AS v
			FROM generate_series(1, 5000) g
		; CREATE TABLE bulk AS SELECT g AS v, repeat('x', 200) AS t
			FROM generate_series(1, 20000) g
		; CREATE UNLOGGED TABLE scratch AS SELECT 1 AS v"
	far=$(pg_psql "$d" "SELECT oid FROM pg_tablespace WHERE spcname = 'far'")
	before=$(pg_psql "$d" "SELECT clock_timestamp()")

	root=$T/repo/main/$(pg_psql "$d" \
		"SELECT system_identifier FROM pg_control_system()")
	last=
	for source in stream files; do
		v="$version, $source"
		ok "$v: a backup of segments of $mb MB" basebackup-ship \
			-c "$T/conf" --class weekly --label "it's the first" -v \
			--source $source
		id=$(tail -n 1 "$T/out")
		is "$v: nothing but the id on standard output" \
			"$(cat "$T/out")" "$id"
		is "$v: it is listed" "$(backup list)" "$last$id"
		last="$id
"

		backup head "$id" >"$T/head" || fail "$v: the head opens"
		head=$(cat "$T/head")
		for line in '"class": "weekly"' '"label": "it.s the first"' \
			'"type": "full"' '"source": "'"$source"'"' '"checksums": true' \
			'"from_standby": false' "\"segment_size\": $((mb << 20))" \
			"\"path\": \"$T/far\"" "\"oid\": $far"; do
			like "$v: the head says $line" "$head" "$line"
		done
		stop=$(sed -n 's/^ "stop_us": \([0-9]*\),*$/\1/p' "$T/head")
		is "$v: its stop is between then and now, by the server" \
			"$(pg_psql "$d" "SELECT to_timestamp($stop / 1e6) BETWEEN
				'$before' AND clock_timestamp()")" t
		for lsn in start stop; do
			at=$(sed -n "s/^ \"${lsn}_lsn\": \"\(.*\)\",*\$/\1/p" "$T/head")
			ok "$v: the segment of its $lsn is in the archive" \
				archived "$(pg_psql "$d" "SELECT pg_walfile_name('$at')")"
		done

		rm -rf "$T/tree"
		mkdir "$T/tree"
		ok "$v: its objects open and unpack" \
			backup unpack "$id" "$T/tree"
		ok "$v: the tree is what the server's manifest says" \
			"$BUILD/tests/tools/verifytree" "$T/tree"
		[ "$version" -gt 16 ] || ok "$v: pg_verifybackup agrees" \
			"$(pg_bin 15)/pg_verifybackup" -n "$T/tree"
		ok "$v: backup_label came with it" test -s "$T/tree/backup_label"
		ok "$v: the empty folders, too" test -d "$T/tree/pg_wal"
		is "$v: the mapping of tablespaces is the head's" \
			"$(find "$T/tree" -name tablespace_map -o -type l)" ""
		backup manifest "$id" >"$T/list" || fail "$v: the manifest opens"
		is "$v: it has records of packs, folders and empty files" \
			"$(grep -o '^[PDF] ' "$T/list" | sort -u | tr -d '\n')" \
			"D F P "
		like "$v: and files in the packs" "$(cat "$T/list")" \
			'^  base/1/1259 [0-9]+ 0 '
		is "$v: no record of a tablespace's own folder" \
			"$(grep -c "^[DL] pg_tblspc/$far\$" "$T/list")" 0
		is "$v: no content of an unlogged table" "$(grep -c " $(pg_psql \
			"$d" "SELECT pg_relation_filepath('scratch')") " "$T/list")" 0
	done

	ok "$version: the result as JSON" \
		basebackup-ship -c "$T/conf" --json --jobs 1
	second=$("$PYTHON" -c 'import json, sys
print(json.load(open(sys.argv[1]))["id"])' "$T/out")
	is "$version: all are listed, in their order" \
		"$(backup list | tail -n 2)" "$id
$second"
	like "$version: and it was read from files, being on the host" \
		"$(cat "$T/out")" '"source": *"files"'
	pg_stop "$d"
	rm -rf "$T/repo" "$T/far" "$T/tree" "$d"
done
done_testing
