#ifndef GATHER_H
#define GATHER_H

#include "head.h"
#include "hold.h"
#include "retain.h"
#include "walmeta.h"

/* What a repository holds of a cluster, as the planner wants it. Memory grows
 * with the backups and with the gaps in the WAL, not with the objects. */

/* For who wants to know all that can be known, and deletes nothing. */
struct gather_eye {
	void *ctx;
	/* Each object below base/ and wal/, in the order of the listing. */
	int (*object)(void *ctx, const struct store_entry *e, struct fault *f);
	/* What cannot be opened or makes no sense is told of and left out: a
	 * head, a history file, a manifest, the holds. Without an eye it is a
	 * fault. what: the object's key. */
	int (*unreadable)(void *ctx, const char *what, const struct fault *why);
	bool base_first; /* backups before WAL: all WAL of a backup that is
			  * seen is seen */
};

struct gather_folder { /* base/ID/ */
	char id[LAYOUT_ID];
	bool has_head;
	bool running;     /* no head, and something was put within a day */
	bool needed;      /* no head, but a backup uses its packs */
	bool forgotten;   /* no head, though finished; the caller gives it up */
	int64_t start_us; /* from its id */
	int64_t last_us;  /* when the newest object was put */
	uint64_t objects;
	uint64_t bytes;
};

struct gather_timeline {
	uint32_t timeline;
	bool has_history;
};

struct gather {
	struct repo *repo;
	size_t index;
	struct store *store;
	const struct gather_eye *eye;  /* or NULL */
	struct gather_folder *folders; /* by id */
	size_t n_folders;
	struct head *heads; /* by rising stop_us */
	size_t n_heads;
	struct retain_backup *backups; /* of the heads */
	size_t **needs;
	struct gather_timeline *timelines;
	size_t n_timelines;
	struct history *paths;
	size_t n_paths;
	struct retain_wal *wal;
	size_t n_wal;
	size_t cap_wal;
	struct hold_list holds; /* of the other repositories, too */
	struct fault elsewhere; /* why those of one are not known */
	struct retain_hold *held;
	size_t n_held;
	uint64_t strange; /* objects whose names mean nothing: left alone */
	struct retain_input in;
};

/* now_us: the moment of the plan. The holds first, then the WAL, then the
 * backups: what comes in meanwhile needs nothing older than what was seen. eye
 * may be NULL. */
int gather_read(struct gather *g, struct repo *r, size_t index, int64_t now_us,
    const struct gather_eye *eye, struct fault *f);
void gather_free(struct gather *g);

const struct gather_folder *gather_find(const struct gather *g, const char *id);
/* Index of a backup; n_heads when there is none. */
size_t gather_backup(const struct gather *g, const char *id);
/* The policy of the settings. */
struct retain_policy gather_policy(const struct conf_cluster *c);

/* gather_window.c: the newest commit in that segment or, when it holds none, in
 * one of those before it on the same timeline; not before floor_us. */
int gather_window_commit(const struct gather *g, uint32_t timeline,
    uint64_t segno, int64_t floor_us, int64_t *us, struct fault *f);
/* Up to which moment can be restored in that window? */
int gather_window_end(const struct gather *g, const struct retain_window *x,
    int64_t *to_us, struct fault *f);

/* gather_wal.c
 * Is key the name of an object of this cluster's WAL? */
bool gather_wal_name(
    const struct gather *g, const char *key, struct walname *out);
/* The meta of a WAL file, from its header. */
int gather_wal_look(const struct gather *g, const char *name,
    struct walmeta *out, struct fault *f);
/* One more segment, in the order of a listing. */
int gather_wal_add(struct gather *g, const struct walname *n,
    int64_t archived_us, struct fault *f);
/* From the name's two halves, as gather_wal_add leaves them:
 * ranges of names become ranges of segment numbers. */
int gather_wal_number(struct gather *g, struct fault *f);

/* gather_hold.c: EXISTS when a hold was placed since they were read. */
int gather_hold_same(const struct gather *g, struct fault *f);
/* gather_legal.c: where object lock is on, the store's own legal holds are made
 * what the holds are: on every object that an active hold keeps; taken off what
 * only holds that are over, or were released, kept. What no hold of ours ever
 * kept is not touched. What was cut off, or is undone half-way, is
 * completed by the next call. *on, *off: how many objects. */
int gather_legal_sync(
    struct gather *g, uint64_t *on, uint64_t *off, struct fault *f);

#endif
