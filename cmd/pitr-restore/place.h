#ifndef PLACE_H
#define PLACE_H

#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "delta.h"
#include "fault.h"
#include "head.h"
#include "tree.h"

/*
 * Where a restore goes: the target directory and a folder for every
 * tablespace, none inside of another; each of them new or remains (folder.h),
 * or with --delta part of a cluster that is there (delta.h).
 */

/* --tablespace OID=DIR */
struct place_map {
	uint32_t oid;
	const char *dir;
};

struct place_want {
	const char *target_dir;
	const struct place_map *map;
	size_t n_map;
	bool delta;
	bool discard_wal;
	const struct conf_cluster *conf;
};

struct place {
	char *root;                /* absolute */
	struct tree_space *spaces; /* one for each of the backup's */
	size_t n_spaces;
	bool delta;          /* there is something to begin from (delta.h) */
	struct delta before; /* it */
	int *locks;          /* of root and spaces, from place_prepare on */
	size_t n_locks;
};

/* Decide and check; changes nothing. CONFIG for what lies in a repository or
 * has one in it, for a mapping of a tablespace that
 * the backup does not have, for what may not be written to, and when a file
 * system has less room than the backup needs. */
int place_plan(struct place *p, const struct place_want *want,
    const struct head *h, struct fault *f);
/* Make the folders, lock them until place_free (CONFIG when another restore
 * has them), set the marks, empty remains or, with delta, take away pg_control.
 */
int place_prepare(struct place *p, const struct place_want *want,
    const struct head *h, struct fault *f);
/* Group access as the cluster had it: the mode of what stands in the data
 * directory itself, which no manifest lists. */
int place_modes(const struct place *p, struct fault *f);
/* The marks go: the restore is finished. */
int place_finish(const struct place *p, struct fault *f);
void place_free(struct place *p);

#endif
