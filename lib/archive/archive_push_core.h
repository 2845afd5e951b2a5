#ifndef ARCHIVE_PUSH_CORE_H
#define ARCHIVE_PUSH_CORE_H

#include <pthread.h>

#include "archive_job.h"
#include "archive_late.h"

/* For archive_push and archive_outcome alone: a push on its way, and what
 * comes of it in each repository. */

struct archive_push_thread {
	struct archive_push *push;
	struct archive_job job;
	struct archive_late late;
	pthread_t thread;
	bool started;
	bool without; /* it gets nothing this time */
	/* under the lock: */
	bool durable;
	int64_t durable_ms; /* when */
	bool done;
	/* by the thread until it is done: */
	struct fault fault;
};

struct archive_push {
	struct repo *repo;
	char *path;
	char *mark_note; /* may be NULL */
	archive_after_fn after;
	void *after_ctx;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* on the monotonic clock */
	bool left; /* under the lock: the last thread frees all of it */
	struct archive_job_task task;
	size_t n;
	struct archive_push_thread threads[CONF_LIST];
};

/* What has come of it when the time is over or all are done; remembers where
 * the mark is, when there is news. 0: the quorum holds it. */
int archive_outcome_judge(
    struct archive_push *p, struct archive_result *res, struct fault *f);
/* For the next objects to tell: when it became durable. */
void archive_outcome_tell(struct archive_push *p);

#endif
