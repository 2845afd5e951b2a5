#ifndef UNPACKER_H
#define UNPACKER_H

#include <stdint.h>

#include "head.h"
#include "manifest.h"
#include "repo.h"
#include "tree.h"

/*
 * A backup's manifest and packs back into files: the manifest is read as a
 * stream, jobs workers take one pack after the other by range reads (only the
 * extents that are wanted, neighbours in one request), open and decompress
 * extents and write pieces to their place. All content is authenticated before
 * it is written; the totals of what was written must be the manifest's.
 *
 * Files are created below root and the tablespaces' folders (tree.h), all empty
 * at the start, or (existing) a cluster's. global/pg_control is written as
 * global/pg_control.pitrkit: the caller renames it last; and moves that of an
 * existing cluster away first.
 * Memory: at most 112 MiB however many jobs: no more than 16 workers are made.
 */

struct unpacker_params {
	const char *id;
	size_t repo;
	unsigned jobs;
	const char *root; /* exists */
	const struct tree_space
	    *spaces; /* the backup's, each with its folder */
	size_t n_spaces;
	/* Not NULL: what root and those folders hold stays where it is what the
	 * backup has, byte for byte; only the rest is fetched, and what the
	 * backup does not have is removed. */
	const struct tree_existing *existing;
	const char *const *spare; /* but not these paths; NULL ends the list */
};

struct unpacker_result {
	uint64_t written; /* bytes of content */
	uint64_t kept;    /* that were there */
};

#define UNPACKER_CONTROL "global/pg_control.pitrkit"

/* progress (may be NULL) is called from any thread with the content bytes just
 * written or found. Everything is synced to disk when 0 is returned. res may be
 * NULL. */
int unpacker_run(struct repo *r, const struct head *h,
    const struct unpacker_params *p, struct unpacker_result *res,
    void (*progress)(void *ctx, uint64_t bytes), void *ctx, struct fault *f);

#endif
