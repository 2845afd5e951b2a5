#ifndef RETAIN_MODEL_H
#define RETAIN_MODEL_H

/*
 * An independent model of what retention must keep, for small worlds: it knows
 * single segments and single moments where the planner works with ranges, and
 * takes its calendar from the C library.
 */

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "retain.h"
#include "unit.h"

#define SEG (16U << 20)
#define TLS 3
#define SEGS 24
#define BACKUPS 8
#define HOLDS 2
#define MOMENTS (2 * TLS * SEGS + BACKUPS + 8)
#define S INT64_C(1000000)
#define DAY (86400 * S)

struct world {
	int n_tl;
	int parent[TLS];
	uint64_t fork[TLS];     /* LSN */
	int from[TLS], to[TLS]; /* segments of the timeline's own */
	int64_t at[TLS][SEGS];  /* commits in it reach up to here */
	int64_t begun[TLS];
	bool there[TLS][SEGS];
	struct retain_backup b[BACKUPS];
	char id[BACKUPS][16];
	size_t need[BACKUPS];
	int n_b;
	struct retain_hold h[HOLDS];
	struct retain_bound bound[HOLDS][TLS];
	int n_h;
	int64_t running_us, now;
	struct retain_policy policy;
};

/* What must stay, and nothing else may. */
struct model {
	bool good[BACKUPS];
	bool keep[BACKUPS];
	bool wal[TLS][SEGS];
};

static inline int
seg_of(uint64_t lsn)
{
	return (int)(lsn / SEG);
}

/* Whose segment recovery reads on the way to timeline x. */
static inline int
owner(const struct world *w, int x, int seg)
{
	while (x > 0 && seg < seg_of(w->fork[x]))
		x = w->parent[x];
	return x;
}

static inline bool
on_way(const struct world *w, int x, const struct retain_backup *b)
{
	for (; x != (int)b->timeline - 1; x = w->parent[x])
		if (x == 0 || b->stop_lsn > w->fork[x])
			return false;
	return true;
}

static inline bool
seg_there(const struct world *w, const bool there[TLS][SEGS], int x, int seg)
{
	int o = owner(w, x, seg);

	return seg >= w->from[o] && seg <= w->to[o] && there[o][seg];
}

/* The segment that recovery to moment t on the way to x must have seen: the
 * first with a later commit; -1 when nothing later was ever there. */
static inline int
seg_for(const struct world *w, const bool there[TLS][SEGS], int x, int64_t t)
{
	for (int s = 0; s < SEGS; s++)
		if (seg_there(w, there, x, s) && w->at[owner(w, x, s)][s] > t)
			return s;
	return -1;
}

static inline bool
gapless(const struct world *w, const bool there[TLS][SEGS], int x, int a, int z)
{
	for (int s = a; s <= z; s++)
		if (!seg_there(w, there, x, s))
			return false;
	return true;
}

static inline int
first_seg(const struct retain_backup *b)
{
	return seg_of(b->start_lsn);
}

static inline int
last_seg(const struct retain_backup *b)
{
	return seg_of(b->stop_lsn - 1);
}

/* Can moment t be restored on the way to x from backup b? */
static inline bool
serves(const struct world *w, const struct model *m,
    const bool there[TLS][SEGS], int x, int i, int64_t t, int seg)
{
	const struct retain_backup *b = &w->b[i];

	return m->good[i] && b->stop_us <= t && on_way(w, x, b) &&
	       last_seg(b) <= seg && gapless(w, there, x, first_seg(b), seg);
}

static inline int
best(const struct world *w, const struct model *m, const bool there[TLS][SEGS],
    const bool *alive, int x, int64_t t)
{
	int seg = seg_for(w, there, x, t);

	for (int i = w->n_b; seg >= 0 && i-- > 0;)
		if (alive[i] && serves(w, m, there, x, i, t, seg))
			return i;
	return -1;
}

static inline size_t
moments(const struct world *w, int64_t from, int64_t to, int64_t *out)
{
	size_t n = 0;

	out[n++] = from;
	if (to != INT64_MAX)
		out[n++] = to;
	for (int i = 0; i < w->n_b; i++)
		out[n++] = w->b[i].stop_us;
	for (int k = 0; k < w->n_tl; k++)
		for (int s = w->from[k]; s <= w->to[k]; s++) {
			out[n++] = w->at[k][s] - 1;
			out[n++] = w->at[k][s];
		}
	for (size_t i = 0; i < n;)
		if (out[i] < from || out[i] > to)
			out[i] = out[--n];
		else
			i++;
	for (size_t i = 1; i < n; i++) {
		int64_t v = out[i];
		size_t k = i;

		for (; k > 0 && out[k - 1] > v; k--)
			out[k] = out[k - 1];
		out[k] = v;
	}
	return n;
}

static inline void
keep_way(const struct world *w, struct model *m, int x, int a, int z)
{
	for (int s = a; s <= z; s++)
		m->wal[owner(w, x, s)][s] = true;
}

/* The cluster's present timelines: their newest state counts. */
static inline bool
is_present(const struct world *w, const struct model *m, int x)
{
	int64_t newest = INT64_MIN, own = INT64_MIN;

	for (int k = 0; k < w->n_tl; k++)
		for (int s = w->from[k]; s <= w->to[k]; s++) {
			if (!w->there[k][s])
				continue;
			if (w->at[k][s] > newest)
				newest = w->at[k][s];
			if (k == x && w->at[k][s] > own)
				own = w->at[k][s];
		}
	if (own != INT64_MIN && own == newest)
		return true;
	for (int i = w->n_b; i-- > 0;)
		if (m->good[i])
			return (int)w->b[i].timeline - 1 == x;
	return false;
}

/* The newest state of x, when nothing was written inside the span. */
static inline void
span_state(
    const struct world *w, struct model *m, int x, int64_t from, int64_t to)
{
	int z = SEGS - 1, a, found = -1;

	while (z >= 0 && !seg_there(w, w->there, x, z))
		z--;
	if (z < 0 || owner(w, x, z) != x || w->at[x][z] > from ||
	    w->at[x][z] > to || !is_present(w, m, x))
		return;
	for (a = z; a > 0 && seg_there(w, w->there, x, a - 1); a--)
		;
	for (int i = 0; i < w->n_b; i++)
		if (m->good[i] && on_way(w, x, &w->b[i]) &&
		    first_seg(&w->b[i]) >= a && last_seg(&w->b[i]) <= z)
			found = i;
	if (found < 0)
		return;
	m->keep[found] = true;
	keep_way(w, m, x, first_seg(&w->b[found]), z);
}

/* Moment after moment, as long as one backup serves: from the newest that was
 * there at the first of them. */
static inline void
span(const struct world *w, struct model *m, int64_t from, int64_t to)
{
	bool all[BACKUPS];
	int64_t t[MOMENTS];
	size_t n = moments(w, from, to, t);

	memset(all, true, sizeof all);
	for (int x = 0; x < w->n_tl; x++) {
		int with = -1;

		for (size_t i = 0; i < n; i++) {
			int seg = seg_for(w, w->there, x, t[i]);

			if (with < 0 || seg < 0 ||
			    !serves(w, m, w->there, x, with, t[i], seg))
				with = best(w, m, w->there, all, x, t[i]);
			if (with < 0)
				continue;
			m->keep[with] = true;
			keep_way(w, m, x, first_seg(&w->b[with]), seg);
		}
		span_state(w, m, x, from, to);
	}
}

/* Buckets between the moment and now; how: of strftime. */
static inline int64_t
distance(int64_t us, int64_t now, int unit)
{
	time_t a = (time_t)(us / S), z = (time_t)(now / S);
	struct tm x, y;

	gmtime_r(&a, &x);
	gmtime_r(&z, &y);
	if (unit == 3)
		return y.tm_year - x.tm_year;
	if (unit == 2)
		return (y.tm_year - x.tm_year) * 12 + y.tm_mon - x.tm_mon;
	if (unit == 1) { /* back to Monday */
		x.tm_mday -= (x.tm_wday + 6) % 7;
		y.tm_mday -= (y.tm_wday + 6) % 7;
	}
	x.tm_hour = x.tm_min = x.tm_sec = 0;
	y.tm_hour = y.tm_min = y.tm_sec = 0;
	return (timegm(&y) - timegm(&x)) / 86400 / (unit == 1 ? 7 : 1);
}

static inline void
bucket_name(int64_t us, int unit, char out[16])
{
	time_t t = (time_t)(us / S);
	struct tm tm;

	gmtime_r(&t, &tm);
	if (unit == 0)
		strftime(out, 16, "%Y-%m-%d", &tm);
	else if (unit == 1)
		strftime(out, 16, "%G-W%V", &tm);
	else
		strftime(out, 16, unit == 2 ? "%Y-%m" : "%Y", &tm);
}

static inline bool
newest_of_bucket(
    const struct retain_backup *b, const bool *good, int n, int i, int unit)
{
	char mine[16], other[16];

	bucket_name(b[i].stop_us, unit, mine);
	for (int k = i + 1; k < n; k++) {
		bucket_name(b[k].stop_us, unit, other);
		if (good[k] && strcmp(mine, other) == 0)
			return false;
	}
	return good[i];
}

/* The rules that look at one backup's age and its bucket. */
static inline bool
model_ages(const struct retain_policy *p, const struct retain_backup *b,
    const bool *good, int n, int i, int64_t now)
{
	const uint32_t tier[] = {p->daily, p->weekly, p->monthly, p->yearly};
	int newer = 0;

	for (int u = 0; u < 4; u++) {
		bool near =
		    tier[u] > 0 && distance(b[i].stop_us, now, u) <= tier[u];

		if (near && ((int)b[i].class == u + 1 ||
				newest_of_bucket(b, good, n, i, u)))
			return true;
	}
	for (int k = i + 1; k < n; k++)
		newer += good[k] && b[k].full;
	return now - b[i].stop_us <= p->full_us ||
	       (b[i].class == RETAIN_CLASS_ARCHIVE &&
		   now - b[i].stop_us <= p->archive_us) ||
	       (good[i] && b[i].full && newer < (int)p->minimum);
}

static inline void
model_make(const struct world *w, struct model *m)
{
	int64_t window = w->now - w->policy.wal_us;
	bool any = false;

	memset(m, 0, sizeof *m);
	for (int i = 0; i < w->n_b; i++) {
		int k = (int)w->b[i].timeline - 1;

		m->good[i] = !w->b[i].needs_lost;
		for (int s = first_seg(&w->b[i]); s <= last_seg(&w->b[i]); s++)
			m->good[i] &= w->there[k][s];
		any |= m->good[i];
	}
	for (int i = 0; i < w->n_b; i++) {
		m->keep[i] =
		    model_ages(&w->policy, w->b, m->good, w->n_b, i, w->now);
		for (int k = 0; k < w->n_h; k++)
			m->keep[i] |= w->h[k].backup != NULL &&
				      strcmp(w->h[k].backup, w->b[i].id) == 0 &&
				      (w->h[k].until_us == CLOCK_NONE ||
					  w->h[k].until_us > w->now);
	}
	span(w, m, window, INT64_MAX);
	for (int k = 0; k < w->n_h; k++)
		if (w->h[k].backup == NULL && (w->h[k].until_us == CLOCK_NONE ||
						  w->h[k].until_us > w->now))
			span(w, m, w->h[k].from_us,
			    w->h[k].to_us == CLOCK_NONE ? INT64_MAX
							: w->h[k].to_us);
	for (int i = w->n_b; i-- > 0;) /* needs are older */
		if (m->keep[i] && w->b[i].n_needs > 0)
			m->keep[w->need[i]] = true;
	for (int i = 0; i < w->n_b; i++)
		for (int s = first_seg(&w->b[i]);
		     m->keep[i] && s <= last_seg(&w->b[i]); s++)
			m->wal[w->b[i].timeline - 1][s] = true;
	for (int k = 0; k < w->n_tl; k++)
		for (int s = 0; s < SEGS; s++)
			m->wal[k][s] |=
			    !any || w->at[k][s] >= window ||
			    w->at[k][s] >= w->now - 3600 * S ||
			    (w->running_us != CLOCK_NONE &&
				w->at[k][s] >= w->running_us - 3600 * S);
}

#endif
