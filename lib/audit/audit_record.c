#include "audit_record.h"

#include <stdlib.h>
#include <string.h>

#include "audit_text.h"
#include "clock.h"
#include "json.h"
#include "text.h"

#define RECORD_FORMAT 1
/* 1970 and 2200: a clock may be wrong, but not a number that is no moment. */
#define TIME_MAX INT64_C(7258118400000000)

static const char *const phases[] = {"begun", "ended", "done", NULL};

/* ---- writing ---- */

static int
put_count(struct json *j, const char *name, uint64_t n, struct fault *f)
{
	return n == AUDIT_UNKNOWN ? json_put_null(j, name, f)
				  : json_put_u64(j, name, n, f);
}

static int
put_chain(struct json *j, const struct audit_record *r, struct fault *f)
{
	int rc;

	if ((rc = json_put_i64(j, "format", RECORD_FORMAT, f)) != 0 ||
	    (rc = json_put_str(j, "writer", r->writer, f)) != 0 ||
	    (rc = json_put_u64(j, "sequence", r->sequence, f)) != 0 ||
	    (rc = json_put_hex(j, "previous", r->previous, AUDIT_HASH, f)) != 0)
		return rc;
	return json_put_str(j, "began", r->began, f);
}

static int
put_who(struct json *j, const struct audit_record *r, struct fault *f)
{
	char at[CLOCK_TEXT_SIZE];
	int rc;

	clock_format_iso(r->at_us, at);
	if ((rc = json_put_i64(j, "at_us", r->at_us, f)) != 0 ||
	    (rc = json_put_str(j, "at", at, f)) != 0 ||
	    (rc = json_put_str(j, "host", r->host, f)) != 0 ||
	    (rc = json_put_str(j, "user", r->user, f)) != 0 ||
	    (rc = json_put_str(j, "program", r->program, f)) != 0 ||
	    (rc = json_put_str(j, "version", r->version, f)) != 0)
		return rc;
	return json_put_i64(j, "pid", r->pid, f);
}

static int
put_details(struct json *j, const struct audit_record *r, struct fault *f)
{
	struct json *list, *one;
	int rc = json_put_array(j, "details", &list, f);

	for (size_t i = 0; rc == 0 && i < r->n_details; i++) {
		const struct audit_detail *d = &r->details[i];

		if ((rc = json_append_object(list, &one, f)) == 0 &&
		    (rc = json_put_str(one, "name", d->name, f)) == 0)
			rc = json_put_str(one, "value", d->value, f);
	}
	return rc;
}

static int
put_what(struct json *j, const struct audit_record *r, struct fault *f)
{
	int rc;

	if ((rc = json_put_str(j, "operation", r->operation, f)) != 0 ||
	    (rc = json_put_str(j, "action", r->action, f)) != 0 ||
	    (rc = json_put_str(j, "phase", phases[r->phase], f)) != 0 ||
	    (rc = json_put_str(j, "object", r->object, f)) != 0 ||
	    (rc = put_count(j, "objects", r->objects, f)) != 0 ||
	    (rc = put_count(j, "bytes", r->bytes, f)) != 0 ||
	    (rc = put_count(j, "stored", r->stored, f)) != 0 ||
	    (rc = json_put_str(j, "checksum", r->checksum, f)) != 0 ||
	    (rc = json_put_str(j, "reason", r->reason, f)) != 0 ||
	    (rc = json_put_str(j, "approved_by", r->approved_by, f)) != 0)
		return rc;
	return put_details(j, r, f);
}

static int
put_changes(struct json *j, const struct audit_record *r, struct fault *f)
{
	struct json *list, *one;
	int rc = json_put_array(j, "settings_changed", &list, f);

	for (size_t i = 0; rc == 0 && i < r->n_changes; i++) {
		const struct audit_change *c = &r->changes[i];

		if ((rc = json_append_object(list, &one, f)) == 0 &&
		    (rc = json_put_str(one, "name", c->name, f)) == 0 &&
		    (rc = json_put_str(one, "from", c->from, f)) == 0)
			rc = json_put_str(one, "to", c->to, f);
	}
	if (rc == 0 && r->more_changes > 0)
		rc = json_put_u64(
		    j, "settings_changed_more", r->more_changes, f);
	return rc;
}

static int
put_settings(struct json *j, const struct audit_record *r, struct fault *f)
{
	int rc;

	if (!r->has_settings)
		return 0;
	rc = json_put_hex(j, "settings", r->settings, AUDIT_HASH, f);
	return rc == 0 && r->n_changes > 0 ? put_changes(j, r, f) : rc;
}

static int
put_result(struct json *j, const struct audit_record *r, struct fault *f)
{
	int rc;

	rc = r->duration_ms < 0
		 ? json_put_null(j, "duration_ms", f)
		 : json_put_i64(j, "duration_ms", r->duration_ms, f);
	if (rc == 0)
		rc = r->status < 0 ? json_put_null(j, "status", f)
				   : json_put_i64(j, "status", r->status, f);
	return rc != 0 ? rc : json_put_str(j, "message", r->message, f);
}

int
audit_record_encode(
    const struct audit_record *r, struct buf *out, struct fault *f)
{
	struct json *j;
	char *text = NULL;
	size_t len;
	int rc = json_new(&j, f);

	if (rc != 0)
		return rc;
	if ((rc = put_chain(j, r, f)) == 0 && (rc = put_who(j, r, f)) == 0 &&
	    (rc = put_what(j, r, f)) == 0 &&
	    (rc = put_settings(j, r, f)) == 0 &&
	    (rc = put_result(j, r, f)) == 0 &&
	    (rc = json_dump(j, &text, &len, f)) == 0)
		rc = len > AUDIT_RECORD_MAX
			 ? fault_set(f, FAULT_SYSTEM, "audit record: too long")
			 : buf_put(out, text, len, f);
	free(text);
	json_free(j);
	return rc;
}

/* ---- reading ---- */

/* As audit_text would have made it. */
static int
get_text(const struct json *j, const char *name, char *out, size_t cap,
    struct fault *f)
{
	const char *s;
	int rc = json_get_str(j, name, &s, f);

	if (rc != 0)
		return rc;
	audit_text(out, cap, s);
	return strcmp(out, s) == 0 ? 0 : json_bad(name, f);
}

static int
get_word(const struct json *j, const char *name, char out[AUDIT_WORD],
    struct fault *f)
{
	int rc = get_text(j, name, out, AUDIT_WORD, f);

	return rc != 0 || out[0] != '\0' ? rc : json_bad(name, f);
}

static int
get_count(
    const struct json *j, const char *name, uint64_t *out, struct fault *f)
{
	int rc;

	*out = AUDIT_UNKNOWN;
	if (!json_has(j, name))
		return 0;
	rc = json_get_u64(j, name, out, f);
	return rc == 0 && *out == AUDIT_UNKNOWN ? json_bad(name, f) : rc;
}

static int
get_chain(const struct json *j, struct audit_record *r, struct fault *f)
{
	static const unsigned char none[AUDIT_HASH];
	int rc;

	if ((rc = json_get_format(j, RECORD_FORMAT, f)) != 0 ||
	    (rc = get_text(j, "writer", r->writer, sizeof r->writer, f)) != 0 ||
	    (rc = json_get_u64(j, "sequence", &r->sequence, f)) != 0 ||
	    (rc = json_get_hex(j, "previous", r->previous, AUDIT_HASH, f)) !=
		0 ||
	    (rc = get_text(j, "began", r->began, sizeof r->began, f)) != 0)
		return rc;
	if (layout_check_writer(r->writer, f) != 0)
		return json_bad("writer", f);
	if (r->sequence < 1 || r->sequence > LAYOUT_SEQUENCE_MAX)
		return json_bad("sequence", f);
	if ((memcmp(r->previous, none, AUDIT_HASH) == 0) != (r->sequence == 1))
		return json_bad("previous", f);
	return (r->began[0] != '\0') == (r->sequence == 1)
		   ? 0
		   : json_bad("began", f);
}

static int
get_who(const struct json *j, struct audit_record *r, struct fault *f)
{
	int rc;

	if ((rc = json_get_range(j, "at_us", 0, TIME_MAX, &r->at_us, f)) != 0 ||
	    (rc = get_text(j, "host", r->host, sizeof r->host, f)) != 0 ||
	    (rc = get_text(j, "user", r->user, sizeof r->user, f)) != 0 ||
	    (rc = get_word(j, "program", r->program, f)) != 0 ||
	    (rc = get_word(j, "version", r->version, f)) != 0)
		return rc;
	return json_get_u32(j, "pid", 0, &r->pid, f);
}

static int
get_details(const struct json *j, struct audit_record *r, struct fault *f)
{
	struct json *list, *one;
	size_t n;
	int rc = json_get_array(j, "details", &list, &n, f);

	if (rc == 0 && n > AUDIT_DETAILS)
		return json_bad("details", f);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct audit_detail *d = &r->details[i];

		if ((rc = json_at(list, i, &one, f)) == 0 &&
		    (rc = get_word(one, "name", d->name, f)) == 0)
			rc = get_text(
			    one, "value", d->value, sizeof d->value, f);
		r->n_details = i + 1;
	}
	return rc;
}

static int
get_what(const struct json *j, struct audit_record *r, struct fault *f)
{
	size_t phase = 0;
	int rc;

	if ((rc = get_text(
		 j, "operation", r->operation, sizeof r->operation, f)) != 0)
		return rc;
	if (layout_check_hold(r->operation, f) != 0)
		return json_bad("operation", f);
	if ((rc = get_word(j, "action", r->action, f)) != 0 ||
	    (rc = json_get_choice(j, "phase", phases, &phase, f)) != 0 ||
	    (rc = get_text(j, "object", r->object, sizeof r->object, f)) != 0 ||
	    (rc = get_count(j, "objects", &r->objects, f)) != 0 ||
	    (rc = get_count(j, "bytes", &r->bytes, f)) != 0 ||
	    (rc = get_count(j, "stored", &r->stored, f)) != 0 ||
	    (rc = get_text(
		 j, "checksum", r->checksum, sizeof r->checksum, f)) != 0 ||
	    (rc = get_text(j, "reason", r->reason, sizeof r->reason, f)) != 0 ||
	    (rc = get_text(j, "approved_by", r->approved_by,
		 sizeof r->approved_by, f)) != 0)
		return rc;
	r->phase = (enum audit_phase)phase;
	return get_details(j, r, f);
}

static int
get_changes(const struct json *j, struct audit_record *r, struct fault *f)
{
	struct json *list, *one;
	size_t n;
	int rc = json_get_array(j, "settings_changed", &list, &n, f);

	if (rc == 0 && (n == 0 || n > AUDIT_CHANGES))
		return json_bad("settings_changed", f);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct audit_change *c = &r->changes[i];

		if ((rc = json_at(list, i, &one, f)) == 0 &&
		    (rc = get_word(one, "name", c->name, f)) == 0 &&
		    (rc = get_text(one, "from", c->from, sizeof c->from, f)) ==
			0)
			rc = get_text(one, "to", c->to, sizeof c->to, f);
		r->n_changes = i + 1;
	}
	if (rc == 0 && json_has(j, "settings_changed_more"))
		rc = json_get_u32(
		    j, "settings_changed_more", 1, &r->more_changes, f);
	return rc == 0 && r->more_changes > 0 && n < AUDIT_CHANGES
		   ? json_bad("settings_changed_more", f)
		   : rc;
}

/* Without the first the others mean nothing, and are passed over. */
static int
get_settings(const struct json *j, struct audit_record *r, struct fault *f)
{
	int rc;

	r->has_settings = json_has(j, "settings");
	if (!r->has_settings)
		return 0;
	rc = json_get_hex(j, "settings", r->settings, AUDIT_HASH, f);
	return rc == 0 && json_has(j, "settings_changed") ? get_changes(j, r, f)
							  : rc;
}

static int
get_result(const struct json *j, struct audit_record *r, struct fault *f)
{
	int64_t status = -1;
	int rc = 0;

	r->duration_ms = -1;
	if (json_has(j, "duration_ms"))
		rc = json_get_range(
		    j, "duration_ms", 0, INT64_MAX, &r->duration_ms, f);
	if (rc == 0 && json_has(j, "status"))
		rc = json_get_range(j, "status", 0, 255, &status, f);
	else if (rc == 0 && r->phase != AUDIT_BEGUN)
		return json_bad("status", f);
	r->status = (int)status;
	if (rc == 0 && r->phase == AUDIT_BEGUN && r->status >= 0)
		return json_bad("status", f);
	return rc != 0
		   ? rc
		   : get_text(j, "message", r->message, sizeof r->message, f);
}

int
audit_record_decode(
    const void *text, size_t len, struct audit_record *out, struct fault *f)
{
	struct audit_record *r;
	struct json *j = NULL;
	int rc;

	if (len > AUDIT_RECORD_MAX)
		return fault_set(f, FAULT_CORRUPT,
		    "audit record: longer than %u bytes", AUDIT_RECORD_MAX);
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return fault_nomem(f);
	if ((rc = json_parse(&j, "audit record", text, len, f)) == 0) {
		if ((rc = get_chain(j, r, f)) == 0 &&
		    (rc = get_who(j, r, f)) == 0 &&
		    (rc = get_what(j, r, f)) == 0 &&
		    (rc = get_settings(j, r, f)) == 0 &&
		    (rc = get_result(j, r, f)) == 0)
			*out = *r;
		else
			fault_prefix(f, "audit record");
	}
	json_free(j);
	free(r);
	return rc;
}
