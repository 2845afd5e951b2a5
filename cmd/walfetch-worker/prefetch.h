#ifndef PREFETCH_H
#define PREFETCH_H

#include <stdbool.h>

#include "relay.h"
#include "repo.h"

/*
 * Prefetch: the worker that reads the segments recovery is going to ask for,
 * and gives them to the calls that come for them.
 */

/* Does the server in the working directory recover? */
bool prefetch_recovering(void);
/* Be the worker, from the segment after this one on; returns when it is time to
 * end. -1: there is nothing to be read ahead here. */
int prefetch_serve(struct repo *r, const char *delivered, int listener);

#endif
