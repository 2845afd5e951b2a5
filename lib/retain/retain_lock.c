#include <string.h>

#include "retain_calendar.h"
#include "retain_core.h"

static uint32_t
reach(const struct retain_policy *p, enum retain_unit u)
{
	const uint32_t n[RETAIN_UNITS] = {
	    p->daily, p->weekly, p->monthly, p->yearly};

	return n[u];
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The end of the last bucket in which us is in reach. */
static int64_t
reach_end(const struct retain_policy *p, enum retain_unit u, int64_t us)
{
	return retain_calendar_start(
	    u, retain_calendar_bucket(u, us) + reach(p, u) + 1);
}

static int64_t
class_end(const struct retain_policy *p, enum retain_class c, int64_t us)
{
	if (c == RETAIN_CLASS_NONE)
		return CLOCK_NONE;
	if (c == RETAIN_CLASS_ARCHIVE)
		return us + p->archive_us;
	/* Classes and units have one order. */
	return reach(p, (enum retain_unit)(c - RETAIN_CLASS_DAILY)) > 0
		   ? reach_end(
			 p, (enum retain_unit)(c - RETAIN_CLASS_DAILY), us)
		   : CLOCK_NONE;
}

enum retain_class
retain_class_of(const char *name)
{
	static const char *const names[] = {
	    "", "daily", "weekly", "monthly", "yearly", "archive"};
	unsigned i;

	for (i = 5; i > 0; i--)
		if (strcmp(name, names[i]) == 0)
			break;
	return (enum retain_class)i;
}

int64_t
retain_lock_wal_us(const struct retain_policy *p)
{
	return p->wal_us;
}

int64_t
retain_lock_backup_us(
    const struct retain_policy *p, enum retain_class c, int64_t now_us)
{
	int64_t end = class_end(p, c, now_us);

	return later(
	    later(p->full_us, p->wal_us), end == CLOCK_NONE ? 0 : end - now_us);
}

int64_t
retain_lock_record_us(const struct retain_policy *p)
{
	const int64_t day = 86400 * INT64_C(1000000);
	int64_t us = later(later(p->full_us, p->wal_us), p->archive_us);

	us = later(us, day * p->daily);
	us = later(us, 7 * day * p->weekly);
	us = later(us, 31 * day * p->monthly);
	return later(us, 366 * day * p->yearly);
}

/* What time alone decides of backup i. */
static int64_t
own_until(const struct retain_plan *p, size_t i)
{
	const struct retain_backup *b = &p->in->backups[i];
	const unsigned rules = p->backups[i].rules;
	int64_t until = CLOCK_NONE;

	if (rules & RETAIN_FULL)
		until = later(until, b->stop_us + p->policy.full_us);
	if (rules & RETAIN_CLASS)
		until =
		    later(until, class_end(&p->policy, b->class, b->stop_us));
	for (unsigned k = 0; k < RETAIN_UNITS; k++) {
		enum retain_unit u = (enum retain_unit)k;

		if ((rules & (unsigned)RETAIN_DAILY << k) != 0 &&
		    retain_calendar_bucket(u, b->stop_us) <
			retain_calendar_bucket(u, p->in->now_us))
			until =
			    later(until, reach_end(&p->policy, u, b->stop_us));
	}
	return until;
}

void
retain_lock_mark(struct retain_plan *p)
{
	const struct retain_input *in = p->in;
	bool again = true;

	for (size_t i = 0; i < in->n_backups; i++)
		p->backups[i].until_us = own_until(p, i);
	/* From the newest on: one pass and one that sees that it was enough. */
	while (again) {
		again = false;
		for (size_t i = in->n_backups; i-- > 0;)
			for (size_t n = 0; n < in->backups[i].n_needs; n++) {
				struct retain_verdict *v =
				    &p->backups[in->backups[i].needs[n]];

				if (p->backups[i].rules == 0 ||
				    v->until_us >= p->backups[i].until_us)
					continue;
				v->until_us = p->backups[i].until_us;
				again = true;
			}
	}
}

int64_t
retain_backup_until(const struct retain_plan *p, size_t i)
{
	return p->backups[i].until_us;
}

int64_t
retain_wal_until(const struct retain_plan *p, int64_t archived_us)
{
	const struct retain_input *in = p->in;

	for (size_t i = 0; i < in->n_backups; i++)
		if (p->backups[i].good &&
		    in->backups[i].start_us >= archived_us)
			return in->backups[i].stop_us + p->policy.wal_us;
	return in->now_us + p->policy.wal_us;
}
