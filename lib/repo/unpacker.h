#ifndef UNPACKER_H
#define UNPACKER_H

#include <stdint.h>

#include "head.h"
#include "manifest.h"
#include "repo.h"

/*
 * A backup's manifest and packs back into files: the manifest is read as a
 * stream, jobs workers take one pack after the other by range reads (only the
 * extents that are wanted, neighbours in one request), open and decompress
 * extents and write pieces to their place. All content is authenticated before
 * it is written; the totals of what was written must be the manifest's.
 *
 * Files are created exclusively below root (openat, no symbolic link is ever
 * followed but the pg_tblspc ones given in links). global/pg_control is
 * written as global/pg_control.pitrkit: the caller renames it last.
 * Memory: at most 96 MiB however many jobs.
 */

struct unpacker_link {
	uint32_t oid;
	const char *dir; /* absolute; exists and is empty */
};

struct unpacker_params {
	const char *id;
	size_t repo;
	unsigned jobs;
	const char *root; /* exists */
	const struct unpacker_link *links;
	size_t n_links;
};

#define UNPACKER_CONTROL "global/pg_control.pitrkit"

/* progress (may be NULL) is called from any thread with content bytes written
 * so far. Everything is synced to disk when 0 is returned. */
int unpacker_run(struct repo *r, const struct head *h,
    const struct unpacker_params *p,
    void (*progress)(void *ctx, uint64_t bytes), void *ctx, struct fault *f);

#endif
