#include "trail.h"

#include "audit_details.h"
#include "plan.h"
#include "report.h"

struct trail_texts {
	struct audit_details details;
	char goal[160];
};

static struct audit_event
trail_event(const struct plan *p, struct trail_texts *t)
{
	const char *dir = p->has_place ? p->place.root : p->want.o->target_dir;
	struct audit_event e =
	    AUDIT_EVENT(p->want.o->dry_run ? "restore-check" : "restore");
	struct audit_details *d = &t->details;

	e.object = p->head->id;
	e.bytes = p->head->totals.bytes;
	e.stored = p->head->totals.stored;
	report_goal(&p->goal, t->goal);
	audit_details_put(d, &e, "target", t->goal);
	if (dir != NULL)
		audit_details_put(d, &e, "target_dir", dir);
	if (p->want.o->delta)
		audit_details_put(d, &e, "delta", "yes");
	if (!p->has_way)
		return e;
	audit_details_put_u64(d, &e, "timeline", p->way.timeline);
	audit_details_put_u64(d, &e, "wal_segments", p->way.segments);
	return e;
}

void
trail_start(struct trail *t)
{
	t->operation.without = "this goes on";
	t->start_ms = clock_monotonic_ms();
}

/* In the repository that the backup comes from, which is known by now. It goes
 * on without its records: no fault comes back. */
static void
trail_open(struct trail *t, const struct plan *p)
{
	struct operation *o = &t->operation;
	struct fault told = FAULT_INIT;

	if (o->audit != NULL)
		return;
	(void)operation_open(o, p->repo, p->index, "pitr-restore", &told);
	if (o->audit != NULL)
		audit_started(o->audit, t->start_ms);
}

void
trail_begin(struct trail *t, const struct plan *p)
{
	struct deadline d = deadline_in_ms(AUDIT_PATIENCE_MS);
	struct fault told = FAULT_INIT;
	struct trail_texts texts;
	struct audit_event e = trail_event(p, &texts);

	trail_open(t, p);
	(void)operation_begin(&t->operation, &e, &d, &told);
}

void
trail_end(
    struct trail *t, const struct plan *p, int result, const struct fault *why)
{
	struct deadline d = deadline_in_ms(AUDIT_PATIENCE_MS);
	struct fault told = FAULT_INIT;
	struct trail_texts texts;
	struct audit_event e;

	if (p->head == NULL)
		return;
	trail_open(t, p);
	e = trail_event(p, &texts);
	(void)operation_end(&t->operation, &e, result, why, &d, &told);
}

void
trail_free(struct trail *t)
{
	operation_free(&t->operation);
}
