#include "trail.h"

#include <inttypes.h>
#include <stdio.h>

#include "log.h"
#include "plan.h"
#include "report.h"

struct trail_texts {
	char goal[160];
	char timeline[16];
	char wal[24];
	struct audit_pair pairs[5];
};

static void
trail_pair(struct audit_event *e, struct trail_texts *t, const char *name,
    const char *value)
{
	t->pairs[e->n_details++] = (struct audit_pair){name, value};
}

static struct audit_event
trail_event(const struct plan *p, struct trail_texts *t)
{
	const char *dir = p->has_place ? p->place.root : p->want.o->target_dir;
	struct audit_event e =
	    AUDIT_EVENT(p->want.o->dry_run ? "restore-check" : "restore");

	e.details = t->pairs;
	e.object = p->head->id;
	e.bytes = p->head->totals.bytes;
	e.stored = p->head->totals.stored;
	report_goal(&p->goal, t->goal);
	trail_pair(&e, t, "target", t->goal);
	if (dir != NULL)
		trail_pair(&e, t, "target_dir", dir);
	if (p->want.o->delta)
		trail_pair(&e, t, "delta", "yes");
	if (!p->has_way)
		return e;
	snprintf(t->timeline, sizeof t->timeline, "%" PRIu32, p->way.timeline);
	snprintf(t->wal, sizeof t->wal, "%" PRIu64, p->way.segments);
	trail_pair(&e, t, "timeline", t->timeline);
	trail_pair(&e, t, "wal_segments", t->wal);
	return e;
}

/* Once: what keeps the first record away does so with the second. */
static void
trail_result(struct trail *t, int rc, const struct fault *f)
{
	if (rc != 0 && !t->told) {
		log_line(0,
		    "WARNING: this goes on, but without its record in the "
		    "audit trail: %s",
		    f->text);
		t->told = true;
	} else if (rc == 0 && !t->begun && audit_remark(t->audit)[0] != '\0') {
		log_line(0, "%s", audit_remark(t->audit));
	}
}

void
trail_start(struct trail *t)
{
	t->start_ms = clock_monotonic_ms();
}

/* In the repository that the backup comes from, which is known by now. */
static bool
trail_open(struct trail *t, const struct plan *p)
{
	struct fault f = FAULT_INIT;

	if (t->audit != NULL)
		return true;
	if (audit_open(&t->audit, p->repo, p->index, "pitr-restore", &f) != 0) {
		trail_result(t, (int)f.code, &f);
		return false;
	}
	audit_started(t->audit, t->start_ms);
	return true;
}

void
trail_begin(struct trail *t, const struct plan *p)
{
	struct deadline d = deadline_in_ms(AUDIT_PATIENCE_MS);
	struct fault f = FAULT_INIT;
	struct trail_texts texts = {.timeline = ""};
	struct audit_event e;

	if (!trail_open(t, p))
		return;
	e = trail_event(p, &texts);
	trail_result(t, audit_begin(t->audit, &e, &d, &f), &f);
	t->begun = true;
}

void
trail_end(struct trail *t, const struct plan *p, int status,
    const struct fault *result)
{
	struct deadline d = deadline_in_ms(AUDIT_PATIENCE_MS);
	struct fault f = FAULT_INIT;
	struct trail_texts texts = {.timeline = ""};
	struct audit_event e;
	int rc;

	if (p->head == NULL || !trail_open(t, p))
		return;
	e = trail_event(p, &texts);
	rc = t->begun ? audit_end(t->audit, &e, status, result, &d, &f)
		      : audit_note(t->audit, &e, status, result, &d, &f);
	trail_result(t, rc, &f);
}

void
trail_free(struct trail *t)
{
	audit_free(t->audit);
	t->audit = NULL;
}
