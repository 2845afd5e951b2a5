#ifndef CATALOG_H
#define CATALOG_H

#include "head.h"
#include "repo.h"

/*
 * The backups a repository holds. A folder without head is an interrupted or
 * running backup: it is not listed, only counted. A head that cannot be read
 * is a fault, never passed over: choosing a backup without knowing them all is
 * guessing.
 * Deadlines are over all; each request has store_deadline besides, as there
 * may be thousands of backups.
 */

struct catalog {
	struct head *heads; /* by rising stop_us, then id */
	size_t n;
	size_t unfinished;
};

int catalog_read(struct repo *r, size_t i, struct catalog *out,
    const struct deadline *d, struct fault *f);
void catalog_free(struct catalog *c);
/* One by its id. ABSENT when it does not exist. */
int catalog_head(struct repo *r, size_t i, const char *id, struct head *out,
    const struct deadline *d, struct fault *f);

#endif
