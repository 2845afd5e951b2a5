#ifndef MANIFEST_SOURCE_H
#define MANIFEST_SOURCE_H

#include "manifest.h"
#include "repo.h"

/*
 * The manifest of backup id in repository i, opened and read as a stream:
 * section by section, in memory that does not grow with it. Each fills *totals
 * when all of it was authenticated and read. ABSENT when there is none.
 */

/* From the store to the events, which must be quick, as the store waits for
 * them. An event that uses r needs a clone: the manifest still comes by r. */
int manifest_source_read(struct repo *r, size_t i, const char *id,
    const struct manifest_events *ev, void *ctx, struct manifest_totals *totals,
    const struct deadline *d, struct fault *f);

/* The same in two steps, for events that last for as long as the packs take:
 * no connection stays open for that, and it can be read more than once.
 * get: the object, sealed as it is, into sink; info may be NULL.
 * replay: a file that holds it, from its beginning, to the events. */
int manifest_source_get(struct repo *r, size_t i, const char *id, sink_fn sink,
    void *ctx, struct store_info *info, const struct deadline *d,
    struct fault *f);
int manifest_source_replay(const struct repo *r, const char *id, int fd,
    const struct manifest_events *ev, void *ctx, struct manifest_totals *totals,
    struct fault *f);

#endif
