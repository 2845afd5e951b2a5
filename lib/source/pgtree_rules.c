#include "pgtree_rules.h"

#include <string.h>

#include "relfile.h"
#include "text.h"

static bool
is_one_of(const char *name, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (strcmp(name, *list) == 0)
			return true;
	}
	return false;
}

static enum pgtree_kind
in_root(const char *name)
{
	static const char *const empty[] = {"pg_dynshmem", "pg_notify",
	    "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp",
	    "pg_subtrans", NULL};

	if (strcmp(name, "base") == 0)
		return PGTREE_BASE;
	if (strcmp(name, "global") == 0)
		return PGTREE_GLOBAL;
	if (strcmp(name, "pg_tblspc") == 0)
		return PGTREE_SPACES;
	if (strcmp(name, "pg_wal") == 0)
		return PGTREE_WAL;
	return is_one_of(name, empty) ? PGTREE_EMPTY : PGTREE_OTHER;
}

enum pgtree_kind
pgtree_rules_folder(enum pgtree_kind in, const char *name, const char *version)
{
	uint32_t oid;

	if (text_prefix(name, "pgsql_tmp"))
		return PGTREE_LEAVE;
	switch (in) {
	case PGTREE_ROOT:
		return in_root(name);
	case PGTREE_BASE:
	case PGTREE_VERSION:
		return relfile_oid(name, &oid) ? PGTREE_DB : PGTREE_OTHER;
	case PGTREE_SPACES:
		return relfile_oid(name, &oid) ? PGTREE_SPACE : PGTREE_LEAVE;
	case PGTREE_SPACE:
		return strcmp(name, version) == 0 ? PGTREE_VERSION
						  : PGTREE_LEAVE;
	case PGTREE_WAL:
		return PGTREE_EMPTY;
	case PGTREE_EMPTY:
		return PGTREE_LEAVE;
	default:
		return PGTREE_OTHER;
	}
}

bool
pgtree_rules_leave(enum pgtree_kind in, const char *name)
{
	static const char *const root[] = {"backup_label", "backup_label.old",
	    "tablespace_map", "tablespace_map.old", "backup_manifest",
	    "postmaster.pid", "postmaster.opts", "recovery.signal",
	    "standby.signal", "postgresql.auto.conf.tmp",
	    "current_logfiles.tmp", NULL};
	struct relfile r;

	if (text_prefix(name, "pgsql_tmp") ||
	    text_prefix(name, "pg_internal.init"))
		return true;
	switch (in) {
	case PGTREE_ROOT:
		return is_one_of(name, root);
	case PGTREE_GLOBAL:
		return strcmp(name, "pg_control") == 0;
	case PGTREE_DB:
		return relfile_parse(name, &r) && r.temporary;
	case PGTREE_SPACES:
	case PGTREE_SPACE:
	case PGTREE_WAL:
	case PGTREE_EMPTY:
		return true;
	default:
		return false;
	}
}
