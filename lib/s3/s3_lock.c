#include "s3_lock.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_US (3600 * INT64_C(1000000))

void
s3_set_terms(struct s3 *s, const struct s3_terms *t)
{
	s->terms = *t;
}

void
s3_lock_date(int64_t us, char out[CLOCK_TEXT_SIZE])
{
	int64_t part = us % 1000000;
	char *dot;

	if (part != 0)
		us += 1000000 - part;
	clock_format_iso(us, out);
	dot = strchr(out, '.');
	if (dot != NULL)
		strcpy(dot, "Z");
}

static int
check_bucket(struct s3 *s, const struct deadline *d, struct fault *f)
{
	struct s3_request rq = {.method = "GET",
	    .query = "object-lock=",
	    .permission = "s3:GetBucketObjectLockConfiguration",
	    .root = "ObjectLockConfiguration",
	    .d = d};
	struct http_response rs;
	struct xml *doc = NULL;
	const char *on;
	int rc;

	if (s->lock_checked)
		return 0;
	rc = s3_call(s, &rq, &rs, &doc, NULL, f);
	if (rc == 0) {
		on = xml_text(xml_top(doc), "ObjectLockEnabled");
		if (on == NULL || strcmp(on, "Enabled") != 0)
			rc = FAULT_CONFIG;
	} else if (rc == FAULT_DENIED) {
		fault_clear(f);
		rc = 0;
	} else if (s3_answer_says(
		       &rs, "ObjectLockConfigurationNotFoundError")) {
		rc = FAULT_CONFIG;
	}
	if (rc == FAULT_CONFIG)
		(void)fault_set(f, FAULT_CONFIG,
		    "repository %s: object_lock is on, but bucket %s has no "
		    "object lock: make a bucket with it, which can be done "
		    "only "
		    "when it is made, or set object_lock = off",
		    s->name, s->bucket);
	s->lock_checked = rc == 0;
	xml_free(doc);
	http_response_free(&rs);
	return rc;
}

void
s3_lock_renew(const struct s3 *s, struct s3_lock_headers *h)
{
	s3_lock_date(s3_now_us(s) + s->terms.lock_us, h->until);
}

int
s3_lock_headers(struct s3 *s, struct s3_lock_headers *out,
    const struct deadline *d, struct fault *f)
{
	const char *class = s->terms.storage_class != NULL
				? s->terms.storage_class
				: s->storage_class;
	int rc;

	out->n = 0;
	if (class != NULL)
		out->h[out->n++] =
		    (struct http_header){"x-amz-storage-class", class};
	if (s->lock_mode == NULL || s->terms.lock_us <= 0)
		return 0;
	if ((rc = check_bucket(s, d, f)) != 0)
		return rc;
	s3_lock_renew(s, out);
	out->h[out->n++] =
	    (struct http_header){"x-amz-object-lock-mode", s->lock_mode};
	out->h[out->n++] = (struct http_header){
	    "x-amz-object-lock-retain-until-date", out->until};
	return 0;
}

int
s3_lock_explain(
    const struct s3_lock_headers *h, int status, int rc, struct fault *f)
{
	const struct fault told = *f;

	if (rc != FAULT_AGAIN || status != 400 || h->n == 0 ||
	    strcmp(h->h[0].name, "x-amz-storage-class") != 0)
		return rc;
	return fault_set(f, FAULT_CONFIG,
	    "%.400s: check storage_class: does the store have a class %s?",
	    told.text, h->h[0].value);
}

/* ---- the locks of objects that are there ---- */

int
s3_lock_read(
    const struct xml *doc, char mode[16], int64_t *until_us, struct fault *f)
{
	const char *m = xml_text(xml_top(doc), "Mode");
	const char *until = xml_text(xml_top(doc), "RetainUntilDate");

	if ((m == NULL || m[0] == '\0') && (until == NULL || until[0] == '\0'))
		return fault_set(f, FAULT_ABSENT, "no lock");
	if (m == NULL || until == NULL ||
	    (strcmp(m, "GOVERNANCE") != 0 && strcmp(m, "COMPLIANCE") != 0))
		return fault_set(
		    f, FAULT_CORRUPT, "a lock without a kind or an end");
	strcpy(mode, m);
	return clock_parse(until, until_us, NULL, f) == 0
		   ? 0
		   : fault_recode(f, FAULT_CORRUPT);
}

struct question {
	const char *name; /* "retention", "legal-hold" */
	const char *root;
	const char *permission;
};

static const struct question retention = {
    "retention", "Retention", "s3:GetObjectRetention"};
static const struct question legal_hold = {
    "legal-hold", "LegalHold", "s3:GetObjectLegalHold"};

/* ABSENT: the object has none of that. */
static int
ask(struct s3 *s, const struct question *what, const char *key,
    const char *version, struct xml **doc, const struct deadline *d,
    struct fault *f)
{
	struct buf q = BUF_INIT(8192);
	struct s3_request rq = {.method = "GET",
	    .key = key,
	    .permission = what->permission,
	    .root = what->root,
	    .d = d};
	struct http_response rs;
	int rc = s3_url_query(&q, what->name, "", f);

	if (rc == 0 && version != NULL)
		rc = s3_url_query(&q, "versionId", version, f);
	if (rc != 0) {
		buf_free(&q);
		return rc;
	}
	rq.query = (char *)q.data;
	rc = s3_call(s, &rq, &rs, doc, NULL, f);
	if (rc == FAULT_ABSENT) /* the object itself: another answer */
		rc = fault_recode(f, FAULT_AGAIN);
	else if (rc != 0 &&
		 (s3_answer_says(&rs, "NoSuchObjectLockConfiguration") ||
		     s3_answer_says(
			 &rs, "ObjectLockConfigurationNotFoundError")))
		rc = fault_set(f, FAULT_ABSENT, "no lock");
	http_response_free(&rs);
	buf_free(&q);
	return rc;
}

/* ABSENT: no lock. mode and until are set with 0. */
static int
look(struct s3 *s, const char *key, const char *version, char mode[16],
    int64_t *until_us, const struct deadline *d, struct fault *f)
{
	struct xml *doc = NULL;
	int rc = ask(s, &retention, key, version, &doc, d, f);

	if (rc == 0 &&
	    (rc = s3_lock_read(doc, mode, until_us, f)) == FAULT_CORRUPT)
		fault_prefix(f, "repository %s: %s", s->name, key);
	xml_free(doc);
	return rc;
}

int
s3_lock_until(struct s3 *s, const char *key, const char *version,
    int64_t *until_us, const struct deadline *d, struct fault *f)
{
	struct deadline never = deadline_never();
	char mode[16];
	int rc =
	    look(s, key, version, mode, until_us, d != NULL ? d : &never, f);

	if (rc != FAULT_ABSENT)
		return rc;
	*until_us = CLOCK_NONE;
	fault_clear(f);
	return 0;
}

int
s3_lock_ensure(struct s3 *s, const char *key, int64_t lock_us,
    const struct deadline *d, struct fault *f)
{
	int64_t until_us;
	bool ignored;
	int rc = s3_lock_until(s, key, NULL, &until_us, d, f);

	if (rc != 0 || until_us != CLOCK_NONE)
		return rc;
	return s3_lock_extend(s, key, s3_now_us(s) + lock_us, &ignored, d, f);
}

/* A retry is harmless: the same again. */
static int
answer(struct s3 *s, const char *key, const char *query, const char *permission,
    const struct buf *b, const struct deadline *d, struct fault *f)
{
	struct s3_request rq = {.method = "PUT",
	    .key = key,
	    .query = query,
	    .permission = permission,
	    .body = b->data,
	    .body_len = b->len,
	    .md5 = true,
	    .aside = true,
	    .d = d};

	return s3_call(s, &rq, NULL, NULL, NULL, f);
}

static int
write_lock(struct s3 *s, const char *key, const char *mode, int64_t until_us,
    const struct deadline *d, struct fault *f)
{
	struct buf b = BUF_INIT(1024);
	char until[CLOCK_TEXT_SIZE];
	int rc;

	s3_lock_date(until_us, until);
	rc = buf_printf(&b, f,
	    "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
	    "<Mode>%s</Mode><RetainUntilDate>%s</RetainUntilDate>"
	    "</Retention>",
	    mode, until);
	if (rc == 0)
		rc = answer(
		    s, key, "retention=", "s3:PutObjectRetention", &b, d, f);
	buf_free(&b);
	return rc;
}

int
s3_lock_extend(struct s3 *s, const char *key, int64_t until_us, bool *done,
    const struct deadline *d, struct fault *f)
{
	struct deadline never = deadline_never();
	char mode[16];
	int64_t now_until = CLOCK_NONE;
	int rc;

	if (d == NULL)
		d = &never;
	*done = false;
	rc = look(s, key, NULL, mode, &now_until, d, f);
	if (rc == FAULT_ABSENT) {
		fault_clear(f);
		strcpy(
		    mode, s->lock_mode != NULL ? s->lock_mode : "GOVERNANCE");
	} else if (rc != 0) {
		return rc;
	} else if (until_us < now_until || until_us - now_until < HOUR_US) {
		return 0;
	} else if (s->lock_mode != NULL &&
		   strcmp(s->lock_mode, "COMPLIANCE") == 0) {
		strcpy(mode, s->lock_mode);
	}
	rc = write_lock(s, key, mode, until_us, d, f);
	*done = rc == 0;
	return rc;
}

int
s3_lock_held(struct s3 *s, const char *key, const char *version, bool *on,
    const struct deadline *d, struct fault *f)
{
	struct deadline never = deadline_never();
	struct xml *doc = NULL;
	const char *status;
	int rc =
	    ask(s, &legal_hold, key, version, &doc, d != NULL ? d : &never, f);

	if (rc == FAULT_ABSENT) {
		fault_clear(f);
		*on = false;
		return 0;
	}
	if (rc == 0) {
		status = xml_text(xml_top(doc), "Status");
		if (status != NULL && strcmp(status, "ON") == 0)
			*on = true;
		else if (status != NULL && strcmp(status, "OFF") == 0)
			*on = false;
		else
			rc = fault_set(f, FAULT_CORRUPT,
			    "repository %s: %s: a legal hold that is neither "
			    "on nor off",
			    s->name, key);
	}
	xml_free(doc);
	return rc;
}

int
s3_lock_hold(struct s3 *s, const char *key, bool on, const struct deadline *d,
    struct fault *f)
{
	struct deadline never = deadline_never();
	struct buf b = BUF_INIT(1024);
	int rc = buf_printf(&b, f,
	    "<LegalHold xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
	    "<Status>%s</Status></LegalHold>",
	    on ? "ON" : "OFF");

	if (rc == 0)
		rc = answer(s, key, "legal-hold=", "s3:PutObjectLegalHold", &b,
		    d != NULL ? d : &never, f);
	buf_free(&b);
	return rc;
}
