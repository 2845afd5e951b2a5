#ifndef AHEAD_PUSH_H
#define AHEAD_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive.h"

/*
 * A file's way in a thread of the worker: sealed when there is a processor and
 * memory for it, then sent.
 *
 * A repository that does not answer, and that the quorum can do without, keeps
 * a file's memory, a connection and a thread of its own until the file's time
 * is over, but not the thread that sealed it. So that these stay few, one in
 * which AHEAD_PUSH_WAITING files wait gets no more until one of them is
 * through; whoever asks is told.
 */
#define AHEAD_PUSH_WAITING 4

struct ahead_push;
/* So many files at a time, of which jobs are being sealed. base must last. */
int ahead_push_new(struct ahead_push **out, struct repo *base, size_t jobs,
    size_t threads, struct fault *f);

struct ahead_push_file {
	const char *path;
	uint64_t turn; /* the lowest goes first */
	int64_t allowed_ms;
	bool everywhere; /* one that does not answer may be needed */
};
/* In thread i. If res->busy, a repository still works on it when this returns.
 */
int ahead_push_file(struct ahead_push *a, size_t i,
    const struct ahead_push_file *file, struct archive_result *res,
    struct fault *f);

#endif
