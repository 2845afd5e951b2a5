#ifndef ARCHIVE_LATE_H
#define ARCHIVE_LATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How long archive_push waits for a repository that the quorum can do without:
 * five seconds, so that it has the file as well; but for one that was late with
 * a file of the last minute as long as the quorum took, a second at least.
 * Otherwise each file would wait for a repository that hangs, and pg_wal fill
 * up although the quorum answers. One that is in time again has its five
 * seconds with the next file, any other when the minute is over. A file beside
 * the note about marks remembers it.
 */
struct archive_late {
	char *path; /* NULL: nothing is remembered */
	bool lately;
};

/* mark_note may be NULL. */
void archive_late_load(
    struct archive_late *l, const char *mark_note, const char *repo);
void archive_late_free(struct archive_late *l);
/* took_ms: until the quorum had it. */
int64_t archive_late_grace_ms(const struct archive_late *l, int64_t took_ms);
/* What came of it, when the quorum had it. */
void archive_late_learn(const struct archive_late *l, bool late);

#endif
