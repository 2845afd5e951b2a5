#include "wal_joint.h"

#include "text.h"
#include "wal.h"

#define TO_CRC 20 /* bytes of a record's header that its CRC covers */

/* A record that was not completed before a crash: the server went on at the
 * page where the rest is missing, behind the last whole one. */
static int
check_given_up(
    const struct wal_joint *b, const struct wal_joint *a, struct fault *f)
{
	if (b->left > 0 &&
	    (b->whole == 0 || a->first == 0 || a->first_prev == b->whole))
		return (0);
	return (fault_set(f, FAULT_CORRUPT,
	    "it gives up a record that is not the one before it"));
}

static int
check_carried(
    const struct wal_joint *b, const struct wal_joint *a, struct fault *f)
{
	/* One that goes on behind it is not judged by a part. */
	bool ends = a->last != 0 || a->left == 0;

	if (a->carried != b->left)
		return (fault_set(f, FAULT_CORRUPT,
		    "it begins with %u bytes of a record of which %u are left",
		    a->carried, b->left));
	if (b->left > 0 && b->owes && ends &&
	    wal_crc32c_shift(a->carried_crc, TO_CRC) != b->owed)
		return (fault_set(f, FAULT_CORRUPT,
		    "it begins with the rest of another record"));
	return (0);
}

int
wal_joint_check(
    const struct wal_joint *b, const struct wal_joint *a, struct fault *f)
{
	char says[20], last[20];
	int rc;

	if (!b->tail || !a->head)
		return (0);
	if (a->overwrites)
		return (check_given_up(b, a, f));
	rc = check_carried(b, a, f);
	if (rc != 0 || a->first == 0 || b->last == 0 ||
	    a->first_prev == b->last)
		return (rc);
	text_format_lsn(a->first_prev, says);
	text_format_lsn(b->last, last);
	return (fault_set(f, FAULT_CORRUPT,
	    "its first record says that it follows one at %s; the one before "
	    "it is at %s",
	    says, last));
}
