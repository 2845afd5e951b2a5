#!/bin/sh
# What walpush stores is what pitrkit-format(5) says: decoders that were
# written from that page alone open it and find in it what PostgreSQL says.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"

begin=$(date +%s)
new_key "$T/key"
wal_cluster "$T/pg"
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo"
pg_archive "$T/pg" "$T/conf"
pg_set "$T/pg" "track_commit_timestamp = on"
pg_start "$T/pg" || bail "no server"
id=$(wal_id "$T/pg")
pg_psql "$T/pg" "create table t (n int)"
pg_switch "$T/pg" >/dev/null
first=$(pg_psql "$T/pg" "insert into t values (1)
	returning pg_current_xact_id()")
for i in 1 2 3 4 5 6 7 8 9; do
	pg_psql "$T/pg" "select pg_create_restore_point('point $i')"
done >"$T/points"
last=$(pg_psql "$T/pg" "insert into t values (2)
	returning pg_current_xact_id()")
commit=$(pg_psql "$T/pg" "select (extract(epoch from
	pg_xact_commit_timestamp('$last'::xid)) * 1000000)::bigint")
pg_psql "$T/pg" "select pg_create_restore_point('$(printf %063d 0)')" >/dev/null
name=$(pg_switch "$T/pg")
start=$(pg_psql "$T/pg" "select '0/0'::pg_lsn + ('x' || '$(echo "$name" |
	cut -c17-)')::bit(32)::bigint * 1048576 - '0/0'::pg_lsn")
# Segments that records fill, and lie on both sides of.
pg_psql "$T/pg" "insert into t select generate_series(1, 100000)"
wait_for 20 pg_archived "$T/pg" "$(pg_switch "$T/pg")" || bail "not archived"
pg_stop "$T/pg"

decode() {
	"$PYTHON" "$TOP/tests/lib/decode.py" --cluster main --system-id "$id" \
		--key "$T/key" --kind "$1" --name "$2" ${3-} \
		"$(wal_object "$T/repo/main/$id" "$2")"
}
ok "the decoder opens an archived segment" decode 1 "$name"
cp "$T/out" "$T/decoded"
same "and finds it" "$T/decoded" "$T/pg/pg_wal/$name"
"$PYTHON" "$TOP/tests/lib/walmeta.py" "$(decode 1 "$name" --meta)" >"$T/meta" ||
	bail "no meta"
says() {
	is "$1" "$(sed -n "s/^$2 //p" "$T/meta")" "$3"
}
says "the meta tells the file's length" size 1048576
says "the segment size" segment_size 1048576
says "the timeline" timeline 1
says "the first LSN" lsn "$start"
says "PostgreSQL 15's magic" magic $((0xD110))
says "that it is a segment, ended by a switch, and its edges" flags \
	$((1 + 2 + 4 + 8))
says "the first transaction that ended" xid_first "$first"
says "the last one" xid_last "$last"
says "the moment of the newest commit" newest_commit "$commit"
says "how many restore points there are" points 10
is "and the names of the first eight" "$(sed -n 's/^point [^ ]* [^ ]* //p' \
	"$T/meta")" "$(seq -f 'point %g' 8)"
# PostgreSQL tells the end of a point's record, where the next one begins.
is "and where their records begin" "$(sed -n 's/^point \([^ ]*\).*/\1/p' \
	"$T/meta" | tail -n 7)" "$(head -n 7 "$T/points")"
archived=$(sed -n 's/^archived //p' "$T/meta")
atleast "the time at which it was archived is of this test" \
	"$archived" "${begin}000000"
atmost "... and past" "$archived" "$(date +%s)999999"

# record FILE N FIELD: LSN or the one before of a segment's first or last record
record() {
	rec_lsn=$("$(pg_client)/pg_waldump" "$1" 2>/dev/null |
		sed -n "s,.* $3 \([0-9A-F]*/[0-9A-F]*\)\,.*,\1,p" | "$2" -n 1)
	echo $((0x${rec_lsn%/*} * 4294967296 + 0x${rec_lsn#*/}))
}
says "where its first record begins" first \
	"$(record "$T/pg/pg_wal/$name" head "lsn:")"
says "and the one before that" first_prev \
	"$(record "$T/pg/pg_wal/$name" head prev)"
says "and the last" last "$(record "$T/pg/pg_wal/$name" tail "lsn:")"
says "that it ends in it" whole "$(record "$T/pg/pg_wal/$name" tail "lsn:")"
says "that nothing is left" left 0
meta() {
	m_name=$1
	shift
	"$PYTHON" "$TOP/tests/lib/walmeta.py" "$(decode 1 "$m_name" --meta)" "$@"
}
# A record may end with its segment, and its header may lie on both sides.
for full in $(ls "$T/pg/pg_wal" | grep -E '^[0-9A-F]{24}$' |
	sed -n "1,/^$name\$/d;p"); do
	next=$(ls "$T/pg/pg_wal" | sed -n "/^$full\$/{n;p;}")
	meta "$full" "$T/pg/pg_wal/$next" >"$T/meta" || bail "no meta"
	flags=$(sed -n 's/^flags //p' "$T/meta")
	[ $((flags & 32)) -eq 0 ] || break
done
meta "$next" >"$T/meta.next" || bail "no meta"
says "a segment that records fill says so" flags $((1 + 4 + 8 + 32))
isnt "it leaves a part of the last one" \
	"$(sed -n 's/^left //p' "$T/meta")" 0
is "the next begins with as much" "$(sed -n 's/^carried //p' "$T/meta.next")" \
	"$(sed -n 's/^left //p' "$T/meta")"
is "and names it as the one before" \
	"$(sed -n 's/^first_prev //p' "$T/meta.next")" \
	"$(sed -n 's/^last //p' "$T/meta")"
is "that record's CRC is over both" "$(sed -n 's/^added //p' "$T/meta")" \
	"$(sed -n 's/^owed //p' "$T/meta")"
# What is known of a segment's push: an object behind it tells it.
before=$(ls "$T/pg/pg_wal" | grep -E '^[0-9A-F]{24}$' | grep -B1 "^$name$" |
	head -n 1)
archived() {
	meta "$1" | sed -n 's/^archived //p'
}
carrier= push=
for one in $(ls "$T/repo/main/$id/wal/00000001"/*/ |
	grep -E '^[0-9A-F]{24}$'); do
	[ -z "$push" ] || break
	carrier=$one
	push=$(meta "$one" | sed -n "s/^push $before //p")
done
isnt "an object tells what is known of a segment's push" "$push" ""
isnt "... which is another one" "$carrier" "$before"
like "... how long it took, and in which of one repository it was then" \
	"${push#* }" "^[0-9]+ 0 1 1 1$"
atleast "... when, which is after the segment was read" "${push%% *}" \
	"$(archived "$before")"
atmost "... and before the object was made that tells it" "${push%% *}" \
	"$(archived "$carrier")"
ok "the decoder opens the archive's mark" decode 8 archive
like "and finds the system id in it" "$(cat "$T/out")" "\"system_id\":\"$id\""

done_testing
