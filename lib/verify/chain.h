#ifndef CHAIN_H
#define CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retain.h"

/*
 * Is the WAL continuous, and what does it mean where it is not? Pure.
 *
 * What should be there is what retention would keep if nothing had ever been
 * lost: the same planner is asked, about the same backups, with all WAL from
 * the first to the last segment of each timeline and up to where another one
 * branches off. So what a prune let go is no hole, and what no rule lets go
 * is. Besides, a backup that exists needs its WAL from start to stop.
 */

struct chain_hole { /* segments that cannot be replayed */
	uint32_t timeline;
	uint64_t first;
	uint64_t last; /* inclusive; first - 1: all are there, but no way
			* leads to first from the one before it */
};

struct chain_list {
	struct chain_hole *h; /* by timeline, then first */
	size_t n;
};
void chain_free(struct chain_list *l);

/* The newest WAL of timelines as it once was seen, in any order: from there on
 * something may have been cut off. */
struct chain_tails {
	struct retain_wal *t;
	size_t n;
};

/* What is missing. in: as gather has it, holds included. policy NULL: nothing
 * was ever let go. tails may be NULL. A fault of retain_plan's is passed on. */
int chain_missing(const struct retain_input *in,
    const struct retain_policy *policy, const struct chain_tails *tails,
    struct chain_list *out, struct fault *f);

/* Does the backup need WAL in the hole to become consistent? */
bool chain_hits(
    const struct retain_input *in, size_t backup, const struct chain_hole *h);

#define CHAIN_NONE SIZE_MAX
struct chain_effect {
	uint32_t timeline; /* whose newest moments need the hole */
	size_t before;     /* the newest backup that is consistent before it */
	size_t until;      /* the oldest backup behind it; CHAIN_NONE */
};
/* chain_effect.c: for each timeline on which something is lost by it. usable:
 * by backup. tails may be NULL. The caller frees *out. */
int chain_effects(const struct retain_input *in, const bool *usable,
    const struct chain_tails *tails, const struct chain_hole *h,
    struct chain_effect **out, size_t *n, struct fault *f);

/* The WAL of in without holes; the caller frees *out. */
int chain_without(const struct retain_input *in, const struct chain_list *holes,
    struct retain_wal **out, size_t *n, struct fault *f);

#endif
