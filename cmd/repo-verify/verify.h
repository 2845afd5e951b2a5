#ifndef VERIFY_H
#define VERIFY_H

#include <pthread.h>

#include "audit.h"
#include "blocks.h"
#include "chain.h"
#include "evidence.h"
#include "gather.h"
#include "ledger.h"
#include "lottery.h"
#include "progress.h"
#include "waldays.h"

/* What was asked for. */
struct verify_run {
	const struct conf_cluster *cluster;
	bool one_repo;              /* of the cluster's, and nothing else */
	const char *const *backups; /* ids; none: all */
	size_t n_backups;
	bool wal; /* nothing but WAL */
	bool since_last;
	bool record;
	bool bar;
	struct lottery lottery;
	unsigned jobs;
	bool name_repo; /* findings tell the repository */
	/* Flaws of the trail that the operator accepts, and why. */
	const char *const *accept;
	size_t n_accept;
	const char *reason;
	const char *approved_by;
};

/* One thing that was found. */
struct verify_finding {
	char *object; /* a key, or several */
	char *problem;
	char *meaning; /* for recovery */
	bool hurts;    /* recovery, or the proof of what was done */
};

/* A segment that is there and cannot be replayed, or is gone meanwhile. */
struct verify_damage {
	struct chain_hole where; /* one segment, or in front of it */
	bool absent;
	char *why;
};

struct verify_folder { /* beside gather's: what was listed of a backup */
	unsigned char sum[BLOCKS_SUM];
	size_t first_pack;
	size_t n_packs;
};

struct verify_pack {
	uint32_t number;
	bool used;
	uint64_t size;
};

struct verify_other { /* .partial and .backup files */
	char name[WALNAME_SIZE];
};

/* How a backup fared. */
struct verify_backup {
	bool wanted;  /* to be looked into in this run */
	bool skipped; /* read before, and as it was */
	bool read;    /* its manifest and its extents now */
	bool usable;  /* nothing speaks against restoring it */
	bool gone;    /* pruned meanwhile */
	bool frozen;  /* packs of it were not read: they have to be thawed */
	uint64_t extents;
	uint64_t bytes;
};

/* WAL that was read in this run, without a gap. */
struct verify_span {
	uint32_t timeline;
	uint64_t first;
	uint64_t last;
	uint64_t read;    /* by content */
	uint64_t looked;  /* header and trailer only */
	uint64_t skipped; /* read before */
};

/* A report that the trail names. */
struct verify_report {
	char id[LAYOUT_ID];
	unsigned char hash[AUDIT_HASH];
	bool own;    /* by the record of its own run */
	bool hashed; /* records of older versions do not tell the hash, nor
		      * whether it was stored at all */
};

struct verify_came {
	uint32_t timeline; /* the name's parts */
	uint32_t log;
	uint32_t seg;
	int64_t at_us;
	uint64_t stored;
};

/* The WAL of a day, summed up by this run. */
#define VERIFY_DAYS 40
struct verify_day {
	int64_t day;
	struct waldays_sum sum;
};

/* One repository. */
struct verify {
	const struct verify_run *run;
	struct conf_cluster only;
	struct repo *repo;
	struct store *store;
	bool seen; /* it is this cluster's archive */
	char id[LAYOUT_ID];
	int64_t begun_us;
	int64_t begun_ms;

	struct evidence last;
	struct gather gather;
	struct gather_eye eye;

	/* look.c: as listed */
	struct blocks blocks;
	struct verify_folder *folders;
	size_t n_folders;
	size_t cap_folders;
	struct crypto_hash *hash;
	struct verify_pack *packs;
	size_t n_packs;
	size_t cap_packs;
	struct verify_other *others;
	size_t n_others;
	size_t cap_others;
	struct chain_list missing;
	struct chain_tails tails; /* as reports before saw them */

	/* read_*.c, damage.c; under the lock where threads work */
	pthread_mutex_t lock;
	struct verify_backup *backups; /* as gather's heads */
	size_t current;                /* the one that is read */
	struct verify_damage *damaged;
	size_t n_damaged;
	struct chain_hole *ends; /* segments whose records end early */
	size_t n_ends;
	struct verify_span *spans;
	size_t n_spans;
	struct retain_cut *borders; /* joints.c: still to be looked at */
	size_t n_borders;
	struct progress *bar;
	uint64_t stored; /* bytes of objects that were read */

	/* found.c */
	struct verify_finding *findings;
	size_t n_findings;
	uint64_t more;  /* that are not listed */
	bool more_hurt; /* one of them does */
	bool hurt;

	/* windows.c */
	struct retain_window *windows;
	int64_t *window_ends;
	size_t n_windows;

	/* trail.c */
	struct audit_head *heads;
	size_t n_heads;
	struct evidence_prune *prunes;
	size_t n_prunes;
	size_t cap_prunes;
	struct ledger ledger;

	/* reports.c */
	char (*listed)[LAYOUT_ID]; /* in order */
	size_t n_listed;
	bool unlisted; /* they are too many */
	struct verify_report *reports;
	size_t n_reports;
	size_t cap_reports;
	bool known_before; /* those before the last one are there */
	unsigned char own_hash[AUDIT_HASH]; /* of our own, once it is stored */
	bool stored_own;

	/* days.c */
	struct verify_came *came; /* segments, not of days long done */
	size_t n_came;
	size_t cap_came;
	int64_t came_since_us;
	int64_t came_more_us; /* the first that there was no room for; 0 */
	struct audit_head day_head; /* the end of the chain of days */
	int64_t day_done;           /* the newest that is on record; 0 */
	struct verify_day days[VERIFY_DAYS];
	size_t n_days;
};

/* state.c: nothing is known yet. again: for a second look at the same
 * repository; what it takes from v stays v's. clear: all but last and repo. */
void state_begin(struct verify *v, const struct verify_run *run);
void state_again(struct verify *w, const struct verify *v);
void state_clear(struct verify *v);

/* found.c: a finding that hurts, or a note; once per object. From any thread,
 * unless the lock is held. */
int found_add(struct verify *v, bool hurts, const char *object,
    const char *problem, struct fault *f, const char *meaning, ...)
    __attribute__((format(printf, 6, 7)));
/* What says that this backup cannot be restored is no finding when there is no
 * such backup any more. */
void found_forget(struct verify *v, const char *id);
/* How many of those that are listed hurt. */
size_t found_hurting(const struct verify *v);
/* The key of a WAL file, to name it by. */
int found_wal_key(const struct verify *v, const char *name,
    char key[LAYOUT_KEY], struct fault *f);
void found_print(const struct verify *v);
void found_free(struct verify *v);

/* elsewhere.c: this repository holds no backup. That is a finding, unless
 * another one of the run has one. */
int elsewhere_or_never(struct verify *v, struct fault *f);

/* look.c: list everything. */
int look_run(struct verify *v, struct fault *f);
/* Bound name of a pack. */
bool look_listed(void *ctx, const char *name, uint64_t *size);
/* Is that segment listed? */
bool look_has(const struct verify *v, uint32_t timeline, uint64_t segno);
/* missing.c: what should be there and is not, nor comes; and what is missing
 * when everything is listed anew. */
int missing_find(struct verify *v, struct fault *f);
int missing_once_more(
    const struct verify *v, struct chain_list *out, struct fault *f);
/* pruned.c: forget what was pruned while we looked. */
int pruned_drop(struct verify *v, struct fault *f);
/* prunes.c: the prunings that are on record. take: an audit record of one,
 * known: does the last report tell of those before it? recall: take them from
 * it. */
int prunes_take(
    struct verify *v, const struct audit_record *r, struct fault *f);
bool prunes_known(const struct verify *v);
int prunes_recall(struct verify *v, struct fault *f);
int prunes_put(const struct verify *v, struct json *j, struct fault *f);
/* The latest beginning of the WAL window in prunings before that moment;
 * CLOCK_NONE without any. */
int64_t prunes_floor(const struct verify *v, int64_t before_us);

/* tails.c: how far the WAL of each timeline went for the last report, in which
 * a tail that was lost is handed on until it is back or let go. */
int tails_recall(struct verify *v, struct fault *f);
int tails_put(const struct verify *v, struct json *report, struct fault *f);

/* read_wal.c, read_backups.c; WAL first. bytes: what is to be read of it. */
int read_wal(struct verify *v, struct fault *f);
uint64_t read_wal_bytes(const struct verify *v);
int read_backups(struct verify *v, struct fault *f);
/* damage.c: a segment that cannot be replayed, and one whose records end before
 * it does. Under the lock; x->why is made of why. */
int damage_add(struct verify *v, const struct verify_damage *x, const char *why,
    struct fault *f);
int damage_end(
    struct verify *v, uint32_t timeline, uint64_t segno, struct fault *f);

/* joints.c: does each segment go on where the one before it ends? Of two that
 * are read in this run their edges meet at a border, which both tasks hold. */
struct joints_border;
struct joints_link { /* from the segment that was given last to the next */
	uint32_t timeline;
	uint64_t next;
	bool skipped; /* that one is not read */
	struct joints_border *after;
};
/* That segment is the next that is read. */
int joints_enter(struct verify *v, struct joints_link *l, uint32_t timeline,
    uint64_t segno, struct joints_border **before, struct joints_border **after,
    struct fault *f);
/* It was read before. */
int joints_pass(struct verify *v, struct joints_link *l, uint32_t timeline,
    uint64_t segno, struct fault *f);
/* Its edges are known. From any thread. */
int joints_meet(struct verify *v, struct joints_border *before,
    struct joints_border *after, const struct wal_joint *j, struct fault *f);
void joints_leave(struct verify *v, struct joints_border *b);
/* The borders of which one side was not read, and those at which timelines
 * branch off: by the sealed metas. */
int joints_look(struct verify *v, struct fault *f);
/* Is the WAL in which that backup ended its server's? */
int joints_stop(struct verify *v, size_t backup, struct fault *f);

/* reports.c: no report that the trail names is gone. list: which are there;
 * known: are those before the last one just those that it knew, so that the
 * records before it need not be read for them? take: an audit record; judge:
 * what is missing becomes a flaw of the trail's, and a last report that is
 * another than the trail says is not believed. */
int reports_list(struct verify *v, struct fault *f);
bool reports_known(const struct verify *v);
int reports_take(
    struct verify *v, const struct audit_record *r, struct fault *f);
int reports_judge(struct verify *v, struct fault *f);
int reports_put(const struct verify *v, struct json *j, struct fault *f);

/* days.c: a record for the WAL of each day that is over. begin: before the
 * listing; see: a segment, as it
 * is listed; take: an audit record; recall: what the last report knew of those
 * before it; run: what is to be summed up, and is on record then. */
void days_begin(struct verify *v);
int days_see(struct verify *v, const struct walname *n, uint64_t stored,
    int64_t came_us, struct fault *f);
int days_take(struct verify *v, const struct audit_record *r);
void days_recall(struct verify *v);
int days_run(struct verify *v, struct fault *f);
int days_put(const struct verify *v, struct json *j, struct fault *f);

/* last.c: the last report, and the id of ours behind it. */
int last_recall(struct verify *v, struct fault *f);

/* notes.c: remains, and packs that no backup uses. */
int notes_add(struct verify *v, struct fault *f);

/* judge.c: what all that means. */
int judge_run(struct verify *v, struct fault *f);
/* windows.c: which moments can be restored, and from which backups. */
int windows_find(struct verify *v, struct fault *f);

/* lost.c: backups that were finished, and whose heads are gone though nothing
 * let them go. find: which these are, before what is left of them is told of;
 * tell: what that means, once the windows are known. */
int lost_find(struct verify *v, struct fault *f);
int lost_tell(struct verify *v, struct fault *f);

/* trail.c: the audit trail, checked and continued. The check tells of prunings
 * and backups, so it comes after the listing, and before what is missing is
 * judged. read: the records alone, and nothing is told. */
int trail_check(struct verify *v, struct fault *f);
int trail_read(struct verify *v, struct fault *f);
/* accept.c: record what the operator accepts of the trail's flaws. */
int accept_run(struct verify *v, struct fault *f);
/* failed: why the run could not be ended; NULL. */
int trail_note(struct verify *v, const struct fault *failed, struct fault *f);

/* result.c */
int result_put(const struct verify *v, struct json *j, struct fault *f);
/* What had been found when it could go no further. */
int result_put_failed(const struct verify *v, const char *repo,
    const struct fault *why, struct json *j, struct fault *f);
int result_record(struct verify *v, struct fault *f);
void result_say(const struct verify *v);

#endif
