#include "retain_core.h"

#define NO_HOLD SIZE_MAX

struct span {
	int64_t from_us;
	int64_t to_us;
	size_t hold; /* NO_HOLD: the WAL window */
};

/* The timelines that the cluster was on last: where the newest WAL and the
 * newest good backup are. Their newest state is in every window that has not
 * ended, though nothing may have been written inside it. */
static bool
present(const struct retain_plan *p, uint32_t timeline)
{
	const struct retain_input *in = p->in;
	int64_t newest = INT64_MIN, own = INT64_MIN;

	for (size_t i = 0; i < in->n_wal; i++) {
		const struct retain_wal *w = &in->wal[i];

		newest = w->last_us > newest ? w->last_us : newest;
		if (w->timeline == timeline && w->last_us > own)
			own = w->last_us;
	}
	if (in->n_wal > 0 && own == newest)
		return true;
	for (size_t i = in->n_backups; i-- > 0;)
		if (p->backups[i].good)
			return in->backups[i].timeline == timeline;
	return false;
}

/* The backup from which run r serves the span: the newest that ended before
 * it began; otherwise the oldest inside it. */
static const struct retain_backup *
anchor(const struct retain_plan *p, const struct retain_path *path, size_t r,
    const struct span *s)
{
	const struct retain_input *in = p->in;
	const struct retain_backup *found = NULL;

	for (size_t i = 0; i < in->n_backups; i++) {
		const struct retain_backup *b = &in->backups[i];

		if (!p->backups[i].good ||
		    !retain_path_holds(path, r, b, in->segment_size))
			continue;
		if (found != NULL && b->stop_us > s->from_us)
			break;
		if (b->stop_us <= s->to_us)
			found = b;
		if (b->stop_us > s->from_us)
			break;
	}
	return found;
}

static int
keep_pieces(struct retain_plan *p, const struct retain_path *path, size_t r,
    uint64_t first, uint64_t last, struct fault *f)
{
	const struct retain_run *run = &path->runs[r];
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < run->n; k++) {
		const struct retain_piece *c = &path->pieces[run->piece + k];

		if (c->last < first || c->first > last)
			continue;
		rc = retain_wal_add(p, c->timeline,
		    c->first > first ? c->first : first,
		    c->last < last ? c->last : last, f);
	}
	return rc;
}

static int
mark_run(struct retain_plan *p, const struct retain_path *path, size_t r,
    const struct span *s, bool is_present, struct fault *f)
{
	const struct retain_input *in = p->in;
	const struct retain_run *run = &path->runs[r];
	const struct retain_backup *b;
	struct retain_verdict *v;
	uint64_t last = run->last;

	if (run->last_us <= s->from_us &&
	    !(is_present && r + 1 == path->n_runs &&
		run->end_timeline == path->timeline &&
		s->to_us >= run->last_us))
		return 0;
	b = anchor(p, path, r, s);
	if (b == NULL)
		return 0;
	v = &p->backups[b - in->backups];
	if (s->hold == NO_HOLD) {
		v->rules |= RETAIN_WINDOW;
		v->timeline = path->timeline;
	} else {
		const struct retain_hold *h = &in->holds[s->hold];

		v->rules |= RETAIN_HOLD;
		v->hold = s->hold;
		last = retain_path_bound(path, r, h->bounds, h->n_bounds);
	}
	return keep_pieces(p, path, r,
	    walname_segno_of(b->start_lsn, in->segment_size), last, f);
}

static int
mark_path(struct retain_plan *p, const struct retain_path *path,
    const struct span *s, bool is_present, struct fault *f)
{
	int rc = 0;

	for (size_t r = 0; rc == 0 && r < path->n_runs; r++)
		rc = mark_run(p, path, r, s, is_present, f);
	return rc;
}

int
retain_span_mark(struct retain_plan *p, struct fault *f)
{
	const struct retain_input *in = p->in;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < in->n_paths; i++) {
		struct span s = {p->window_us, INT64_MAX, NO_HOLD};
		struct retain_path path;
		bool is_present;

		rc = retain_path_make(&path, in, &in->paths[i], f);
		if (rc != 0)
			break;
		is_present = present(p, path.timeline);
		if (!p->held_only)
			rc = mark_path(p, &path, &s, is_present, f);
		for (size_t k = 0; rc == 0 && k < in->n_holds; k++) {
			const struct retain_hold *h = &in->holds[k];

			if (h->backup != NULL ||
			    !retain_core_held(h, in->now_us))
				continue;
			s.from_us = h->from_us;
			s.to_us = h->to_us == CLOCK_NONE ? INT64_MAX : h->to_us;
			s.hold = k;
			rc = mark_path(p, &path, &s, is_present, f);
		}
		retain_path_free(&path);
	}
	return rc;
}
