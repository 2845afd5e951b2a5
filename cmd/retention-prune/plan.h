#ifndef PLAN_H
#define PLAN_H

#include "gather.h"
#include "planfile.h"

/* From what was gathered to the lines of a plan. */

int plan_write(struct planfile *out, struct gather *g,
    const struct retain_plan *p, struct fault *f);

/* SYSTEM when something could not be looked at that would be in the plan. */
int plan_whole(const struct planfile *p, struct fault *f);

/* May this object go, as p has it? *why: what keeps it, or what goes. Names
 * that are none of this cluster's, and history files, never. */
bool plan_allows(const struct gather *g, const struct retain_plan *p,
    const char *key, int64_t modified_us, const char **why);

#endif
