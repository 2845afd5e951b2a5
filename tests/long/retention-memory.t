#!/bin/sh
# Memory of retention-prune does not grow with the number of objects: it plans
# with 10 000, 100 000 and 1 000 000 of them, and deletes them.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/restore.sh"

# peak CMD...: prints the most KiB that CMD had resident, and how many
# milliseconds, by the clock and of processor time, it took
cat >"$T/peak" <<'END'
import resource, subprocess, sys, time
begin = time.monotonic()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, round(1000 * (time.monotonic() - begin)),
      round(1000 * (used.ru_utime + used.ru_stime)))
sys.exit(status)
END
peak() {
	"$PYTHON" "$T/peak" "$@"
}

d=$T/main repo=$T/repo
new_key "$T/key"
rs_cluster "$d" "$T/conf" "$T/key" "file:$repo"
pg_stop "$d"
# Room for older WAL: a million segments before the first of ours.
"$(pg_bin_of "$d")/pg_resetwal" -l 000000010000040000000001 -D "$d" \
	>"$T/out" 2>&1 || bail "pg_resetwal: $(cat "$T/out")"
pg_start "$d" || bail "PostgreSQL does not start"
write_conf "$T/conf" "$d" "$T/key" "file:$repo"
rs_mark "$d" a
basebackup-ship -c "$T/conf" >"$T/out" 2>&1 || bail "$(cat "$T/out")"
rs_mark "$d" b
rs_archived "$d"
pg_stop "$d"
wal=$(ls -d "$repo"/main/*/wal/00000001)

for n in 10000 100000 1000000; do
	"$PYTHON" "$TOP/tests/lib/oldwal.py" "$wal" $n || bail "no objects"
	ok "$n objects are planned" \
		peak retention-prune -c "$T/conf" --dry-run
	atmost "... with so many KiB resident" \
		"$(cut -d' ' -f1 "$T/out")" $((128 << 10))
	diag "planned, KiB, ms, ms of CPU: $(cat "$T/out")"
	[ $n -lt 1000000 ] || break
	ok "... and deleted" peak retention-prune -c "$T/conf"
	atmost "... with so many KiB resident" \
		"$(cut -d' ' -f1 "$T/out")" $((128 << 10))
	diag "planned and deleted, KiB, ms, ms of CPU: $(cat "$T/out")"
	is "... all of them" "$(find "$wal" -path '*/0000000100000[123]*' |
		wc -l | tr -d ' ')" 0
done
ok "what there is can be restored" pitr-restore -c "$T/conf" --dry-run

done_testing
