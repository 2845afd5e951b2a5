#ifndef UNPACKER_CORE_H
#define UNPACKER_CORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "unpacker.h"

/*
 * Within the unpacker only. The caller's thread reads the manifest: folders,
 * empty files and links it makes itself, a pack's section goes into the queue
 * as a task, from which the workers take it.
 *
 * The queue's lock guards all of struct unpacker_queue. tree and params are
 * not changed once the workers run.
 */

/* A worker holds an extent as it is stored and as it was, 3 to 4 MiB with what
 * reading takes: 64 of them took 230 MiB. */
#define UNPACKER_WORKERS 16

/* A pack's section of the manifest, copied out of the stream. */
struct unpacker_task {
	struct unpacker_task *next;
	struct manifest_pack pack; /* its extents are these: */
	struct manifest_extent *extents;
	struct manifest_piece *pieces;
	char *names; /* the strings that the pack points into */
};

struct unpacker_queue {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct unpacker_task *first;
	struct unpacker_task **last;
	unsigned n;
	bool closed;        /* no more tasks will come */
	struct fault fault; /* the first of any thread */
};

struct unpacker {
	const struct unpacker_params *params;
	struct repo *repo;
	struct tree *tree;
	void (*progress)(void *ctx, uint64_t bytes);
	void *progress_ctx;
	atomic_uint_fast64_t written;
	atomic_uint_fast64_t kept; /* bytes that were there */
	struct unpacker_queue queue;
	struct pathset *names;       /* of what an existing tree may keep */
	struct unpacker_link *links; /* made when all files are written */
};

/* unpacker_queue.c */
void unpacker_queue_init(struct unpacker_queue *q);
void unpacker_queue_free(struct unpacker_queue *q);
/* Takes a copy; waits while the queue is full; the fault of whoever failed. */
int unpacker_queue_put(
    struct unpacker_queue *q, const struct manifest_pack *p, struct fault *f);
/* The next task, NULL when there are no more or somebody failed. */
struct unpacker_task *unpacker_queue_take(struct unpacker_queue *q);
void unpacker_queue_done(struct unpacker_task *t);
void unpacker_queue_close(struct unpacker_queue *q);
/* The first fault wins, and ends everybody's work. */
void unpacker_queue_fail(struct unpacker_queue *q, const struct fault *f);
/* 0, or the fault of whoever failed. */
int unpacker_queue_check(struct unpacker_queue *q, struct fault *f);

/* unpacker_worker.c */
struct unpacker_worker;
/* n workers, 1 to UNPACKER_WORKERS; NULL in *out when none was made. */
int unpacker_worker_start(struct unpacker_worker **out, struct unpacker *u,
    unsigned n, struct fault *f);
/* The queue closes; waits until they have emptied it. */
void unpacker_worker_join(struct unpacker_worker *w, struct unpacker *u);

/* unpacker_manifest.c */
/* The manifest's object into an unlinked file below the root: its records are
 * worked through for as long as the restore lasts, and no connection stays
 * open for that. */
int unpacker_manifest_fetch(struct unpacker *u, int *fd, struct fault *f);

#endif
