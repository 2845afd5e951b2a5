#ifndef FLAWS_H
#define FLAWS_H

#include "audit.h"
#include "json.h"

/*
 * What is wrong with the audit trail, and with the reports of verifications
 * that it names; and what of that an operator has accepted, which is on record
 * in the trail as well. Until then each verification tells it anew: what one
 * report knew to be gone, the next one is handed on.
 *
 * A flaw has a name, by which it is accepted: it says what is there, or was, to
 * the byte. So what is done to the same place later is another flaw.
 *	missing WRITER/NNNNNNNNNNNN NNNNNNNNNNNN
 *	cut WRITER/NNNNNNNNNNNN NNNNNNNNNNNN SHA-256
 *	report RECORD SHA-256
 *	unrecorded RECORD SHA-256
 */

#define FLAWS_NAME 256
#define FLAWS_MAX 100000 /* more are not told one by one, nor accepted */
/* An audit record of this action accepts, in details of this name. */
#define FLAWS_ACTION "trail-accept"
#define FLAWS_DETAIL "accepted"

struct flaws_one {
	char name[FLAWS_NAME];
	/* Of the trail: where, and why; of a report: its id, and why. */
	enum audit_flaw kind;
	char writer[LAYOUT_WRITER]; /* "" with AUDIT_STRAY and of a report */
	uint64_t first;
	uint64_t last;
	unsigned char hash[AUDIT_HASH];
	char report[LAYOUT_ID]; /* "": of the trail */
	char *text;
	int64_t end_us;      /* of the first sound record behind it, or NONE */
	int64_t accepted_us; /* CLOCK_NONE: it is not */
};

struct flaws_accepted {
	char name[FLAWS_NAME];
	int64_t at_us;
};

struct flaws {
	struct flaws_one *x;
	size_t n;
	size_t cap;
	size_t open; /* from here on: no end is known yet */
	bool more;   /* than FLAWS_MAX */
	struct flaws_accepted *accepted;
	size_t n_accepted;
	size_t cap_accepted;
};

void flaws_free(struct flaws *l); /* what it owns; it is empty then */

/* What audit_check finds, in between the records as it comes. */
int flaws_add(struct flaws *l, const struct audit_finding *x, struct fault *f);
/* A report that is gone, or is another than that of this hash
 * (FLAWS_REPORT); or that is there, and its run's record is not
 * (FLAWS_UNRECORDED). */
#define FLAWS_REPORT "report"
#define FLAWS_UNRECORDED "unrecorded"
int flaws_add_report(struct flaws *l, const char *word, const char *id,
    const unsigned char hash[AUDIT_HASH], const char *text, struct fault *f);
/* Each record of the trail. */
int flaws_take(struct flaws *l, const struct audit_record *r, struct fault *f);
/* The operator accepts the flaw of that name now. */
int flaws_accept(
    struct flaws *l, const char *name, int64_t at_us, struct fault *f);
/* Says of each flaw whether it was accepted; after all of the above. */
void flaws_settle(struct flaws *l);

/* Where it begins, "WRITER/NNNNNNNNNNNN" or a report's id: in x, and not ended
 * by a NUL; returns its length. */
size_t flaws_where(const struct flaws_one *x, const char **at);
/* Is this where it begins? */
bool flaws_is_at(const struct flaws_one *x, const char *where);
/* Of what is wrong with the trail, or with reports, is all accepted? */
bool flaws_trail_whole(const struct flaws *l);
bool flaws_reports_whole(const struct flaws *l);
/* Up to when a record may be missing: CLOCK_NONE: nothing is; INT64_MAX: no end
 * is known. What was accepted may be missing up to then. */
int64_t flaws_until(const struct flaws *l);

/* Members "accepted", "audit_lost" and "unrecorded" of a report. recall: what
 * was accepted, of the records that are not read again. lost: ends of chains
 * that were known and are gone, beside those that evidence_heads reads there.
 */
int flaws_recall(struct flaws *l, const struct json *report, struct fault *f);
int flaws_put(const struct flaws *l, struct json *report, struct fault *f);

#endif
