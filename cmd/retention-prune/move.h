#ifndef MOVE_H
#define MOVE_H

#include "apply.h"

/* Packs that change their storage class: of backups that only a week's, a
 * month's, a year's or the archive's rule keeps, once they are old enough
 * (retain_tiers), where the repository's settings name a class. */

struct move_result {
	uint64_t moved;
	uint64_t bytes; /* of these */
	uint64_t stay;  /* locked, held or frozen: where they are, so long */
	uint64_t failed;
	uint64_t left; /* not tried, after a failure */
};

/* Lines for the backups that have something to be moved. */
int move_plan(struct planfile *out, const struct gather *g,
    const struct retain_plan *p, struct fault *f);

/* May this line be carried out, as p and the settings have it? EXISTS. */
int move_check(const struct planfile *in, const struct json *j,
    const struct gather *g, const struct retain_plan *p, struct fault *f);

/* Carries them out, each with a record in the trail before and after. told:
 * each object that could not be moved. SYSTEM when there is one: then no more
 * were tried, as the next would hardly fare better. */
int move_run(struct planfile *in, const struct gather *g,
    const struct retain_plan *p, apply_told told, struct move_result *res,
    struct fault *f);

#endif
