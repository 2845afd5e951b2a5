#ifndef WAYPATH_H
#define WAYPATH_H

#include <stdbool.h>
#include <stdint.h>

#include "archive.h"
#include "head.h"
#include "history.h"

/*
 * The way from a backup to a target: which timeline, which WAL files, whether
 * each is there and opens, and where on it the target lies. What pitr-restore
 * checks before it copies a byte, and all that --dry-run reports. WAL may lie
 * in any of r's repositories, as walfetch asks them all.
 */

enum waypath_target {
	WAYPATH_LATEST,
	WAYPATH_IMMEDIATE,
	WAYPATH_TIME,
	WAYPATH_LSN,
	WAYPATH_XID,
	WAYPATH_NAME,
};

struct waypath_goal {
	enum waypath_target target; /* which of the next four counts */
	int64_t time_us;
	uint64_t lsn;
	uint32_t xid;
	const char *name;  /* of a restore point; the caller's */
	bool exclusive;    /* to stop just before it: TIME, LSN and XID */
	uint32_t timeline; /* 0: the newest that can be reached */
};

struct waypath {
	uint32_t timeline;      /* followed */
	struct history history; /* of it */
	uint64_t first_segno;
	uint64_t last_segno; /* needed */
	uint32_t segment_size;
	uint64_t segments;      /* looked at, all present and opened */
	uint64_t wal_stored;    /* bytes to fetch */
	uint64_t wal_size;      /* bytes of WAL in them */
	bool target_seen;       /* it lies on the way, by the sealed metas */
	int64_t last_commit_us; /* newest commit on the way; CLOCK_NONE */
	uint64_t end_lsn;       /* how far the archive goes without a gap */
	char last_name[WALNAME_SIZE];
};

/*
 * ABSENT, with a line that names the file and what it means for recovery, when
 * a file between the backup's start and the target is missing although later
 * ones are there, or one before the backup's own stop is. CONFIG when the goal
 * cannot be reached from this backup: before its end, on a timeline that is no
 * descendant, beyond the archive's end.
 * For LATEST the end is the first absent segment after which there is none.
 *
 * Reads the sealed header of each segment, and no content. The caller frees
 * *out, which is set on success only.
 */
int waypath_find(struct repo *r, const struct head *h,
    const struct waypath_goal *g, struct waypath *out, const struct deadline *d,
    struct fault *f);
void waypath_free(struct waypath *w);

#endif
