#!/bin/sh
# Verifications on several hosts at once find nothing in each other, and what is
# to be recorded once is.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/spill.sh"

spill_cluster 5
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/one"
for n in 1 2 3; do
	sed "s|^spool_dir.*|spool_dir = $T/spool$n|" "$T/conf" >"$T/host$n"
	chmod 600 "$T/host$n"
	mkdir "$T/spool$n"
done
for n in 1 2 3 4; do
	push conf $n || bail "not pushed"
done
find "$T/one" -type f -path '*/wal/*' -exec touch -d '2 days ago' {} +
push conf 5 || bail "not pushed"

broken=0
for round in 1 2 3 4 5 6 7 8; do
	for n in 1 2 3; do
		since=--since-last
		[ $n -ne 2 ] || since=
		repo-verify -c "$T/host$n" --no-progress --wal $since \
			>"$T/said$n" 2>&1 &
		eval "p$n=$!"
	done
	for n in 1 2 3; do
		eval "wait \$p$n" && continue
		broken=$((broken + 1))
		diag "$(cat "$T/said$n")"
	done
done
is "nothing is found" $broken 0
ok "the trail is sound" "$BUILD/tests/tools/audit" -c "$T/conf"
is "the day has one record" \
	"$(awk -F '\t' '$5 == "wal" { print $2, $3, $8 }' "$T/out")" \
	"wal-00000000 1 $(date -u -d '2 days ago' +%Y-%m-%d)"
is "each run has its own" "$(awk -F '\t' '$5 == "verify"' "$T/out" |
	wc -l)" 24

done_testing
