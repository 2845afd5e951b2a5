#ifndef ARCHIVE_NOTE_H
#define ARCHIVE_NOTE_H

#include <stdbool.h>

#include "buf.h"
#include "conf.h"
#include "keyring.h"

/*
 * The note that remembers in which repositories the archive's mark was seen,
 * and whether their stores refuse a name that is taken: a small local file with
 * "once UNTIL URL" or "look UNTIL URL" a line, or "was 0 URL" for one that was
 * seen before and not with these keys or not today, below "keys IDS boot ID".
 * Directories stay in it, those of other settings that share it, too: one that
 * has lost its mark must be told for what it is whenever it is used again.
 * It is believed for a day, so that a bucket that was emptied gets its mark
 * back, and for some minutes where the mark could not be read; only if it is
 * ours; only with the keys it was written with, as the mark must be one of
 * these; and only until the host starts again: UNTIL is of the clock that
 * counts from there, which nobody sets. Losing it costs a request; nothing here
 * can fail for the caller.
 */

struct archive_note {
	const char *path;           /* NULL: nothing is remembered */
	const struct keyring *keys; /* NULL: encryption = off */
	char boot[40];
	int64_t now_s; /* since the host started */
	struct buf text;
	bool fresh;  /* of this boot and these keys */
	bool unread; /* it is there, or may be, and cannot be read */
};

/* path and keys must outlive it. */
void archive_note_load(
    struct archive_note *n, const char *path, const struct keyring *keys);
void archive_note_free(struct archive_note *n);
/* Does it say so, however old it is? */
bool archive_note_knew(const struct archive_note *n, const struct conf_repo *c);
/* *once is set when it has. */
bool archive_note_has(
    const struct archive_note *n, const struct conf_repo *c, bool *once);
/* Replace the file, durably and at once: the repositories of which has is set,
 * and all directories that were in it. */
struct archive_note_flags {
	bool has;
	bool once;
	bool old;    /* with has: the note said so, and until when */
	bool unread; /* with has: whose mark it is could not be seen */
};
void archive_note_save(const struct archive_note *n,
    const struct conf_repo *const *repos,
    const struct archive_note_flags *flags, size_t count);

#endif
