#include <stdlib.h>
#include <string.h>

#include "gather.h"

struct sync {
	struct gather *g;
	struct retain_plan *active; /* what holds keep now */
	struct retain_plan *past;   /* what those kept that are over */
	bool on;                    /* what is being done */
	uint64_t *count;
};

static int
set_one(const struct sync *s, const char *key, struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(s->g->repo)->store_deadline_ms);
	bool done;
	int rc = store_legal_hold(s->g->store, key, s->on, &done, &d, f);

	if (rc == 0 && done)
		++*s->count;
	return rc;
}

static bool
keeps(const struct retain_plan *p, const struct gather *g,
    const struct walname *n)
{
	struct fault ignored = FAULT_INIT;
	uint64_t segno, last;

	return walname_segno(n, g->in.segment_size, &segno, &ignored) == 0 &&
	       retain_keeps_place(p, n->timeline, segno, &last);
}

static int
take_wal(void *ctx, const struct store_entry *e, struct fault *f)
{
	const struct sync *s = ctx;
	struct walname n;

	if (!gather_wal_name(s->g, e->key, &n) || n.kind == WALNAME_HISTORY)
		return 0;
	if (s->on ? !keeps(s->active, s->g, &n)
		  : !keeps(s->past, s->g, &n) || keeps(s->active, s->g, &n))
		return 0;
	return set_one(s, e->key, f);
}

static int
take_backup(void *ctx, const struct store_entry *e, struct fault *f)
{
	const struct sync *s = ctx;
	const char *name = strrchr(e->key, '/');

	return name != NULL && strcmp(name, "/head") == 0
		   ? 0
		   : set_one(s, e->key, f);
}

static int
list(struct sync *s, const char *prefix, store_list_fn take, struct fault *f)
{
	struct deadline d = deadline_never();

	return store_list(s->g->store, prefix, false, NULL, take, s, &d, f);
}

/* *is: does the head of backup i stand as it is to? */
static int
look_head(const struct sync *s, size_t i, bool *is, struct fault *f)
{
	const struct gather *g = s->g;
	struct deadline d =
	    deadline_in_ms(repo_conf(g->repo)->store_deadline_ms);
	char key[LAYOUT_KEY];
	bool on = false;
	int rc = layout_base(repo_cluster(g->repo), repo_system_id(g->repo),
	    g->heads[i].id, "head", key, f);

	if (rc == 0)
		rc = store_legal_held(g->store, key, &on, &d, f);
	*is = on == s->on;
	return rc;
}

static int
set_backup(struct sync *s, size_t i, struct fault *f)
{
	const struct gather *g = s->g;
	char folder[LAYOUT_KEY], head[LAYOUT_KEY];
	int rc;

	if ((rc = layout_base(repo_cluster(g->repo), repo_system_id(g->repo),
		 g->heads[i].id, "", folder, f)) != 0 ||
	    (rc = layout_base(repo_cluster(g->repo), repo_system_id(g->repo),
		 g->heads[i].id, "head", head, f)) != 0 ||
	    (rc = list(s, folder, take_backup, f)) != 0)
		return rc;
	return set_one(s, head, f);
}

/* WAL that the active holds keep is looked at each time: a range of time may
 * reach into the future, and grows. */
static int
put_on(struct sync *s, struct fault *f)
{
	const struct gather *g = s->g;
	char prefix[LAYOUT_KEY];
	int rc;

	s->on = true;
	if ((rc = layout_wal_prefix(repo_cluster(g->repo),
		 repo_system_id(g->repo), prefix, f)) != 0 ||
	    (rc = list(s, prefix, take_wal, f)) != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < g->n_heads; i++) {
		bool is = true;

		if (retain_backup_rules(s->active, i) == 0)
			continue;
		rc = look_head(s, i, &is, f);
		if (rc == 0 && !is)
			rc = set_backup(s, i, f);
	}
	return rc;
}

/* A past hold's backup has its head held until all else was let go, and is not
 * deleted before: so the heads tell whether there is anything to do. */
static int
take_off(struct sync *s, struct fault *f)
{
	const struct gather *g = s->g;
	char prefix[LAYOUT_KEY];
	bool any = false;
	int rc = 0;

	s->on = false;
	for (size_t i = 0; rc == 0 && i < g->n_heads && !any; i++) {
		bool is = true;

		if (retain_backup_rules(s->past, i) != 0)
			rc = look_head(s, i, &is, f);
		any = !is;
	}
	if (rc != 0 || !any)
		return rc;
	if ((rc = layout_wal_prefix(repo_cluster(g->repo),
		 repo_system_id(g->repo), prefix, f)) != 0 ||
	    (rc = list(s, prefix, take_wal, f)) != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < g->n_heads; i++) {
		bool is = true;

		if (retain_backup_rules(s->past, i) == 0 ||
		    retain_backup_rules(s->active, i) != 0)
			continue;
		rc = look_head(s, i, &is, f);
		if (rc == 0 && !is)
			rc = set_backup(s, i, f);
	}
	return rc;
}

/* The holds that are over, as if they were not. */
static int
past_holds(
    struct gather *g, struct retain_hold *past, size_t *n, struct fault *f)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < g->holds.n; i++) {
		const struct hold *h = &g->holds.h[i];

		if (hold_active(h, g->in.now_us))
			continue;
		rc = gather_hold_make(g, h, &past[*n], f);
		past[(*n)++].until_us = CLOCK_NONE;
	}
	return rc;
}

int
gather_legal_sync(
    struct gather *g, uint64_t *on, uint64_t *off, struct fault *f)
{
	struct sync s = {.g = g, .count = on};
	struct retain_input in = g->in;
	struct retain_hold *past;
	size_t n = 0;
	int rc;

	*on = *off = 0;
	if (!store_has_lock(g->store) || g->holds.n == 0)
		return 0;
	past = calloc(g->holds.n, sizeof *past);
	if (past == NULL)
		return fault_nomem(f);
	rc = past_holds(g, past, &n, f);
	in.holds = past;
	in.n_holds = n;
	if (rc == 0 && (rc = retain_plan_held(&s.active, &g->in, f)) == 0 &&
	    (rc = retain_plan_held(&s.past, &in, f)) == 0) {
		if (n < g->holds.n)
			rc = put_on(&s, f);
		s.count = off;
		if (rc == 0 && n > 0)
			rc = take_off(&s, f);
	}
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)past[i].bounds);
	free(past);
	retain_free(s.active);
	retain_free(s.past);
	return rc == 0 ? 0 : fault_prefix(f, "legal holds of the store");
}
