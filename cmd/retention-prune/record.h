#ifndef RECORD_H
#define RECORD_H

#include "apply.h"

/* What was let go, by whom, why and with whose approval: one sealed object
 * before the first deletion, another after the last. Nothing is deleted when
 * the first cannot be written. */

struct record {
	char id[LAYOUT_ID];
	const char *reason;      /* "" when none was given */
	const char *approved_by; /* the same */
};

int record_begin(struct record *r, const struct gather *g,
    const struct planfile *plan, struct fault *f);
int record_end(const struct record *r, const struct gather *g,
    const struct apply_result *res, const struct fault *failed,
    struct fault *f);

#endif
