#ifndef LEDGER_H
#define LEDGER_H

#include "audit.h"
#include "flaws.h"
#include "json.h"

/*
 * Which backups were finished, and which of them a pruning let go: by the audit
 * trail, by reports of verifications, and by the heads that are there. So what
 * somebody else took away is told from what retention let go, and from a backup
 * that was never finished. Memory: some 100 bytes for a backup.
 */

/* Details of a record of action "prune". */
#define LEDGER_COUNT "backups"      /* how many it lets go */
#define LEDGER_LET_GO "let_go"      /* ids, with blanks between; repeated */
#define LEDGER_STAYED "stayed"      /* could not be deleted after all */
#define LEDGER_FORGOT "forget_lost" /* gone before, let go by an operator */

struct ledger_backup {
	char id[LAYOUT_ID];
	bool finished;
	bool failed;       /* it was ended, and not with success */
	bool there;        /* its head is */
	int32_t let_go;    /* prunings that did, less those that could not */
	int64_t let_go_us; /* the newest of these; CLOCK_NONE */
	int64_t stop_us;   /* or when its end was recorded; CLOCK_NONE */
	uint32_t timeline; /* 0: not known */
};

struct ledger {
	struct ledger_backup *b; /* by id, once settled; then each once */
	size_t n;
	size_t cap;
	/* The newest pruning that did not tell what it let go, as those of
	 * older versions; CLOCK_NONE. */
	int64_t silent_us;
	struct flaws flaws;
	/* Backups that no pruning before that operation let go after all. */
	char (*settled)[LAYOUT_ID];
	size_t n_settled;
	char settled_before[LAYOUT_ID];
};

void ledger_begin(struct ledger *l);
void ledger_free(struct ledger *l);

/* What audit_check finds, in between the records as it comes. */
int ledger_flaw(
    struct ledger *l, const struct audit_finding *x, struct fault *f);
/* Has the trail no flaw but such as were accepted? To be settled. */
bool ledger_whole(const struct ledger *l);
/* Can it not be that the end of a backup which began then was recorded, and the
 * record is missing? */
bool ledger_proves(const struct ledger *l, int64_t start_us);
/* A record of the trail: what backups, prunings and acceptances tell. */
int ledger_take(
    struct ledger *l, const struct audit_record *r, struct fault *f);
/* A backup's head is there. stop_us CLOCK_NONE: it does not open, and so is no
 * proof that there ever was a backup. */
int ledger_there(struct ledger *l, const char *id, int64_t stop_us,
    uint32_t timeline, struct fault *f);

/* ledger_report.c. Does the report tell so much that records before it need not
 * be read again? */
bool ledger_known(const struct json *report);
/* What a report tells. instead: of the records before it; otherwise beside
 * them. A report without is fine. Before any record is taken: what was still
 * there a day after a pruning had named it was not let go by that one, which
 * was killed, or could not begin. */
int ledger_recall(
    struct ledger *l, const struct json *report, bool instead, struct fault *f);
/* For the next one: what was let go and is gone stays out. To be settled.
 * now_us: when the heads were looked for. */
int ledger_put(const struct ledger *l, int64_t now_us, struct json *report,
    struct fault *f);

void ledger_settle(struct ledger *l);
/* NULL when there is none. To be settled. */
struct ledger_backup *ledger_find(const struct ledger *l, const char *id);
/* Finished, not there, and nothing let it go. */
bool ledger_misses(const struct ledger_backup *b);

#endif
