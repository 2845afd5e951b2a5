#!/bin/sh
# Whatever call fails under a restore (EIO): it fails with a message and what is
# left does not start, and the next run makes the whole tree; or, when only its
# marks could not be taken away, the tree is whole. (Once a temporary file that
# could not be removed stayed in the data directory, and nobody was told.)
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/restore.sh"

${CC:-cc} -shared -fPIC -o "$T/failcall.so" "$TOP/tests/lib/failcall.c" -ldl ||
	bail "no failcall.so"
d=$T/main
new_key "$T/key"
rs_cluster "$d" "$T/conf" "$T/key" "file:$T/repo"
mkdir "$T/space"
pg_psql "$d" "CREATE TABLESPACE space LOCATION '$T/space'"
pg_psql "$d" "CREATE TABLE far TABLESPACE space AS
	SELECT g AS v FROM generate_series(1, 1000) g"
oid=$(pg_psql "$d" "SELECT oid FROM pg_tablespace WHERE spcname = 'space'")
basebackup-ship -c "$T/conf" >"$T/out" 2>&1 || bail "$(cat "$T/out")"
pg_stop "$d"

to() {
	pitr-restore -c "$T/conf" --target-dir "$T/new" --jobs 1 \
		--no-progress --tablespace "$oid=$T/new.space"
}
# failing N: the Nth call fails
failing() {
	rm -rf "$T/new" "$T/new.space"
	: >"$T/count"
	: >"$T/call"
	(
		export LD_PRELOAD="$T/failcall.so" FAILCALL="$T/new" \
			FAILCALL_COUNT="$T/count" FAILCALL_LOG="$T/call" \
			FAILCALL_N="$1" FAILCALL_ERRNO=5
		to >"$T/out" 2>"$T/err"
	)
}
whole() {
	"$BUILD/tests/tools/verifytree" "$T/new" >"$T/tree" 2>&1
}
ok "without a failure" failing 0
calls=$(wc -c <"$T/count")
atleast "calls that change something" "$calls" 1000

odd=
named=0
for n in $(seq 1 24) $(seq 25 150 $((calls - 30))) \
	$(seq $((calls - 29)) "$calls"); do
	failing "$n"
	status=$?
	case $status,$(head -c 1 "$T/err" | wc -c) in
	1,1 | 2,1) ;;
	0,*) # what cannot be written past the cache goes through it
		whole || odd="$odd; $n ($(cat "$T/call")): $(cat "$T/tree")"
		continue
		;;
	*)
		odd="$odd; $n ($(cat "$T/call")): status $status"
		continue
		;;
	esac
	if [ -e "$T/new/global/pg_control" ]; then
		named=$((named + 1))
		rm -f "$T/new/pitrkit.restoring" "$T/new.space/pitrkit.restoring"
	else
		to >"$T/out" 2>&1 || odd="$odd; after $n: $(cat "$T/out")"
	fi
	whole || odd="$odd; $n ($(cat "$T/call")): $(cat "$T/tree")"
done
is "each fails with a message, and then all can be made whole" "$odd" ""
atleast "some of them came behind pg_control" "$named" 3

done_testing
