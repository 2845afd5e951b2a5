#include "retain_core.h"

#include <string.h>

static int
from_future(const struct retain_backup *b, const struct retain_input *in,
    struct fault *f)
{
	char stop[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE];

	clock_format(b->stop_us, stop);
	clock_format(in->clock_us, now);
	return fault_set(f, FAULT_CONFIG,
	    "backup %s ended at %s, but it is %s here: set the clocks right "
	    "first; nothing is pruned",
	    b->id, stop, now);
}

static int
check_one(const struct retain_backup *b, const struct retain_input *in,
    struct fault *f)
{
	if (!b->readable)
		return fault_set(f, FAULT_CORRUPT,
		    "the head of backup %s cannot be read: without knowing "
		    "all backups nothing is pruned",
		    b->id);
	if (b->stop_us > in->clock_us + RETAIN_TOLERANCE_US)
		return from_future(b, in, f);
	if (b->stop_us < b->start_us)
		return fault_set(f, FAULT_CONFIG,
		    "backup %s ended before it began: a clock went backwards; "
		    "nothing is pruned until this backup's times are "
		    "understood",
		    b->id);
	return 0;
}

/* Is a before b on some path? */
static bool
before(const struct retain_input *in, const struct retain_backup *a,
    const struct retain_backup *b)
{
	if (a->timeline == b->timeline)
		return a->stop_lsn <= b->start_lsn;
	for (size_t i = 0; i < in->n_paths; i++) {
		const struct history *h = &in->paths[i];

		if (h->entry[h->n - 1].timeline == b->timeline)
			return history_reaches(h, a->timeline, a->stop_lsn) &&
			       a->stop_lsn <= b->start_lsn;
	}
	return false;
}

int
retain_check_input(const struct retain_input *in, struct fault *f)
{
	for (size_t i = 0; i < in->n_backups; i++) {
		const struct retain_backup *b = &in->backups[i];
		int rc = check_one(b, in, f);

		if (rc != 0)
			return rc;
		for (size_t k = 0; k < b->n_needs; k++)
			if (b->needs[k] >= in->n_backups || b->needs[k] == i)
				return fault_set(f, FAULT_CONFIG,
				    "backup %s needs none that there is",
				    b->id);
		for (size_t k = 0; k < i; k++) {
			const struct retain_backup *a = &in->backups[k];

			if (a->stop_us > b->stop_us)
				return fault_set(f, FAULT_CONFIG,
				    "backups %s and %s are out of order", a->id,
				    b->id);
			if (a->stop_us > b->stop_us - RETAIN_TOLERANCE_US ||
			    !before(in, b, a))
				continue;
			return fault_set(f, FAULT_CONFIG,
			    "backup %s ended earlier than %s, but is further "
			    "in the WAL: a clock went backwards; nothing is "
			    "pruned until this is understood",
			    a->id, b->id);
		}
	}
	return 0;
}
