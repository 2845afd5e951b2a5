#ifndef HISTORY_H
#define HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"

/*
 * Timeline history files: which timelines a timeline descends from, and the
 * LSN at which each was left. Pure. Source: access/transam/timeline.c.
 *
 * Timelines rise from line to line, LSNs need not: a recovery aimed at timeline
 * 2 that stops before 2 began makes a timeline 3 whose history still names 2,
 * with an LSN below its beginning. Such an entry is empty (end <= begin).
 */

#define HISTORY_MAX 1024           /* ancestors */
#define HISTORY_FILE_MAX (1 << 20) /* bytes */

struct history_entry {
	uint32_t timeline;
	uint64_t begin; /* LSN, inclusive; 0 for the oldest */
	uint64_t end;   /* LSN, exclusive; UINT64_MAX for the timeline itself */
};

struct history {
	struct history_entry
	    *entry; /* oldest first; the last is the timeline */
	size_t n;
};

/* text NULL for timeline 1 (or any that has no history file). CORRUPT when
 * lines are malformed, not increasing, or the parents are not below. */
int history_parse(struct history *h, uint32_t timeline, const char *text,
    size_t len, struct fault *f);
void history_free(struct history *h);
/* The timeline whose WAL holds the byte at lsn on the way to the newest. */
uint32_t history_timeline_at(const struct history *h, uint64_t lsn);
/* Timeline t belongs to h and was not yet left for good where reading stands
 * at lsn (the switch point itself will do): from there h's newest can be
 * reached. */
bool history_reaches(const struct history *h, uint32_t t, uint64_t lsn);

#endif
