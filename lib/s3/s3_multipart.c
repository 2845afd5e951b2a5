#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "s3_call.h"
#include "s3_lock.h"
#include "text.h"

#define S3_PARTS_MAX 10000

struct s3_multipart {
	struct s3 *s;
	char *key;
	char *id;
	char **etags; /* of the parts */
	unsigned n;
	unsigned room;
	int64_t lock_us; /* object lock from its end on; 0: none */
	bool done;
};

int
s3_multipart_begin(struct s3_multipart **out, struct s3 *s, const char *key,
    const struct deadline *d, struct fault *f)
{
	struct deadline never = deadline_never();
	struct s3_lock_headers kept;
	struct s3_request rq = {.method = "POST",
	    .key = key,
	    .query = "uploads=",
	    .permission = "s3:PutObject",
	    .headers = kept.h,
	    .kept = &kept,
	    .root = "InitiateMultipartUploadResult",
	    .d = d != NULL ? d : &never};
	struct s3_multipart *m;
	struct xml *doc = NULL;
	const char *id;
	int rc;

	rc = s3_lock_headers(s, &kept, rq.d, f);
	if (rc != 0)
		return rc;
	rq.n_headers = kept.n;
	rc = s3_call(s, &rq, NULL, &doc, NULL, f);
	if (rc != 0)
		return rc;
	m = calloc(1, sizeof *m);
	id = xml_text(xml_top(doc), "UploadId");
	if (id == NULL || id[0] == '\0' || strlen(id) > 2048) {
		fault_set(f, FAULT_CORRUPT, "answer without an upload id");
		rc = s3_call_context(s, &rq, f);
	} else if (m == NULL || (m->key = strdup(key)) == NULL ||
		   (m->id = strdup(id)) == NULL) {
		rc = fault_nomem(f);
	}
	xml_free(doc);
	if (rc != 0) {
		s3_multipart_free(m);
		return rc;
	}
	m->s = s;
	m->lock_us = s->lock_mode != NULL ? s->terms.lock_us : 0;
	*out = m;
	return 0;
}

static int
room_make(struct s3_multipart *m, struct fault *f)
{
	unsigned room = m->room == 0 ? 16 : m->room * 2;
	char **p;

	if (m->n < m->room)
		return 0;
	p = realloc(m->etags, room * sizeof *p);
	if (p == NULL)
		return fault_nomem(f);
	m->etags = p;
	m->room = room;
	return 0;
}

/* It will stand in a document and in a header. */
static bool
etag_good(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' || strchr("<>&", s[i]) != NULL)
			return false;
	return n > 0;
}

int
s3_multipart_part(struct s3_multipart *m, const void *data, size_t len,
    const struct deadline *d, struct fault *f)
{
	struct deadline never = deadline_never();
	struct buf q = BUF_INIT(16384);
	struct s3_request rq = {.method = "PUT",
	    .key = m->key,
	    .permission = "s3:PutObject",
	    .body = data,
	    .body_len = len,
	    .md5 = true,
	    .d = d != NULL ? d : &never};
	struct http_response rs;
	char number[16];
	int rc;

	if (m->n >= S3_PARTS_MAX)
		return fault_set(f, FAULT_CONFIG,
		    "repository %s: %s: more than %d parts", m->s->name, m->key,
		    S3_PARTS_MAX);
	snprintf(number, sizeof number, "%u", m->n + 1);
	rc = room_make(m, f);
	if (rc == 0)
		rc = s3_url_query(&q, "partNumber", number, f);
	if (rc == 0)
		rc = s3_url_query(&q, "uploadId", m->id, f);
	if (rc == 0) {
		rq.query = (char *)q.data;
		rc = s3_call(m->s, &rq, &rs, NULL, NULL, f);
		if (rc == 0 && !etag_good(rs.etag)) {
			fault_set(f, FAULT_AGAIN, "answer without an ETag");
			rc = s3_call_context(m->s, &rq, f);
		}
		if (rc == 0 && (m->etags[m->n] = strdup(rs.etag)) == NULL)
			rc = fault_nomem(f);
		http_response_free(&rs);
	}
	if (rc == 0)
		m->n++;
	buf_free(&q);
	return rc;
}

static int
body_make(const struct s3_multipart *m, struct buf *b, struct fault *f)
{
	int rc;

	rc = buf_put_str(b,
	    "<CompleteMultipartUpload "
	    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
	    f);
	for (unsigned i = 0; i < m->n && rc == 0; i++)
		rc = buf_printf(b, f,
		    "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>",
		    i + 1, m->etags[i]);
	return rc != 0 ? rc : buf_put_str(b, "</CompleteMultipartUpload>", f);
}

static int
taken(struct s3_multipart *m, struct fault *f)
{
	return fault_set(f, FAULT_EXISTS,
	    "repository %s: POST %s/%s: the name is taken", m->s->name,
	    m->s->bucket, m->key);
}

/* Whether etag is what the store makes of exactly our parts: the MD5 of their
 * MD5s, and their number. */
static bool
is_ours(const struct s3_multipart *m, const char *etag)
{
	struct buf b = BUF_INIT(16 * S3_PARTS_MAX);
	struct fault ignored = FAULT_INIT;
	unsigned char md5[16];
	char hex[33], wanted[64];
	bool good = true;

	for (unsigned i = 0; i < m->n && good; i++) {
		const char *e = m->etags[i];

		good = strlen(e) == 34;
		if (good) {
			memcpy(hex, e + 1, 32);
			hex[32] = '\0';
			good = text_unhex(hex, md5, 16) == 0 &&
			       buf_put(&b, md5, 16, &ignored) == 0;
		}
	}
	good = good && crypto_md5(b.data, b.len, md5, &ignored) == 0;
	buf_free(&b);
	if (!good)
		return false;
	text_hex(md5, 16, hex);
	snprintf(wanted, sizeof wanted, "\"%s-%u\"", hex, m->n);
	return strcmp(wanted, etag) == 0;
}

/* An earlier try may have completed it and its answer been lost; what the
 * next one gets then depends on the store: the name is taken, the upload is
 * gone, or an error for ever. So it is looked first. ABSENT: not done yet. */
static int
settle(struct s3_multipart *m, const struct deadline *d, struct fault *f)
{
	struct s3_info info;
	int rc = s3_head(m->s, m->key, &info, d, f);

	if (rc != 0)
		return rc;
	if (!is_ours(m, info.etag))
		return taken(m, f);
	fault_clear(f);
	return 0;
}

static int
send(struct s3_multipart *m, struct s3_request *rq, struct fault *f)
{
	struct s3_retry retry = {0, false};
	struct http_response rs;
	struct s3_sums sums;
	struct fault seen = FAULT_INIT;
	struct xml *doc = NULL;
	enum s3_next next;
	bool again;
	int rc, look;

	rc = s3_call_sums(m->s, rq, &sums, f);
	if (rc != 0)
		return rc;
	do {
		rq->conditional = !m->s->no_conditional;
		rc = s3_call_once(m->s, rq, &sums, &rs, &doc, &next, f);
		again =
		    rc != 0 && s3_call_again(m->s, &retry, next, &rs, rq->d);
		if (rc != 0 && rs.status == 501 && rq->conditional)
			again = m->s->no_conditional = true;
		look = FAULT_ABSENT;
		/* On the first answer, too: on a connection that was used
		 * before libcurl sends a request again by itself. */
		if (again || rc == FAULT_EXISTS || rs.status == 404)
			look = settle(m, rq->d, &seen);
		http_response_free(&rs);
	} while (again && look == FAULT_ABSENT);
	xml_free(doc);
	if (rc == 0 || look == FAULT_ABSENT)
		return rc;
	*f = seen;
	return look;
}

static int
complete(struct s3_multipart *m, const char *query, const struct deadline *d,
    struct fault *f)
{
	struct buf b = BUF_INIT(8U << 20);
	struct s3_request rq = {.method = "POST",
	    .key = m->key,
	    .query = query,
	    .permission = "s3:PutObject",
	    .root = "CompleteMultipartUploadResult",
	    .d = d};
	int rc;

	rc = body_make(m, &b, f);
	if (rc == 0) {
		rq.body = b.data;
		rq.body_len = b.len;
		rc = send(m, &rq, f);
	}
	buf_free(&b);
	return rc;
}

int
s3_multipart_complete(
    struct s3_multipart *m, const struct deadline *d, struct fault *f)
{
	struct deadline never = deadline_never();
	struct buf q = BUF_INIT(16384);
	struct s3_info info;
	int rc;

	if (d == NULL)
		d = &never;
	rc = s3_head(m->s, m->key, &info, d, f);
	if (rc == 0)
		return taken(m, f);
	if (rc != FAULT_ABSENT)
		return rc;
	fault_clear(f);
	rc = s3_url_query(&q, "uploadId", m->id, f);
	if (rc == 0)
		rc = complete(m, (char *)q.data, d, f);
	m->done = rc == 0;
	/* Some stores (Ceph 16) pass over the lock that an upload was begun
	 * with. */
	if (rc == 0 && m->lock_us > 0)
		rc = s3_lock_ensure(m->s, m->key, m->lock_us, d, f);
	buf_free(&q);
	return rc;
}

void
s3_multipart_abort(struct s3_multipart *m, const struct deadline *d)
{
	struct deadline never = deadline_never();
	struct buf q = BUF_INIT(16384);
	struct fault ignored = FAULT_INIT;
	struct s3_request rq = {.method = "DELETE",
	    .key = m->key,
	    .permission = "s3:AbortMultipartUpload",
	    .d = d != NULL ? d : &never};

	if (m->done)
		return;
	if (s3_url_query(&q, "uploadId", m->id, &ignored) == 0) {
		rq.query = (char *)q.data;
		(void)s3_call(m->s, &rq, NULL, NULL, NULL, &ignored);
	}
	m->done = true;
	buf_free(&q);
}

void
s3_multipart_free(struct s3_multipart *m)
{
	if (m == NULL)
		return;
	for (unsigned i = 0; i < m->n; i++)
		free(m->etags[i]);
	free(m->etags);
	free(m->key);
	free(m->id);
	free(m);
}
