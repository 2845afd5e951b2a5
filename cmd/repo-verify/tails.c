#include <stdlib.h>

#include "backupcheck.h"
#include "verify.h"

#define LOOKS_MAX 64 /* for the newest segment of a timeline */

/* The newest segments of each timeline. Nothing that is left tells that what
 * came behind it was taken away; a report that saw it does. */

/* Would retention still keep it, had it stayed? What is older ends here, or
 * whoever removed a timeline for good would be told for ever. */
static bool
counts(const struct verify *v, const struct retain_wal *w)
{
	return w->last_us >= v->gather.in.now_us - v->only.retain_wal_ms * 1000;
}

/* History files are never let go. */
static int
find_timeline(struct verify *v, const struct retain_wal *w, struct fault *f)
{
	char name[WALNAME_SIZE], key[LAYOUT_KEY];
	int rc;

	for (size_t i = 0; i < v->gather.n_timelines; i++)
		if (v->gather.timelines[i].timeline == w->timeline)
			return 0;
	if (w->timeline == 1 || !counts(v, w))
		return 0;
	walname_format_history(w->timeline, name);
	rc = found_wal_key(v, name, key, f);
	return rc != 0 ? rc
		       : found_add(v, true, key, "is missing", f,
			     "timeline %u, which the last report saw, cannot "
			     "be followed: no moment on it can be reached",
			     w->timeline);
}

static int
take(struct verify *v, const struct evidence_tail *t, struct fault *f)
{
	struct retain_wal *w = &v->tails.t[v->tails.n];
	uint32_t size = v->gather.in.segment_size;
	struct fault why = FAULT_INIT;
	char key[LAYOUT_KEY];
	int rc;

	if (walname_segno(&t->name, size, &w->last, &why) == 0) {
		w->timeline = t->name.timeline;
		w->first = w->last;
		w->last_us = t->archived_us;
		v->tails.n++;
		return find_timeline(v, w, f);
	}
	rc = layout_verify(
	    repo_cluster(v->repo), repo_system_id(v->repo), v->last.id, key, f);
	return rc != 0 ? rc
		       : found_add(v, true, key,
			     "names WAL of another segment size", f,
			     "how far timeline %u went is not known",
			     t->name.timeline);
}

int
tails_recall(struct verify *v, struct fault *f)
{
	struct evidence_tail *t;
	size_t n;
	int rc = evidence_past_tails(v->last.all, &t, &n, f);

	if (rc != 0)
		return rc;
	v->tails.t = calloc(n + 1, sizeof *v->tails.t);
	if (v->tails.t == NULL)
		rc = fault_nomem(f);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = take(v, &t[i], f);
	free(t);
	return rc;
}

/* ---- for the next one ---- */

static int
put(const struct verify *v, struct json *list, const struct retain_wal *w,
    struct fault *f)
{
	char name[WALNAME_SIZE];
	struct json *j;
	int rc;

	walname_format(w->timeline, w->last, v->gather.in.segment_size, name);
	if ((rc = json_append_object(list, &j, f)) != 0 ||
	    (rc = json_put_str(j, "last", name, f)) != 0)
		return rc;
	return json_put_i64(j, "archived_us", w->last_us, f);
}

/* Gone, or there and of no use. */
static bool
is_missing(const struct verify *v, const struct retain_wal *w)
{
	for (size_t i = 0; i < v->missing.n; i++)
		if (v->missing.h[i].timeline == w->timeline &&
		    v->missing.h[i].first <= w->last &&
		    v->missing.h[i].last >= w->last)
			return true;
	for (size_t i = 0; i < v->n_damaged; i++)
		if (v->damaged[i].where.timeline == w->timeline &&
		    v->damaged[i].where.first == w->last &&
		    v->damaged[i].where.last == w->last)
			return true;
	return false;
}

static bool
has_timeline(const struct verify *v, uint32_t timeline)
{
	for (size_t i = 0; i < v->gather.n_timelines; i++)
		if (v->gather.timelines[i].timeline == timeline)
			return true;
	return false;
}

/* The newest segment up to the i-th range that opens: somebody without the key
 * may have put others. w->timeline 0: none. */
static int
find_last(
    const struct verify *v, size_t i, struct retain_wal *w, struct fault *f)
{
	const struct gather *g = &v->gather;
	uint32_t timeline = g->wal[i].timeline;
	struct walmeta m;
	unsigned looks = 0;

	for (;; i--) {
		*w = g->wal[i];
		while (w->timeline == timeline && looks++ < LOOKS_MAX) {
			char name[WALNAME_SIZE];
			int rc;

			walname_format(
			    timeline, w->last, g->in.segment_size, name);
			rc = gather_wal_look(g, name, &m, f);
			if (rc == 0 || !backupcheck_tells(f))
				return rc;
			fault_clear(f);
			if (w->last-- == w->first)
				break;
		}
		if (i == 0 || g->wal[i - 1].timeline != timeline)
			break;
	}
	w->timeline = 0;
	return 0;
}

int
tails_put(const struct verify *v, struct json *report, struct fault *f)
{
	const struct gather *g = &v->gather;
	struct retain_wal last;
	struct json *list;
	int rc = json_put_array(report, "tails", &list, f);

	for (size_t i = 0; rc == 0 && i < g->n_wal; i++) {
		if (i + 1 < g->n_wal &&
		    g->wal[i + 1].timeline == g->wal[i].timeline)
			continue;
		rc = find_last(v, i, &last, f);
		if (rc == 0 && last.timeline != 0)
			rc = put(v, list, &last, f);
	}
	for (size_t i = 0; rc == 0 && i < v->tails.n; i++) {
		const struct retain_wal *w = &v->tails.t[i];

		if (is_missing(v, w) ||
		    (w->timeline > 1 && !has_timeline(v, w->timeline) &&
			counts(v, w)))
			rc = put(v, list, w, f);
	}
	return rc;
}
