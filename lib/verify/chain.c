#include <stdlib.h>

#include "chain_core.h"

/* What is missing. */

void
chain_free(struct chain_list *l)
{
	free(l->h);
	l->h = NULL;
	l->n = 0;
}

uint64_t
chain_first(const struct retain_input *in, const struct retain_backup *b)
{
	return walname_segno_of(b->start_lsn, in->segment_size);
}

uint64_t
chain_last(const struct retain_input *in, const struct retain_backup *b)
{
	return walname_segno_before(b->stop_lsn, in->segment_size);
}

int
chain_add_range(
    struct chain_ranges *list, const struct retain_wal *w, struct fault *f)
{
	if (list->n == list->cap) {
		size_t more = list->cap == 0 ? 64 : 2 * list->cap;
		void *grown = reallocarray(list->r, more, sizeof *list->r);

		if (grown == NULL)
			return fault_nomem(f);
		list->r = grown;
		list->cap = more;
	}
	list->r[list->n++] = *w;
	return 0;
}

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
		uint64_t from = chain_first(in, b), to = chain_last(in, b);

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
find_holes(const struct retain_input *in, const struct chain_ranges *hull,
    const struct retain_plan *plan, struct chain_list *out, struct fault *f)
{
	size_t i = 0;
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < hull->n; k++) {
		const struct retain_wal *h = &hull->r[k];
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
	struct chain_ranges hull = {NULL, 0, 0};
	struct retain_input whole = *in;
	struct retain_plan *plan = NULL;
	struct chain_list list = {NULL, 0};
	int rc = chain_hull(in, tails != NULL ? tails : &none, &hull, f);

	whole.wal = hull.r;
	whole.n_wal = hull.n;
	if (rc == 0 && policy != NULL)
		rc = retain_plan(&plan, policy, &whole, f);
	if (rc == 0)
		rc = find_holes(in, &hull, plan, &list, f);
	retain_free(plan);
	free(hull.r);
	if (rc != 0)
		chain_free(&list);
	else
		*out = list;
	return rc;
}

bool
chain_hits(
    const struct retain_input *in, size_t backup, const struct chain_hole *h)
{
	const struct retain_backup *b = &in->backups[backup];

	return b->timeline == h->timeline && chain_first(in, b) <= h->last &&
	       chain_last(in, b) >= h->first;
}

int
chain_without(const struct retain_input *in, const struct chain_list *holes,
    struct retain_wal **out, size_t *n, struct fault *f)
{
	struct chain_ranges list = {NULL, 0, 0};
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
				rc = chain_add_range(&list, &part, f);
			}
			rest = h->last < w.last;
			if (!rest)
				break;
			w.first = h->last + 1;
		}
		if (rc == 0 && rest)
			rc = chain_add_range(&list, &w, f);
	}
	if (rc != 0) {
		free(list.r);
		return rc;
	}
	*out = list.r;
	*n = list.n;
	return 0;
}
