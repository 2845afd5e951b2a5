#include <stdlib.h>

#include "retain_core.h"

/* A backup that others alone keep has no tier of its own. */
#define OF_OTHERS (RETAIN_CLASS_ARCHIVE + 1)

static unsigned
own_tier(const struct retain_plan *p, size_t i, int64_t hot_us)
{
	const struct retain_backup *b = &p->in->backups[i];
	const struct retain_verdict *v = &p->backups[i];
	const unsigned rules = v->rules;
	unsigned tier = RETAIN_CLASS_NONE;

	if (!v->good || rules == 0 || p->held_only ||
	    (rules & (RETAIN_FULL | RETAIN_MINIMUM | RETAIN_WINDOW |
			 RETAIN_HOLD)) != 0 ||
	    b->stop_us >= p->window_us || p->in->now_us - b->stop_us <= hot_us)
		return RETAIN_CLASS_NONE;
	if (rules == RETAIN_NEEDED)
		return OF_OTHERS;
	if (rules & RETAIN_WEEKLY)
		tier = RETAIN_CLASS_WEEKLY;
	if (rules & RETAIN_MONTHLY)
		tier = RETAIN_CLASS_MONTHLY;
	if (rules & RETAIN_YEARLY)
		tier = RETAIN_CLASS_YEARLY;
	if (rules & RETAIN_CLASS && b->class > tier &&
	    b->class >= RETAIN_CLASS_WEEKLY)
		tier = b->class;
	return tier;
}

int
retain_tiers(const struct retain_plan *p, int64_t hot_us,
    enum retain_class *out, struct fault *f)
{
	const struct retain_input *in = p->in;
	unsigned *tier = calloc(in->n_backups + 1, sizeof *tier);
	bool again = true;

	if (tier == NULL)
		return fault_nomem(f);
	for (size_t i = 0; i < in->n_backups; i++)
		tier[i] = own_tier(p, i, hot_us);
	/* From the newest on: one pass and one that sees that it was enough. */
	while (again) {
		again = false;
		for (size_t i = in->n_backups; i-- > 0;) {
			const struct retain_backup *b = &in->backups[i];

			for (size_t n = 0;
			     p->backups[i].rules != 0 && n < b->n_needs; n++) {
				unsigned *t = &tier[b->needs[n]];

				if (*t <= tier[i])
					continue;
				*t = tier[i];
				again = true;
			}
		}
	}
	for (size_t i = 0; i < in->n_backups; i++)
		out[i] = tier[i] == OF_OTHERS ? RETAIN_CLASS_NONE
					      : (enum retain_class)tier[i];
	free(tier);
	return 0;
}
