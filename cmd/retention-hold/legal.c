#include <stdlib.h>

#include "gather.h"
#include "holding.h"
#include "log.h"

static int
sync_one(struct holding *s, size_t i, const char *id, struct fault *f)
{
	struct gather *g;
	struct store *store;
	uint64_t on, off;
	int rc = repo_store(s->repo, i, &store, f);

	if (rc != 0 || !store_has_lock(store))
		return rc;
	g = malloc(sizeof *g);
	if (g == NULL)
		return fault_nomem(f);
	rc = gather_read(g, s->repo, i, clock_now_us(), NULL, f);
	if (rc == 0)
		rc = gather_legal_sync(g, &on, &off, f);
	gather_free(g);
	free(g);
	if (rc == 0)
		log_line(1,
		    "repository %s: %llu objects put under a legal hold of the "
		    "store, %llu let go",
		    store_name(store), (unsigned long long)on,
		    (unsigned long long)off);
	else
		fault_prefix(f,
		    "hold %s is on record, but not on all objects in "
		    "repository %s; retention-prune will complete it",
		    id, store_name(store));
	return rc;
}

int
legal_sync(struct holding *s, const char *id, struct fault *f)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < repo_count(s->repo); i++)
		rc = sync_one(s, i, id, f);
	return rc;
}
