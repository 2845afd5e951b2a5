#ifndef SHIPPER_H
#define SHIPPER_H

#include <stdint.h>

#include "manifest.h"
#include "repo.h"

/*
 * Files in, packs and a manifest out. The caller announces folders and files
 * in any order that has folders first and hands over content as it reads it;
 * content is cut into extents of OBJECT_CHUNK bytes (small files share one),
 * and workers, of which jobs compress at a time, seal and upload them as packs
 * of up to 16 MiB while the caller reads on. Back pressure: calls block when
 * the workers are behind. Or the caller only says which files there are, and
 * the workers read them as well (shipper_pull).
 *
 * Memory: at most 96 MiB however many jobs, files or bytes; jobs above 20 are
 * taken as 20.
 * The first fault of any worker is returned by the next call; after a fault
 * only shipper_free may follow.
 */

struct shipper_params {
	const char *id; /* of the backup */
	size_t repo;    /* index of the repository */
	unsigned jobs;  /* 1 .. 64 */
	uint64_t rate;  /* bytes per second read, at most; 0: no limit */
	/* For shipper_pull: p->length bytes of file, from p->file_offset on,
	 * into out. Called by several workers at a time, each piece of a file
	 * once, in any order. */
	int (*read)(void *ctx, void *file, const struct manifest_piece *p,
	    unsigned char *out, struct fault *f);
	void *read_ctx;
};

/* So many pulled files, at most, wait to be read at any moment. */
#define SHIPPER_PULLED_MAX 384

struct shipper;
int shipper_new(struct shipper **out, struct repo *r,
    const struct shipper_params *p, struct fault *f);
int shipper_folder(struct shipper *s, const char *path, uint32_t mode,
    int64_t mtime_us, struct fault *f);
int shipper_link(
    struct shipper *s, const char *path, const char *target, struct fault *f);
/* Then exactly size bytes by shipper_data, then shipper_file_end. */
int shipper_file(struct shipper *s, const char *path, uint64_t size,
    uint32_t mode, int64_t mtime_us, struct fault *f);
int shipper_data(
    void *s, const unsigned char *data, size_t len, struct fault *f);
int shipper_file_end(struct shipper *s, struct fault *f);
/* A whole file whose content the workers will read by params.read; every piece
 * but the first begins at a multiple of OBJECT_CHUNK of the file. file: must
 * last until all its size bytes were read (with size 0 it is not used). */
int shipper_pull(struct shipper *s, const char *path, uint64_t size,
    uint32_t mode, int64_t mtime_us, void *file, struct fault *f);
/* Waits until everything that was pulled has been read. What is large enough
 * is stored then, while the caller does what takes long. */
int shipper_drain(struct shipper *s, struct fault *f);
/* Waits for all packs, ends and uploads the manifest. Everything but the head
 * is durable when it returns 0. */
int shipper_finish(struct shipper *s, struct manifest_totals *t,
    uint64_t *manifest_size, struct fault *f);
/* Stops and joins the workers; without finish, uploads are abandoned. */
void shipper_free(struct shipper *s);

#endif
