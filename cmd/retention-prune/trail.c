#include "trail.h"

#include <inttypes.h>
#include <stdio.h>

#include "log.h"
#include "text.h"

/* Deleting waits for its record as long as for anything else. */
static struct deadline
trail_deadline(const struct gather *g)
{
	return deadline_in_ms(repo_conf(g->repo)->store_deadline_ms);
}

static struct audit_event
trail_event(const struct trail *t)
{
	struct audit_event e = AUDIT_EVENT("prune");

	e.checksum = t->checksum;
	e.reason = t->reason;
	e.approved_by = t->approved_by;
	return e;
}

int
trail_begin(struct trail *t, const struct gather *g,
    const struct planfile *plan, struct fault *f)
{
	char window[24];
	const struct audit_pair details[] = {
	    {"checksum_of", "plan"},
	    {"planned_at", t->planned_at},
	    {"wal_window_from_us", window},
	};
	struct deadline d = trail_deadline(g);
	struct audit_event e = trail_event(t);
	char hex[65];
	int rc;

	snprintf(window, sizeof window, "%" PRId64,
	    g->in.now_us - repo_conf(g->repo)->retain_wal_ms * 1000);
	text_hex(plan->sum, 32, hex);
	snprintf(t->checksum, sizeof t->checksum, "sha256:%s", hex);
	clock_format_iso(g->in.now_us, t->planned_at);
	e.objects = plan->deletes;
	e.stored = plan->bytes;
	e.details = details;
	e.n_details = sizeof details / sizeof details[0];
	rc = audit_open(&t->audit, g->repo, g->index, "retention-prune", f);
	if (rc == 0)
		rc = audit_begin(t->audit, &e, &d, f);
	if (rc == 0 && audit_remark(t->audit)[0] != '\0')
		log_line(0, "%s", audit_remark(t->audit));
	return rc != 0 ? fault_prefix(f, "nothing is deleted") : 0;
}

int
trail_end(struct trail *t, const struct gather *g,
    const struct apply_result *res, int status, const struct fault *failed,
    struct fault *f)
{
	char locked[24], failures[24], skipped[24], extended[24], aborted[24];
	const struct audit_pair details[] = {
	    {"checksum_of", "plan"},
	    {"planned_at", t->planned_at},
	    {"locked", locked},
	    {"extended", extended},
	    {"aborted", aborted},
	    {"failed", failures},
	    {"skipped", skipped},
	};
	struct deadline d = trail_deadline(g);
	struct audit_event e = trail_event(t);

	snprintf(locked, sizeof locked, "%" PRIu64, res->locked);
	snprintf(extended, sizeof extended, "%" PRIu64, res->extended);
	snprintf(aborted, sizeof aborted, "%" PRIu64, res->aborted);
	snprintf(failures, sizeof failures, "%" PRIu64, res->failed);
	snprintf(skipped, sizeof skipped, "%" PRIu64, res->skipped);
	e.objects = res->deleted;
	e.stored = res->bytes;
	e.details = details;
	e.n_details = sizeof details / sizeof details[0];
	return audit_end(t->audit, &e, status, failed, &d, f);
}

void
trail_free(struct trail *t)
{
	audit_free(t->audit);
	t->audit = NULL;
}
