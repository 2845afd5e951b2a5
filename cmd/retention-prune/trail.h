#ifndef TRAIL_H
#define TRAIL_H

#include "apply.h"
#include "cli.h"
#include "letgo.h"
#include "operation.h"

/* What is let go, by whom, why and with whose approval: a record in the audit
 * trail before the first deletion, another after the last. Nothing is deleted
 * when the first cannot be stored. It names the backups that go, and the last
 * one those that are still there; where one record has no room for them there
 * are several, which differ in these ids alone. */

struct trail {
	struct operation operation;
	char checksum[72]; /* of the plan */
	char planned_at[CLOCK_TEXT_SIZE];
	const char *reason; /* NULL when none was given */
	const char *approved_by;
	const struct cli_list *forget; /* lost backups that are given up */
	struct letgo letgo;
	uint64_t legal_on; /* objects under a legal hold of the store now */
	uint64_t legal_off;
};

int trail_begin(struct trail *t, const struct gather *g, struct planfile *plan,
    struct fault *f);
/* result: how the deletion ended, 0 or the code of *why. */
int trail_end(struct trail *t, const struct gather *g,
    const struct apply_result *res, int result, const struct fault *why,
    struct fault *f);
void trail_free(struct trail *t); /* what it owns */

#endif
