#ifndef RETAIN_H
#define RETAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "history.h"
#include "walname.h"

/*
 * Which backups and which WAL stay: catalogue, policy, holds and a clock in,
 * a plan out. Pure.
 *
 * A backup stays if any rule keeps it (enum retain_rule). WAL stays
 * (a) on each path, that is a timeline with those it descends from, from the
 *     newest backup that ended before the WAL window began, to the end of the
 *     path: so each moment in the window can be restored. Where there is no
 *     such backup, from the oldest. A held range of time is such a window too,
 *     with an end;
 * (b) for every backup that stays from its start to its stop;
 * (c) when it was archived inside the WAL window, or since an hour before a
 *     backup began that is still running;
 * and all of it while there is no good backup. A path belongs to the window
 * when its newest WAL does, or when it is the cluster's present one: that of
 * the newest WAL there is, or of the newest good backup.
 *
 * A backup is good when its WAL from start to stop and the backups it needs
 * are there. Only good ones count for tiers, minimum and windows.
 */

struct retain_policy {
	int64_t full_us;    /* backups younger than this stay */
	int64_t wal_us;     /* each moment so long ago can be restored */
	int64_t archive_us; /* those of class archive */
	uint32_t daily;  /* so many days before the present one; 0: no tier */
	uint32_t weekly; /* ISO weeks */
	uint32_t monthly;
	uint32_t yearly;
	uint32_t minimum; /* newest full backups, whatever their age */
};

enum retain_class {
	RETAIN_CLASS_NONE,
	RETAIN_CLASS_DAILY,
	RETAIN_CLASS_WEEKLY,
	RETAIN_CLASS_MONTHLY,
	RETAIN_CLASS_YEARLY,
	RETAIN_CLASS_ARCHIVE,
};

/* "weekly" and so on; NONE for any other word. */
enum retain_class retain_class_of(const char *name);

/* Object lock: for how long an object that is put now is certain to stay, so
 * that no lock outlives the rules. What becomes known later (a backup was the
 * last of its month) is added then: retain_backup_until.
 * wal: retain_wal, as all WAL archived since then stays. backup: the longest of
 * retain_full, retain_wal (a window may begin from it) and its class's time.
 * record: what is never pruned, as long as the longest rule may keep a
 * backup. */
int64_t retain_lock_wal_us(const struct retain_policy *p);
int64_t retain_lock_backup_us(
    const struct retain_policy *p, enum retain_class c, int64_t now_us);
int64_t retain_lock_record_us(const struct retain_policy *p);

struct retain_backup {
	const char *id;
	bool readable; /* its head opens */
	bool full;
	enum retain_class class;
	int64_t start_us;
	int64_t stop_us;
	uint32_t timeline;
	uint64_t start_lsn;
	uint64_t stop_lsn;
	const size_t *needs; /* backups whose packs it uses, by index */
	size_t n_needs;
	bool needs_lost; /* and one that is not there */
};

/* Segments of a timeline without a gap. */
struct retain_wal {
	uint32_t timeline;
	uint64_t first;
	uint64_t last;   /* inclusive */
	int64_t last_us; /* when the newest of them was archived;
			    INT64_MAX when not known */
};

/* A timeline, and its first segment with a commit after a held range. */
struct retain_bound {
	uint32_t timeline;
	uint64_t segno;
};

struct retain_hold {
	const char *id;
	int64_t until_us;   /* CLOCK_NONE: until it is released */
	const char *backup; /* NULL: a range of time */
	int64_t from_us;
	int64_t to_us; /* CLOCK_NONE: open */
	const struct retain_bound *bounds;
	size_t n_bounds;
};

/* A segment that does not go on where the one before it ends. */
struct retain_cut {
	uint32_t timeline;
	uint64_t segno;
};

struct retain_input {
	const struct retain_backup *backups; /* by rising stop_us */
	size_t n_backups;
	/* By timeline, then first; neighbours may touch. For exact results a
	 * range ends where another timeline branches off. */
	const struct retain_wal *wal;
	size_t n_wal;
	const struct retain_cut *cuts; /* retain_windows ends at them */
	size_t n_cuts;
	/* Of each timeline that a backup, WAL or a history file speaks of. */
	const struct history *paths;
	size_t n_paths;
	const struct retain_hold *holds; /* not released */
	size_t n_holds;
	int64_t running_us; /* start of the oldest running backup; CLOCK_NONE */
	uint32_t segment_size;
	int64_t now_us;   /* the moment of the plan: ages count to it */
	int64_t clock_us; /* the present one; not before now_us */
};

enum retain_rule {
	RETAIN_FULL = 1 << 0,  /* younger than full_us */
	RETAIN_DAILY = 1 << 1, /* newest good one of its day */
	RETAIN_WEEKLY = 1 << 2,
	RETAIN_MONTHLY = 1 << 3,
	RETAIN_YEARLY = 1 << 4,
	RETAIN_CLASS = 1 << 5, /* its class's time is not over */
	RETAIN_MINIMUM = 1 << 6,
	RETAIN_WINDOW = 1 << 7, /* the WAL window begins from it */
	RETAIN_HOLD = 1 << 8,
	RETAIN_NEEDED = 1 << 9, /* a backup that stays uses its packs */
};
#define RETAIN_RULES 10

/* A backup's stop may lie so far beyond the clock, and two clocks may differ by
 * so much. */
#define RETAIN_TOLERANCE_US (5 * 60 * INT64_C(1000000))

struct retain_plan;

/*
 * CONFIG when the catalogue cannot be trusted, and nothing is planned then: a
 * backup from the future, a clock that went backwards (a backup that ended
 * before it began, or one further in the WAL that ended earlier), backups out
 * of order, a need that is older than none. CORRUPT: a head cannot be read.
 * The plan keeps pointers into input, which must live as long.
 */
int retain_plan(struct retain_plan **out, const struct retain_policy *policy,
    const struct retain_input *input, struct fault *f);
/* By the holds alone: all else goes. */
int retain_plan_held(struct retain_plan **out, const struct retain_input *input,
    struct fault *f);
void retain_free(struct retain_plan *p);

/* The rules that keep backup i; 0: it goes. */
unsigned retain_backup_rules(const struct retain_plan *p, size_t i);
bool retain_backup_good(const struct retain_plan *p, size_t i);
/* Until when it is certain that rules keep it, as far as time decides that:
 * retain_full and its class; a tier once its day, week, month or year is over,
 * for before it a newer backup may take its place; the backups that need it.
 * CLOCK_NONE: not at all. */
int64_t retain_backup_until(const struct retain_plan *p, size_t i);
/* The same of WAL that was archived then and stays for a window: until a backup
 * that ended later can take the place of the one before it. */
int64_t retain_wal_until(const struct retain_plan *p, int64_t archived_us);
/* One of them, as in "weekly 2026-W47". */
#define RETAIN_TEXT 128
void retain_rule_text(const struct retain_plan *p, size_t i, unsigned rule,
    char out[RETAIN_TEXT]);
/* Does a segment stay? A .partial or .backup file shares the fate of the
 * segment in its name. archived_us: CLOCK_NONE when not known. */
bool retain_keeps_wal(const struct retain_plan *p, uint32_t timeline,
    uint64_t segno, int64_t archived_us);
/* The same by place alone, whenever it was archived. *last: the last segment of
 * that timeline for which the answer is this one. */
bool retain_keeps_place(const struct retain_plan *p, uint32_t timeline,
    uint64_t segno, uint64_t *last);
int64_t retain_window_us(const struct retain_plan *p); /* where it begins */

/* From the backup's stop to the last commit in that segment, each moment can
 * be restored on that timeline. */
struct retain_window {
	uint32_t timeline;
	size_t backup; /* index */
	uint32_t end_timeline;
	uint64_t end_segno;
};
/* For each backup (out) the tier whose storage class suits it: that of the
 * longest rule that keeps it, WEEKLY to ARCHIVE. NONE: it stays in the class
 * that it has: it is younger than hot_us, or may be needed soon (by
 * retain_full, retain_minimum or the WAL window, from which on no backup is
 * moved), or is under a hold, kept by no such rule, or not good. One whose
 * packs others use goes no further than each of those that stay. */
int retain_tiers(const struct retain_plan *p, int64_t hot_us,
    enum retain_class *out, struct fault *f);

/* What can be restored. alive: by backup, NULL for all. The caller frees *out.
 */
int retain_windows(const struct retain_input *input, const bool *alive,
    struct retain_window **out, size_t *n, struct fault *f);

#endif
