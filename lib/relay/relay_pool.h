#ifndef RELAY_POOL_H
#define RELAY_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "fault.h"

/*
 * Threads that work on jobs, oldest first. Jobs are pointers of the caller's.
 * All functions are for one thread, the one that made the pool. The threads
 * are never ended: the process is. So it is none for commands, which end when
 * their work is done: crew.h, gang.h.
 */

#define RELAY_POOL_JOBS 512 /* most that wait */
#define RELAY_POOL_THREADS 32

struct relay_pool;

/* work(ctx, i, job): in thread i, 0 .. n-1. */
typedef void (*relay_work_fn)(void *ctx, size_t i, void *job);
int relay_pool_new(struct relay_pool **out, size_t n, relay_work_fn work,
    void *ctx, struct fault *f);
/* urgent: before all others. false: there is no room. */
bool relay_pool_put(struct relay_pool *p, void *job, bool urgent);
/* Take back a job that no thread has begun; false: too late. */
bool relay_pool_take_back(struct relay_pool *p, const void *job);
/* A job that is done; NULL: none at the moment. */
void *relay_pool_done(struct relay_pool *p);
/* Readable when there is one. */
int relay_pool_fd(const struct relay_pool *p);

#endif
