#ifndef DISTINCT_H
#define DISTINCT_H

#include <stdbool.h>

#include "fault.h"

/*
 * Do paths that come one after the other fit into one tree: each file once, no
 * path a file and a folder, and nothing below a file? Up to DISTINCT_SURE paths
 * (folders, and those that paths lead through, are some of them) that is seen
 * for certain. Of more, memory for all would grow without end: then only those
 * of a random half are looked at, and of a quarter, and so on, so that what is
 * wrong is seen with that chance. Hashes of 127 bits stand for the paths,
 * salted, so that nobody can choose what is looked at, or two that pass for
 * one. Memory: 16 bytes a path, at most 16 MiB.
 */

#define DISTINCT_SURE 786431U

struct distinct;
int distinct_new(struct distinct **out, struct fault *f);
/* path: shorter than MANIFEST_PATH, parts with single slashes between them. A
 * folder may come again. *why: NULL, or what speaks against the path: "is
 * listed twice", for one. */
int distinct_meet(struct distinct *d, const char *path, bool folder,
    const char **why, struct fault *f);
void distinct_free(struct distinct *d);

#endif
