#include "chain.h"

#include <stdlib.h>
#include <string.h>

/* A timeline as it would be had nothing been lost. */
struct hull {
	uint32_t timeline;
	bool any; /* there is WAL of it, or a backup on it */
	uint64_t first;
	uint64_t last;
};

struct hulls {
	const struct retain_input *in;
	const struct chain_tails *tails;
	struct hull *h; /* as in->paths */
	struct retain_wal *wal;
	size_t n_wal;
	size_t cap_wal;
};

void
chain_free(struct chain_list *l)
{
	free(l->h);
	l->h = NULL;
	l->n = 0;
}

static uint64_t
first_of(const struct retain_input *in, const struct retain_backup *b)
{
	return walname_segno_of(b->start_lsn, in->segment_size);
}

static uint64_t
last_of(const struct retain_input *in, const struct retain_backup *b)
{
	return walname_segno_before(b->stop_lsn, in->segment_size);
}

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
			widen(h, first_of(in, &in->backups[i]),
			    last_of(in, &in->backups[i]));
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
add_range(struct retain_wal **list, size_t *n, size_t *cap,
    const struct retain_wal *w, struct fault *f)
{
	if (*n == *cap) {
		size_t more = *cap == 0 ? 64 : 2 * *cap;
		void *grown = reallocarray(*list, more, sizeof **list);

		if (grown == NULL)
			return fault_nomem(f);
		*list = grown;
		*cap = more;
	}
	(*list)[(*n)++] = *w;
	return 0;
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
lay_out(struct hulls *x, const struct hull *h, uint64_t *cuts, struct fault *f)
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
		rc = add_range(&x->wal, &x->n_wal, &x->cap_wal, &w, f);
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

static int
make_hulls(struct hulls *x, struct fault *f)
{
	const struct retain_input *in = x->in;
	uint64_t *cuts;
	size_t n = 1;
	int rc = 0;

	for (size_t i = 0; i < in->n_paths; i++)
		n += in->paths[i].n;
	cuts = calloc(n, sizeof *cuts);
	x->h = calloc(in->n_paths + 1, sizeof *x->h);
	if (cuts == NULL || x->h == NULL) {
		free(cuts);
		return fault_nomem(f);
	}
	see(x);
	join(x);
	qsort(x->h, in->n_paths, sizeof *x->h, by_timeline);
	for (size_t i = 0; rc == 0 && i < in->n_paths; i++)
		if (x->h[i].any)
			rc = lay_out(x, &x->h[i], cuts, f);
	free(cuts);
	return rc;
}

/* ---- what is missing ---- */

static int
add_hole(struct chain_list *l, uint32_t timeline, uint64_t first, uint64_t last,
    struct fault *f)
{
	struct chain_hole *h = l->n > 0 ? &l->h[l->n - 1] : NULL;
	void *grown;

	if (h != NULL && h->timeline == timeline && h->last + 1 == first) {
		h->last = last;
		return 0;
	}
	grown = reallocarray(l->h, l->n + 1, sizeof *l->h);
	if (grown == NULL)
		return fault_nomem(f);
	l->h = grown;
	l->h[l->n++] = (struct chain_hole){timeline, first, last};
	return 0;
}

/* Does a backup need that segment? *last: up to there the answer holds. */
static bool
needed(const struct retain_input *in, uint32_t timeline, uint64_t segno,
    uint64_t *last)
{
	*last = UINT64_MAX;
	for (size_t i = 0; i < in->n_backups; i++) {
		const struct retain_backup *b = &in->backups[i];
		uint64_t from = first_of(in, b), to = last_of(in, b);

		if (b->timeline != timeline || to < segno)
			continue;
		if (from <= segno) {
			*last = to;
			return true;
		}
		if (from - 1 < *last)
			*last = from - 1;
	}
	return false;
}

/* A stretch without WAL: of it, what should be there. */
static int
judge(const struct retain_input *in, const struct retain_plan *plan,
    uint32_t timeline, uint64_t first, uint64_t last, struct chain_list *out,
    struct fault *f)
{
	int rc = 0;

	for (uint64_t s = first; rc == 0 && s <= last;) {
		uint64_t by_plan = UINT64_MAX, by_need, to;
		bool kept = plan == NULL ||
			    retain_keeps_place(plan, timeline, s, &by_plan);
		bool need = needed(in, timeline, s, &by_need);

		to = kept == need ? (by_plan > by_need ? by_plan : by_need)
		     : kept       ? by_plan
				  : by_need;
		if (!kept && !need)
			to = by_plan < by_need ? by_plan : by_need;
		if (to > last)
			to = last;
		if (kept || need)
			rc = add_hole(out, timeline, s, to, f);
		if (to == UINT64_MAX)
			break;
		s = to + 1;
	}
	return rc;
}

static int
find_holes(const struct hulls *x, const struct retain_plan *plan,
    struct chain_list *out, struct fault *f)
{
	const struct retain_input *in = x->in;
	size_t i = 0;
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < x->n_wal; k++) {
		const struct retain_wal *h = &x->wal[k];
		uint64_t at = h->first;

		while (
		    i < in->n_wal && (in->wal[i].timeline < h->timeline ||
					 (in->wal[i].timeline == h->timeline &&
					     in->wal[i].last < at)))
			i++;
		for (size_t j = i; rc == 0 && j < in->n_wal; j++) {
			const struct retain_wal *w = &in->wal[j];

			if (w->timeline != h->timeline || w->first > h->last)
				break;
			if (w->first > at)
				rc = judge(in, plan, h->timeline, at,
				    w->first - 1, out, f);
			at = w->last + 1;
		}
		if (rc == 0 && at <= h->last)
			rc = judge(in, plan, h->timeline, at, h->last, out, f);
	}
	return rc;
}

int
chain_missing(const struct retain_input *in, const struct retain_policy *policy,
    const struct chain_tails *tails, struct chain_list *out, struct fault *f)
{
	static const struct chain_tails none = {NULL, 0};
	struct hulls x = {.in = in, .tails = tails != NULL ? tails : &none};
	struct retain_input whole = *in;
	struct retain_plan *plan = NULL;
	struct chain_list list = {NULL, 0};
	int rc = make_hulls(&x, f);

	whole.wal = x.wal;
	whole.n_wal = x.n_wal;
	if (rc == 0 && policy != NULL)
		rc = retain_plan(&plan, policy, &whole, f);
	if (rc == 0)
		rc = find_holes(&x, plan, &list, f);
	retain_free(plan);
	free(x.h);
	free(x.wal);
	if (rc != 0)
		chain_free(&list);
	else
		*out = list;
	return rc;
}

/* ---- what it means ---- */

bool
chain_hits(
    const struct retain_input *in, size_t backup, const struct chain_hole *h)
{
	const struct retain_backup *b = &in->backups[backup];

	return b->timeline == h->timeline && first_of(in, b) <= h->last &&
	       last_of(in, b) >= h->first;
}

int
chain_without(const struct retain_input *in, const struct chain_list *holes,
    struct retain_wal **out, size_t *n, struct fault *f)
{
	struct retain_wal *list = NULL;
	size_t count = 0, cap = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < in->n_wal; i++) {
		struct retain_wal w = in->wal[i];
		bool rest = true;

		for (size_t k = 0; rc == 0 && k < holes->n; k++) {
			const struct chain_hole *h = &holes->h[k];
			struct retain_wal part = w;

			if (h->timeline != w.timeline || h->last < w.first ||
			    h->first > w.last)
				continue;
			if (h->first > w.first) {
				part.last = h->first - 1;
				rc = add_range(&list, &count, &cap, &part, f);
			}
			rest = h->last < w.last;
			if (!rest)
				break;
			w.first = h->last + 1;
		}
		if (rc == 0 && rest)
			rc = add_range(&list, &count, &cap, &w, f);
	}
	if (rc != 0) {
		free(list);
		return rc;
	}
	*out = list;
	*n = count;
	return 0;
}
