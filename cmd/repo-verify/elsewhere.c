/* Backups in the cluster's other repositories. */
#include <inttypes.h>
#include <stdio.h>

#include "catalog.h"
#include "verify.h"

static int
count(const struct verify *v, const struct conf_repo *other, size_t *n,
    struct fault *f)
{
	const struct conf_cluster *c = v->run->cluster;
	struct deadline d = deadline_in_ms(c->store_deadline_ms);
	struct conf_cluster only;
	struct catalog found = {0};
	struct repo *r = NULL;
	char id[24];
	int rc;

	snprintf(id, sizeof id, "%" PRIu64, repo_system_id(v->repo));
	if ((rc = conf_only_repos(c, &other->name, 1, &only, f)) == 0 &&
	    (rc = repo_choose_open(&r, &only, 0, id, f)) == 0 &&
	    (rc = catalog_read(r, &found, &d, f)) == 0)
		*n = found.n;
	catalog_free(&found);
	repo_free(r);
	return rc;
}

static bool
backup_elsewhere(const struct verify *v)
{
	const struct conf_cluster *c = v->run->cluster;
	bool have = false;

	for (size_t i = 0; !v->run->one_repo && i < c->n_repos && !have; i++) {
		struct fault f = FAULT_INIT;
		size_t n = 0;

		if (c->repos[i] == v->only.repos[0])
			continue;
		/* What cannot be asked is told when its own turn comes. */
		have = count(v, c->repos[i], &n, &f) == 0 && n > 0;
	}
	return have;
}

int
elsewhere_or_never(struct verify *v, struct fault *f)
{
	bool other = !v->run->wal && backup_elsewhere(v);

	return found_add(v, !v->run->wal && !other, repo_cluster(v->repo),
	    "there is no backup", f, "nothing can be restored%s",
	    other ? " from this repository alone" : "");
}
