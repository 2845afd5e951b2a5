#ifndef WAYSTOP_H
#define WAYSTOP_H

#include "head.h"
#include "repo.h"

/*
 * Is the WAL in which a backup ended that of the server it was taken from? Each
 * primary ends a backup with a record that names where the backup began;
 * recovery waits for exactly that record, and a segment of another server with
 * the same past, under the same name, has none there.
 *
 * In repository i. FOREIGN when it is not, with the segment's name; else what
 * walcheck_read says of it (ABSENT, CORRUPT, ...). 0 as well where nothing can
 * tell: standbys write no such record, and one that began in the segment before
 * is not looked for. Reads one segment, as walcheck does.
 */
int waystop_check(
    struct repo *r, size_t i, const struct head *h, struct fault *f);

#endif
