#include <stdlib.h>
#include <string.h>

#include "listing.h"

static struct listed *
find(const struct listing *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].h.id, id) == 0)
			return &l->v[i];
	return NULL;
}

/* What repository i says of it. */
static void
take(struct listing *l, size_t i, const struct hold *h)
{
	struct listed *x = find(l, h->id);

	if (x == NULL) {
		x = &l->v[l->n++];
		*x = (struct listed){.h = *h};
	} else if (h->released && !x->h.released) {
		x->h = *h;
	}
	x->in |= UINT64_C(1) << i;
	if (h->released)
		x->released |= UINT64_C(1) << i;
}

static int
read_one(struct holding *s, struct listing *l, size_t i, struct fault *f)
{
	struct deadline d = deadline_in_ms(s->cluster->store_deadline_ms);
	struct hold_list own = {NULL, 0};
	struct listed *grown;
	int rc;

	l->asked |= UINT64_C(1) << i;
	if ((rc = hold_read(s->repo, i, &own, &d, f)) != 0)
		return rc;
	grown = reallocarray(l->v, l->n + own.n + 1, sizeof *grown);
	if (grown == NULL) {
		hold_free(&own);
		return fault_nomem(f);
	}
	l->v = grown;
	l->read |= UINT64_C(1) << i;
	for (size_t k = 0; k < own.n; k++)
		take(l, i, &own.h[k]);
	hold_free(&own);
	return 0;
}

/* One that cannot be read does not hide what the others have. */
static int
read_all(struct holding *s, struct listing *l, struct fault *f)
{
	struct fault one = FAULT_INIT;
	int rc = 0;

	for (size_t i = 0; i < repo_count(s->repo); i++) {
		if (read_one(s, l, i, &one) == 0)
			continue;
		if (repo_count(s->repo) > 1)
			fault_prefix(&one,
			    "the holds of repository %s are not known",
			    s->cluster->repos[i]->name);
		if (rc != 0)
			(void)cli_fail(f);
		*f = one;
		rc = (int)one.code;
		fault_clear(&one);
	}
	return rc;
}

static int
by_id(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return strcmp(x->h.id, y->h.id);
}

int
list_run(struct holding *s, struct fault *f)
{
	struct listing l = {
	    .cluster = s->cluster, .now_us = clock_now_us(), .all = s->o->all};
	struct fault other = FAULT_INIT;
	size_t index;
	int rc;

	if (s->o->repo == NULL)
		rc = read_all(s, &l, f);
	else if ((rc = conf_find_repo(s->cluster, s->o->repo, &index, f)) == 0)
		rc = read_one(s, &l, index, f);
	if (l.n > 1)
		qsort(l.v, l.n, sizeof *l.v, by_id);
	if (l.read != 0 && !s->o->json)
		show_text(&l);
	else if (l.read != 0 && show_json(&l, &other) != 0 && rc == 0) {
		*f = other;
		rc = (int)other.code;
	}
	free(l.v);
	return rc;
}
