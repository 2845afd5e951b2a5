#ifndef AUDIT_DETAILS_H
#define AUDIT_DETAILS_H

#include "audit.h"

/*
 * The details of an event, one after the other. The event points in here:
 * neither may be moved apart from the other's life. Texts are the caller's
 * until the record is written, numbers are kept here. What is more than
 * AUDIT_DETAILS is left out, as it is of a record.
 */
struct audit_details {
	struct audit_pair pairs[AUDIT_DETAILS];
	char numbers[AUDIT_DETAILS][24];
};

void audit_details_put(struct audit_details *d, struct audit_event *e,
    const char *name, const char *value);
void audit_details_put_u64(struct audit_details *d, struct audit_event *e,
    const char *name, uint64_t value);

#endif
