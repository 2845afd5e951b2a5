#ifndef GATHER_CORE_H
#define GATHER_CORE_H

#include "gather.h"

/* Inside lib/gather: the parts of gather_read. */

/* gather_eye.c: what cannot be read: told to the eye, with 0, if there is one
 * and it is the content's fault, not the store's; else the fault. */
int gather_eye_unreadable(
    const struct gather *g, const char *what, struct fault *f);

/* gather_wal.c
 * All of it is listed. */
int gather_wal_read(struct gather *g, struct fault *f);
/* A timeline that was seen. */
int gather_wal_timeline(
    struct gather *g, uint32_t timeline, bool has_history, struct fault *f);

/* gather_base.c: the folders of backups are listed, the heads in them read, the
 * backups described for the planner. */
int gather_base_read(struct gather *g, struct fault *f);
/* Which folders without head may be of backups that are still running. */
int gather_base_judge(struct gather *g, int64_t clock_us, struct fault *f);

/* gather_need.c: the backups whose packs backup i uses. */
int gather_need_read(struct gather *g, size_t i, struct fault *f);

/* gather_hold.c: for the planner, with the ends of held ranges. */
int gather_hold_prepare(struct gather *g, struct fault *f);
/* Of one hold; to->bounds is the caller's to free. */
int gather_hold_make(struct gather *g, const struct hold *h,
    struct retain_hold *to, struct fault *f);

/* gather_elsewhere.c: the holds that stand in others of the repositories alone.
 * One that does not answer is no fault, but g->elsewhere; a hold there that
 * cannot be read is one, unless there is an eye. */
int gather_elsewhere(struct gather *g, struct fault *f);

#endif
