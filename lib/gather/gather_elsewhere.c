#include <stdlib.h>
#include <string.h>

#include "gather_core.h"

/* A hold is placed in each repository, but one may not have been able to take
 * it. What stands in any of them is not pruned in this one. */

static bool
is_known(const struct hold_list *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->h[i].id, id) == 0)
			return true;
	return false;
}

static int
by_id(const void *a, const void *b)
{
	const struct hold *x = a, *y = b;

	return strcmp(x->id, y->id);
}

/* What this repository says itself of a hold, its release above all, counts. */
static int
add_new(struct hold_list *to, const struct hold_list *from, struct fault *f)
{
	struct hold *grown =
	    reallocarray(to->h, to->n + from->n + 1, sizeof *grown);
	size_t own = to->n;

	if (grown == NULL)
		return fault_nomem(f);
	to->h = grown;
	for (size_t i = 0; i < from->n; i++)
		if (!from->h[i].released && !is_known(to, from->h[i].id))
			to->h[to->n++] = from->h[i];
	if (to->n > own)
		qsort(to->h, to->n, sizeof *to->h, by_id);
	return 0;
}

int
gather_elsewhere(struct gather *g, struct fault *f)
{
	const struct conf_cluster *c = repo_conf(g->repo);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < repo_count(g->repo); i++) {
		struct deadline d = deadline_in_ms(c->store_deadline_ms);
		struct hold_list other = {NULL, 0};
		struct fault why = FAULT_INIT;

		if (i == g->index)
			continue;
		rc = hold_read(g->repo, i, &other, &d, &why);
		if (rc != 0)
			fault_prefix(&why, "repository %s", c->repos[i]->name);
		/* One that is there, and cannot be read, may hold anything. Who
		 * only looks finds it where it is. */
		if (g->eye == NULL &&
		    (rc == FAULT_CORRUPT || rc == FAULT_KEY ||
			rc == FAULT_FOREIGN || fault_of_medium(&why))) {
			*f = why;
			return rc;
		}
		if (rc != 0) {
			g->elsewhere = why;
			rc = 0;
			continue;
		}
		rc = add_new(&g->holds, &other, f);
		hold_free(&other);
	}
	return rc;
}
