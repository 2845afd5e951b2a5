#ifndef PLANFILE_H
#define PLANFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "buf.h"
#include "json.h"

/*
 * A plan on disk: one JSON object a line, so that neither writing nor reading
 * one of a million objects takes memory. Each line has a member "line" that
 * says what it is: plan (the first), keep, window, lock, move, abort, delete,
 * end (the last, with totals and a checksum over all lines before it).
 */

#define PLANFILE_VERSION 1
#define PLANFILE_LINE 8192

struct planfile {
	FILE *fp;
	const char *name; /* for faults */
	unsigned char sum[32];
	uint64_t deletes;
	uint64_t bytes;
	uint64_t changes; /* lines that do something else */
	uint64_t moves;   /* or move a backup to another storage class */
	bool blind;       /* who wrote it could not look at everything */
	char *text;       /* the line that was read */
	size_t cap;
	unsigned long at; /* its number */
};

/* An unnamed file in dir, or in /tmp when that cannot be. */
int planfile_temporary(struct planfile *p, const char *dir, struct fault *f);
int planfile_open(struct planfile *p, const char *path, struct fault *f);
void planfile_close(struct planfile *p);

/* Takes j, in any case. */
int planfile_put(struct planfile *p, struct json *j, struct fault *f);
int planfile_put_delete(struct planfile *p, const char *key, uint64_t size,
    int64_t modified_us, const char *rule, struct fault *f);
int planfile_put_end(struct planfile *p, struct fault *f);

/* Back to the first line. */
int planfile_rewind(struct planfile *p, struct fault *f);
/* The next line; *j NULL after the end line, which is checked. Corrupt plans
 * are CONFIG: the file is the operator's. */
int planfile_next(
    struct planfile *p, struct json **j, const char **line, struct fault *f);

#endif
