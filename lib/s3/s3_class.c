#include <ctype.h>
#include <string.h>

#include "s3_call.h"
#include "s3_lock.h"
#include "sigv4.h"

#define COPY_MAX (UINT64_C(5) << 30)

const char *
s3_class_of(const char *told)
{
	size_t n;

	if (told == NULL || told[0] == '\0')
		return "STANDARD";
	for (n = 0; n < S3_CLASS && told[n] != '\0'; n++)
		if (!isalnum((unsigned char)told[n]) && told[n] != '_' &&
		    told[n] != '-')
			return "?";
	return n < S3_CLASS ? told : "?";
}

bool
s3_class_same(const struct s3_state *a, const struct s3_state *b)
{
	/* A key of its own for each encryption at rest makes other ETags of the
	 * same bytes. */
	return a->size == b->size &&
	       ((a->etag[0] != '\0' && strcmp(a->etag, b->etag) == 0) ||
		   (a->sha256[0] != '\0' && strcmp(a->sha256, b->sha256) == 0));
}

static void
read_state(struct s3_state *out, const struct http_response *rs)
{
	struct fault ignored = FAULT_INIT;

	out->size = rs->content_length;
	memcpy(out->etag, rs->etag, sizeof out->etag);
	memcpy(out->sha256, rs->sha256, sizeof out->sha256);
	memcpy(out->version, rs->version, sizeof out->version);
	strcpy(out->storage_class, s3_class_of(rs->storage_class));
	if (clock_parse(
		rs->lock_until, &out->locked_until_us, NULL, &ignored) != 0)
		out->locked_until_us = CLOCK_NONE;
	out->is_held = strcmp(rs->legal_hold, "ON") == 0;
}

int
s3_class_look(struct s3 *s, const char *key, const char *version,
    struct s3_state *out, const struct deadline *d, struct fault *f)
{
	struct deadline never = deadline_never();
	struct http_header h = {"x-amz-checksum-mode", "ENABLED"};
	struct buf q = BUF_INIT(8192);
	struct s3_request rq = {.method = "HEAD",
	    .key = key,
	    .permission =
		version != NULL ? "s3:GetObjectVersion" : "s3:GetObject",
	    .headers = &h,
	    .n_headers = 1,
	    .d = d != NULL ? d : &never};
	struct http_response rs;
	int rc = 0;

	if (version != NULL &&
	    (rc = s3_url_query(&q, "versionId", version, f)) != 0)
		return rc;
	rq.query = (char *)q.data;
	rc = s3_call(s, &rq, &rs, NULL, NULL, f);
	if (rc == 0 && rs.content_length == UINT64_MAX) {
		fault_set(f, FAULT_AGAIN, "answer without a length");
		rc = s3_call_context(s, &rq, f);
	} else if (rc == 0) {
		read_state(out, &rs);
	} else if (version == NULL && rs.status >= 300 && rs.status < 500) {
		/* It finds out why. */
		rc = s3_head(s, key, NULL, rq.d, f);
		if (rc == 0) {
			fault_set(f, FAULT_AGAIN, "refused, and then not");
			rc = s3_call_context(s, &rq, f);
		}
	}
	http_response_free(&rs);
	buf_free(&q);
	return rc;
}

static int
source_make(const struct s3 *s, const char *key, const char *version,
    struct buf *out, struct fault *f)
{
	char coded[3 * 1024 + 1];
	struct buf q = BUF_INIT(8192);
	int rc;

	if (strlen(key) > 1024)
		return fault_set(f, FAULT_CONFIG, "%.300s...: too long", key);
	sigv4_encode(key, 1, coded);
	rc = buf_printf(out, f, "/%s/%s", s->bucket, coded);
	if (rc == 0 && version[0] != '\0' &&
	    (rc = s3_url_query(&q, "versionId", version, f)) == 0)
		rc = buf_printf(out, f, "?%s", (char *)q.data);
	buf_free(&q);
	return rc != 0 ? rc : buf_terminate(out, f);
}

/* What the answer says; an answer of 200 may hold an error. */
static int
copy(struct s3 *s, const char *key, const struct s3_state *from,
    const char *class, const struct deadline *d, struct fault *f)
{
	struct buf source = BUF_INIT(16384);
	/* As of a put, for s3_lock_explain. */
	struct s3_lock_headers kept = {
	    .h = {{"x-amz-storage-class", class}}, .n = 1};
	struct http_header h[4] = {kept.h[0],
	    {"x-amz-metadata-directive", "COPY"}, {"x-amz-copy-source", NULL},
	    {"x-amz-copy-source-if-match", from->etag}};
	struct s3_request rq = {.method = "PUT",
	    .key = key,
	    .permission = "s3:PutObject and s3:GetObject",
	    .headers = h,
	    .n_headers = from->etag[0] != '\0' ? 4 : 3,
	    .aside = true,
	    .root = "CopyObjectResult",
	    .d = d};
	struct http_response rs;
	struct xml *doc = NULL;
	int rc = source_make(s, key, from->version, &source, f);

	if (rc == 0) {
		h[2].value = (char *)source.data;
		rc = s3_call(s, &rq, &rs, &doc, NULL, f);
		rc = s3_lock_explain(&kept, rs.status, rc, f);
		http_response_free(&rs);
		xml_free(doc);
	}
	buf_free(&source);
	return rc;
}

int
s3_class_change(struct s3 *s, const char *key, const struct s3_state *from,
    const char *class, struct s3_state *now, const struct deadline *d,
    struct fault *f)
{
	struct deadline never = deadline_never();
	struct fault told = FAULT_INIT;
	struct s3_state seen;
	int rc;

	if (d == NULL)
		d = &never;
	if (from->size > COPY_MAX)
		return fault_set(f, FAULT_CONFIG,
		    "repository %s: %s: larger than 5 GiB, which is more than "
		    "one request may copy",
		    s->name, key);
	rc = copy(s, key, from, class, d, &told);
	/* The object says what was done, not the answer: that may be of a
	 * second try, or lost. */
	if (s3_class_look(s, key, NULL, &seen, d, f) != 0) {
		if (rc != 0)
			*f = told;
		return (int)f->code;
	}
	if (!s3_class_same(from, &seen))
		return fault_set(f, FAULT_CORRUPT,
		    "repository %s: %s: after the copy into class %s the store "
		    "tells of other bytes there: verify the backup",
		    s->name, key, class);
	if (strcmp(seen.storage_class, class) == 0) {
		*now = seen;
		return 0;
	}
	if (rc != 0) {
		*f = told;
		return rc;
	}
	return fault_set(f, FAULT_CONFIG,
	    "repository %s: %s: the store says that it copied it into class "
	    "%s, and has it in %s: check storage_class: does it have that "
	    "class?",
	    s->name, key, class, seen.storage_class);
}
