#!/bin/sh
# What lib/pg reads in PostgreSQL's own files is what PostgreSQL says of them,
# and no segment that a server writes is ever called damaged: not after a
# switch, a crash, a lost record or a promotion.  A false alarm would stop
# archiving and fill the primary's disk.
. "$(dirname "$0")/../lib/pitrkit.sh"

say=$BUILD/tests/tools/pgsay
# Versions and the segment sizes to try them with, in MB.
sizes="14:1 15:16 16:4 17:16 18:64"

# pgsay's line of a segment, made from pg_waldump of the same file.
reference() {
	"$(pg_client)/pg_waldump" "$1" 2>/dev/null |
	sed -n -e 's/.* tx: *\([0-9]*\), .* desc: \(COMMIT\|ABORT\) \([^ ]* [^ ]*\) UTC.*/end \1 \3/p' \
		-e 's/.* desc: \(COMMIT\|ABORT\)_PREPARED \(gid [^ ]* \)\{0,1\}\([0-9]*\): \([^ ]* [^ ]*\) UTC.*/end \3 \4/p' \
		-e 's/.* lsn: \([0-9A-F]*\)\/0*\([0-9A-F]*\), .* desc: RESTORE_POINT \(.*\)/point \3@\1\/\2/p' |
	awk -v name="$(basename "$1")" '
		$1 == "point" { points = points " point=" substr($0, 7) }
		$1 == "end" {
			t = $3 " " $4
			if (n++ == 0) { from = min = max = $2; a = b = t }
			to = $2
			if ($2 < min) min = $2
			if ($2 > max) max = $2
			if (t < a) a = t
			if (t > b) b = t
		}
		END {
			if (n == 0) { a = b = "-"; from = to = min = max = 0 }
			printf "%s ends=%d first=%s last=%s xids=%d..%d" \
			    " min=%d max=%d%s\n", name, n, a, b, from, to,
			    min, max, points
		}'
}

segments() {
	ls "$1" | grep -E '^[0-9A-F]{24}(\.partial)?$'
}

# What differs between pgsay and pg_waldump over an archive.
differences() {
	for d_f in $(segments "$1"); do
		d_got=$("$say" wal "$1/$d_f" | sed 's/ end=[^ ]*.*//')
		d_want=$(reference "$1/$d_f")
		[ "$d_got" = "$d_want" ] || printf '%s\n' "got  $d_got" \
			"want $d_want"
	done
}

# The segments on the way to the newest timeline, one after the other: of two
# with one number the newer timeline's.
way() {
	segments "$1" | grep -v partial | sed 's/^\(.\{8\}\)\(.*\)/\2 \1/' |
		sort | awk -v d="$1" '$1 != last && NR > 1 { print d "/" at }
			{ last = $1; at = $2 $1 }
			END { print d "/" at }'
}

not_full() {
	for d_f in $(segments "$1" | grep -v partial); do
		d_got=$("$say" wal "$1/$d_f")
		case $d_got in
		*' full') ;;
		*) echo "$d_f: $d_got" ;;
		esac
	done
}

# pgsay's line of pg_control, told by the server itself.
control_said() {
	pg_psql "$1" "select system_identifier, pg_control_version,
		catalog_version_no, bytes_per_wal_segment, database_block_size,
		data_page_checksum_version, 6, checkpoint_lsn, redo_lsn,
		timeline_id from pg_control_system(), pg_control_init(),
		pg_control_checkpoint()" -F ' '
}

script() {
	"$(pg_client)/psql" -XAtq -v ON_ERROR_STOP=1 -d "$(pg_conninfo "$1")"
}

work() {
	"$(pg_client)/pgbench" -n -c 2 -t "$2" -h "$T/s" -p "$(pg_port "$1")" \
		-U postgres postgres >"$T/pgbench.log" 2>&1 ||
		bail "pgbench: $(tail -n 3 "$T/pgbench.log")"
}

# A segment of its own with one ending of each kind; sets seg and facts.
known_endings() {
	pg_switch "$1" >/dev/null
	facts=$(script "$1" <<-SQL
		create table gone(i int);
		select pg_switch_wal() \g /dev/null
		begin; select txid_current(); savepoint s; commit;
		begin; select txid_current(); rollback;
		begin; select txid_current(); prepare transaction 'a';
		begin; drop table gone; select txid_current();
		prepare transaction 'b';
		commit prepared 'b';
		rollback prepared 'a';
		select pg_create_restore_point('one point') \g /dev/null
	SQL
	)
	seg=$(pg_switch "$1")
}

crash_in_a_record() {
	# The record reaches over three segments; the crash loses all from
	# the middle of the second on, as if they had never been written.
	size=$(pg_psql "$1" "select setting::int8 from pg_settings
		where name = 'wal_segment_size'")
	pg_psql "$1" "checkpoint" &&
	first=$(pg_psql "$1" "select pg_walfile_name(pg_switch_wal() + 1)") &&
	script "$1" >/dev/null <<-SQL &&
		select count(*) from (select pg_logical_emit_message(false, 'x',
			repeat('y', ($size * 2.3)::int))) x;
		create table lost(i int);
	SQL
	pg_stop "$1" immediate || return 1
	n=0
	for f in $(segments "$1/pg_wal"); do
		[ "$f" \> "$first" ] || continue
		n=$((n + 1))
		case $n in
		2)
			dd if=/dev/zero of="$1/pg_wal/$f" bs=8192 conv=notrunc \
				seek=$((size / 16384)) count=$((size / 16384)) \
				2>/dev/null
			torn=$f
			;;
		[3-9] | ??)
			rm "$1/pg_wal/$f"
			;;
		esac
	done
	rm -f "$1/pg_wal/archive_status"/*.ready
	pg_start "$1"
}

for pair in $sizes; do
	v=${pair%:*} mb=${pair#*:}
	d=$T/d$v a=$T/a$v
	mkdir "$a"
	pg_new "$v" "$d" --wal-segsize="$mb" -k
	pg_set "$d" "archive_mode = on" "archive_command = 'cp %p $a/%f'" \
		"restore_command = 'cp $a/%f %p'" "autovacuum = off" \
		"track_commit_timestamp = on" "max_prepared_transactions = 5" \
		"min_wal_size = $((mb * 5))MB" "max_wal_size = $((mb * 10))MB"
	pg_start "$d" || bail "PostgreSQL $v does not start"

	is "$v: pg_control is read as the server reads it" \
		"$("$say" control "$d/global/pg_control")" \
		"$(control_said "$d" | sed 's/|/ /g')"

	"$(pg_client)/pgbench" -i -q -s 2 -h "$T/s" -p "$(pg_port "$d")" \
		-U postgres postgres >"$T/pgbench.log" 2>&1 ||
		bail "pgbench: $(tail -n 3 "$T/pgbench.log")"
	work "$d" 1500

	known_endings "$d"
	wait_for 30 pg_archived "$d" "$seg" || bail "not archived"
	line=$("$say" wal "$a/$seg")
	set -- $facts
	# commit 1, abort 2, prepared 3 and 4: ended as 1 2 4 3
	like "$v: endings of every kind are told by their own xids" "$line" \
		"ends=4 .* xids=$1\.\.$3 min=$1 max=$4 point=one point@"
	t=$(pg_psql "$d" "select to_char(pg_xact_commit_timestamp('$1'),
		'YYYY-MM-DD HH24:MI:SS.US')")
	like "$v: the first ending's time is the server's" "$line" "first=$t "
	like "$v: a switch fills its segment" "$line" " switched full$"

	ok "$v: a server that lost the rest of a record starts again" \
		crash_in_a_record "$d"
	work "$d" 1000
	seg=$(pg_switch "$d")
	wait_for 30 pg_archived "$d" "$seg" || bail "not archived"
	like "$v: the record that was given up is passed over" \
		"$("$say" wal "$a/$torn")" ' full$'
	isnt "$v: its page says so (the test did what it meant to)" \
		"$(od -An -tu2 -j$((size / 2 + 2)) -N2 "$a/$torn" |
		awk '{ print int($1 / 8) % 2 }')" 0

	pg_stop "$d"
	rm -f "$d/pg_wal/$seg"
	touch "$d/recovery.signal"
	ok "$v: promoted to a new timeline" pg_start "$d"
	wait_for 30 pg_psql "$d" "create table promoted(i int)" ||
		bail "no promotion"
	work "$d" 500
	seg=$(pg_switch "$d")
	like "$v: there is a new timeline" "$seg" '^00000002'
	ok "$v: which is archived" wait_for 30 pg_archived "$d" "$seg"
	pg_stop "$d"

	is "$v: every archived segment is walked to its end" \
		"$(not_full "$a")" ""
	atleast "$v: and there were some" "$(segments "$a" | wc -l)" 5
	is "$v: each goes on where the one before it ends" \
		"$("$say" joints $(way "$a") | sed 's/ .*//')" \
		$(($(way "$a" | wc -l) - 1))
	if [ "$v" = 15 ]; then
		is "$v: pg_waldump finds the same in every segment" \
			"$(differences "$a")" ""
	fi
	rm -rf "$d" "$a"
done

# A damaged byte is found wherever pg_waldump would stumble over it.
d=$T/d a=$T/a
mkdir "$a"
pg_new 15 "$d" --wal-segsize=1
pg_set "$d" "archive_mode = on" "archive_command = 'cp %p $a/%f'"
pg_start "$d" || bail "PostgreSQL does not start"
pg_psql "$d" "create table t as select generate_series(1, 60000) i" >/dev/null
seg=$(pg_switch "$d")
wait_for 30 pg_archived "$d" "$seg" || bail "not archived"
f=$(segments "$a" | sed -n 2p)
cp "$a/$f" "$T/$f" || bail "no segment"
printf '\377\377\377' | dd of="$T/$f" bs=1 seek=500000 conv=notrunc \
	status=none
like "damage in the middle is told with its LSN" \
	"$("$say" wal "$T/$f")" "^$f fault [0-9]+: damaged at 0/"

"$(pg_client)/pg_basebackup" -d "$(pg_conninfo "$d")" -D "$T/tar" -Ft -X none \
	-c fast 2>"$T/err" || bail "pg_basebackup: $(cat "$T/err")"
"$say" tar <"$T/tar/base.tar" >"$T/whole"
"$say" tar 1 <"$T/tar/base.tar" >"$T/bytes"
same "a base backup's tar reads the same byte by byte" "$T/whole" "$T/bytes"
is "it holds what tar lists" \
	"$(awk '{ print $5 }' "$T/whole" | sort)" \
	"$(tar -tf "$T/tar/base.tar" | sed "s,^\./,,; s,/\$,," | sort)"
pg_stop "$d"

done_testing
