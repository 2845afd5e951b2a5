#ifndef FOLDER_H
#define FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

/*
 * One folder that a restore fills: the data directory, called root here, or a
 * tablespace's. It must be absent, empty, or the remains of a restore that did
 * not finish, which are emptied; anything else is refused, untouched. The
 * remains of a data directory hold the file FOLDER_MARK and no pg_control;
 * those of a tablespace hold a FOLDER_MARK that names such a data directory (a
 * mark alone would not do: a restore that was killed in its very last step
 * leaves marks in the folders of a cluster that is whole and may be running).
 */

#define FOLDER_MARK "pitrkit.restoring"

bool folder_is_marked(const char *dir);
/* Absent, too, is empty. */
int folder_is_empty(const char *dir, bool *empty, struct fault *f);
/* CONFIG when dir may not be restored into. */
int folder_check(const char *dir, bool tablespace, struct fault *f);
/* What emptying it makes free: the blocks of its files, but of those that have
 * another name elsewhere. 0 when it is absent. */
int folder_blocks(const char *dir, uint64_t *bytes, struct fault *f);
/* Make it where it is absent, and lock it until *lock is closed: CONFIG when
 * another restore has it. */
int folder_claim(const char *dir, int *lock, struct fault *f);
/* As part of backup id's restore into root. The mark is set before anything
 * else is done there, and stays while the rest goes, so that remains are always
 * told from data. */
int folder_mark(
    const char *dir, const char *root, const char *id, struct fault *f);
/* All but the mark. */
int folder_empty(const char *dir, int lock, struct fault *f);
/* The mark goes: the restore is finished. */
int folder_unmark(const char *dir, struct fault *f);

#endif
