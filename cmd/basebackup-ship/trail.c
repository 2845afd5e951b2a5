#include <inttypes.h>
#include <stdio.h>

#include "log.h"
#include "ship.h"
#include "text.h"

struct trail_texts {
	char start[20];
	char stop[20];
	char timeline[16];
	char files[24];
	struct audit_pair pairs[10];
};

static void
trail_pair(struct audit_event *e, struct trail_texts *t, const char *name,
    const char *value)
{
	t->pairs[e->n_details++] = (struct audit_pair){name, value};
}

static struct audit_event
trail_event(const struct ship *s, struct trail_texts *t)
{
	const struct head *h = &s->head;
	struct audit_event e = AUDIT_EVENT("backup");
	bool whole = s->checksum[0] != '\0';

	e.object = h->id;
	e.details = t->pairs;
	trail_pair(&e, t, "type", h->type);
	trail_pair(&e, t, "class", h->retention_class);
	trail_pair(&e, t, "label", h->label);
	trail_pair(&e, t, "source", h->source);
	if (!whole)
		return e;
	text_format_lsn(h->start_lsn, t->start);
	text_format_lsn(h->stop_lsn, t->stop);
	snprintf(t->timeline, sizeof t->timeline, "%" PRIu32, h->timeline);
	snprintf(t->files, sizeof t->files, "%" PRIu64, h->totals.files);
	trail_pair(&e, t, "start_lsn", t->start);
	trail_pair(&e, t, "stop_lsn", t->stop);
	trail_pair(&e, t, "timeline", t->timeline);
	trail_pair(&e, t, "files", t->files);
	trail_pair(&e, t, "checksum_of", "head");
	e.checksum = s->checksum;
	/* The manifest and the head besides the packs. */
	e.objects = h->totals.packs + 2;
	e.bytes = h->totals.bytes;
	e.stored = h->totals.stored;
	return e;
}

/* Once: what keeps the first record away does so with the second. */
static void
trail_result(struct ship *s, int rc, const struct fault *f)
{
	if (rc != 0 && !s->audit_told) {
		log_line(0,
		    "WARNING: the backup goes on, but without its record in "
		    "the audit trail: %s",
		    f->text);
		s->audit_told = true;
	} else if (rc == 0 && !s->audit_begun &&
		   audit_remark(s->audit)[0] != '\0') {
		log_line(0, "%s", audit_remark(s->audit));
	}
}

void
trail_open(struct ship *s)
{
	struct fault f = FAULT_INIT;
	int rc = audit_open(
	    &s->audit, s->repo, s->repo_index, "basebackup-ship", &f);

	if (rc != 0)
		trail_result(s, rc, &f);
}

void
trail_begin(struct ship *s)
{
	struct deadline d = deadline_in_ms(AUDIT_PATIENCE_MS);
	struct fault f = FAULT_INIT;
	struct trail_texts texts = {.timeline = ""};
	struct audit_event e;

	if (s->audit == NULL)
		return;
	e = trail_event(s, &texts);
	trail_result(s, audit_begin(s->audit, &e, &d, &f), &f);
	s->audit_begun = true;
}

void
trail_end(struct ship *s, int status, const struct fault *result)
{
	struct deadline d = deadline_in_ms(AUDIT_PATIENCE_MS);
	struct fault f = FAULT_INIT;
	struct trail_texts texts = {.timeline = ""};
	struct audit_event e;
	int rc;

	if (s->audit == NULL)
		return;
	e = trail_event(s, &texts);
	rc = s->audit_begun ? audit_end(s->audit, &e, status, result, &d, &f)
			    : audit_note(s->audit, &e, status, result, &d, &f);
	trail_result(s, rc, &f);
}
