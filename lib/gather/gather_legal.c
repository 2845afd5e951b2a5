#include <stdlib.h>
#include <string.h>

#include "gather_core.h"

struct sync {
	struct gather *g;
	struct retain_plan *active; /* what holds keep now */
	struct retain_plan *past;   /* what those kept that are over */
	bool on;                    /* what is being done */
	const char *last;           /* the backup's object that comes last */
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

	return strcmp(e->key, s->last) == 0 ? 0 : set_one(s, e->key, f);
}

static int
list(struct sync *s, const char *prefix, store_list_fn take, struct fault *f)
{
	struct deadline d = deadline_never();

	return store_list(s->g->store, prefix, false, NULL, take, s, &d, f);
}

static int
list_wal(struct sync *s, struct fault *f)
{
	char prefix[LAYOUT_KEY];
	int rc = layout_wal_prefix(
	    repo_cluster(s->g->repo), repo_system_id(s->g->repo), prefix, f);

	return rc != 0 ? rc : list(s, prefix, take_wal, f);
}

/*
 * Two objects of a backup tell how far it is. Its manifest is the first to be
 * held and the last to be let go: while it is not held, nothing of ours is. Its
 * head is the last to be held and the first to be let go: while it is held, all
 * is.
 */

static int
backup_key(const struct sync *s, size_t i, const char *name,
    char key[LAYOUT_KEY], struct fault *f)
{
	return layout_base(repo_cluster(s->g->repo), repo_system_id(s->g->repo),
	    s->g->heads[i].id, name, key, f);
}

/* The manifest; where it was lost, the head, which then is the last for both.
 */
static int
mark_key(const struct sync *s, size_t i, char key[LAYOUT_KEY], bool *is_lost,
    struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(s->g->repo)->store_deadline_ms);
	int rc = backup_key(s, i, "manifest", key, f);

	if (rc == 0)
		rc = store_stat(s->g->store, key, NULL, &d, f);
	*is_lost = rc == FAULT_ABSENT;
	if (!*is_lost)
		return rc;
	fault_clear(f);
	return backup_key(s, i, "head", key, f);
}

static int
look(const struct sync *s, const char *key, bool *on, struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(s->g->repo)->store_deadline_ms);

	return store_legal_held(s->g->store, key, on, &d, f);
}

/* All of it but last, then that. */
static int
set_backup(struct sync *s, size_t i, const char *last, struct fault *f)
{
	char folder[LAYOUT_KEY];
	int rc = backup_key(s, i, "", folder, f);

	s->last = last;
	if (rc == 0)
		rc = list(s, folder, take_backup, f);
	s->last = NULL;
	return rc != 0 ? rc : set_one(s, last, f);
}

/* first: the mark alone. */
static int
put_on_backup(struct sync *s, size_t i, bool first, struct fault *f)
{
	char head[LAYOUT_KEY], mark[LAYOUT_KEY];
	bool on = false, is_lost;
	int rc = backup_key(s, i, "head", head, f);

	if (rc == 0)
		rc = look(s, head, &on, f);
	if (rc != 0 || on)
		return rc;
	if (first) {
		rc = mark_key(s, i, mark, &is_lost, f);
		return rc != 0 || is_lost ? rc : set_one(s, mark, f);
	}
	return set_backup(s, i, head, f);
}

/* WAL that the active holds keep is looked at each time: a range of time may
 * reach into the future, and grows. */
static int
put_on(struct sync *s, struct fault *f)
{
	const size_t n = s->g->n_heads;
	int rc = 0;

	s->on = true;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (retain_backup_rules(s->active, i) != 0)
			rc = put_on_backup(s, i, true, f);
	if (rc == 0)
		rc = list_wal(s, f);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (retain_backup_rules(s->active, i) != 0)
			rc = put_on_backup(s, i, false, f);
	return rc;
}

/* first: the head alone. */
static int
take_off_backup(struct sync *s, size_t i, bool first, struct fault *f)
{
	char head[LAYOUT_KEY], mark[LAYOUT_KEY];
	bool on = false, is_lost;
	int rc;

	if ((rc = mark_key(s, i, mark, &is_lost, f)) != 0 ||
	    (rc = look(s, mark, &on, f)) != 0 || !on)
		return rc;
	if (first) {
		rc = backup_key(s, i, "head", head, f);
		return rc != 0 || is_lost ? rc : set_one(s, head, f);
	}
	return set_backup(s, i, mark, f);
}

static bool
is_past(const struct sync *s, size_t i)
{
	return retain_backup_rules(s->past, i) != 0 &&
	       retain_backup_rules(s->active, i) == 0;
}

/* The marks of the past holds' backups tell whether there is anything to do. */
static int
take_off(struct sync *s, struct fault *f)
{
	const size_t n = s->g->n_heads;
	bool any = false;
	int rc = 0;

	s->on = false;
	for (size_t i = 0; rc == 0 && i < n && !any; i++) {
		char mark[LAYOUT_KEY];
		bool is_lost;

		if (retain_backup_rules(s->past, i) != 0 &&
		    (rc = mark_key(s, i, mark, &is_lost, f)) == 0)
			rc = look(s, mark, &any, f);
	}
	if (rc != 0 || !any)
		return rc;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (is_past(s, i))
			rc = take_off_backup(s, i, true, f);
	if (rc == 0)
		rc = list_wal(s, f);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (is_past(s, i))
			rc = take_off_backup(s, i, false, f);
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
