#ifndef WAYCHOICE_H
#define WAYCHOICE_H

#include "catalog.h"
#include "waypath.h"

/*
 * The backup to begin from: of those from which the timeline can be reached
 * the newest that ended before the goal. For a named point or an xid that is
 * before the place where the archive's sealed metas first show it.
 *
 * *timeline: the one that was chosen or asked for, to be followed.
 * CONFIG, with what there is, when no backup fits. *out belongs to the catalog.
 */
int waychoice_pick(struct repo *r, const struct catalog *c,
    const struct waypath_goal *g, const struct catalog_backup **out,
    uint32_t *timeline, const struct deadline *d, struct fault *f);

#endif
