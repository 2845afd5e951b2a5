#!/bin/sh
# A directory, pruned by tiers for years: restores from each backup that is
# left, and to moments.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/tiers.sh"
clock_make
clock_start
tiers "file:$T/repo"
done_testing
