#ifndef ARCHIVE_SPARE_H
#define ARCHIVE_SPARE_H

#include "buf.h"

/*
 * The memory of objects that are over, for the next ones. New memory comes page
 * by page, and each page is cleared: for a segment that takes as long as a
 * fifth of compressing it, and longer where a host has to find the page first.
 * Threads: any.
 */

struct archive_spare;

/* most: bytes that are kept. Of what is taken the user keeps account. */
int archive_spare_new(struct archive_spare **out, size_t most, struct fault *f);
void archive_spare_free(struct archive_spare *s);

/* Give b, which is empty, memory for at least need bytes if there is some.
 * Returns how much of it was written to before. */
size_t archive_spare_take(struct archive_spare *s, size_t need, struct buf *b);
/* Instead of buf_free; taken: what take returned. It is kept if there is room
 * for as much of it as was ever written to, and that is no larger share of most
 * than this: it is in memory while the next file is, whose object is small
 * yet. */
#define ARCHIVE_SPARE_SHARE 4
void archive_spare_give(struct archive_spare *s, struct buf *b, size_t taken);

#endif
