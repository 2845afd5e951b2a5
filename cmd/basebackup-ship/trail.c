#include "audit_details.h"
#include "ship.h"
#include "text.h"

struct trail_texts {
	struct audit_details details;
	char start[20];
	char stop[20];
};

static struct audit_event
trail_event(const struct ship *s, struct trail_texts *t)
{
	const struct head *h = &s->head;
	struct audit_event e = AUDIT_EVENT("backup");
	struct audit_details *d = &t->details;

	e.object = h->id;
	audit_details_put(d, &e, "type", h->type);
	audit_details_put(d, &e, "class", h->retention_class);
	audit_details_put(d, &e, "label", h->label);
	audit_details_put(d, &e, "source", h->source);
	if (s->checksum[0] == '\0')
		return e; /* it is not whole */
	text_format_lsn(h->start_lsn, t->start);
	text_format_lsn(h->stop_lsn, t->stop);
	audit_details_put(d, &e, "start_lsn", t->start);
	audit_details_put(d, &e, "stop_lsn", t->stop);
	audit_details_put_u64(d, &e, "stop_us", (uint64_t)h->stop_us);
	audit_details_put_u64(d, &e, "timeline", h->timeline);
	audit_details_put_u64(d, &e, "files", h->totals.files);
	audit_details_put(d, &e, "checksum_of", "head");
	e.checksum = s->checksum;
	/* The manifest and the head besides the packs. */
	e.objects = h->totals.packs + 2;
	e.bytes = h->totals.bytes;
	e.stored = h->totals.stored;
	return e;
}

/* It goes on without its records: no fault comes back. */
void
trail_open(struct ship *s)
{
	struct fault told = FAULT_INIT;

	s->operation.without = "the backup goes on";
	(void)operation_open(
	    &s->operation, s->repo, s->repo_index, "basebackup-ship", &told);
}

void
trail_begin(struct ship *s)
{
	struct deadline d = deadline_in_ms(AUDIT_PATIENCE_MS);
	struct fault told = FAULT_INIT;
	struct trail_texts texts;
	struct audit_event e = trail_event(s, &texts);

	(void)operation_begin(&s->operation, &e, &d, &told);
}

void
trail_end(struct ship *s, int result, const struct fault *why)
{
	struct deadline d = deadline_in_ms(AUDIT_PATIENCE_MS);
	struct fault told = FAULT_INIT;
	struct trail_texts texts;
	struct audit_event e = trail_event(s, &texts);

	(void)operation_end(&s->operation, &e, result, why, &d, &told);
}
