#ifndef CHAIN_CORE_H
#define CHAIN_CORE_H

#include "chain.h"

/* What chain's own files share. */

/* A list of ranges that grows; it is freed with its r. */
struct chain_ranges {
	struct retain_wal *r;
	size_t n;
	size_t cap;
};
int chain_add_range(
    struct chain_ranges *list, const struct retain_wal *w, struct fault *f);

/* chain_hull.c: all WAL there would be had nothing ever been lost, by timeline
 * and segment, in pieces that end where another timeline leaves. Each is as old
 * as the newest that is there of it, or was seen. */
int chain_hull(const struct retain_input *in, const struct chain_tails *tails,
    struct chain_ranges *out, struct fault *f);

/* The first and the last segment that a backup needs. */
uint64_t chain_first(
    const struct retain_input *in, const struct retain_backup *b);
uint64_t chain_last(
    const struct retain_input *in, const struct retain_backup *b);

#endif
