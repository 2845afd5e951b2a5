#!/bin/sh
# SIGKILL at any moment: the next call of walpush completes, nothing is lost,
# nothing half done is taken for whole.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/archive.sh"
. "$TOP/tests/lib/kill.sh"

s3_start
s3_bucket bucket
new_key "$T/key"
wal_cluster "$T/pg"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 20 >"$T/names"
pg_stop "$T/pg"
write_conf "$T/file" "$T/pg" "$T/key" "file:$T/repo" -- "compression = none"
write_conf "$T/s3" "$T/pg" "$T/key" "s3:$bucket/x" -- "compression = none"

cd "$T/pg" || bail "no data directory"
for kind in file s3; do
	kill_begin
	kill_random walpush -c "$T/$kind" "pg_wal/$(tail -n 1 "$T/names")"
	lost=0 odd=0 want=0
	for name in $(head -n 19 "$T/names"); do
		want=$((want + 6)) calls=0
		while [ $KILLED -lt $want ] && [ $calls -lt 30 ]; do
			calls=$((calls + 1))
			kill_random walpush -c "$T/$kind" "pg_wal/$name"
			# What is there is whole, or it is not there.
			walfetch -c "$T/$kind" "$name" "$T/got" 2>>"$T/noise"
			case $? in
			0) cmp -s "$T/got" "pg_wal/$name" || odd=$((odd + 1)) ;;
			1) ;;
			*) odd=$((odd + 1)) ;;
			esac
			rm -f "$T/got"
		done
		walpush -c "$T/$kind" "pg_wal/$name" 2>>"$T/noise" &&
			walfetch -c "$T/$kind" "$name" "$T/got" &&
			cmp -s "$T/got" "pg_wal/$name" || lost=$((lost + 1))
	done
	atleast "$kind: walpush was killed a hundred times" $KILLED 100
	is "$kind: every other one succeeded" "$KILL_ODD" ""
	is "$kind: at no moment was there half a segment" $odd 0
	is "$kind: after each, the next push completed and nothing is lost" \
		$lost 0
done
is "file: nothing but segments and the mark is left in the repository" \
	"$(find "$T/repo" -type f ! -name '0000*' ! -name archive | wc -l)" 0
is "S3: nor is an upload left open" "$(s3ctl uploads "$bucket" | wc -l)" 0

# -- walfetch -----------------------------------------------------------------
name=$(head -n 1 "$T/names")
mkdir "$T/dest"
odd=0
kill_begin
while kill_more 40; do
	kill_random walfetch -c "$T/s3" "$name" "$T/dest/x"
	[ ! -e "$T/dest/x" ] || cmp -s "$T/dest/x" "pg_wal/$name" ||
		odd=$((odd + 1))
	rm -f "$T/dest/x"
done
is "walfetch was killed forty times" $KILLED 40
is "none left a file that is not whole" $odd 0
is "and none left anything else" "$(find "$T/dest" -type f | wc -l)" 0

done_testing
