#ifndef RETAIN_PATH_H
#define RETAIN_PATH_H

#include "retain.h"

/* The WAL along one path: a timeline with those it descends from. Only
 * lib/retain includes this. */

/* Segments of one timeline on the path. */
struct retain_piece {
	uint32_t timeline;
	uint64_t first;
	uint64_t last;
};

/* Pieces that follow each other without a gap. */
struct retain_run {
	size_t piece; /* its first */
	size_t n;
	uint64_t first;
	uint64_t last;
	int64_t last_us;
	uint32_t end_timeline;
};

struct retain_path {
	const struct history *history;
	uint32_t timeline;
	struct retain_piece *pieces;
	size_t n_pieces;
	struct retain_run *runs;
	size_t n_runs;
};

int retain_path_make(struct retain_path *out, const struct retain_input *in,
    const struct history *h, struct fault *f);
void retain_path_free(struct retain_path *p);
/* Can recovery begin from that backup in run r of the path? */
bool retain_path_holds(const struct retain_path *p, size_t r,
    const struct retain_backup *b, uint32_t segment_size);
/* The last segment of run r that a hold's range needs. */
uint64_t retain_path_bound(const struct retain_path *p, size_t r,
    const struct retain_bound *bounds, size_t n);
/* Are these segments all there? */
bool retain_path_covered(const struct retain_input *in, uint32_t timeline,
    uint64_t first, uint64_t last);

#endif
