#ifndef ARCHIVE_DEST_H
#define ARCHIVE_DEST_H

#include "fdio.h"

/*
 * The file that archive_fetch writes: it has no name until it is whole, so a
 * fetch that is killed leaves nothing behind in PostgreSQL's pg_wal. (Where the
 * file system cannot do that, it is an fdio_atomic.)
 */

struct archive_dest {
	const char *path;
	int fd; /* unnamed; -1: the other way */
	struct fdio_atomic named;
};

int archive_dest_begin(
    struct archive_dest *d, const char *path, struct fault *f);
/* So much will be written, as far as is known: room for it at once. A hint;
 * what comes of it, archive_dest_write tells. */
void archive_dest_expect(const struct archive_dest *d, uint64_t size);
/* A sink_fn; ctx is the struct archive_dest. */
int archive_dest_write(
    void *ctx, const unsigned char *data, size_t len, struct fault *f);
/* Give it its name, replacing what was there. */
int archive_dest_publish(struct archive_dest *d, struct fault *f);
void archive_dest_abort(struct archive_dest *d);

#endif
