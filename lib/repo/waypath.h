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
 * checks before it copies a byte, and all that --dry-run reports.
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
	enum waypath_target target;
	int64_t time_us;
	uint64_t lsn;
	uint32_t xid;
	const char *name;
	bool exclusive;
	uint32_t timeline; /* 0: the newest the backup can reach */
};

struct waypath {
	uint32_t timeline;      /* followed */
	struct history history; /* of it */
	uint64_t first_segno;
	uint64_t last_segno; /* needed */
	uint32_t segment_size;
	uint64_t segments;   /* looked at, all present and opened */
	uint64_t wal_stored; /* bytes to fetch */
	uint64_t wal_size;
	bool target_seen; /* the target lies on the way, by the sealed metas */
	int64_t last_commit_us; /* newest commit on the way; CLOCK_NONE */
	uint64_t end_lsn;       /* how far the archive goes without a gap */
	char last_name[WALNAME_SIZE];
	char
	    missing[WALNAME_SIZE]; /* first absent file before the target, "" */
};

/* The newest timeline in the archive that descends from t at lsn (walks
 * t+1, t+2, … .history files by listing them). */
int waypath_newest_timeline(struct repo *r, size_t i, uint32_t t, uint64_t lsn,
    uint32_t *timeline, const struct deadline *d, struct fault *f);

/*
 * ABSENT with a line that names the file and what it means ("nothing after …
 * can be reached") when a file before the target, or between the backup's start
 * and stop, is missing; CONFIG when the goal cannot be reached from this backup
 * (before its end; timeline that is no descendant; beyond the archive's end).
 * For LATEST the end is the first absent segment: it must be proven absent,
 * and no later segment of that timeline may exist (that would be a gap).
 * jobs: headers read side by side.
 */
int waypath_find(struct repo *r, size_t i, const struct head *h,
    const struct waypath_goal *g, unsigned jobs, struct waypath *out,
    const struct deadline *d, struct fault *f);
void waypath_free(struct waypath *w);

/* The backup to begin from: the newest that ended before the goal. For a
 * named point or xid: the newest that ended before the segment in which the
 * sealed metas first show it. CONFIG, with what there is, when there is none.*/
struct catalog;
int waypath_choose(struct repo *r, size_t i, const struct catalog *c,
    const struct waypath_goal *g, unsigned jobs, const struct head **out,
    const struct deadline *d, struct fault *f);

#endif
