#ifndef DISTINCT_H
#define DISTINCT_H

#include <stdbool.h>

#include "fault.h"

/*
 * Has a path come before? Up to DISTINCT_SURE paths that is seen for certain.
 * Of more, memory for all would grow without end: then only those of a random
 * half are looked at, and of a quarter, and so on, so that one that comes twice
 * is seen with that chance. Hashes of 128 bits stand for the paths, salted, so
 * that nobody can choose what is looked at, or two that pass for one.
 * Memory: 16 bytes a path, at most 16 MiB.
 */

#define DISTINCT_SURE 786431U

struct distinct;
int distinct_new(struct distinct **out, struct fault *f);
/* path: shorter than MANIFEST_PATH. *again: it has come before. */
int distinct_meet(
    struct distinct *d, const char *path, bool *again, struct fault *f);
void distinct_free(struct distinct *d);

#endif
