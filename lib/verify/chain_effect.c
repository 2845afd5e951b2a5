#include <stdlib.h>

#include "chain.h"

/* What a hole means for the moments that can be reached. */

/* The numbers of segments that timeline serves on the way to h's newest. */
static bool
serves(const struct retain_input *in, const struct history *h,
    uint32_t timeline, uint64_t *from, uint64_t *end)
{
	size_t k;

	for (k = 0; k < h->n; k++)
		if (h->entry[k].timeline == timeline)
			break;
	if (k == h->n)
		return false;
	*from =
	    k == 0 ? 0 : walname_segno_of(h->entry[k].begin, in->segment_size);
	*end = UINT64_MAX;
	for (size_t j = k + 1; j < h->n; j++) {
		uint64_t s =
		    walname_segno_of(h->entry[j].begin, in->segment_size);

		if (s < *end)
			*end = s;
	}
	return *from < *end;
}

/* Is there WAL of that path at segno or behind it? */
static bool
goes_on(const struct retain_input *in, const struct retain_wal *wal, size_t n,
    const struct history *h, uint64_t segno)
{
	for (size_t i = 0; i < n; i++) {
		const struct retain_wal *w = &wal[i];
		uint64_t from, end;

		if (w->last >= segno &&
		    serves(in, h, w->timeline, &from, &end) &&
		    w->last >= from && w->first < end && end > segno)
			return true;
	}
	return false;
}

static void
neighbours(const struct retain_input *in, const bool *usable,
    const struct history *h, const struct chain_hole *hole,
    struct chain_effect *e)
{
	for (size_t i = 0; i < in->n_backups; i++) {
		const struct retain_backup *b = &in->backups[i];

		if (!usable[i] || !history_reaches(h, b->timeline, b->stop_lsn))
			continue;
		if (walname_segno_before(b->stop_lsn, in->segment_size) <
			hole->first &&
		    (e->before == CHAIN_NONE ||
			b->stop_lsn >= in->backups[e->before].stop_lsn))
			e->before = i;
		if (walname_segno_of(b->start_lsn, in->segment_size) >
			hole->last &&
		    (e->until == CHAIN_NONE ||
			b->stop_lsn < in->backups[e->until].stop_lsn))
			e->until = i;
	}
}

int
chain_effects(const struct retain_input *in, const bool *usable,
    const struct chain_tails *tails, const struct chain_hole *h,
    struct chain_effect **out, size_t *n, struct fault *f)
{
	struct chain_effect *list = calloc(in->n_paths + 1, sizeof *list);
	size_t count = 0;

	if (list == NULL)
		return fault_nomem(f);
	for (size_t i = 0; i < in->n_paths; i++) {
		const struct history *p = &in->paths[i];
		struct chain_effect e = {
		    p->entry[p->n - 1].timeline, CHAIN_NONE, CHAIN_NONE};
		uint64_t from, end;

		if (!serves(in, p, h->timeline, &from, &end) ||
		    (h->last < from && h->first < from) || h->first >= end ||
		    (!goes_on(in, in->wal, in->n_wal, p, h->first) &&
			(tails == NULL ||
			    !goes_on(in, tails->t, tails->n, p, h->first))))
			continue;
		neighbours(in, usable, p, h, &e);
		if (e.before != CHAIN_NONE)
			list[count++] = e;
	}
	*out = list;
	*n = count;
	return 0;
}
