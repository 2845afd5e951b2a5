#include <stdlib.h>

#include "verify.h"

/* Which moments can be reached, with what was found to be missing, damaged or
 * ended. */

static int
all_holes(const struct verify *v, struct chain_list *out, struct fault *f)
{
	size_t n = 0;

	out->h =
	    calloc(v->missing.n + v->n_damaged + v->n_ends + 1, sizeof *out->h);
	if (out->h == NULL)
		return fault_nomem(f);
	for (size_t i = 0; i < v->missing.n; i++)
		out->h[n++] = v->missing.h[i];
	for (size_t i = 0; i < v->n_damaged; i++)
		out->h[n++] = v->damaged[i].where;
	for (size_t i = 0; i < v->n_ends; i++)
		out->h[n++] = v->ends[i];
	out->n = n;
	return 0;
}

/* Where the way breaks off though nothing is missing. */
static int
all_cuts(
    const struct verify *v, struct retain_cut **out, size_t *n, struct fault *f)
{
	*out = calloc(v->n_damaged + 1, sizeof **out);
	if (*out == NULL)
		return fault_nomem(f);
	for (size_t i = 0; i < v->n_damaged; i++) {
		const struct chain_hole *h = &v->damaged[i].where;

		if (h->last < h->first)
			(*out)[(*n)++] =
			    (struct retain_cut){h->timeline, h->first};
	}
	return 0;
}

static int
by_place(const void *a, const void *b)
{
	const struct chain_hole *x = a, *y = b;

	if (x->timeline != y->timeline)
		return x->timeline < y->timeline ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

static int
end_windows(struct verify *v, struct fault *f)
{
	const struct gather *g = &v->gather;
	int rc = 0;

	v->window_ends = calloc(v->n_windows + 1, sizeof *v->window_ends);
	if (v->window_ends == NULL)
		return fault_nomem(f);
	for (size_t i = 0; rc == 0 && i < v->n_windows; i++) {
		rc =
		    gather_window_end(g, &v->windows[i], &v->window_ends[i], f);
		/* A damaged segment further back, or pruned just now. */
		if (rc == FAULT_CORRUPT || rc == FAULT_KEY ||
		    rc == FAULT_FOREIGN || rc == FAULT_AGAIN) {
			fault_clear(f);
			v->window_ends[i] =
			    g->heads[v->windows[i].backup].stop_us;
			rc = 0;
		}
	}
	return rc;
}

int
windows_find(struct verify *v, struct fault *f)
{
	struct gather *g = &v->gather;
	struct retain_input in = g->in;
	struct retain_wal *wal = NULL;
	struct retain_cut *cuts = NULL;
	struct chain_list holes = {NULL, 0};
	bool *alive = calloc(g->n_heads + 1, sizeof *alive);
	int rc;

	if (alive == NULL)
		return fault_nomem(f);
	rc = all_holes(v, &holes, f);
	if (rc == 0 && holes.n > 1)
		qsort(holes.h, holes.n, sizeof *holes.h, by_place);
	if (rc == 0)
		rc = chain_without(&in, &holes, &wal, &in.n_wal, f);
	in.wal = wal;
	if (rc == 0)
		rc = all_cuts(v, &cuts, &in.n_cuts, f);
	in.cuts = cuts;
	for (size_t i = 0; rc == 0 && i < g->n_heads; i++)
		for (size_t k = 0; k < holes.n; k++)
			if (chain_hits(&g->in, i, &holes.h[k]))
				v->backups[i].usable = false;
	for (size_t i = 0; rc == 0 && i < g->n_heads; i++)
		alive[i] = v->backups[i].usable;
	if (rc == 0)
		rc = retain_windows(&in, alive, &v->windows, &v->n_windows, f);
	if (rc == 0)
		rc = end_windows(v, f);
	free(alive);
	free(wal);
	free(cuts);
	chain_free(&holes);
	return rc;
}
