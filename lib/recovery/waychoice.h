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

/*
 * f: WAL is missing on the way to the goal, a time or an LSN. The first moment
 * behind it that can be restored is added: the end of the next backup whose own
 * WAL is there. Left as it is when there is none, or that cannot be seen.
 */
void waychoice_add_next(struct repo *r, const struct catalog *c,
    const struct waypath_goal *g, const struct deadline *d, struct fault *f);

#endif
