#include <stdlib.h>
#include <string.h>

#include "gather_core.h"

/* The first segment of w->timeline, from w->first on, that holds a commit
 * after the moment: recovery to the moment ends there. */
static int
search(struct gather *g, size_t from, int64_t after_us,
    struct retain_bound *out, bool *found, struct fault *f)
{
	uint32_t timeline = g->wal[from].timeline;
	int rc = 0;

	*found = false;
	for (size_t i = from;
	     rc == 0 && i < g->n_wal && g->wal[i].timeline == timeline; i++) {
		for (uint64_t s = g->wal[i].first; s <= g->wal[i].last; s++) {
			char name[WALNAME_SIZE];
			struct walmeta m;

			walname_format(timeline, s, g->in.segment_size, name);
			rc = gather_wal_look(g, name, &m, f);
			if (rc != 0 && rc != FAULT_ABSENT) {
				rc = gather_eye_unreadable(g, name, f);
				if (rc == 0)
					continue;
			}
			if (rc != 0)
				break;
			if (m.summary.last_commit_us == CLOCK_NONE ||
			    m.summary.last_commit_us <= after_us)
				continue;
			*out = (struct retain_bound){timeline, s};
			*found = true;
			return 0;
		}
	}
	/* It was listed just now. */
	return rc == FAULT_ABSENT ? fault_recode(f, FAULT_AGAIN) : rc;
}

/* For each timeline: ranges that were archived before the end of the held
 * range hold no commit after it. */
static int
bound(struct gather *g, struct retain_hold *h, struct fault *f)
{
	struct retain_bound *b = calloc(g->n_timelines + 1, sizeof *b);
	int rc = 0;

	if (b == NULL)
		return fault_nomem(f);
	h->bounds = b;
	for (size_t i = 0; rc == 0 && i < g->n_wal; i++) {
		uint32_t timeline = g->wal[i].timeline;
		bool found;

		if (g->wal[i].last_us <= h->to_us)
			continue;
		rc = search(g, i, h->to_us, &b[h->n_bounds], &found, f);
		if (rc == 0 && found)
			h->n_bounds++;
		while (i + 1 < g->n_wal && g->wal[i + 1].timeline == timeline)
			i++;
	}
	return rc;
}

int
gather_hold_make(struct gather *g, const struct hold *h, struct retain_hold *to,
    struct fault *f)
{
	*to = (struct retain_hold){.id = h->id,
	    .until_us = h->until_us,
	    .backup = h->backup[0] != '\0' ? h->backup : NULL,
	    .from_us = h->from_us,
	    .to_us = h->to_us};
	return to->backup == NULL && to->to_us != CLOCK_NONE ? bound(g, to, f)
							     : 0;
}

int
gather_hold_prepare(struct gather *g, struct fault *f)
{
	int rc = 0;

	g->held = calloc(g->holds.n + 1, sizeof *g->held);
	if (g->held == NULL)
		return fault_nomem(f);
	for (size_t i = 0; rc == 0 && i < g->holds.n; i++)
		if (!g->holds.h[i].released)
			rc = gather_hold_make(
			    g, &g->holds.h[i], &g->held[g->n_held++], f);
	return rc;
}

static bool
is_known(const struct gather *g, const char *id)
{
	for (size_t i = 0; i < g->holds.n; i++)
		if (strcmp(g->holds.h[i].id, id) == 0)
			return true;
	return false;
}

int
gather_hold_same(const struct gather *g, struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(g->repo)->store_deadline_ms);
	struct hold_list now;
	int rc = hold_list(g->repo, g->index, &now, &d, f);

	if (rc != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < now.n; i++)
		if (!is_known(g, now.h[i].id))
			rc = fault_set(f, FAULT_EXISTS,
			    "hold %s was placed meanwhile: nothing more is "
			    "deleted; run it again",
			    now.h[i].id);
	hold_free(&now);
	return rc;
}
