#ifndef WAL_WALK_WORLD_H
#define WAL_WALK_WORLD_H

/* A segment of 1 MiB, made record by record, and what a walk of it tells. */

#include "unit.h"

#include <stdio.h>

#include "../lib/walmake.h"

#define SIZE (1U << 20)
#define PAGE 8192U
#define Y2000 INT64_C(946684800000000)

static unsigned char segment[SIZE];
static struct walmake m;
static struct wal_summary s;
static struct fault f;

static inline int
walk_as(enum walname_kind kind)
{
	struct walname n = {kind, 3, 0, 5, 0};

	return (wal_walk(segment, SIZE, &n, &s, &f));
}

static inline int
walk(void)
{
	return (walk_as(WALNAME_SEGMENT));
}

static inline void
begin(size_t left)
{
	walmake_begin(&m, segment, SIZE, PAGE, left);
}

/* Records of many lengths, a commit after each, until the segment is full;
 * returns the number of commits that end in it. */
static inline uint32_t
fill(size_t until)
{
	uint32_t n = 0;

	while (m.at < until) {
		walmake_filler(&m, (n * 997U) % 20000);
		if (m.at + 64 > SIZE)
			break;
		walmake_end(&m, 0x00, 100 + n, 1000 * (int64_t)n);
		n++;
	}
	return (n);
}

#endif
