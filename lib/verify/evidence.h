#ifndef EVIDENCE_H
#define EVIDENCE_H

#include "audit.h"
#include "blocks.h"
#include "json.h"
#include "layout.h"
#include "repo.h"
#include "walname.h"

/*
 * The result of a verification, as a sealed object in the repository
 * (CLUSTER/SYSTEM-ID/verify/ID/report, pitrkit-format(5)): what was found, and
 * what is known to have been read whole, now or before, so that another run
 * need not read it again. Only a report that opens with our keys is believed,
 * and only for objects that are listed as they were.
 */

struct evidence_backup {
	char id[LAYOUT_ID];
	uint64_t objects;
	unsigned char sum[BLOCKS_SUM]; /* over their listing */
	int64_t read_us;
};

struct evidence {
	char id[LAYOUT_ID];      /* of the report; "" */
	struct blocks_mark *wal; /* in order */
	size_t n_wal;
	struct evidence_backup *backups;
	size_t n_backups;
	struct json *all;               /* the whole report */
	unsigned char hash[AUDIT_HASH]; /* SHA-256 of its content */
};

/* A pruning on record: where its WAL window began. */
struct evidence_prune {
	int64_t at_us;
	int64_t floor_us;
};

/* The newest segment of a timeline. */
struct evidence_named { /* a report, and SHA-256 of its content */
	char id[LAYOUT_ID];
	unsigned char hash[AUDIT_HASH];
};

struct evidence_tail {
	struct walname name;
	int64_t archived_us;
};

#define EVIDENCE_2200 INT64_C(7258118400000000)

/* The newest report of a time before 2200. All zero when there is none. After
 * CORRUPT or KEY id is set: it is there, and nothing of it is to be believed.
 */
int evidence_last(
    struct repo *r, size_t i, struct evidence *out, struct fault *f);
/* The ids of reports that are listed, of times before 2200: anybody can put
 * such names. all: in order; CORRUPT when there are more than
 * EVIDENCE_REPORTS; the caller frees *out. newest: id stays as it is when there
 * is none. */
#define EVIDENCE_REPORTS 100000
int evidence_list_all(struct repo *r, size_t i, char (**out)[LAYOUT_ID],
    size_t *n, struct fault *f);
int evidence_list_newest(
    struct repo *r, size_t i, char id[LAYOUT_ID], struct fault *f);
/* SHA-256 of a report's content. ABSENT, or a fault of the object, when it is
 * not to be had. */
int evidence_hash(struct repo *r, size_t i, const char *id,
    unsigned char hash[AUDIT_HASH], struct fault *f);
/* A report's content, and its id. CORRUPT when it is none, or another one's. */
int evidence_decode(const void *text, size_t len, const char *id,
    struct evidence *out, struct fault *f);
void evidence_free(struct evidence *e);
const struct evidence_backup *evidence_find(
    const struct evidence *e, const char *id);

/* The ends of the audit trail's chains, as a report knew them, and those that
 * it knew to be gone: to be told of audit_check. The caller frees *out. report
 * NULL, or one without: none. */
int evidence_heads(const struct json *report, struct audit_head **out,
    size_t *n, struct fault *f);

/* evidence_past.c: what it hands on of prunings, of reports that no record
 * names, and of how far the WAL went.
 * As evidence_heads. */
int evidence_past_prunes(const struct json *report, struct evidence_prune **out,
    size_t *n, struct fault *f);
int evidence_past_unrecorded(const struct json *report,
    struct evidence_named **out, size_t *n, struct fault *f);
int evidence_past_tails(const struct json *report, struct evidence_tail **out,
    size_t *n, struct fault *f);

/* The member "read" of a report. */
int evidence_put(struct json *report, const struct blocks_mark *wal,
    size_t n_wal, const struct evidence_backup *backups, size_t n_backups,
    struct fault *f);
/* Store it. id: as layout_new_hold makes it. hash: of its content. */
int evidence_store(struct repo *r, size_t i, const char *id,
    const struct json *report, unsigned char hash[AUDIT_HASH], struct fault *f);

#endif
