#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "verify.h"

/* What was found, and what it means for recovery. */

static const struct history *
path_of(const struct verify *v, uint32_t timeline)
{
	const struct retain_input *in = &v->gather.in;

	for (size_t i = 0; i < in->n_paths; i++)
		if (in->paths[i].entry[in->paths[i].n - 1].timeline == timeline)
			return &in->paths[i];
	return NULL;
}

/* ---- holes ---- */

/* The newest commit in front of a hole, on the way to that timeline. */
static int
commit_before(const struct verify *v, const struct chain_hole *h,
    const struct chain_effect *e, int64_t *us, struct fault *f)
{
	const struct history *p = path_of(v, e->timeline);
	int64_t floor = v->gather.heads[e->before].stop_us;
	int rc = 0;

	*us = floor;
	if (p == NULL || h->first == 0)
		return 0;
	for (size_t k = p->n; k-- > 0;) {
		uint32_t t = p->entry[k].timeline;

		if (t > h->timeline || !look_has(v, t, h->first - 1))
			continue;
		rc = gather_window_commit(
		    &v->gather, t, h->first - 1, floor, us, f);
		break;
	}
	/* What cannot be read there has its own finding. */
	if (rc == FAULT_CORRUPT || rc == FAULT_KEY || rc == FAULT_FOREIGN ||
	    rc == FAULT_AGAIN) {
		fault_clear(f);
		*us = floor;
		rc = 0;
	}
	return rc;
}

static int
tell_effect(struct verify *v, const struct chain_hole *h,
    const struct chain_effect *e, const char *object, const char *problem,
    struct fault *f)
{
	char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	int64_t us;
	int rc = commit_before(v, h, e, &us, f);

	if (rc != 0)
		return rc;
	clock_format(us, from);
	if (e->until == CHAIN_NONE)
		return found_add(v, true, object, problem, f,
		    "no moment after %s on timeline %u can be reached", from,
		    e->timeline);
	clock_format(v->gather.heads[e->until].stop_us, until);
	return found_add(v, true, object, problem, f,
	    "no moment between %s and %s on timeline %u can be reached", from,
	    until, e->timeline);
}

/* *told: it means something. */
static int
tell_hole(struct verify *v, const struct chain_hole *h, const char *object,
    const char *problem, bool *told, struct fault *f)
{
	const struct retain_input *in = &v->gather.in;
	bool *usable = calloc(in->n_backups + 1, sizeof *usable);
	struct chain_effect *e = NULL;
	size_t n = 0;
	int rc = 0;

	*told = false;
	if (usable == NULL)
		return fault_nomem(f);
	for (size_t i = 0; rc == 0 && i < in->n_backups; i++) {
		usable[i] = v->backups[i].usable;
		if (v->backups[i].gone || !chain_hits(in, i, h) ||
		    (v->run->n_backups > 0 && !v->backups[i].wanted))
			continue;
		*told = true;
		rc = found_add(v, true, object, problem, f,
		    "backup %s cannot be restored", in->backups[i].id);
	}
	if (rc == 0 && v->run->n_backups == 0)
		rc = chain_effects(in, usable, &v->tails, h, &e, &n, f);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		*told = true;
		rc = tell_effect(v, h, &e[i], object, problem, f);
	}
	free(usable);
	free(e);
	return rc;
}

static int
name_hole(const struct verify *v, const struct chain_hole *h, char *out,
    size_t cap, struct fault *f)
{
	char name[WALNAME_SIZE], last[WALNAME_SIZE], key[LAYOUT_KEY];
	int rc;

	walname_format(h->timeline, h->first, v->gather.in.segment_size, name);
	walname_format(h->timeline, h->last, v->gather.in.segment_size, last);
	if ((rc = found_wal_key(v, name, key, f)) != 0)
		return rc;
	if (h->first >= h->last)
		snprintf(out, cap, "%s", key);
	else
		snprintf(out, cap, "%s to %s (%llu segments)", key, last,
		    (unsigned long long)(h->last - h->first + 1));
	return 0;
}

static int
tell_missing(struct verify *v, struct fault *f)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->missing.n; i++) {
		char object[LAYOUT_KEY + 80];
		bool told;

		rc = name_hole(v, &v->missing.h[i], object, sizeof object, f);
		if (rc == 0)
			rc = tell_hole(v, &v->missing.h[i], object,
			    "is missing", &told, f);
		/* No backup that can be restored stands before it. */
		if (rc == 0 && !told && v->run->n_backups == 0)
			rc = found_add(v, v->gather.n_heads > 0, object,
			    "is missing", f,
			    "no backup can be recovered through it");
	}
	return rc;
}

static int
tell_damaged(struct verify *v, struct fault *f)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->n_damaged; i++) {
		const struct verify_damage *x = &v->damaged[i];
		char object[LAYOUT_KEY + 80];
		bool told;

		rc = name_hole(v, &x->where, object, sizeof object, f);
		if (rc == 0)
			rc = tell_hole(v, &x->where, object, x->why, &told, f);
		if (rc == 0 && !told && !x->absent)
			rc = found_add(
			    v, false, object, x->why, f, "no backup needs it");
	}
	return rc;
}

/* A segment whose records end early is the end of its timeline, or WAL behind
 * it cannot be reached: the hole is there. */
static int
judge_ends(struct verify *v, struct fault *f)
{
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->n_ends; i++) {
		struct chain_hole h = v->ends[i];
		char object[LAYOUT_KEY + 80];
		bool told;

		if (!look_has(v, h.timeline, h.first + 1))
			continue;
		rc = name_hole(v, &h, object, sizeof object, f);
		h.first = ++h.last;
		v->ends[n++] = h;
		if (rc == 0)
			rc = tell_hole(v, &h, object,
			    "its records end before its end, though later "
			    "segments are there",
			    &told, f);
	}
	v->n_ends = n;
	return rc;
}

/* ---- timelines ---- */

static bool
lives(const struct verify *v, uint32_t timeline)
{
	const struct retain_input *in = &v->gather.in;

	for (size_t i = 0; i < in->n_wal; i++)
		if (in->wal[i].timeline == timeline)
			return true;
	for (size_t i = 0; i < in->n_backups; i++)
		if (in->backups[i].timeline == timeline)
			return true;
	return false;
}

static int
judge_histories(struct verify *v, struct fault *f)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->gather.n_timelines; i++) {
		const struct gather_timeline *t = &v->gather.timelines[i];
		char name[WALNAME_SIZE], key[LAYOUT_KEY];

		if (t->timeline == 1 || !lives(v, t->timeline) ||
		    path_of(v, t->timeline)->n > 1)
			continue;
		for (size_t k = 0; k < v->gather.n_heads; k++)
			if (v->gather.heads[k].timeline == t->timeline)
				v->backups[k].usable = false;
		/* One that is there and cannot be read was told of. */
		if (t->has_history)
			continue;
		walname_format_history(t->timeline, name);
		rc = found_wal_key(v, name, key, f);
		if (rc == 0)
			rc = found_add(v, true, key, "is missing", f,
			    "timeline %u cannot be followed: no moment on it "
			    "can be reached",
			    t->timeline);
	}
	return rc;
}

/* ---- all ---- */

static int
judge_mark(struct verify *v, struct fault *f)
{
	struct deadline d = deadline_in_ms(v->only.store_deadline_ms);
	char key[LAYOUT_KEY];
	struct fault why = FAULT_INIT;
	int rc;

	if (v->gather.n_wal == 0)
		return 0;
	rc = archive_mark_check(v->repo, 0, &d, &why);
	if (rc == 0)
		return 0;
	if (rc != FAULT_ABSENT && rc != FAULT_CORRUPT && rc != FAULT_KEY) {
		*f = why;
		return rc;
	}
	if ((rc = layout_mark(
		 repo_cluster(v->repo), repo_system_id(v->repo), key, f)) != 0)
		return rc;
	return found_add(v, true, key,
	    why.code == FAULT_ABSENT ? "is missing" : why.text, f,
	    "walfetch cannot prove where the archive ends, and recovery stops "
	    "there");
}

int
judge_run(struct verify *v, struct fault *f)
{
	int rc;

	if ((rc = pruned_drop(v, f)) != 0 || (rc = judge_mark(v, f)) != 0 ||
	    (rc = judge_histories(v, f)) != 0)
		return rc;
	if (v->run->n_backups == 0)
		rc = judge_ends(v, f);
	if (rc == 0)
		rc = tell_missing(v, f);
	if (rc == 0)
		rc = tell_damaged(v, f);
	if (rc == 0)
		rc = lost_find(v, f);
	if (rc == 0)
		rc = notes_add(v, f);
	if (rc == 0 && v->gather.n_heads == 0)
		rc = elsewhere_or_never(v, f);
	if (rc == 0)
		rc = windows_find(v, f);
	return rc != 0 ? rc : lost_tell(v, f);
}
