#include <stdlib.h>
#include <string.h>

#include "verify.h"

/* WAL that should be there and is not. */

#define POLL_MS 500
#define ASK_MAX 64 /* segments that are asked for once more */

/* A hold that was placed after WAL was let go does not bring it back. */
static void
fit_holds(struct verify *v)
{
	struct gather *g = &v->gather;
	size_t n = 0;

	for (size_t i = 0; i < g->n_held; i++) {
		struct retain_hold h = g->held[i];
		int64_t placed = INT64_MAX, floor;

		for (size_t k = 0; k < g->holds.n; k++)
			if (strcmp(g->holds.h[k].id, h.id) == 0)
				placed = g->holds.h[k].placed_us;
		floor = prunes_floor(v, placed);
		if (h.backup == NULL && floor != CLOCK_NONE &&
		    h.from_us < floor)
			h.from_us = floor;
		if (h.backup == NULL && h.to_us != CLOCK_NONE &&
		    h.to_us < h.from_us) {
			free((void *)(uintptr_t)h.bounds);
			continue;
		}
		g->held[n++] = h;
	}
	g->in.n_holds = g->n_held = n;
}

/* The window is as settings and clock have it now, or as a pruning left it,
 * whose clock may have been ahead of ours. */
static int
fit_window(struct verify *v, struct retain_policy *policy, struct fault *f)
{
	int64_t now = v->gather.in.now_us, floor = prunes_floor(v, INT64_MAX);
	char from[CLOCK_TEXT_SIZE];

	if (floor == CLOCK_NONE)
		return 0;
	if (floor > now)
		policy->wal_us = 0;
	else if (now - floor < policy->wal_us)
		policy->wal_us = now - floor;
	if (floor <= now + RETAIN_TOLERANCE_US)
		return 0;
	clock_format(floor, from);
	return found_add(v, false, repo_cluster(v->repo),
	    "a clock is or was wrong, here or where was pruned", f,
	    "a pruning let go all WAL that no backup needs before %s, in the "
	    "future",
	    from);
}

static int
find_missing(struct verify *v, struct fault *f)
{
	struct retain_policy policy = gather_policy(&v->only);
	int rc = trail_check(v, f);

	if (rc == 0)
		rc = tails_recall(v, f);
	if (rc != 0)
		return rc;
	fit_holds(v);
	if ((rc = fit_window(v, &policy, f)) != 0)
		return rc;
	rc = chain_missing(&v->gather.in, &policy, &v->tails, &v->missing, f);
	if (rc != FAULT_CONFIG)
		return rc;
	rc = found_add(v, false, repo_cluster(v->repo), f->text, f,
	    "what retention would keep is not known: all WAL counts");
	return rc != 0 ? rc
		       : chain_missing(
			     &v->gather.in, NULL, &v->tails, &v->missing, f);
}

/* ---- on their way ---- */

/* Segments are stored side by side: one may be there before the one in front of
 * it is. How long ago the WAL behind came says whether to wait. */
static int64_t
due_us(const struct verify *v, const struct chain_hole *h)
{
	int64_t newest = INT64_MIN;

	for (size_t i = 0; i < v->gather.n_wal; i++) {
		const struct retain_wal *w = &v->gather.wal[i];

		if (w->last > h->last && w->last_us != INT64_MAX &&
		    w->last_us > newest)
			newest = w->last_us;
	}
	return newest == INT64_MIN ? newest
				   : newest + v->only.push_deadline_ms * 1000;
}

static int
is_there(struct verify *v, uint32_t timeline, uint64_t segno, bool *there,
    struct fault *f)
{
	struct deadline d = deadline_in_ms(v->only.store_deadline_ms);
	char name[WALNAME_SIZE], key[LAYOUT_KEY];
	struct store_info info;
	int rc;

	walname_format(timeline, segno, v->gather.in.segment_size, name);
	if ((rc = found_wal_key(v, name, key, f)) != 0)
		return rc;
	rc = store_stat(v->store, key, &info, &d, f);
	*there = rc == 0;
	if (rc == FAULT_ABSENT) {
		fault_clear(f);
		rc = 0;
	}
	return rc;
}

/* Until it has come or is overdue; no longer than most, for the times that the
 * store shows may lie in the future. */
static int
wait_for(struct verify *v, struct chain_hole *h, const struct deadline *most,
    bool *came, struct fault *f)
{
	int64_t due = due_us(v, h);
	int rc = 0;

	*came = false;
	while (rc == 0 && h->last - h->first < ASK_MAX) {
		bool there = true;

		while (rc == 0 && there && h->first <= h->last) {
			rc = is_there(v, h->timeline, h->first, &there, f);
			if (rc == 0 && there)
				h->first++;
		}
		*came = rc == 0 && h->first > h->last;
		if (*came || clock_now_us() >= due || deadline_passed(most))
			break;
		clock_sleep_ms(POLL_MS);
	}
	return rc;
}

/* It is WAL like any other now. */
static int
insert(struct verify *v, const struct chain_hole *h, struct fault *f)
{
	struct gather *g = &v->gather;
	void *grown = reallocarray(g->wal, g->n_wal + 1, sizeof *g->wal);
	size_t i = g->n_wal;

	if (grown == NULL)
		return fault_nomem(f);
	g->wal = grown;
	g->cap_wal = g->n_wal + 1;
	while (i > 0 && (g->wal[i - 1].timeline > h->timeline ||
			    (g->wal[i - 1].timeline == h->timeline &&
				g->wal[i - 1].first > h->first))) {
		g->wal[i] = g->wal[i - 1];
		i--;
	}
	g->wal[i] =
	    (struct retain_wal){h->timeline, h->first, h->last, clock_now_us()};
	g->in.wal = g->wal;
	g->in.n_wal = ++g->n_wal;
	return 0;
}

static int
wait_for_all(struct verify *v, struct fault *f)
{
	struct deadline most = deadline_in_ms(v->only.push_deadline_ms);
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->missing.n; i++) {
		struct chain_hole h = v->missing.h[i];
		bool came;

		rc = wait_for(v, &h, &most, &came, f);
		if (rc == 0 && came)
			rc = insert(v, &v->missing.h[i], f);
		else if (rc == 0)
			v->missing.h[n++] = h;
	}
	if (rc == 0)
		v->missing.n = n;
	return rc;
}

int
missing_find(struct verify *v, struct fault *f)
{
	int rc = find_missing(v, f);

	return rc != 0 ? rc : wait_for_all(v, f);
}

/* ---- a second time ---- */

static int
see_nothing(void *ctx, const struct store_entry *e, struct fault *f)
{
	(void)ctx;
	(void)e;
	(void)f;
	return 0;
}

static int
pass_over(void *ctx, const char *what, const struct fault *why)
{
	(void)ctx;
	(void)what;
	(void)why;
	return 0;
}

int
missing_once_more(
    const struct verify *v, struct chain_list *out, struct fault *f)
{
	const struct gather_eye eye = {NULL, see_nothing, pass_over, true};
	struct verify w;
	int rc;

	state_again(&w, v);
	rc = gather_read(&w.gather, w.repo, 0, clock_now_us(), &eye, f);
	if (rc == 0)
		rc = find_missing(&w, f);
	if (rc == 0) {
		*out = w.missing;
		w.missing = (struct chain_list){NULL, 0};
	}
	state_clear(&w);
	return rc;
}
