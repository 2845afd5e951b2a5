#include <inttypes.h>
#include <stdio.h>

#include "verify.h"

/* Backups that were finished, by the trail or by the last report, and are not
 * there any more, though no pruning let them go. */

/* ---- which ---- */

static int
mark_heads(struct verify *v, struct fault *f)
{
	const struct gather *g = &v->gather;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < g->n_heads; i++)
		rc = ledger_there(&v->ledger, g->heads[i].id,
		    g->heads[i].stop_us, g->heads[i].timeline, f);
	/* One that cannot be opened is there, and was told of. */
	for (size_t i = 0; rc == 0 && i < g->n_folders; i++)
		if (g->folders[i].has_head)
			rc = ledger_there(
			    &v->ledger, g->folders[i].id, CLOCK_NONE, 0, f);
	ledger_settle(&v->ledger);
	for (size_t i = 0; rc == 0 && i < g->n_heads; i++)
		if (v->backups[i].gone)
			ledger_find(&v->ledger, g->heads[i].id)->there = false;
	return rc;
}

/* It may have been finished since everything was listed. */
static int
look_again(struct verify *v, struct ledger_backup *b, struct fault *f)
{
	struct deadline d = deadline_in_ms(v->only.store_deadline_ms);
	char key[LAYOUT_KEY];
	int rc = layout_base(repo_cluster(v->repo), repo_system_id(v->repo),
	    b->id, "head", key, f);

	if (rc == 0)
		rc = store_stat(v->store, key, NULL, &d, f);
	if (rc == 0)
		b->there = true;
	if (rc != FAULT_ABSENT)
		return rc;
	fault_clear(f);
	return 0;
}

/* Or have been let go since the trail was read. */
static int
read_trail_again(struct verify *v, struct fault *f)
{
	struct verify w;
	int rc;

	state_again(&w, v);
	rc = trail_read(&w, f);
	ledger_settle(&w.ledger);
	for (size_t i = 0; rc == 0 && i < v->ledger.n; i++) {
		struct ledger_backup *b = &v->ledger.b[i];
		const struct ledger_backup *now = ledger_find(&w.ledger, b->id);

		if (ledger_misses(b) && now != NULL)
			b->let_go = now->let_go;
	}
	state_clear(&w);
	return rc;
}

int
lost_find(struct verify *v, struct fault *f)
{
	bool any = false;
	int rc = mark_heads(v, f);

	for (size_t i = 0; rc == 0 && i < v->ledger.n; i++) {
		struct ledger_backup *b = &v->ledger.b[i];

		if (!ledger_misses(b))
			continue;
		rc = look_again(v, b, f);
		any = any || !b->there;
	}
	return rc == 0 && any ? read_trail_again(v, f) : rc;
}

/* ---- what that means ---- */

/* Is that backup on the way to the end of the window's timeline? */
static bool
leads(const struct verify *v, const struct retain_window *w, size_t i)
{
	const struct retain_input *in = &v->gather.in;
	const struct retain_backup *b = &in->backups[i];

	if (!v->backups[i].usable || v->backups[i].gone)
		return false;
	for (size_t k = 0; k < in->n_paths; k++) {
		const struct history *p = &in->paths[k];

		if (p->entry[p->n - 1].timeline == w->timeline)
			return history_reaches(p, b->timeline, b->stop_lsn);
	}
	return false;
}

/* The neighbours of that moment in the window; n_heads when there is none. */
static void
neighbours(const struct verify *v, const struct retain_window *w, int64_t us,
    size_t *before, size_t *behind)
{
	const struct gather *g = &v->gather;

	*before = *behind = g->n_heads;
	for (size_t i = 0; i < g->n_heads; i++) {
		if (!leads(v, w, i) ||
		    g->heads[i].stop_us < g->heads[w->backup].stop_us)
			continue;
		if (g->heads[i].stop_us <= us)
			*before = i;
		else if (*behind == g->n_heads)
			*behind = i;
	}
}

static const char *
what_is_gone(const struct verify *v, const char *id)
{
	return gather_find(&v->gather, id) != NULL ? "its head is gone"
						   : "all of it is gone";
}

/* The moments behind it that its window covers. */
static int
tell_covered(struct verify *v, const struct ledger_backup *b, size_t k,
    const char *key, const char *problem, struct fault *f)
{
	const struct gather *g = &v->gather;
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
	int64_t until = v->window_ends[k];
	size_t before, behind;

	neighbours(v, &v->windows[k], b->stop_us, &before, &behind);
	if (behind < g->n_heads && g->heads[behind].stop_us < until)
		until = g->heads[behind].stop_us;
	clock_format(b->stop_us, from);
	clock_format(until, to);
	return found_add(v, true, key, problem, f,
	    "moments from %s to %s can only be reached from backup %s", from,
	    to,
	    g->heads[before < g->n_heads ? before : v->windows[k].backup].id);
}

/* No window covers the moment: from it to the next one nothing can be had. */
static int
tell_uncovered(struct verify *v, const struct ledger_backup *b, const char *key,
    const char *problem, struct fault *f)
{
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
	int64_t next = INT64_MAX;

	for (size_t k = 0; k < v->n_windows; k++) {
		int64_t us = v->gather.heads[v->windows[k].backup].stop_us;

		if (us > b->stop_us && us < next)
			next = us;
	}
	clock_format(b->stop_us, from);
	if (next == INT64_MAX)
		return found_add(v, true, key, problem, f,
		    "no moment from %s on can be reached", from);
	clock_format(next, to);
	return found_add(v, true, key, problem, f,
	    "no moment from %s to %s can be reached", from, to);
}

static bool
covers(const struct verify *v, size_t k, const struct ledger_backup *b)
{
	return v->gather.heads[v->windows[k].backup].stop_us <= b->stop_us &&
	       v->window_ends[k] >= b->stop_us;
}

/* The window of its own timeline, or those that descend from it. */
static bool
concerns(const struct verify *v, size_t k, const struct ledger_backup *b)
{
	if (!covers(v, k, b) || v->windows[k].timeline == b->timeline)
		return covers(v, k, b);
	for (size_t i = 0; i < v->n_windows; i++)
		if (v->windows[i].timeline == b->timeline && covers(v, i, b))
			return false;
	return true;
}

static int
tell_lost(struct verify *v, const struct ledger_backup *b, struct fault *f)
{
	char key[LAYOUT_KEY], problem[256], end[CLOCK_TEXT_SIZE];
	bool covered = false;
	int rc = layout_base(
	    repo_cluster(v->repo), repo_system_id(v->repo), b->id, "", key, f);

	clock_format(b->stop_us, end);
	snprintf(problem, sizeof problem,
	    "the backup was finished, %s, and %s; nothing%s recorded its "
	    "removal",
	    end, what_is_gone(v, b->id),
	    ledger_whole(&v->ledger) ? ""
				     : " that can be read in the audit trail");
	for (size_t k = 0; rc == 0 && k < v->n_windows; k++) {
		if (!concerns(v, k, b))
			continue;
		covered = true;
		rc = tell_covered(v, b, k, key, problem, f);
	}
	return rc != 0 || covered ? rc : tell_uncovered(v, b, key, problem, f);
}

static int
tell_silent(struct verify *v, uint64_t n, struct fault *f)
{
	char when[CLOCK_TEXT_SIZE];

	clock_format(v->ledger.silent_us, when);
	return found_add(v, false, repo_cluster(v->repo),
	    "backups were finished and are gone", f,
	    "%" PRIu64 "; the pruning of %s, by an older version, did not "
	    "record which it let go",
	    n, when);
}

int
lost_tell(struct verify *v, struct fault *f)
{
	char key[LAYOUT_KEY];
	uint64_t silent = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->ledger.n; i++) {
		const struct ledger_backup *b = &v->ledger.b[i];

		if (!ledger_misses(b))
			continue;
		if (b->stop_us < v->ledger.silent_us)
			silent++;
		else
			rc = tell_lost(v, b, f);
	}
	if (rc == 0 && silent > 0)
		rc = tell_silent(v, silent, f);
	if (rc != 0 || ledger_whole(&v->ledger))
		return rc;
	rc = layout_audit_prefix(
	    repo_cluster(v->repo), repo_system_id(v->repo), key, f);
	return rc != 0 ? rc
		       : found_add(v, true, key, "is not whole", f,
			     "that no other backup is gone is not proven");
}
