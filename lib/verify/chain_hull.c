#include <stdlib.h>

#include "chain_core.h"

/* What WAL there would be had nothing been lost. */

/* A timeline, from its first to its last segment. */
struct hull {
	uint32_t timeline;
	bool any; /* there is WAL of it, or a backup on it */
	uint64_t first;
	uint64_t last;
};

struct hulls {
	const struct retain_input *in;
	const struct chain_tails *tails;
	struct hull *h; /* as in->paths; in the end by timeline */
};

static void
widen(struct hull *h, uint64_t first, uint64_t last)
{
	if (!h->any || first < h->first)
		h->first = first;
	if (!h->any || last > h->last)
		h->last = last;
	h->any = true;
}

static struct hull *
hull_of(const struct hulls *x, uint32_t timeline)
{
	for (size_t i = 0; i < x->in->n_paths; i++)
		if (x->h[i].timeline == timeline)
			return &x->h[i];
	return NULL;
}

/* What is there or was seen, and what backups say must have been. */
static void
see(const struct hulls *x)
{
	const struct retain_input *in = x->in;
	struct hull *h;

	for (size_t i = 0; i < in->n_paths; i++)
		x->h[i].timeline =
		    in->paths[i].entry[in->paths[i].n - 1].timeline;
	for (size_t i = 0; i < in->n_wal; i++)
		if ((h = hull_of(x, in->wal[i].timeline)) != NULL)
			widen(h, in->wal[i].first, in->wal[i].last);
	for (size_t i = 0; i < x->tails->n; i++)
		if ((h = hull_of(x, x->tails->t[i].timeline)) != NULL)
			widen(h, x->tails->t[i].first, x->tails->t[i].last);
	for (size_t i = 0; i < in->n_backups; i++)
		if ((h = hull_of(x, in->backups[i].timeline)) != NULL)
			widen(h, chain_first(in, &in->backups[i]),
			    chain_last(in, &in->backups[i]));
}

/* A timeline of which there is something began where its history says, if
 * there is something of those before it; and those reach to where it began. */
static void
join(const struct hulls *x)
{
	const struct retain_input *in = x->in;

	for (size_t i = 0; i < in->n_paths; i++) {
		const struct history *p = &in->paths[i];
		bool before = false;

		if (!x->h[i].any)
			continue;
		for (size_t k = 0; k < p->n; k++) {
			const struct history_entry *e = &p->entry[k];
			struct hull *h = hull_of(x, e->timeline);
			uint64_t begin, end;

			if (h == NULL || e->end <= e->begin)
				continue;
			begin = walname_segno_of(e->begin, in->segment_size);
			if (before)
				widen(h, begin, begin);
			if (!h->any)
				continue;
			before = true;
			if (e->end == UINT64_MAX)
				continue;
			end = walname_segno_of(e->end, in->segment_size);
			if (end > begin && end > h->first)
				widen(h, h->first, end - 1);
		}
	}
}

static int
by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Where other timelines leave this one. */
static size_t
branches(const struct retain_input *in, uint32_t timeline, uint64_t *cuts)
{
	size_t n = 0;

	for (size_t i = 0; i < in->n_paths; i++)
		for (size_t k = 0; k + 1 < in->paths[i].n; k++)
			if (in->paths[i].entry[k].timeline == timeline)
				cuts[n++] =
				    walname_segno_of(in->paths[i].entry[k].end,
					in->segment_size);
	qsort(cuts, n, sizeof *cuts, by_number);
	return n;
}

static int64_t
newest(const struct retain_wal *w, size_t n, const struct retain_wal *r)
{
	int64_t us = INT64_MIN;

	for (size_t i = 0; i < n; i++)
		if (w[i].timeline == r->timeline && w[i].first <= r->last &&
		    w[i].last >= r->first && w[i].last_us > us)
			us = w[i].last_us;
	return us;
}

static int
lay_out(const struct hulls *x, const struct hull *h, uint64_t *cuts,
    struct chain_ranges *out, struct fault *f)
{
	size_t n = branches(x->in, h->timeline, cuts);
	uint64_t from = h->first;
	int rc = 0;

	for (size_t k = 0; rc == 0 && k <= n; k++) {
		uint64_t end = k < n ? cuts[k] : UINT64_MAX; /* exclusive */
		struct retain_wal w = {h->timeline, from, h->last, 0};
		int64_t seen;

		if (end <= from)
			continue;
		if (end <= h->last)
			w.last = end - 1;
		w.last_us = newest(x->in->wal, x->in->n_wal, &w);
		seen = newest(x->tails->t, x->tails->n, &w);
		if (seen > w.last_us)
			w.last_us = seen;
		rc = chain_add_range(out, &w, f);
		if (w.last == h->last)
			break;
		from = end;
	}
	return rc;
}

static int
by_timeline(const void *a, const void *b)
{
	const struct hull *x = a, *y = b;

	return (x->timeline > y->timeline) - (x->timeline < y->timeline);
}

int
chain_hull(const struct retain_input *in, const struct chain_tails *tails,
    struct chain_ranges *out, struct fault *f)
{
	struct hulls x = {.in = in, .tails = tails};
	struct chain_ranges list = {NULL, 0, 0};
	uint64_t *cuts;
	size_t n = 1;
	int rc = 0;

	for (size_t i = 0; i < in->n_paths; i++)
		n += in->paths[i].n;
	cuts = calloc(n, sizeof *cuts);
	x.h = calloc(in->n_paths + 1, sizeof *x.h);
	if (cuts == NULL || x.h == NULL) {
		free(cuts);
		free(x.h);
		return fault_nomem(f);
	}
	see(&x);
	join(&x);
	qsort(x.h, in->n_paths, sizeof *x.h, by_timeline);
	for (size_t i = 0; rc == 0 && i < in->n_paths; i++)
		if (x.h[i].any)
			rc = lay_out(&x, &x.h[i], cuts, &list, f);
	free(cuts);
	free(x.h);
	if (rc != 0)
		free(list.r);
	else
		*out = list;
	return rc;
}
