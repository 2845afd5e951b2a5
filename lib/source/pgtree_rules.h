#ifndef PGTREE_RULES_H
#define PGTREE_RULES_H

#include <stdbool.h>

/* Within lib/source only: what stands where, by its name alone. Pure. */

enum pgtree_kind {
	PGTREE_ROOT,    /* the data directory */
	PGTREE_GLOBAL,  /* global */
	PGTREE_BASE,    /* base */
	PGTREE_DB,      /* base/N, and N of a tablespace */
	PGTREE_SPACES,  /* pg_tblspc */
	PGTREE_SPACE,   /* where pg_tblspc/N leads to */
	PGTREE_VERSION, /* PG_15_202209061 in it */
	PGTREE_WAL,     /* pg_wal: of it only the folders */
	PGTREE_EMPTY,   /* nothing of it */
	PGTREE_OTHER,
	PGTREE_LEAVE, /* not even itself */
};

/* What the folder name in one of that kind is. version: the name of this
 * server's folder in a tablespace. */
enum pgtree_kind pgtree_rules_folder(
    enum pgtree_kind in, const char *name, const char *version);
/* Is the file of that name left out whatever else is there? Unlogged relations
 * are told by another file, and so not here. */
bool pgtree_rules_leave(enum pgtree_kind in, const char *name);

#endif
