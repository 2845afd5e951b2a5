#ifndef TALLY_H
#define TALLY_H

#include <stdbool.h>

#include "layout.h"
#include "repo.h"
#include "walname.h"

/*
 * What a recovery has read and no record of the audit trail tells of yet.
 * restore_command is called for each segment and must not wait for a record,
 * and a record for each would be as many as the segments. So it is counted, in
 * a file for each data directory: SPOOL/CLUSTER-SYSTEM-ID.fetched-HOME, which
 * survives whoever counts; who finds one that was left behind writes its
 * record.
 *
 * It is a slot of TALLY_SIZE bytes with a sum, written in place: never synced,
 * so a loss of power may lose it. Whoever counts holds a lock on it; what
 * nobody holds a lock on may be taken over.
 *
 * Records are few: one of the beginning; a sum when who counts ends or is
 * found to have ended, if there was none in the last day; one for each day; and
 * one when recovery is over.
 */

#define TALLY_SIZE 1024
#define TALLY_HOME 512 /* of the data directory's path, cut to fit */
#define TALLY_DAY_US (INT64_C(24) * 60 * 60 * 1000000)

struct tally {
	char operation[LAYOUT_ID]; /* that the next record belongs to */
	char recovery[LAYOUT_ID];  /* the first one of this recovery */
	bool begun;                /* its beginning is on record */
	bool told;                 /* syslog has the beginning */
	bool ended;                /* recovery is over */
	int64_t since_us;          /* counted from here */
	int64_t last_us;           /* of the newest segment */
	int64_t summed_us;         /* of the last record of a sum; 0: none */
	uint64_t segments;         /* not on record yet, as the next three */
	uint64_t bytes;
	char first[WALNAME_SIZE]; /* in the order they were read; "": none */
	char last[WALNAME_SIZE];
	/* The data directory. */
	uint64_t device;
	uint64_t inode;
	char home[TALLY_HOME];
};

/* A recovery begins to be counted. random: for its id. */
void tally_begin(
    struct tally *t, const char *home, int64_t now_us, uint32_t random);
void tally_add(
    struct tally *t, const char *segment, uint64_t bytes, int64_t now_us);
/* more was counted after t, by who could not write into it. */
void tally_join(struct tally *t, const struct tally *more);
/* A sum is on record; what comes belongs to another operation. */
void tally_summed(struct tally *t, int64_t now_us, uint32_t random);

/* Is a sum to be recorded now: while it goes on; when who counts ends, or is
 * found to have ended? */
bool tally_is_due(const struct tally *t, int64_t now_us);
bool tally_is_due_at_end(const struct tally *t, int64_t now_us);
/* It has ended, or nothing was read for a day: what is read now is another
 * recovery. A clock that was set back says so, too. */
bool tally_is_over(const struct tally *t, int64_t now_us);

void tally_encode(const struct tally *t, unsigned char out[TALLY_SIZE]);
/* -1 when it is none, or not whole. */
int tally_decode(const void *data, size_t len, struct tally *out);

/* ---- the file ---- */

struct tally_file {
	char *path;
	int fd; /* with the lock; -1: not open */
};
#define TALLY_FILE_INIT                                                        \
	{                                                                      \
		NULL, -1                                                       \
	}

/* Made when it is not there, spool_dir as well when only that is missing.
 * *found: t is what it held. EXISTS while another process counts. */
int tally_open(struct tally_file *x, const struct repo *r, const char *home,
    struct tally *t, bool *found, struct fault *f);
void tally_save(const struct tally_file *x, const struct tally *t);
/* Nothing is left to be recorded: the file goes with close. */
void tally_remove(struct tally_file *x);
void tally_close(struct tally_file *x);

/* Those of the same cluster whose data directory is not there any more, or
 * that are over; TALLY_STRAYS at most at a time. Each is locked while fn has
 * it, and removed after it. */
#define TALLY_STRAYS 8
void tally_strays(const struct repo *r, int64_t now_us,
    void (*fn)(void *ctx, const struct tally *t), void *ctx);

#endif
