#include "spill_core.h"

int
spill_peek(struct spill *s, const char *name, bool *has,
    const struct deadline *d, struct fault *f)
{
	char key[LAYOUT_KEY];
	struct store_info info;
	struct walname n;
	struct store *store;
	bool used;
	int rc;

	*has = false;
	if ((rc = walname_parse(name, &n, f)) != 0 ||
	    (rc = layout_wal(s->conf.name, repo_system_id(s->base), name, &n,
		 key, f)) != 0 ||
	    (rc = spill_core_used(s, &used, d, f)) != 0)
		return rc != FAULT_AGAIN
			   ? rc
			   : fault_prefix(
				 f, "%s cannot be proven absent", name);
	if (!used || (rc = spill_core_store(s, &store, f)) != 0)
		return rc;
	rc = store_stat(store, key, &info, d, f);
	*has = rc == 0;
	if (rc != FAULT_ABSENT)
		return rc;
	fault_clear(f);
	return 0;
}

int
spill_fetch(struct spill *s, const char *name, const char *dest,
    const struct deadline *d, struct fault *f)
{
	return archive_fetch(s->repo, name, dest, d, f);
}
