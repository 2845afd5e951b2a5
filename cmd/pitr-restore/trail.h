#ifndef TRAIL_H
#define TRAIL_H

#include "operation.h"

/*
 * A restore's records in the audit trail: when it begins to read and when it
 * has ended. On the day of the disaster the repository may be read-only: a
 * restore goes on without its record, and says so.
 */

struct trail {
	int64_t start_ms;
	struct operation operation;
};

struct plan;

void trail_start(struct trail *t); /* the time that it takes counts from here */
void trail_begin(struct trail *t, const struct plan *p);
/* result: 0 or the code of *why. Without a backup nothing was read, and there
 * is no record either: the repository may be the wrong one. */
void trail_end(
    struct trail *t, const struct plan *p, int result, const struct fault *why);
void trail_free(struct trail *t); /* what it owns, not t */

#endif
