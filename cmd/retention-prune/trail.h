#ifndef TRAIL_H
#define TRAIL_H

#include "apply.h"
#include "operation.h"

/* What is let go, by whom, why and with whose approval: a record in the audit
 * trail before the first deletion, another after the last. Nothing is deleted
 * when the first cannot be stored. */

struct trail {
	struct operation operation;
	char checksum[72]; /* of the plan */
	char planned_at[CLOCK_TEXT_SIZE];
	const char *reason; /* NULL when none was given */
	const char *approved_by;
};

int trail_begin(struct trail *t, const struct gather *g,
    const struct planfile *plan, struct fault *f);
/* result: how the deletion ended, 0 or the code of *why. */
int trail_end(struct trail *t, const struct gather *g,
    const struct apply_result *res, int result, const struct fault *why,
    struct fault *f);
void trail_free(struct trail *t); /* what it owns, not r */

#endif
