#ifndef PACKREAD_H
#define PACKREAD_H

#include "manifest.h"
#include "repo.h"

/*
 * The wanted extents of one pack, fetched by range and opened. Extents that
 * lie near each other (and the header, when it is near) come in one request;
 * memory is one extent, stored and opened.
 *
 * A packread belongs to one thread and may be used for many packs.
 */

struct packread;

#define PACKREAD_ALIGN 4096

/* content: at a multiple of PACKREAD_ALIGN, the opened extent, e->where.length
 * bytes; valid during the call. */
typedef int (*packread_fn)(void *ctx, const struct manifest_extent *e,
    const unsigned char *content, struct fault *f);

/* repo: index of the repository. r is used by this thread alone. */
int packread_new(
    struct packread **out, struct repo *r, size_t repo, struct fault *f);
void packread_free(struct packread *p);

/* All extents of pack, in order. The fault names the pack. */
int packread_run(struct packread *p, const struct manifest_pack *pack,
    packread_fn cb, void *ctx, struct fault *f);

#endif
