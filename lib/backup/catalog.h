#ifndef CATALOG_H
#define CATALOG_H

#include "head.h"
#include "repo.h"

/*
 * The backups that a cluster's repositories hold. A folder without head is an
 * interrupted or running backup: it is not listed, only counted. A head that
 * cannot be read is a fault, never passed over: choosing a backup without
 * knowing them all is guessing. A backup that lies in several repositories is
 * listed once, with the first that gave its head.
 * Heads are read side by side: there may be thousands of backups, in a store
 * that is far away. Deadlines are over all; each request has store_deadline
 * besides.
 */

struct catalog_backup {
	struct head head;
	size_t repo; /* the repository that holds it */
};

struct catalog {
	struct catalog_backup *backups; /* by rising stop_us, then id */
	size_t n;
	size_t unfinished;
};

int catalog_read(struct repo *r, struct catalog *out, const struct deadline *d,
    struct fault *f);
void catalog_free(struct catalog *c);
/* One by its id, from one repository. ABSENT when it does not exist. */
int catalog_head(struct repo *r, size_t i, const char *id, struct head *out,
    const struct deadline *d, struct fault *f);
/* One by its id, from the first repository at or behind *i that has it; *i is
 * set to it. ABSENT when none has it. */
int catalog_find(struct repo *r, size_t *i, const char *id, struct head *out,
    const struct deadline *d, struct fault *f);

#endif
