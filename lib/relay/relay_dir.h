#ifndef RELAY_DIR_H
#define RELAY_DIR_H

#include "fault.h"

/*
 * Where a worker keeps segments that it read ahead: a directory of its own in
 * pg_wal/pitrkit.prefetch, so that giving one to PostgreSQL is a rename. It
 * holds a lock on it; what nobody holds a lock on was left by a worker that was
 * killed, and is removed. No file is served but by the worker that wrote it, so
 * nothing here has to survive a crash. PostgreSQL and its tools look at nothing
 * in pg_wal that is not named like a WAL file.
 */

#define RELAY_DIR "pg_wal/pitrkit.prefetch"
#define RELAY_DIR_PATH 64

struct relay_dir {
	char path[RELAY_DIR_PATH]; /* relative to the data directory */
	int fd;
};

int relay_dir_make(struct relay_dir *d, struct fault *f);
void relay_dir_remove(struct relay_dir *d);
/* Remove what workers left that are no more. */
void relay_dir_clean(void);

#endif
