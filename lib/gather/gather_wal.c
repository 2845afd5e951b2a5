#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "gather_core.h"

bool
gather_wal_name(const struct gather *g, const char *key, struct walname *out)
{
	const char *name = strrchr(key, '/');
	struct fault ignored = FAULT_INIT;
	char own[LAYOUT_KEY];

	return name != NULL && walname_parse(name + 1, out, &ignored) == 0 &&
	       layout_wal(repo_cluster(g->repo), repo_system_id(g->repo),
		   name + 1, out, own, &ignored) == 0 &&
	       strcmp(own, key) == 0;
}

/* Until the segment size is known a number is the name's two halves. */
int
gather_wal_add(struct gather *g, const struct walname *n, int64_t archived_us,
    struct fault *f)
{
	uint64_t place = (uint64_t)n->log << 32 | n->seg;
	struct retain_wal *w = g->wal + (g->n_wal > 0 ? g->n_wal - 1 : 0);

	if (archived_us == CLOCK_NONE)
		archived_us = INT64_MAX;
	/* One folder's: ranges stay short enough to tell when they were. */
	if (g->n_wal > 0 && w->timeline == n->timeline && n->seg > 0 &&
	    w->last + 1 == place) {
		w->last = place;
		if (archived_us > w->last_us)
			w->last_us = archived_us;
		return 0;
	}
	if (g->n_wal == g->cap_wal) {
		size_t cap = g->cap_wal == 0 ? 256 : 2 * g->cap_wal;
		void *grown = reallocarray(g->wal, cap, sizeof *g->wal);

		if (grown == NULL)
			return fault_nomem(f);
		g->wal = grown;
		g->cap_wal = cap;
	}
	g->wal[g->n_wal++] =
	    (struct retain_wal){n->timeline, place, place, archived_us};
	return 0;
}

static int
number(const struct gather *g, uint64_t *place, struct fault *f)
{
	struct walname n = {.kind = WALNAME_SEGMENT,
	    .timeline = 1,
	    .log = (uint32_t)(*place >> 32),
	    .seg = (uint32_t)*place};

	return walname_segno(&n, g->in.segment_size, place, f);
}

int
gather_wal_timeline(
    struct gather *g, uint32_t timeline, bool has_history, struct fault *f)
{
	struct gather_timeline *t = g->timelines;
	void *grown;
	size_t i = g->n_timelines;

	while (i > 0 && t[i - 1].timeline >= timeline)
		i--;
	if (i < g->n_timelines && t[i].timeline == timeline) {
		t[i].has_history = t[i].has_history || has_history;
		return 0;
	}
	grown = reallocarray(t, g->n_timelines + 1, sizeof *t);
	if (grown == NULL)
		return fault_nomem(f);
	g->timelines = t = grown;
	memmove(&t[i + 1], &t[i], (g->n_timelines - i) * sizeof *t);
	t[i] = (struct gather_timeline){timeline, has_history};
	g->n_timelines++;
	return 0;
}

static int
take_wal(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct gather *g = ctx;
	struct walname n;
	int rc;

	if (!gather_wal_name(g, e->key, &n)) {
		g->strange++;
		return 0;
	}
	if (g->eye != NULL && (rc = g->eye->object(g->eye->ctx, e, f)) != 0)
		return rc;
	rc = gather_wal_timeline(g, n.timeline, n.kind == WALNAME_HISTORY, f);
	if (rc == 0 && n.kind == WALNAME_SEGMENT)
		rc = gather_wal_add(g, &n, e->modified_us, f);
	return rc;
}

int
gather_wal_read(struct gather *g, struct fault *f)
{
	struct deadline d = deadline_never();
	char prefix[LAYOUT_KEY];
	int rc = layout_wal_prefix(
	    repo_cluster(g->repo), repo_system_id(g->repo), prefix, f);

	return rc != 0 ? rc
		       : store_list(
			     g->store, prefix, false, NULL, take_wal, g, &d, f);
}

int
gather_wal_look(const struct gather *g, const char *name, struct walmeta *out,
    struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(g->repo)->store_deadline_ms);
	uint64_t stored;

	return archive_look(g->repo, g->index, name, out, &stored, &d, f);
}

/* Without backups: the size that one of the segments tells. */
static int
ask_a_segment(struct gather *g, struct fault *f)
{
	for (size_t i = 0; i < g->n_wal; i++) {
		char name[WALNAME_SIZE];
		struct walmeta m;
		int rc;

		snprintf(name, sizeof name,
		    "%08" PRIX32 "%08" PRIX32 "%08" PRIX32, g->wal[i].timeline,
		    (uint32_t)(g->wal[i].first >> 32),
		    (uint32_t)g->wal[i].first);
		rc = gather_wal_look(g, name, &m, f);
		if (rc == 0 && m.segment_size != 0) {
			g->in.segment_size = m.segment_size;
			return 0;
		}
		if (rc != 0 && (rc = gather_eye_unreadable(g, name, f)) != 0)
			return rc;
	}
	return 0;
}

int
gather_wal_number(struct gather *g, struct fault *f)
{
	size_t n = 0;
	int rc = 0;

	if (g->eye != NULL && g->n_heads == 0)
		rc = ask_a_segment(g, f);
	for (size_t i = 0; rc == 0 && i < g->n_wal; i++) {
		struct retain_wal w = g->wal[i];

		rc = number(g, &w.first, f);
		if (rc == 0)
			rc = number(g, &w.last, f);
		if (rc == 0) {
			g->wal[n++] = w;
		} else if (g->eye != NULL) {
			/* No segment of this size has such a name. */
			g->strange += w.last - w.first + 1;
			rc = 0;
		}
	}
	if (rc == 0)
		g->n_wal = n;
	return rc;
}
