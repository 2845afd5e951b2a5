#ifndef TAR_H
#define TAR_H

#include <stdbool.h>
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

enum tar_kind {
	TAR_FILE,
	TAR_FOLDER,
	TAR_LINK, /* symbolic; target in link */
};

struct tar_entry {
	enum tar_kind kind;
	char name[256]; /* without "./" in front and '/' at the end; "" for . */
	char link[101];
	uint64_t size;
	uint32_t mode; /* permission bits */
	int64_t mtime; /* seconds */
};

struct tar_events {
	int (*entry)(void *ctx, const struct tar_entry *e, struct fault *f);
	/* content of the file last announced, in order */
	int (*data)(
	    void *ctx, const unsigned char *p, size_t n, struct fault *f);
	/* all of its content came */
	int (*end)(void *ctx, struct fault *f);
};

struct tar_parser;
int tar_parser_new(struct tar_parser **out, const struct tar_events *ev,
    void *ctx, struct fault *f);
/* A sink_fn; ctx is the struct tar_parser. */
int tar_parser_feed(
    void *ctx, const unsigned char *data, size_t len, struct fault *f);
/* CORRUPT in the middle of an entry. BASE_BACKUP of 14 may leave out the two
 * zero blocks at the end; they may be missing. */
int tar_parser_end(struct tar_parser *t, struct fault *f);
void tar_parser_free(struct tar_parser *t);

#endif
