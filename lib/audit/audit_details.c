#include "audit_details.h"

#include <inttypes.h>
#include <stdio.h>

void
audit_details_put(struct audit_details *d, struct audit_event *e,
    const char *name, const char *value)
{
	if (e->n_details == AUDIT_DETAILS)
		return;
	d->pairs[e->n_details++] = (struct audit_pair){name, value};
	e->details = d->pairs;
}

void
audit_details_put_u64(struct audit_details *d, struct audit_event *e,
    const char *name, uint64_t value)
{
	char *number;

	if (e->n_details == AUDIT_DETAILS)
		return;
	number = d->numbers[e->n_details];
	snprintf(number, sizeof d->numbers[0], "%" PRIu64, value);
	audit_details_put(d, e, name, number);
}
