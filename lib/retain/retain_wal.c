#include <stdlib.h>

#include "retain_core.h"

/* Which WAL stays. */

int
retain_wal_add(struct retain_plan *p, uint32_t timeline, uint64_t first,
    uint64_t last, struct fault *f)
{
	if (p->n_wal == p->cap_wal) {
		size_t cap = p->cap_wal == 0 ? 64 : 2 * p->cap_wal;
		void *grown = reallocarray(p->wal, cap, sizeof *p->wal);

		if (grown == NULL)
			return fault_nomem(f);
		p->wal = grown;
		p->cap_wal = cap;
	}
	p->wal[p->n_wal++] = (struct retain_piece){timeline, first, last};
	return 0;
}

/* From start to stop of each backup that stays. */
int
retain_wal_backups(struct retain_plan *p, struct fault *f)
{
	const struct retain_input *in = p->in;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < in->n_backups; i++) {
		const struct retain_backup *b = &in->backups[i];

		if (p->backups[i].rules != 0)
			rc = retain_wal_add(p, b->timeline,
			    walname_segno_of(b->start_lsn, in->segment_size),
			    walname_segno_before(b->stop_lsn, in->segment_size),
			    f);
	}
	return rc;
}

static int
by_place(const void *a, const void *b)
{
	const struct retain_piece *x = a, *y = b;

	if (x->timeline != y->timeline)
		return x->timeline < y->timeline ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

void
retain_wal_merge(struct retain_plan *p)
{
	size_t n = 0;

	if (p->n_wal > 1)
		qsort(p->wal, p->n_wal, sizeof *p->wal, by_place);
	for (size_t i = 0; i < p->n_wal; i++) {
		struct retain_piece *w = &p->wal[i];
		struct retain_piece *m = n > 0 ? &p->wal[n - 1] : NULL;

		if (m == NULL || m->timeline != w->timeline ||
		    w->first > m->last)
			p->wal[n++] = *w;
		else if (w->last > m->last)
			m->last = w->last;
	}
	p->n_wal = n;
}

bool
retain_keeps_wal(const struct retain_plan *p, uint32_t timeline, uint64_t segno,
    int64_t archived_us)
{
	uint64_t last;

	return archived_us == CLOCK_NONE || archived_us >= p->since_us ||
	       retain_keeps_place(p, timeline, segno, &last);
}

bool
retain_keeps_place(const struct retain_plan *p, uint32_t timeline,
    uint64_t segno, uint64_t *last)
{
	size_t low = 0, high = p->n_wal;
	const struct retain_piece *found;

	*last = UINT64_MAX;
	if (p->all_wal)
		return true;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct retain_piece *w = &p->wal[mid];

		if (w->timeline < timeline ||
		    (w->timeline == timeline && w->last < segno))
			low = mid + 1;
		else
			high = mid;
	}
	if (low == p->n_wal || p->wal[low].timeline != timeline)
		return false;
	found = &p->wal[low];
	*last = found->first <= segno ? found->last : found->first - 1;
	return found->first <= segno;
}
