#include "s3.h"

#include <stdlib.h>
#include <string.h>

#include "s3_call.h"
#include "s3_lock.h"

#define S3_PAGE 1000

/* What goes into a header must not be able to end it. */
static int
check_field(const char *what, const char *s, size_t n, struct fault *f)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return fault_set(f, FAULT_CONFIG,
			    "%s holds a blank or a control character", what);
	return n > 0 ? 0 : fault_set(f, FAULT_CONFIG, "%s is empty", what);
}

static int
check_config(const struct s3_config *c, struct fault *f)
{
	int rc;

	if (c->access_key_id == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "there are no credentials: set access_key_id and "
		    "secret_access_key_file, or AWS_ACCESS_KEY_ID and "
		    "AWS_SECRET_ACCESS_KEY in the environment of this "
		    "program (and of PostgreSQL)");
	rc = check_field("region", c->region, strlen(c->region), f);
	if (rc == 0)
		rc = check_field("access_key_id", c->access_key_id,
		    strlen(c->access_key_id), f);
	if (rc == 0 && c->storage_class != NULL)
		rc = check_field("storage_class", c->storage_class,
		    strlen(c->storage_class), f);
	if (rc == 0)
		rc = check_field("secret_access_key",
		    (const char *)c->secret.data, c->secret.len, f);
	if (rc == 0 && c->session_token.len > 0)
		rc = check_field("session_token",
		    (const char *)c->session_token.data, c->session_token.len,
		    f);
	return rc;
}

static int
dup_text(char **out, const char *s, struct fault *f)
{
	if (s == NULL)
		return 0;
	*out = strdup(s);
	return *out != NULL ? 0 : fault_nomem(f);
}

int
s3_new(struct s3 **out, const struct s3_config *c, struct fault *f)
{
	struct s3 *s;
	int rc;

	s = calloc(1, sizeof *s);
	if (s == NULL)
		return fault_nomem(f);
	s->page_size = S3_PAGE;
	rc = check_config(c, f);
	if (rc == 0)
		rc = s3_url_make(
		    &s->url, c->endpoint, c->bucket, c->host_style, f);
	if (rc == 0)
		rc = dup_text(&s->name, c->name, f);
	if (rc == 0)
		rc = dup_text(&s->bucket, c->bucket, f);
	if (rc == 0)
		rc = dup_text(&s->region, c->region, f);
	if (rc == 0)
		rc = dup_text(&s->storage_class, c->storage_class, f);
	if (rc == 0)
		rc = dup_text(&s->lock_mode, c->lock_mode, f);
	if (rc == 0)
		rc = dup_text(&s->access_key_id, c->access_key_id, f);
	if (rc == 0)
		rc = secret_copy(&s->secret, c->secret.data, c->secret.len, f);
	if (rc == 0 && c->session_token.len > 0)
		rc = secret_copy(
		    &s->token, c->session_token.data, c->session_token.len, f);
	if (rc == 0)
		rc = http_new(&s->http, s->url.insecure ? NULL : &c->tls, f);
	if (rc != 0) {
		s3_free(s);
		return fault_prefix(f, "repository %s", c->name);
	}
	*out = s;
	return 0;
}

int64_t
s3_now_us(const struct s3 *s)
{
	return clock_now_us() + s->clock_offset_us;
}

void
s3_free(struct s3 *s)
{
	if (s == NULL)
		return;
	http_free(s->http);
	s3_url_free(&s->url);
	free(s->name);
	free(s->bucket);
	free(s->region);
	free(s->storage_class);
	free(s->lock_mode);
	free(s->access_key_id);
	secret_free(&s->secret);
	secret_free(&s->token);
	free(s);
}

/* For a store without conditions. Not proof against somebody who writes the
 * same name between the look and the write; nothing there is. */
static int
look_first(
    struct s3 *s, const char *key, const struct deadline *d, struct fault *f)
{
	struct s3_info info;
	int rc = s3_head(s, key, &info, d, f);

	if (rc == FAULT_ABSENT) {
		fault_clear(f);
		return 0;
	}
	if (rc != 0)
		return rc;
	return fault_set(f, FAULT_EXISTS,
	    "repository %s: PUT %s/%s: the name is taken", s->name, s->bucket,
	    key);
}

/*
 * One PUT, with its SHA-256 signed, which every store checks, and once more in
 * the form that a bucket with object lock asks for. MD5 would do for that as
 * well, and takes twice the time or more. Stores that refuse the header get
 * MD5.
 */
static int
put_once(struct s3 *s, struct s3_request *rq, int *status, struct fault *f)
{
	struct fault first;
	struct http_response rs;
	int rc;

	rq->sha256 = !s->no_sha256;
	rq->md5 = s->no_sha256;
	rc = s3_call(s, rq, &rs, NULL, NULL, f);
	*status = rs.status;
	http_response_free(&rs);
	if (rc == 0 || s->no_sha256 || (*status != 400 && *status != 501))
		return rc;
	first = *f;
	rq->sha256 = false;
	rq->md5 = true;
	fault_clear(f);
	rc = s3_call(s, rq, &rs, NULL, NULL, f);
	*status = rs.status;
	http_response_free(&rs);
	if (rc != 0 && (*status == 400 || *status == 501)) {
		*f = first;
		return (int)first.code;
	}
	s->no_sha256 = *status != 0;
	return rc;
}

int
s3_put(struct s3 *s, const char *key, const void *data, size_t len,
    const struct deadline *d, struct fault *f)
{
	struct deadline never = deadline_never();
	struct s3_lock_headers kept;
	struct s3_request rq = {.method = "PUT",
	    .key = key,
	    .permission = "s3:PutObject",
	    .headers = kept.h,
	    .kept = &kept,
	    .body = data,
	    .body_len = len,
	    .d = d != NULL ? d : &never};
	int rc, status;

	if ((s->look_first && (rc = look_first(s, key, rq.d, f)) != 0) ||
	    (rc = s3_lock_headers(s, &kept, rq.d, f)) != 0)
		return rc;
	rq.n_headers = kept.n;
	if (!s->no_conditional) {
		rq.conditional = true;
		rc = put_once(s, &rq, &status, f);
		if (rc == 0 || status != 501)
			return s3_lock_explain(&kept, status, rc, f);
		s->no_conditional = true;
		rq.conditional = false;
	}
	rc = s->look_first ? 0 : look_first(s, key, rq.d, f);
	if (rc != 0)
		return rc;
	rc = put_once(s, &rq, &status, f);
	return s3_lock_explain(&kept, status, rc, f);
}

void
s3_look_first(struct s3 *s)
{
	s->look_first = true;
}

static int
discard(void *ctx, const unsigned char *data, size_t n, struct fault *f)
{
	(void)ctx;
	(void)data;
	(void)n;
	(void)f;
	return 0;
}

/* A HEAD that failed has no body to say why; a GET of one byte has. */
static int
ask_again(struct s3 *s, const char *key, struct s3_info *info,
    const struct deadline *d, struct fault *f)
{
	int rc = s3_get(s, key, 0, 1, discard, NULL, info, d, f);

	if (rc == FAULT_CORRUPT) /* it has no first byte: it is there */
		return fault_recode(f, FAULT_AGAIN);
	return rc;
}

int
s3_head(struct s3 *s, const char *key, struct s3_info *info,
    const struct deadline *d, struct fault *f)
{
	struct deadline never = deadline_never();
	struct s3_request rq = {.method = "HEAD",
	    .key = key,
	    .permission = "s3:GetObject",
	    .d = d != NULL ? d : &never};
	struct http_response rs;
	int rc;

	rc = s3_call(s, &rq, &rs, NULL, NULL, f);
	if (rc == 0 && rs.content_length == UINT64_MAX) {
		fault_set(f, FAULT_AGAIN, "answer without a length");
		rc = s3_call_context(s, &rq, f);
	}
	if (rc == 0 && info != NULL) {
		info->size = rs.content_length;
		memcpy(info->etag, rs.etag, sizeof info->etag);
		if (clock_parse_http(rs.last_modified, &info->modified_us) != 0)
			info->modified_us = CLOCK_NONE;
	}
	if (rc != 0 && rs.status >= 300 && rs.status < 500)
		rc = ask_again(s, key, info, rq.d, f);
	http_response_free(&rs);
	return rc;
}
