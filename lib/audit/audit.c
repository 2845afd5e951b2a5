#include "audit_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit_settings.h"
#include "audit_syslog.h"
#include "crypto.h"

/* More of them than a file can hold leave a record without. */
static int
settings(struct audit *a, struct fault *f)
{
	struct fault ignored = FAULT_INIT;

	if (audit_settings_list(a->repo, &a->settings, &ignored) != 0) {
		a->settings = NULL;
		return 0;
	}
	return audit_settings_digest(a->settings, a->settings_digest, f);
}

int
audit_open(struct audit **out, struct repo *r, size_t i, const char *program,
    struct fault *f)
{
	struct audit *a = calloc(1, sizeof *a);
	struct who who;
	uint32_t random;
	int rc;

	if (a == NULL)
		return fault_nomem(f);
	a->repo = r;
	a->index = i;
	a->start_ms = clock_monotonic_ms();
	who_read(&who);
	memcpy(a->host, who.host, sizeof a->host);
	audit_text(a->user, sizeof a->user, who.user);
	audit_text(a->program, sizeof a->program, program);
	if ((rc = crypto_random(&random, sizeof random, f)) != 0 ||
	    (rc = audit_state_path(r, i, &a->path, f)) != 0 ||
	    (rc = settings(a, f)) != 0) {
		audit_free(a);
		return rc;
	}
	layout_new_hold(clock_now_us(), random, a->operation);
	*out = a;
	return 0;
}

int
audit_open_shared(struct audit **out, struct repo *r, size_t i,
    const char *program, const struct audit_head *from, const char *why,
    struct fault *f)
{
	int rc = audit_open(out, r, i, program, f);

	if (rc != 0)
		return rc;
	(*out)->alone = (*out)->shared = true;
	memcpy((*out)->state.writer, from->writer, sizeof from->writer);
	memcpy((*out)->state.hash, from->hash, sizeof from->hash);
	(*out)->state.sequence = from->sequence;
	audit_text((*out)->why, sizeof(*out)->why, why);
	return 0;
}

void
audit_started(struct audit *a, int64_t ms)
{
	a->start_ms = ms;
}

void
audit_resume(struct audit *a, const char *operation)
{
	snprintf(a->operation, sizeof a->operation, "%s", operation);
}

void
audit_free(struct audit *a)
{
	if (a == NULL)
		return;
	audit_state_free(&a->state);
	free(a->settings);
	free(a->path);
	free(a);
}

const char *
audit_remark(const struct audit *a)
{
	return a->remark;
}

static void
take(char *out, size_t cap, const char *text)
{
	audit_text(out, cap, text != NULL ? text : "");
}

static void
fill(struct audit *a, const struct audit_event *e)
{
	struct audit_record *r = &a->record;

	memset(r, 0, sizeof *r);
	r->at_us = clock_now_us();
	take(r->host, sizeof r->host, a->host);
	take(r->user, sizeof r->user, a->user);
	take(r->program, sizeof r->program, a->program);
	take(r->version, sizeof r->version, PITRKIT_VERSION);
	r->pid = (uint32_t)getpid();
	memcpy(r->operation, a->operation, sizeof r->operation);
	take(r->action, sizeof r->action, e->action);
	take(r->object, sizeof r->object, e->object);
	r->objects = e->objects;
	r->bytes = e->bytes;
	r->stored = e->stored;
	take(r->checksum, sizeof r->checksum, e->checksum);
	take(r->reason, sizeof r->reason, e->reason);
	take(r->approved_by, sizeof r->approved_by, e->approved_by);
	for (size_t k = 0; k < e->n_details && k < AUDIT_DETAILS; k++) {
		struct audit_detail *d = &r->details[r->n_details++];

		take(d->name, sizeof d->name, e->details[k].name);
		take(d->value, sizeof d->value, e->details[k].value);
	}
	r->has_settings = a->settings != NULL;
	memcpy(r->settings, a->settings_digest, sizeof r->settings);
	r->duration_ms = -1;
	r->status = -1;
}

static void
log_record(struct audit *a, bool stored)
{
	char line[AUDIT_SYSLOG_LINE];

	audit_syslog_format(&a->record, audit_chain_place(a), stored, line);
	audit_syslog_send(&a->record, line, AUDIT_SYSLOG_PATH);
}

static int
finish(struct audit *a, const struct deadline *d, struct fault *f)
{
	int rc = audit_chain_store(a, d, f);

	log_record(a, rc == 0);
	return rc;
}

static void
conclude(struct audit *a, const struct audit_event *e, enum audit_phase phase,
    int status, const struct fault *result)
{
	fill(a, e);
	a->record.phase = phase;
	a->record.duration_ms = clock_monotonic_ms() - a->start_ms;
	a->record.status = status & 0xff;
	take(a->record.message, sizeof a->record.message,
	    result != NULL ? result->text : "");
}

void
audit_tell(struct audit *a, const struct audit_event *e, enum audit_phase phase,
    int status, const struct fault *result)
{
	if (phase == AUDIT_BEGUN)
		fill(a, e);
	else
		conclude(a, e, phase, status, result);
	a->record.phase = phase;
	log_record(a, false);
}

int
audit_begin(struct audit *a, const struct audit_event *e,
    const struct deadline *d, struct fault *f)
{
	fill(a, e);
	a->record.phase = AUDIT_BEGUN;
	return finish(a, d, f);
}

int
audit_end(struct audit *a, const struct audit_event *e, int status,
    const struct fault *result, const struct deadline *d, struct fault *f)
{
	conclude(a, e, AUDIT_ENDED, status, result);
	return finish(a, d, f);
}

int
audit_note(struct audit *a, const struct audit_event *e, int status,
    const struct fault *result, const struct deadline *d, struct fault *f)
{
	conclude(a, e, AUDIT_DONE, status, result);
	return finish(a, d, f);
}
