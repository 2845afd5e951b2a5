#ifndef PATHSET_H
#define PATHSET_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

/*
 * A set of paths that knows only whether a path was added: 11 bytes for each,
 * however long it is. A path that was not added passes for one that was once
 * in 2^60 questions; nobody can choose which, as the hash is salted.
 */

#define PATHSET_MAX 6000000U

struct pathset;
/* For n paths; CONFIG above PATHSET_MAX. */
int pathset_new(struct pathset **out, uint64_t n, struct fault *f);
/* CORRUPT when there is room for no more. */
int pathset_add(struct pathset *s, const char *path, struct fault *f);
bool pathset_has(const struct pathset *s, const char *path);
void pathset_free(struct pathset *s);

#endif
