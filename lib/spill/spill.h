#ifndef SPILL_H
#define SPILL_H

#include <stdbool.h>
#include <stdint.h>

#include "archive.h"

/*
 * The spill: a directory on another disk of this host that takes WAL when
 * pg_wal has no room left and no repository answers, so that the primary does
 * not stop. What is there is safe from a crash of the host and not from its
 * loss. It is a directory repository like any other, of sealed objects under
 * the names they will have, and it is emptied into the repositories, the oldest
 * first.
 *
 * A note in spool_dir remembers that the directory had the archive's mark (as
 * archive_push does): without the mark it is not the directory it was (not
 * mounted), takes nothing, and what it may hold is not taken for absent.
 * Nothing is acknowledged before that note is on disk.
 *
 * One thread at a time.
 */

struct spill;

/* *out is NULL when the settings name no spill_dir. Touches no disk. r must
 * outlive it. */
int spill_open(struct spill **out, const struct repo *r, struct fault *f);
void spill_free(struct spill *s);
/* The cluster as if the spill was its only repository: to learn the system id
 * from it (repo_system_ids). place must last as long as out. */
void spill_conf(const struct conf_cluster *c, struct conf_repo *place,
    struct conf_cluster *out);

/* Is less than spill_below free in the file system of wal (pg_wal)? */
bool spill_below(const struct spill *s, const char *wal);
/* Something that time or an administrator cures, without a change to the file:
 * unreachable, refused, full. */
bool spill_suits(enum fault_code code);

/* Did a push or a drain find no repository in the last minute? So the time that
 * it takes to find out again is spent once a minute, not for each file. */
bool spill_away(const struct spill *s);
void spill_set_away(const struct spill *s, bool away);

/* Is something in it? AGAIN (or what the disk says) when that cannot be told:
 * it had the mark, and has not. Takes a few looks at local files. */
int spill_pending(
    struct spill *s, bool *pending, const struct deadline *d, struct fault *f);

/* May it take WAL from wal? CONFIG when it is in the same file system, which
 * would free nothing; when it is a repository's own directory; when it is not
 * this user's alone to write in. Makes its mark when that was not done, so that
 * trouble shows before it is needed. */
int spill_prepare(struct spill *s, const char *wal, const struct deadline *d,
    struct fault *f);
/* Make the file durable there: archive_push, with all its checks, and all of
 * the above. */
int spill_push(struct spill *s, const char *path, const struct deadline *d,
    struct archive_result *res, struct fault *f);

/* What is in it; counted up to SPILL_COUNT files. */
#define SPILL_COUNT 10000
struct spill_count {
	uint64_t files;
	uint64_t bytes;
	int64_t oldest_us; /* CLOCK_NONE when empty */
};
int spill_count(struct spill *s, struct spill_count *out,
    const struct deadline *d, struct fault *f);

/*
 * Copy to the repositories of to (archive_copy) and remove from the spill what
 * the quorum holds: history files first, then in the order of the names.
 * 0: nothing is left but what is stuck, or the limits were reached, or another
 * process does the same (elsewhere). What is stuck is passed over and stays:
 * other content in a repository (EXISTS), damaged or not to be read (CORRUPT),
 * keys (KEY), or it cannot be removed.
 * A repository that is late though the quorum has the file is left out from
 * then on: it would keep each file waiting, with a thread and its memory; and
 * the limit of files is not kept for as long as it took to find that out.
 * Another fault ends it: no repository, or the spill cannot be read.
 * Killed at any moment, the next one goes on: what is there twice is removed.
 */
struct spill_limits {
	uint64_t files;           /* 0: all */
	const struct deadline *d; /* no more is begun when it has passed */
	int64_t each_ms;          /* for one file */
};
struct spill_drained {
	uint64_t files;
	uint64_t bytes; /* of objects */
	uint64_t stuck;
	struct fault first; /* of what is stuck */
	char warning[512];  /* of the last copy: as archive_result's */
	bool left;          /* the limits were reached */
	bool elsewhere;
	bool busy; /* as archive_result's: what to was made of, and s, must last
		    */
};
int spill_drain(struct spill *s, const struct repo *to, const char *mark_note,
    const struct spill_limits *l, struct spill_drained *out, struct fault *f);

/*
 * For walfetch. peek, before the repositories are asked: what is not in the
 * spill by then, and in no repository afterwards, is nowhere, though it may be
 * drained at any moment. 0 and *has; a fault when that cannot be told.
 * A spill that never had a mark, as far as the note knows, has nothing.
 * fetch: archive_fetch from the spill alone.
 */
int spill_peek(struct spill *s, const char *name, bool *has,
    const struct deadline *d, struct fault *f);
int spill_fetch(struct spill *s, const char *name, const char *dest,
    const struct deadline *d, struct fault *f);

#endif
