#ifndef CREW_H
#define CREW_H

#include "repo.h"

/*
 * Many small requests side by side: what waits for a far store waits together.
 * Each worker has a repo handle of its own, which it keeps from run to run, so
 * connections stay warm. One thread calls; it works too.
 *
 * For a number of things that is known, with results of their own: no fault
 * ends it early. Tasks that come up while something is read are a gang's
 * (lib/verify/gang.h); a backup and a restore have queues whose entries are
 * their memory (shipper_core.h, unpacker_core.h).
 */

struct crew;

/* r must outlive it. jobs: at most so many side by side; at least 1. */
int crew_new(
    struct crew **out, const struct repo *r, unsigned jobs, struct fault *f);
void crew_free(struct crew *c);

/* fn for each k below n, in any order and from any thread; returns when all
 * are done. Results are fn's affair. Of less than jobs threads when the system
 * has no more. */
typedef void (*crew_fn)(void *ctx, size_t k, struct repo *own);
int crew_run(struct crew *c, size_t n, crew_fn fn, void *ctx, struct fault *f);

#endif
