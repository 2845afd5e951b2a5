#!/bin/sh
# A bucket with object lock, pruned by tiers for years: each backup is locked
# until just that day on which the rule that keeps it lets it go, with its WAL,
# and no lock held up what had to go.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/tiers.sh"
# A server of this test's own: its clock is set.
unset PITRKIT_CEPH_DIR
clock_make
PITRKIT_CEPH_CLOCK=$CLOCK_LIB
export PITRKIT_CEPH_CLOCK
s3_start
clock_start
s3_bucket bucket lock
tiers_years "s3@$S3_HTTP:$bucket" "object_lock = compliance"

# By tiers_table and the settings there: two more years, months and weeks, three
# more days; or two days, which at the upload are certain.
locks='2024-12-30_02:00 2027-01-01T00:00:00
2025-12-30_02:00 2028-01-01T00:00:00
2026-01-31_02:00 2026-04-01T00:00:00
2026-02-27_02:00 2026-05-01T00:00:00
2026-03-08_02:00 2026-03-23T00:00:00
2026-03-15_02:00 2026-03-30T00:00:00
2026-03-16_14:00 2026-03-20T00:00:00
2026-03-17_02:00 2026-03-21T00:00:00
2026-03-18_02:00 2026-03-22T00:00:00
2026-03-19_02:00 2026-03-21T02:'

# locked ERE: until when such objects are locked, each moment once
locked() {
	awk -F '\t' -v e="$1" '$1 ~ e { print $2, $3 }' "$T/locks" | sort -u
}
# first_segment ID: the name of the one that the backup begins in
first_segment() {
	pitr-restore -c "$T/conf" --dry-run --backup "$1" --target-immediate |
		sed -n 's/^WAL .*, \([0-9A-F]*\) to .*/\1/p'
}
s3_keys "$bucket" >"$T/keys" || bail "no keys"
while read -r key; do
	printf '%s\t%s\n' "$key" "$(s3ctl retention "$bucket" "$key")"
done <"$T/keys" >"$T/locks"
while read -r at end; do
	id=$(cat "$T/id.$at")
	is "the backup of $at: manifest, head and a pack or more are there" \
		"$(grep -c -E -e "/$id/(manifest|head|pack/00000001)\$" \
			"$T/keys")" 3
	like "... locked until $end" "$(locked "/$id/(manifest|head)$")" \
		"^COMPLIANCE $end"
	like "... its packs as long" "$(locked "/$id/pack/")" \
		"^COMPLIANCE $end"
	is "... all for one time" "$(locked "/$id/" | wc -l)" 1
	segment=$(first_segment "$id")
	isnt "... which needs WAL" "$segment" ""
	end_of=$(locked "/$segment$")
	ok "... and that is locked as long, or longer for the window" \
		test "${end_of#* }" '>' "$end"
done <<LOCKS
$locks
LOCKS

s3ctl versions "$bucket" >"$T/versions" || bail "no versions"
is "nothing of the backups that went is there, in no version" \
	"$(tiers_gone_of <"$T/versions")" ""
is "... nor is there a marker" "$(grep -c ^marker "$T/versions")" 0
is "every object is locked" "$(locked . | grep -vc "^COMPLIANCE 20")" 0
done_testing
