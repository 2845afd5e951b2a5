#ifndef RETAIN_CORE_H
#define RETAIN_CORE_H

#include "retain_path.h"

/* Inside lib/retain. */

struct retain_verdict {
	unsigned rules;
	bool good;
	size_t hold;       /* RETAIN_HOLD: one of those that keep it */
	size_t needed_by;  /* RETAIN_NEEDED */
	uint32_t timeline; /* RETAIN_WINDOW: of the path */
	int64_t until_us;  /* rules are certain to keep it so long */
};

struct retain_plan {
	struct retain_policy policy;
	const struct retain_input *in;
	struct retain_verdict *backups;
	struct retain_piece *wal; /* what stays, in order, without overlap */
	size_t n_wal;
	size_t cap_wal;
	int64_t window_us;
	int64_t since_us; /* WAL archived since then stays */
	bool all_wal;
	bool held_only; /* no other rules */
};

/* retain_check.c: can the catalogue be trusted? */
int retain_check_input(const struct retain_input *in, struct fault *f);

/* retain_span.c: windows of time, the WAL window and held ones: marks the
 * backups they begin from and adds their WAL. */
int retain_span_mark(struct retain_plan *p, struct fault *f);

/* retain_lock.c: until_us of each, from its rules. */
void retain_lock_mark(struct retain_plan *p);

/* retain_wal.c: a piece that stays; what the backups that stay need between
 * start and stop; at last, all in order and without overlap. */
int retain_wal_add(struct retain_plan *p, uint32_t timeline, uint64_t first,
    uint64_t last, struct fault *f);
int retain_wal_backups(struct retain_plan *p, struct fault *f);
void retain_wal_merge(struct retain_plan *p);

bool retain_core_held(const struct retain_hold *h, int64_t now_us);

#endif
