#ifndef PGREAD_H
#define PGREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "manifest.h"
#include "pgmanifest.h"
#include "pgtree.h"

/*
 * Reads files of a data directory while the server writes them, piece by
 * piece, for the workers of a shipper; sums them up for backup_manifest and
 * looks at every page.
 *
 * Length: what the file had when it was opened. What it grew by since comes
 * back from WAL, what it shrank by is read as zeros.
 *
 * Pages: one whose checksum is wrong is read again a few times, for the server
 * may be writing it. If it stays wrong and its LSN is not before the backup's
 * start, replay writes all of it anew, so it may be torn; but no page on disk
 * is newer than the WAL, so an LSN behind the backup's stop is damage, too.
 *
 * Cache: pages of a piece that were not in the kernel's cache before are taken
 * out of it afterwards; those that were stay. So a backup neither fills the
 * cache nor empties it of what the server uses. (The kernel tells what is
 * cached only to the file's owner or one who may write to it; to others all
 * looks cached, and nothing is taken out.)
 */

struct pgread_params {
	bool checksums; /* pages have them */
	uint32_t page_size;
	uint32_t relation_blocks; /* in a segment of a relation */
	uint64_t start_lsn;       /* of the backup */
	struct pgmanifest *manifest;
};

struct pgread;
struct pgread_file;

int pgread_new(
    struct pgread **out, const struct pgread_params *p, struct fault *f);
/* A file of at least 1 byte; takes its fd, whatever it returns. It lasts until
 * all its bytes were read, and then goes into the manifest. */
int pgread_open(struct pgread *r, const struct pgtree_file *t,
    struct pgread_file **out, struct fault *f);
/* As shipper_params.read; ctx is the struct pgread, file the pgread_file. A
 * piece but the first begins at a multiple of OBJECT_CHUNK. Any thread. */
int pgread_piece(void *ctx, void *file, const struct manifest_piece *p,
    unsigned char *out, struct fault *f);
/* When all was read: CORRUPT if pages were damaged, with the first of them. */
int pgread_verdict(const struct pgread *r, struct fault *f);
/* When the backup has stopped: CORRUPT if a page was from beyond it. */
int pgread_verdict_stop(
    const struct pgread *r, uint64_t stop_lsn, struct fault *f);
/* Closes files that were not read to their end, too. */
void pgread_free(struct pgread *r);

#endif
