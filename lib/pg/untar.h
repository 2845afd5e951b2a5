#ifndef UNTAR_H
#define UNTAR_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"

/*
 * The tar stream of BASE_BACKUP, parsed as it comes in (POSIX ustar with GNU's
 * base-256 sizes, long names refused as PostgreSQL never writes them). Checks
 * checksums, sizes, padding, and that names are relative and without "..".
 *
 * Memory: one header block; file content is handed through without a copy.
 */

enum untar_kind {
	UNTAR_FILE,
	UNTAR_FOLDER,
	UNTAR_LINK, /* symbolic; target in link */
};

struct untar_entry {
	enum untar_kind kind;
	char name[256]; /* without "./" in front and '/' at the end; "" for . */
	char link[101];
	uint64_t size;
	uint32_t mode; /* permission bits */
	int64_t mtime; /* seconds */
};

struct untar_events {
	int (*entry)(void *ctx, const struct untar_entry *e, struct fault *f);
	/* content of the file last announced, in order */
	int (*data)(
	    void *ctx, const unsigned char *p, size_t n, struct fault *f);
	/* all of its content came */
	int (*end)(void *ctx, struct fault *f);
};

struct untar;
int untar_new(struct untar **out, const struct untar_events *ev, void *ctx,
    struct fault *f);
/* A sink_fn; ctx is the struct untar. */
int untar_feed(
    void *ctx, const unsigned char *data, size_t len, struct fault *f);
/* CORRUPT in the middle of an entry. BASE_BACKUP of 14 may leave out the two
 * zero blocks at the end; they may be missing. */
int untar_end(struct untar *t, struct fault *f);
void untar_free(struct untar *t);

#endif
