#ifndef COPY_H
#define COPY_H

#include "pgread.h"
#include "progress.h"
#include "ship.h"

/* What both sources of a copy share. */

#define COPY_MANIFEST "backup_manifest"

struct copy {
	struct ship *s;
	struct shipper *shipper;
	struct progress *progress;
	int spool; /* backup_manifest, as it comes */
	uint64_t spooled;
	struct pgread *reader; /* files_copy only */
	struct pgmanifest *list;
};

/* The backup has begun there: into the head. */
int copy_started(
    struct copy *c, uint64_t lsn, uint32_t timeline, struct fault *f);
int copy_tablespace(struct copy *c, uint32_t oid, const char *path,
    uint64_t size, struct fault *f);

/* A source: everything but backup_manifest to the shipper, that into the
 * spool; stop_lsn and stop_timeline into the head. */
int stream_copy(struct copy *c, struct fault *f);
int files_copy(struct copy *c, struct fault *f);
/* As shipper_params.read, for files_copy. */
int files_read(void *ctx, void *file, const struct manifest_piece *p,
    unsigned char *out, struct fault *f);
/* When no worker reads any more. */
void files_free(struct copy *c);

#endif
