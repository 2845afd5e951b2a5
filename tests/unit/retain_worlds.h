#ifndef RETAIN_WORLDS_H
#define RETAIN_WORLDS_H

/* Random worlds of retain_model.h, and the planner's view of one. */

#include "retain_model.h"

static uint64_t seed;

static inline uint32_t
rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % n;
}

static inline int64_t
rnd_us(int64_t limit)
{
	return limit <= 0 ? 0
			  : (int64_t)rnd(1U << 30) * (limit / (1 << 20)) >> 10;
}

/* ---- worlds ---- */

static inline void
make_timelines(struct world *w, int64_t step)
{
	w->n_tl = 1 + (int)rnd(TLS);
	for (int k = 0; k < w->n_tl; k++) {
		int64_t t = INT64_C(1600000000) * S + rnd_us(400 * DAY);
		bool holes = rnd(3) == 0;

		if (k > 0) {
			int p = w->parent[k] = (int)rnd((uint32_t)k);
			int f = w->from[p] +
				(int)rnd((uint32_t)(w->to[p] - w->from[p] + 1));
			int64_t since =
			    f > w->from[p] ? w->at[p][f - 1] : w->begun[p];

			w->fork[k] =
			    (uint64_t)f * SEG + (rnd(4) == 0 ? 0 : SEG / 2);
			if (w->fork[k] == 0)
				w->fork[k] = SEG / 2;
			w->from[k] = f;
			/* At once, or a restore to the past. */
			t = since + (w->at[p][f] - since) / 2 + 1 +
			    (rnd(2) ? rnd_us(20 * step) : 0);
		}
		w->begun[k] = t;
		w->to[k] = w->from[k] + (int)rnd((uint32_t)(SEGS - w->from[k]));
		for (int s = w->from[k]; s <= w->to[k]; s++) {
			t += 2 * S + rnd_us(step);
			w->at[k][s] = t;
			w->there[k][s] = !holes || rnd(6) != 0;
		}
	}
}

/* Commits run evenly through a segment. */
static inline int64_t
when(const struct world *w, int k, uint64_t lsn)
{
	int s = seg_of(lsn - 1);
	int64_t begin = s > w->from[k] ? w->at[k][s - 1] : w->begun[k];

	return begin +
	       (int64_t)((double)(w->at[k][s] - begin - 2) *
			 (double)(lsn - (uint64_t)s * SEG) / (double)SEG);
}

static inline bool
make_backup(const struct world *w, struct retain_backup *b)
{
	int k = (int)rnd((uint32_t)w->n_tl);
	int a = w->from[k] + (int)rnd((uint32_t)(w->to[k] - w->from[k] + 1));
	int z = a + (int)rnd(3);

	memset(b, 0, sizeof *b);
	b->timeline = (uint32_t)k + 1;
	b->start_lsn = (uint64_t)a * SEG + 1 + rnd(SEG / 2);
	b->stop_lsn = (uint64_t)z * SEG + SEG / 2 + 2 + rnd(SEG / 2 - 1);
	if (z > w->to[k] || (k > 0 && b->start_lsn <= w->fork[k]))
		return false;
	b->start_us = when(w, k, b->start_lsn);
	b->stop_us = when(w, k, b->stop_lsn);
	b->readable = true;
	b->full = rnd(3) != 0;
	b->class = rnd(3) == 0 ? (enum retain_class)rnd(6) : RETAIN_CLASS_NONE;
	b->needs_lost = rnd(20) == 0;
	return true;
}

static inline void
make_backups(struct world *w)
{
	for (int tries = (int)rnd(BACKUPS + 1); tries > 0; tries--) {
		struct retain_backup b;
		int i = w->n_b;

		if (!make_backup(w, &b))
			continue;
		for (; i > 0 && w->b[i - 1].stop_us > b.stop_us; i--)
			w->b[i] = w->b[i - 1];
		w->b[i] = b;
		w->n_b++;
	}
	for (int i = 0; i < w->n_b; i++) {
		snprintf(w->id[i], sizeof w->id[i], "b%d", i);
		w->b[i].id = w->id[i];
		if (i > 0 && !w->b[i].full && rnd(2)) {
			w->need[i] = rnd((uint32_t)i);
			w->b[i].needs = &w->need[i];
			w->b[i].n_needs = 1;
		}
	}
}

static inline void
make_hold(struct world *w, int64_t step)
{
	struct retain_hold *h = &w->h[w->n_h];

	*h = (struct retain_hold){.id = "h", .until_us = CLOCK_NONE};
	if (rnd(3) == 0)
		h->until_us = w->now + (rnd(2) ? step : -step);
	if (w->n_b > 0 && rnd(2)) {
		h->backup = w->b[rnd((uint32_t)w->n_b)].id;
	} else {
		h->from_us = w->now - rnd_us(40 * step);
		h->to_us = rnd(4) ? h->from_us + rnd_us(10 * step) : CLOCK_NONE;
		h->bounds = w->bound[w->n_h];
		for (int k = 0; k < w->n_tl && h->to_us != CLOCK_NONE; k++)
			for (int s = w->from[k]; s <= w->to[k]; s++) {
				if (!w->there[k][s] || w->at[k][s] <= h->to_us)
					continue;
				w->bound[w->n_h][h->n_bounds++] =
				    (struct retain_bound){
					(uint32_t)k + 1, (uint64_t)s};
				break;
			}
	}
	w->n_h++;
}

static inline void
make_world(struct world *w)
{
	int64_t step = rnd(2) ? rnd_us(30 * DAY) : rnd_us(DAY);

	memset(w, 0, sizeof *w);
	step += 10 * S;
	make_timelines(w, step);
	make_backups(w);
	w->now = w->at[0][0];
	for (int k = 0; k < w->n_tl; k++)
		if (w->at[k][w->to[k]] > w->now)
			w->now = w->at[k][w->to[k]];
	w->now += rnd(2) ? rnd_us(20 * step) : 0;
	w->running_us = rnd(8) ? CLOCK_NONE : w->now - rnd_us(4 * step);
	w->policy = (struct retain_policy){
	    .full_us = rnd(2) ? rnd_us(10 * step) : 1,
	    .wal_us = 1 + rnd_us(12 * step),
	    .archive_us = rnd_us(100 * step),
	    .daily = rnd(2) ? rnd(5) : 0,
	    .weekly = rnd(2) ? rnd(5) : 0,
	    .monthly = rnd(2) ? rnd(5) : 0,
	    .yearly = rnd(2) ? rnd(3) : 0,
	    .minimum = rnd(3),
	};
	while (w->n_h < HOLDS && rnd(3) == 0)
		make_hold(w, step);
}

/* ---- the planner's view of a world ---- */

struct view {
	struct retain_input in;
	struct retain_wal wal[TLS * SEGS];
	struct history paths[TLS];
	struct history_entry entries[TLS][TLS + 1];
};

static inline bool
is_fork(const struct world *w, int seg)
{
	for (int k = 1; k < w->n_tl; k++)
		if (seg_of(w->fork[k]) == seg)
			return true;
	return false;
}

static inline void
make_view(const struct world *w, struct view *v)
{
	*v = (struct view){.in = {
			       .backups = w->b,
			       .n_backups = (size_t)w->n_b,
			       .wal = v->wal,
			       .paths = v->paths,
			       .n_paths = (size_t)w->n_tl,
			       .holds = w->h,
			       .n_holds = (size_t)w->n_h,
			       .running_us = w->running_us,
			       .segment_size = SEG,
			       .now_us = w->now,
			       .clock_us = w->now,
			   }};
	for (int k = 0; k < w->n_tl; k++) {
		struct retain_wal *r = NULL;
		size_t n = 1;

		for (int s = w->from[k]; s <= w->to[k]; s++) {
			if (!w->there[k][s]) {
				r = NULL;
				continue;
			}
			if (r == NULL || is_fork(w, s)) {
				r = &v->wal[v->in.n_wal++];
				*r = (struct retain_wal){
				    (uint32_t)k + 1, (uint64_t)s, 0, 0};
			}
			r->last = (uint64_t)s;
			r->last_us = w->at[k][s];
		}
		for (int x = k; x > 0; x = w->parent[x])
			n++;
		v->paths[k] = (struct history){v->entries[k], n};
		v->entries[k][n - 1].end = UINT64_MAX;
		for (int x = k;; x = w->parent[x]) {
			struct history_entry *e = &v->entries[k][--n];

			e->timeline = (uint32_t)x + 1;
			if (n == 0)
				break;
			e->begin = w->fork[x];
			e[-1].end = w->fork[x];
		}
	}
}

#endif
