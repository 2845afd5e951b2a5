#ifndef AUDIT_H
#define AUDIT_H

#include "audit_record.h"
#include "clock.h"
#include "repo.h"

/*
 * The audit trail: who did what to a repository, when and with what result.
 *
 * A record is a sealed object (OBJECT_AUDIT) that is created once, below
 * CLUSTER/SYSTEM-ID/audit/WRITER/. Each writer numbers its records from 1, and
 * each holds the SHA-256 of the object before it. A writer is a user on a host;
 * a small file in spool_dir keeps its name, its last number and that hash, so
 * that a host which can neither list nor open what it wrote goes on with its
 * chain. Where the file is lost, or not to be written, or another one took the
 * next number, a new writer begins at 1, and its first record says why.
 *
 * Each record also goes to syslog in one line; that never fails and never
 * waits.
 */

/* ---- writing ---- */

/* One operation on one repository: a record when it begins and one when it
 * ends, or one alone. One thread at a time. */
struct audit;

struct audit_head;

/* r must outlive it; i: the repository. The duration counts from here. */
int audit_open(struct audit **out, struct repo *r, size_t i,
    const char *program, struct fault *f);
/* A chain that is no writer's own: whoever has seen its end goes on from there,
 * and of two who do at once one is told EXISTS, as the name is taken. So what
 * is to be recorded once is. from: its end; its sequence is 0 when there is
 * none, and then why says what the chain is. No state is kept. */
int audit_open_shared(struct audit **out, struct repo *r, size_t i,
    const char *program, const struct audit_head *from, const char *why,
    struct fault *f);
/* It had begun before: a reading of clock_monotonic_ms. */
void audit_started(struct audit *a, int64_t ms);
/* The operation has an id already: its beginning was recorded by another
 * process, or will be its end. As layout_new_hold makes it. */
void audit_resume(struct audit *a, const char *operation);
void audit_free(struct audit *a);
/* "" or one line to be told once: that a new writer began, and why. */
const char *audit_remark(const struct audit *a);

/* What is recorded of it. NULL stands for "". */
struct audit_pair {
	const char *name;
	const char *value;
};
struct audit_event {
	const char *action;   /* "backup", "restore", "prune", … */
	const char *object;   /* a backup's id, a hold's, … */
	uint64_t objects;     /* AUDIT_UNKNOWN, as are the next two */
	uint64_t bytes;       /* of content */
	uint64_t stored;      /* in the repository */
	const char *checksum; /* "sha256:…", and of what in details */
	const char *reason;
	const char *approved_by;
	const struct audit_pair *details; /* at most AUDIT_DETAILS */
	size_t n_details;
};
#define AUDIT_EVENT(what)                                                      \
	{                                                                      \
		.action = (what), .objects = AUDIT_UNKNOWN,                    \
		.bytes = AUDIT_UNKNOWN, .stored = AUDIT_UNKNOWN                \
	}

/*
 * 0: the record is durable. DENIED: it is not, and will not be. Any other
 * fault: it is not known to be there; it is kept in spool_dir, and the next
 * record of this writer is written behind it.
 * Whether to go on without is the caller's to decide: what deletes does not,
 * what saves or restores data does, and says so.
 */
int audit_begin(struct audit *a, const struct audit_event *e,
    const struct deadline *d, struct fault *f);
/* status: the exit status; result: why, NULL when it went well. */
int audit_end(struct audit *a, const struct audit_event *e, int status,
    const struct fault *result, const struct deadline *d, struct fault *f);
/* One record for all of it. */
int audit_note(struct audit *a, const struct audit_event *e, int status,
    const struct fault *result, const struct deadline *d, struct fault *f);

/* To syslog alone, as a record that is not in the repository: no store is asked
 * and no chain goes on. status is -1 when begun. */
void audit_tell(struct audit *a, const struct audit_event *e,
    enum audit_phase phase, int status, const struct fault *result);

/* How long what must not fail for want of a record waits for it. */
#define AUDIT_PATIENCE_MS 30000

/* ---- checking ---- */

enum audit_flaw {
	AUDIT_MISSING,    /* a number, or several in a row */
	AUDIT_UNREADABLE, /* altered, or brought from another place */
	AUDIT_MALFORMED,  /* authentic, and yet no record of this name */
	AUDIT_BROKEN,     /* the one before it is not the one it followed */
	AUDIT_STRAY,      /* a name that no record has */
	AUDIT_CUT,        /* a head that was known is gone, or is another */
};
const char *audit_flaw_word(enum audit_flaw flaw); /* "missing", … */

struct audit_finding {
	enum audit_flaw flaw;
	const char *writer; /* "" with AUDIT_STRAY */
	uint64_t first;     /* number of the record, or of the first */
	uint64_t last;      /* and of the last that is concerned */
	/* Which flaw it is, and not another in its place: SHA-256 of the object
	 * that is there; of those of both with AUDIT_BROKEN; of the one that
	 * was with AUDIT_CUT. Zeros where there is none to be read. */
	unsigned char hash[AUDIT_HASH];
	const char *text; /* one line that names the object */
};

/* The end of a writer's chain: its last record, and the SHA-256 of its
 * object. Who keeps it elsewhere notices when the end is cut off. */
struct audit_head {
	char writer[LAYOUT_WRITER];
	uint64_t sequence;
	unsigned char hash[AUDIT_HASH];
};

struct audit_check {
	/* Heads that must still be there, in any order. */
	const struct audit_head *known;
	size_t n_known;
	/* Of what lies before a known head look only whether it is there: the
	 * head's hash vouches for it as it was then. */
	bool since_known;
	/* Each may be NULL; not 0 ends the check with that. */
	int (*finding)(
	    void *ctx, const struct audit_finding *x, struct fault *f);
	/* The last record of each writer that our keys open, sound otherwise or
	 * not, in byte order of their names: it will be missed when it is gone.
	 * What does not open anybody can have put. */
	int (*head)(void *ctx, const struct audit_head *h, struct fault *f);
	/* Each record that was opened, in the order of its chain; with
	 * since_known those behind a known head. */
	int (*record)(void *ctx, const struct audit_record *r, struct fault *f);
	void *ctx;
};

/*
 * Walk the chains of all writers in repository i. 0: all were looked at, and
 * what is wrong was told by finding. KEY when no private key is at hand, other
 * faults when the repository could not be read: then nothing is proved.
 * Memory does not grow with the number of records or writers. d: over all;
 * the reading of each record has store_deadline besides.
 */
int audit_check(struct repo *r, size_t i, const struct audit_check *c,
    const struct deadline *d, struct fault *f);

#endif
