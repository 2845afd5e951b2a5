
#include "audit_details.h"
#include "operation.h"
#include "verify.h"

/* What an operator accepts of the trail's flaws: on record before it counts. */

static int
collect(const struct flaws *l, const char *where, struct audit_details *d,
    struct audit_event *e, struct fault *f)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct flaws_one *x = &l->x[i];

		if (x->accepted_us != CLOCK_NONE || !flaws_is_at(x, where))
			continue;
		if (e->n_details == AUDIT_DETAILS)
			return fault_set(f, FAULT_CONFIG,
			    "--accept-trail %s: too much is wrong there",
			    where);
		audit_details_put(d, e, FLAWS_DETAIL, x->name);
	}
	return e->n_details > 0
		   ? 0
		   : fault_set(f, FAULT_CONFIG,
			 "--accept-trail %s: nothing is wrong there, or it was "
			 "accepted before: give what a finding names, behind "
			 "audit/ or verify/: WRITER/NUMBER or the report's id",
			 where);
}

static int
accept_one(
    struct verify *v, struct operation *o, const char *where, struct fault *f)
{
	struct deadline d = deadline_in_ms(v->only.store_deadline_ms);
	struct audit_event e = AUDIT_EVENT(FLAWS_ACTION);
	struct flaws *l = &v->ledger.flaws;
	struct audit_details details;
	int64_t now_us = clock_now_us();
	int rc = collect(l, where, &details, &e, f);

	if (rc != 0)
		return rc;
	e.object = where;
	e.reason = v->run->reason;
	e.approved_by = v->run->approved_by;
	if ((rc = operation_open(o, v->repo, 0, "repo-verify", f)) == 0)
		rc = operation_end(o, &e, 0, NULL, &d, f);
	operation_free(o);
	if (rc != 0)
		return fault_prefix(f, "--accept-trail %s", where);
	for (size_t i = 0; rc == 0 && i < e.n_details; i++)
		rc = flaws_accept(l, e.details[i].value, now_us, f);
	flaws_settle(l);
	return rc;
}

int
accept_run(struct verify *v, struct fault *f)
{
	struct operation o = {.without = NULL};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->run->n_accept; i++)
		rc = accept_one(v, &o, v->run->accept[i], f);
	return rc;
}
