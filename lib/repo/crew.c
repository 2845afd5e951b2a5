#include "crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct worker {
	struct crew *crew;
	struct repo *repo; /* made when it is first needed */
	pthread_t thread;
};

struct crew {
	const struct repo *repo;
	unsigned jobs;
	struct worker *workers;
	/* of the run: */
	size_t n;
	crew_fn fn;
	void *ctx;
	_Atomic size_t next;
};

int
crew_new(
    struct crew **out, const struct repo *r, unsigned jobs, struct fault *f)
{
	struct crew *c = calloc(1, sizeof *c);

	if (c == NULL)
		return fault_nomem(f);
	c->repo = r;
	c->jobs = jobs == 0 ? 1 : jobs;
	c->workers = calloc(c->jobs, sizeof *c->workers);
	if (c->workers == NULL) {
		free(c);
		return fault_nomem(f);
	}
	*out = c;
	return 0;
}

void
crew_free(struct crew *c)
{
	unsigned k;

	if (c == NULL)
		return;
	for (k = 0; k < c->jobs; k++)
		repo_free(c->workers[k].repo);
	free(c->workers);
	free(c);
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;
	size_t k;

	while ((k = atomic_fetch_add(&c->next, 1)) < c->n)
		c->fn(c->ctx, k, w->repo);
	return NULL;
}

static int
equip(struct crew *c, struct worker *w, struct fault *f)
{
	w->crew = c;
	return w->repo != NULL ? 0 : repo_clone(&w->repo, c->repo, f);
}

int
crew_run(struct crew *c, size_t n, crew_fn fn, void *ctx, struct fault *f)
{
	struct fault ignored = FAULT_INIT;
	unsigned started = 1;
	int rc = equip(c, &c->workers[0], f);

	if (rc != 0)
		return rc;
	c->n = n;
	c->fn = fn;
	c->ctx = ctx;
	atomic_store(&c->next, 0);
	while (started < c->jobs && started < n) {
		struct worker *w = &c->workers[started];

		if (equip(c, w, &ignored) != 0 ||
		    pthread_create(&w->thread, NULL, work, w) != 0)
			break;
		started++;
	}
	work(&c->workers[0]);
	while (started > 1)
		pthread_join(c->workers[--started].thread, NULL);
	return 0;
}
