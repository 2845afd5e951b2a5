#include "retain_path.h"

#include <stdlib.h>

/* The first range that is not wholly before segno of that timeline. */
static size_t
find(const struct retain_input *in, uint32_t timeline, uint64_t segno)
{
	size_t low = 0, high = in->n_wal;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct retain_wal *w = &in->wal[mid];

		if (w->timeline < timeline ||
		    (w->timeline == timeline && w->last < segno))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool
retain_path_covered(const struct retain_input *in, uint32_t timeline,
    uint64_t first, uint64_t last)
{
	for (size_t i = find(in, timeline, first); i < in->n_wal; i++) {
		const struct retain_wal *w = &in->wal[i];

		if (w->timeline != timeline || w->first > first)
			return false;
		if (w->last >= last)
			return true;
		first = w->last + 1;
	}
	return false;
}

/* The first cut in a piece, or its end. */
static uint64_t
next_cut(const struct retain_input *in, uint32_t timeline, uint64_t first,
    uint64_t end)
{
	for (size_t i = 0; i < in->n_cuts; i++)
		if (in->cuts[i].timeline == timeline &&
		    in->cuts[i].segno > first && in->cuts[i].segno < end)
			end = in->cuts[i].segno;
	return end;
}

static bool
is_cut(const struct retain_input *in, uint32_t timeline, uint64_t segno)
{
	for (size_t i = 0; i < in->n_cuts; i++)
		if (in->cuts[i].timeline == timeline &&
		    in->cuts[i].segno == segno)
			return true;
	return false;
}

static int
add_piece(struct retain_path *p, uint32_t timeline, uint64_t first,
    uint64_t last, int64_t last_us, bool cut, struct fault *f)
{
	struct retain_run *r = p->n_runs > 0 ? &p->runs[p->n_runs - 1] : NULL;
	void *grown;

	grown = reallocarray(p->pieces, p->n_pieces + 1, sizeof *p->pieces);
	if (grown == NULL)
		return fault_nomem(f);
	p->pieces = grown;
	p->pieces[p->n_pieces++] = (struct retain_piece){timeline, first, last};
	if (r == NULL || r->last + 1 != first || cut) {
		grown = reallocarray(p->runs, p->n_runs + 1, sizeof *p->runs);
		if (grown == NULL)
			return fault_nomem(f);
		p->runs = grown;
		r = &p->runs[p->n_runs++];
		*r = (struct retain_run){
		    p->n_pieces - 1, 0, first, last, last_us, timeline};
	}
	r->n++;
	r->last = last;
	r->end_timeline = timeline;
	if (last_us > r->last_us)
		r->last_us = last_us;
	return 0;
}

static int
add_pieces(struct retain_path *p, const struct retain_input *in,
    const struct retain_wal *w, uint64_t from, uint64_t end, struct fault *f)
{
	uint64_t first = w->first > from ? w->first : from;
	int rc = 0;

	if (w->last < end)
		end = w->last + 1;
	while (rc == 0 && first < end) {
		uint64_t to = next_cut(in, w->timeline, first, end);

		rc = add_piece(p, w->timeline, first, to - 1, w->last_us,
		    is_cut(in, w->timeline, first), f);
		first = to;
	}
	return rc;
}

/* Of segment numbers that several timelines have begun by, recovery reads the
 * newest one's: so each timeline serves until a later one begins. */
int
retain_path_make(struct retain_path *out, const struct retain_input *in,
    const struct history *h, struct fault *f)
{
	struct retain_path p = {.history = h};
	int rc = 0;

	p.timeline = h->entry[h->n - 1].timeline;
	for (size_t k = 0; rc == 0 && k < h->n; k++) {
		uint32_t t = h->entry[k].timeline;
		uint64_t from = k == 0 ? 0
				       : walname_segno_of(h->entry[k].begin,
					     in->segment_size);
		uint64_t end = UINT64_MAX; /* exclusive */

		for (size_t j = k + 1; j < h->n; j++) {
			uint64_t s = walname_segno_of(
			    h->entry[j].begin, in->segment_size);

			if (s < end)
				end = s;
		}
		for (size_t i = find(in, t, from);
		     rc == 0 && from < end && i < in->n_wal; i++) {
			const struct retain_wal *w = &in->wal[i];

			if (w->timeline != t || w->first >= end)
				break;
			rc = add_pieces(&p, in, w, from, end, f);
		}
	}
	if (rc != 0)
		retain_path_free(&p);
	else
		*out = p;
	return rc;
}

void
retain_path_free(struct retain_path *p)
{
	free(p->pieces);
	free(p->runs);
}

bool
retain_path_holds(const struct retain_path *p, size_t r,
    const struct retain_backup *b, uint32_t segment_size)
{
	const struct retain_run *run = &p->runs[r];

	return walname_segno_of(b->start_lsn, segment_size) >= run->first &&
	       walname_segno_before(b->stop_lsn, segment_size) <= run->last &&
	       history_reaches(p->history, b->timeline, b->stop_lsn);
}

uint64_t
retain_path_bound(const struct retain_path *p, size_t r,
    const struct retain_bound *bounds, size_t n)
{
	const struct retain_run *run = &p->runs[r];

	for (size_t k = 0; k < run->n; k++) {
		const struct retain_piece *c = &p->pieces[run->piece + k];

		for (size_t i = 0; i < n; i++) {
			if (bounds[i].timeline == c->timeline &&
			    bounds[i].segno <= c->last)
				return bounds[i].segno > c->first
					   ? bounds[i].segno
					   : c->first;
		}
	}
	return run->last;
}
