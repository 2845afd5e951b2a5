#include <stdlib.h>

#include "verify.h"

/* What was pruned while we looked is not missed. */

/* ---- backups that were pruned while we read ---- */

static int
drop_gone(struct verify *v, size_t i, struct fault *f)
{
	struct deadline d = deadline_in_ms(v->only.store_deadline_ms);
	struct store_info info;
	char key[LAYOUT_KEY];
	int rc;

	if ((rc = layout_base(repo_cluster(v->repo), repo_system_id(v->repo),
		 v->gather.heads[i].id, "head", key, f)) != 0)
		return rc;
	rc = store_stat(v->store, key, &info, &d, f);
	if (rc != FAULT_ABSENT)
		return rc;
	fault_clear(f);
	v->backups[i].gone = true;
	v->backups[i].usable = false;
	return 0;
}

static bool
doubtful(const struct verify *v, size_t i)
{
	return !v->backups[i].usable || v->missing.n > 0 || v->n_damaged > 0;
}

static int
drop_backups(struct verify *v, struct fault *f)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->gather.n_heads; i++) {
		if (!doubtful(v, i))
			continue;
		rc = drop_gone(v, i, f);
		if (rc == 0 && v->backups[i].gone)
			found_forget(v, v->gather.heads[i].id);
	}
	return rc;
}

/* ---- WAL that was pruned while we read ---- */

/* The part of a hole that is one in the newer list as well. */
static int
keep_common(const struct chain_hole *h, const struct chain_list *now,
    struct chain_list *out, struct fault *f)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct chain_hole *x = &now->h[i];
		struct chain_hole both = *h;
		void *grown;

		if (x->timeline != h->timeline || x->last < h->first ||
		    x->first > h->last)
			continue;
		both.first = x->first > h->first ? x->first : h->first;
		both.last = x->last < h->last ? x->last : h->last;
		grown = reallocarray(out->h, out->n + 1, sizeof *out->h);
		if (grown == NULL)
			return fault_nomem(f);
		out->h = grown;
		out->h[out->n++] = both;
	}
	return 0;
}

static bool
is_hole(const struct chain_list *l, const struct chain_hole *one)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->h[i].timeline == one->timeline &&
		    l->h[i].first <= one->first && l->h[i].last >= one->last)
			return true;
	return false;
}

static bool
misses_something(const struct verify *v)
{
	if (v->missing.n > 0)
		return true;
	for (size_t i = 0; i < v->n_damaged; i++)
		if (v->damaged[i].absent)
			return true;
	return false;
}

/* What is missing is looked for a second time: a pruning between the listing
 * of backups and that of WAL, or behind both, lets go what we thought must
 * stay. */
static int
confirm_missing(struct verify *v, struct fault *f)
{
	struct chain_list now = {NULL, 0}, common = {NULL, 0};
	size_t n = 0;
	int rc;

	if (!misses_something(v))
		return 0;
	rc = missing_once_more(v, &now, f);
	for (size_t i = 0; rc == 0 && i < v->missing.n; i++)
		rc = keep_common(&v->missing.h[i], &now, &common, f);
	for (size_t i = 0; rc == 0 && i < v->n_damaged; i++) {
		if (v->damaged[i].absent &&
		    !is_hole(&now, &v->damaged[i].where))
			free(v->damaged[i].why);
		else
			v->damaged[n++] = v->damaged[i];
	}
	if (rc == 0) {
		v->n_damaged = n;
		chain_free(&v->missing);
		v->missing = common;
	} else {
		chain_free(&common);
	}
	chain_free(&now);
	return rc;
}

int
pruned_drop(struct verify *v, struct fault *f)
{
	int rc = drop_backups(v, f);

	return rc != 0 ? rc : confirm_missing(v, f);
}
