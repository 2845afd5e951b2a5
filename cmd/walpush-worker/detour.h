#ifndef DETOUR_H
#define DETOUR_H

#include "push.h"
#include "spill.h"

/* The way of a file when the settings name a spill_dir: what is in there goes
 * first, and what no repository takes goes there when pg_wal has no room. Tells
 * on standard error what is on this host only. */

/* As push_file. *aside: it is durable in the spill, and res of no meaning but
 * for busy. */
int detour_push(struct repo *r, struct spill *s, const char *path,
    const struct deadline *d, struct archive_result *res, bool *aside,
    struct fault *f);

/* For a worker, which leaves all of it to the full program: are the files of
 * the spill to go first, or is none to be sent to a repository now? */
bool detour_wanted(struct spill *s);
/* What a push may take of ms, so that the spill can still be written. */
int64_t detour_time(const struct spill *s, const char *wal, int64_t ms);
/* May a push that failed with this be repaired by the spill? */
bool detour_suits(const struct spill *s, const char *wal, int rc);

/* walpush --drain: all of it; the exit status. system_id: NULL, all that the
 * spill holds of the cluster. */
int detour_drain_all(const struct conf_cluster *c, const char *system_id);

#endif
