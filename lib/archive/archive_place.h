#ifndef ARCHIVE_PLACE_H
#define ARCHIVE_PLACE_H

#include "archive_note.h"
#include "repo.h"

/*
 * Is a directory still the place that the archive was begun in? One that had
 * the mark and has it no more may be the mount point without its file system:
 * what is put there would be hidden, and missing, once it is mounted.
 */

/* Where the note of a cluster's marks is kept: in spool_dir; terminated. */
int archive_place_note(const struct repo *r, struct buf *path, struct fault *f);
/* AGAIN when the note knows repository i and its mark is not there; 0 when it
 * does not know it, and for what is no directory. */
int archive_place_check(struct repo *r, size_t i, const struct archive_note *n,
    const struct deadline *d, struct fault *f);
/* The same by the note in spool_dir, for who keeps none. */
int archive_place_check_noted(
    struct repo *r, size_t i, const struct deadline *d, struct fault *f);

#endif
