#ifndef WALSCAN_H
#define WALSCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "archive.h"
#include "history.h"

/*
 * The WAL of a timeline, segment by segment from the archive's sealed metas,
 * read side by side (each by a range of its header alone) and handed over in
 * order. The archive is all of r's repositories together: a segment is there
 * when one of them has it.
 * Deadlines are over all; each request has store_deadline besides, so that
 * NULL is not wanted and deadline_never does not hang.
 */

struct walscan_segment {
	char name[WALNAME_SIZE];
	uint64_t segno;
	uint32_t timeline;
	bool present; /* false: proven absent; it is the last one told of */
	uint64_t stored;
	struct walmeta meta;
};

/* *stop = true ends the scan. */
typedef int (*walscan_fn)(
    void *ctx, const struct walscan_segment *s, bool *stop, struct fault *f);

/* From first_segno to the first absent segment, along the history: a segment
 * is looked for on the newest timeline that has begun by its end, as
 * PostgreSQL does. */
int walscan_run(struct repo *r, const struct history *h, uint32_t segment_size,
    uint64_t first_segno, walscan_fn cb, void *ctx, const struct deadline *d,
    struct fault *f);

/* The first segment of that timeline after segno in the archive; "" if there
 * is none. */
int walscan_later(struct repo *r, uint32_t timeline, uint64_t segno,
    uint32_t segment_size, char name[WALNAME_SIZE], const struct deadline *d,
    struct fault *f);

#endif
