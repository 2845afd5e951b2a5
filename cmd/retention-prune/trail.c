#include "trail.h"

#include <inttypes.h>
#include <stdio.h>

#include "audit_details.h"
#include "ledger.h"
#include "text.h"

/* Deleting waits for its record as long as for anything else. */
static struct deadline
trail_deadline(const struct gather *g)
{
	return deadline_in_ms(repo_conf(g->repo)->store_deadline_ms);
}

static struct audit_event
trail_event(const struct trail *t, struct audit_details *d)
{
	struct audit_event e = AUDIT_EVENT("prune");

	e.checksum = t->checksum;
	e.reason = t->reason;
	e.approved_by = t->approved_by;
	audit_details_put(d, &e, "checksum_of", "plan");
	audit_details_put(d, &e, "planned_at", t->planned_at);
	return e;
}

static int
begin(struct trail *t, const struct gather *g, const struct planfile *plan,
    struct fault *f)
{
	struct deadline d = trail_deadline(g);
	int64_t window =
	    g->in.now_us - repo_conf(g->repo)->retain_wal_ms * 1000;
	struct audit_details details;
	struct audit_event e;
	int rc;

	do {
		e = trail_event(t, &details);
		e.objects = plan->deletes;
		e.stored = plan->bytes;
		audit_details_put_u64(&details, &e, "wal_window_from_us",
		    window > 0 ? (uint64_t)window : 0);
		audit_details_put_u64(&details, &e, LEDGER_COUNT, t->letgo.n);
		/* There is room for all that an option takes. */
		for (size_t i = 0; i < t->forget->n; i++)
			(void)letgo_put_one(&t->letgo, &details, &e,
			    LEDGER_FORGOT, t->forget->v[i]);
		letgo_put(&t->letgo, &details, &e, LEDGER_LET_GO);
		rc = operation_begin(&t->operation, &e, &d, f);
	} while (rc == 0 && t->letgo.at < t->letgo.n);
	return rc;
}

int
trail_begin(struct trail *t, const struct gather *g, struct planfile *plan,
    struct fault *f)
{
	char hex[65];
	int rc;

	text_hex(plan->sum, 32, hex);
	snprintf(t->checksum, sizeof t->checksum, "sha256:%s", hex);
	clock_format_iso(g->in.now_us, t->planned_at);
	rc = letgo_collect(&t->letgo, plan, f);
	if (rc == 0)
		rc = operation_open(
		    &t->operation, g->repo, g->index, "retention-prune", f);
	if (rc == 0)
		rc = begin(t, g, plan, f);
	return rc != 0 ? fault_prefix(f, "nothing is deleted") : 0;
}

int
trail_end(struct trail *t, const struct gather *g,
    const struct apply_result *res, int result, const struct fault *why,
    struct fault *f)
{
	struct deadline d = trail_deadline(g);
	struct audit_details details;
	struct audit_event e;
	int rc;

	letgo_stayed(&t->letgo, g, res->head_gone, &d);
	d = trail_deadline(g);
	do {
		e = trail_event(t, &details);
		audit_details_put_u64(&details, &e, "locked", res->locked);
		audit_details_put_u64(&details, &e, "extended", res->extended);
		audit_details_put_u64(&details, &e, "aborted", res->aborted);
		audit_details_put_u64(&details, &e, "failed", res->failed);
		audit_details_put_u64(&details, &e, "skipped", res->skipped);
		audit_details_put_u64(&details, &e, "legal_on", t->legal_on);
		audit_details_put_u64(&details, &e, "legal_off", t->legal_off);
		e.objects = res->deleted;
		e.stored = res->bytes;
		letgo_put(&t->letgo, &details, &e, LEDGER_STAYED);
		rc = operation_end(&t->operation, &e, result, why, &d, f);
	} while (rc == 0 && t->letgo.at < t->letgo.n);
	return rc;
}

void
trail_free(struct trail *t)
{
	operation_free(&t->operation);
	letgo_free(&t->letgo);
}
