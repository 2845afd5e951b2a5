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

/* CONFIG when dir may not be restored into. */
int folder_check(const char *dir, bool tablespace, struct fault *f);
/* What emptying it makes free: the blocks of its files, but of those that have
 * another name elsewhere. 0 when it is absent. */
int folder_blocks(const char *dir, uint64_t *bytes, struct fault *f);
/* Make it, lock it (CONFIG when another restore has it), mark it as part of
 * backup id's restore into root, and empty it. The lock lasts until *lock is
 * closed. */
int folder_prepare(const char *dir, const char *root, bool tablespace,
    const char *id, int *lock, struct fault *f);
/* The mark goes: the restore is finished. */
int folder_unmark(const char *dir, struct fault *f);

#endif
