#!/bin/sh
# Seven years of daily backups in a directory, pruned each week by the usual
# rules: after each run there is what an independent model says, to the object.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/clock.sh"

clock_make
export CLOCK_LIB
write_conf "$T/conf" "$T/none" - "file:$T/repo" -- "retain_archive = 1095d"
ok "each pruning leaves what the rules keep of all that ever was there" \
	"$PYTHON" "$TOP/tests/lib/years.py" "$T/repo" "$T/conf" "$T/clock" \
	$((7 * 365 + 2)) 7 retention-prune
diag "$(tail -n 1 "$T/out")"
done_testing
