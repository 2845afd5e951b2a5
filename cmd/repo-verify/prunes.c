#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "verify.h"

/* What prunings recorded in the audit trail: where the WAL window began when
 * they let WAL go. The settings may have been others then. */

static int
prunes_add(struct verify *v, int64_t at_us, int64_t floor_us, struct fault *f)
{
	if (v->n_prunes == v->cap_prunes) {
		size_t cap = v->cap_prunes == 0 ? 64 : 2 * v->cap_prunes;
		void *grown = reallocarray(v->prunes, cap, sizeof *v->prunes);

		if (grown == NULL)
			return fault_nomem(f);
		v->prunes = grown;
		v->cap_prunes = cap;
	}
	v->prunes[v->n_prunes++] = (struct evidence_prune){at_us, floor_us};
	return 0;
}

int
prunes_take(struct verify *v, const struct audit_record *r, struct fault *f)
{
	uint64_t floor;

	if (strcmp(r->action, "prune") != 0 || r->phase != AUDIT_BEGUN)
		return 0;
	for (size_t i = 0; i < r->n_details; i++)
		if (strcmp(r->details[i].name, "wal_window_from_us") == 0 &&
		    text_u64(r->details[i].value, &floor) == 0 &&
		    floor <= EVIDENCE_2200)
			return prunes_add(v, r->at_us, (int64_t)floor, f);
	return 0;
}

bool
prunes_known(const struct verify *v)
{
	return v->last.all != NULL && json_has(v->last.all, "prunings");
}

int
prunes_recall(struct verify *v, struct fault *f)
{
	struct evidence_prune *p;
	size_t n;
	int rc = evidence_past_prunes(v->last.all, &p, &n, f);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = prunes_add(v, p[i].at_us, p[i].floor_us, f);
	free(p);
	return rc;
}

int
prunes_put(const struct verify *v, struct json *j, struct fault *f)
{
	struct json *list, *x;
	int rc = json_put_array(j, "prunings", &list, f);

	for (size_t i = 0; rc == 0 && i < v->n_prunes; i++) {
		const struct evidence_prune *p = &v->prunes[i];

		if ((rc = json_append_object(list, &x, f)) == 0 &&
		    (rc = json_put_i64(x, "at_us", p->at_us, f)) == 0)
			rc = json_put_i64(
			    x, "wal_window_from_us", p->floor_us, f);
	}
	return rc;
}

int64_t
prunes_floor(const struct verify *v, int64_t before_us)
{
	int64_t floor = CLOCK_NONE;

	for (size_t i = 0; i < v->n_prunes; i++)
		if (v->prunes[i].at_us < before_us &&
		    v->prunes[i].floor_us > floor)
			floor = v->prunes[i].floor_us;
	return floor;
}
