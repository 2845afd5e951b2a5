#ifndef ARCHIVE_JOURNAL_H
#define ARCHIVE_JOURNAL_H

#include "repo.h"
#include "walmeta.h"

/*
 * When a segment became durable is known when its object is sealed, and the
 * next objects tell it (walmeta_push). Until one of them is durable itself the
 * journal holds it: SPOOL/CLUSTER-SYSTEM-ID.pushed, a file of slots of 40
 * bytes, each a push as in an object's meta and 8 bytes of XXH3-128 over
 * "pushed-1" and that, so that a slot which was cut or is none is passed over.
 *
 * It is not synced and never waited for: what gets lost is that nothing is
 * known of a segment, and nothing here can fail for the caller. Several threads
 * and processes may use it; what two objects carry is told twice. It holds
 * ARCHIVE_JOURNAL_MAX at most, the newest.
 */

#define ARCHIVE_JOURNAL_MAX 1024

struct archive_journal {
	char *path; /* NULL: there is none */
	/* What this file's object carries. */
	struct walmeta_push carried[WALMETA_PUSHES];
	size_t n;
	int64_t
	    began_ms; /* by both clocks: durations are the monotonic one's */
	int64_t began_us;
};

/* begin: the object carries nothing. load: what is not carried yet, the oldest
 * first. */
void archive_journal_begin(struct archive_journal *j, const struct repo *r);
void archive_journal_load(struct archive_journal *j, const struct repo *r);
void archive_journal_free(struct archive_journal *j);
/* The file is durable: what its object carries goes, and if it is a segment,
 * what came of it in each of count repositories comes. The moment is when the
 * quorum had it. Where the quorum had it before, that moment nobody saw;
 * and where any repository had it, there is an object of before, which does not
 * carry what this one does. */
struct archive_journal_seen {
	bool durable;
	bool already; /* it was there before */
	int64_t durable_ms;
};
void archive_journal_note(const struct archive_journal *j,
    const struct walname *name, const struct archive_journal_seen *seen,
    size_t count, uint32_t quorum, bool drained);

/* The slots of a file; returns how many were put out, the newest when there is
 * no room for all. */
size_t archive_journal_decode(
    const void *data, size_t len, struct walmeta_push *out, size_t cap);

#endif
