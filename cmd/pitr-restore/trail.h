#ifndef TRAIL_H
#define TRAIL_H

#include <stdbool.h>

#include "audit.h"

/*
 * A restore's records in the audit trail: when it begins to read and when it
 * has ended. On the day of the disaster the repository may be read-only: a
 * restore goes on without its record, and says so.
 */

struct trail {
	int64_t start_ms;
	struct audit *audit; /* NULL: not opened */
	bool begun;
	bool told; /* that there is none */
};

struct plan;

void trail_start(struct trail *t); /* the time that it takes counts from here */
void trail_begin(struct trail *t, const struct plan *p);
/* result: NULL when it went well. Without a backup nothing was read, and there
 * is no record either: the repository may be the wrong one. */
void trail_end(struct trail *t, const struct plan *p, int status,
    const struct fault *result);
void trail_free(struct trail *t); /* what it owns, not t */

#endif
