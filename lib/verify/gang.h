#ifndef GANG_H
#define GANG_H

#include "packread.h"
#include "repo.h"
#include "walcheck.h"

/*
 * Hands that work side by side on tasks, each with a repository handle of its
 * own. The queue is short: who gives tasks waits for the hands.
 *
 * For tasks that come up while a manifest or a listing is read, of which the
 * first fault ends all. Things that are known in number are a crew's (crew.h).
 */

struct gang;

struct gang_hand {
	struct repo *repo;
	struct packread *packs; /* NULL in a gang without */
	struct walcheck *wal;
};

struct gang_task {
	struct gang_task *next;
	/* A fault ends the work of all. */
	int (*run)(struct gang_task *t, struct gang_hand *h, struct fault *f);
	/* Called for each task that was given, run or not. */
	void (*free)(struct gang_task *t);
};

/* A gang for packs (segment_size 0) or for WAL; it gets as many hands as
 * memory allows (80 MiB), at most jobs. */
int gang_new(struct gang **out, struct repo *r, size_t repo, unsigned jobs,
    uint32_t segment_size, struct fault *f);
/* Takes t. Returns the first fault of any hand. */
int gang_give(struct gang *c, struct gang_task *t, struct fault *f);
/* Until all that was given is done. */
int gang_rest(struct gang *c, struct fault *f);
void gang_free(struct gang *c);

#endif
