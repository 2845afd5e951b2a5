#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"

/*
 * One line on standard error that is redrawn, at most five times a second,
 * while bytes are added. Without a terminal there, or when it is not wanted,
 * *out is NULL, which all functions take and do nothing with.
 * Threads: progress_add and progress_total from any.
 */
struct progress;

/* what: a word or two in front, kept by the caller. total: 0 if unknown. */
int progress_start(struct progress **out, const char *what, uint64_t total,
    bool wanted, struct fault *f);
void progress_total(struct progress *p, uint64_t total);
void progress_add(struct progress *p, uint64_t bytes);
/* Removes the line. */
void progress_end(struct progress *p);

/* The line itself, for that many columns; out has room for cap bytes. */
void progress_format(char *out, size_t cap, const char *what, uint64_t done,
    uint64_t total, int64_t elapsed_ms, unsigned columns);

#endif
