#!/bin/sh
# A bucket that keeps versions, pruned by tiers for years: restores from each
# backup that is left, and to moments. All that went is gone in each version.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/tiers.sh"
# A server of this test's own: its clock is set.
unset PITRKIT_CEPH_DIR
clock_make
PITRKIT_CEPH_CLOCK=$CLOCK_LIB
export PITRKIT_CEPH_CLOCK
s3_start
clock_start
s3_bucket bucket versioned
tiers "s3@$S3_HTTP:$bucket/pre"
s3ctl versions "$bucket" >"$T/versions" || bail "no versions"
like "a backup that is kept has its versions" "$(cat "$T/versions")" \
	"^version.*latest.*/$(cat "$T/id.2024-12-30_02:00")/head\$"
# The archive's mark is what walpush tries a store's habits with.
is "there is no older version and no marker" \
	"$(grep -v -e '/archive$' -e "^version.*latest" "$T/versions")" ""
is "nothing of the backups that went is there" \
	"$(tiers_gone_of <"$T/versions")" ""
done_testing
