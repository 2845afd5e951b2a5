#ifndef PACKCHECK_H
#define PACKCHECK_H

#include "head.h"
#include "repo.h"

/*
 * Is everything there that a backup consists of? Its manifest is read as a
 * stream and authenticated to its end, and every pack that it names is looked
 * for in listings of the folders (a thousand packs a request) and must have
 * its size. What is in the packs only reading them can tell.
 * Memory: some 4 MiB, however many packs; beyond 128 Ki of them folders are
 * listed more than once.
 */

/* Told for each pack at fault: size is what the store has, or UINT64_MAX when
 * there is no such object. */
typedef void (*packcheck_fn)(
    void *ctx, const char *name, uint64_t want, uint64_t size);

/* The storage classes that the packs are in, each once, with blanks between;
 * "" where the store has none. What there is no room for is left out. */
#define PACKCHECK_CLASSES 128

/* classes is set with 0. CORRUPT, with their number and the first one, when
 * packs are missing or have another size; told (may be NULL) hears of each
 * before that. CORRUPT, too, when the manifest is missing, is not the head's,
 * or leads into a tablespace's folder beside the server's own. */
int packcheck_run(struct repo *r, size_t i, const struct head *h,
    packcheck_fn told, void *ctx, char classes[PACKCHECK_CLASSES],
    const struct deadline *d, struct fault *f);

#endif
