#ifndef LOCK_H
#define LOCK_H

#include "gather.h"
#include "planfile.h"

/* Object lock, where the settings have it on: backups that were promoted to a
 * longer rule, and WAL that a window needs for longer than retain_wal, are
 * locked for longer. A head's lock is extended last, so it tells that all of
 * its backup is. */

/* Lines for the backups that stay. */
int lock_plan(struct planfile *out, const struct gather *g,
    const struct retain_plan *p, struct fault *f);
/* For a segment that stays; its own lock is looked at when it is about to
 * end. */
int lock_plan_wal(struct planfile *out, const struct gather *g,
    const struct retain_plan *p, const struct store_entry *e, struct fault *f);

/* May this line be carried out, as p has it? EXISTS when not. */
int lock_check(const struct planfile *in, const struct json *j,
    const struct gather *g, const struct retain_plan *p, struct fault *f);
/* *extended grows by the objects that are locked for longer now. */
int lock_run(const struct planfile *in, const struct json *j,
    const struct gather *g, const struct retain_plan *p, uint64_t *extended,
    struct fault *f);

#endif
