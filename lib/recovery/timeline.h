#ifndef TIMELINE_H
#define TIMELINE_H

#include <stdint.h>

#include "head.h"
#include "history.h"
#include "repo.h"

/*
 * The history of a timeline, as the archive tells it: all of r's repositories
 * together.
 *
 * timeline 0: the newest that can be reached, that is the highest one whose
 * .history file and whose first segment are both there. A promotion archives
 * the first at once and the second when it is full; in between PostgreSQL,
 * sent to the new timeline, would take the old one's segment and replay beyond
 * the fork. When a part of a timeline is there, but its history or its first
 * segment is not although a later one is, it is no beginning but a loss:
 * ABSENT.
 *
 * below not NULL: only timelines that this backup can reach; CONFIG when the
 * one asked for is none of them.
 *
 * floor: a timeline on which a backup exists (the caller's own, or the highest
 * of all). It and those below need no first segment, which may be older than
 * the archive.
 *
 * ABSENT when a timeline that was asked for has no history file.
 */
int timeline_resolve(struct repo *r, uint32_t timeline,
    const struct head *below, uint32_t floor, uint32_t segment_size,
    struct history *out, const struct deadline *d, struct fault *f);

#endif
