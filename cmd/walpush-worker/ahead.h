#ifndef AHEAD_H
#define AHEAD_H

#include <stdbool.h>

#include "relay.h"
#include "repo.h"

/*
 * Look-ahead: the worker that pushes the files PostgreSQL is going to hand over
 * next, and tells the calls that come for them that they are durable.
 */

/* Does another file than this one wait to be archived? */
bool ahead_wanted(const char *path);
/* Be the worker; returns when it is time to end. r: opened. */
/* path: the file that the starting call pushes itself; not done ahead. */
void ahead_serve(struct repo *r, int listener, const char *path);

#endif
