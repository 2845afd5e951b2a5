#include <string.h>

#include "s3_call.h"
#include "s3_marks.h"

struct listing {
	s3_uploads_fn cb;
	void *ctx;
};

static int
take_upload(void *ctx, const char *key, const char *id,
    const struct xml_node *n, struct fault *f)
{
	const struct listing *l = ctx;
	const char *text = xml_text(n, "Initiated");
	struct fault ignored = FAULT_INIT;
	int64_t begun_us = CLOCK_NONE;

	if (text == NULL || clock_parse(text, &begun_us, NULL, &ignored) != 0)
		begun_us = CLOCK_NONE;
	return l->cb(l->ctx, key, id, begun_us, f);
}

/* In the order of the names, as the signature wants it. */
static int
query_make(const struct s3_marks *m, struct buf *q, struct fault *f)
{
	int rc = s3_url_query(q, "encoding-type", "url", f);

	if (rc == 0 && m->key[0] != '\0')
		rc = s3_url_query(q, "key-marker", m->key, f);
	if (rc == 0)
		rc = s3_url_query(q, "max-uploads", "1000", f);
	if (rc == 0)
		rc = s3_url_query(q, "prefix", m->prefix, f);
	if (rc == 0 && m->mark[0] != '\0')
		rc = s3_url_query(q, "upload-id-marker", m->mark, f);
	return rc != 0 ? rc : s3_url_query(q, "uploads", "", f);
}

int
s3_uploads_list(struct s3 *s, const char *prefix, s3_uploads_fn cb, void *ctx,
    const struct deadline *d, struct fault *f)
{
	struct deadline never = deadline_never();
	struct s3_marks m = {.what = "listing of uploads",
	    .prefix = prefix,
	    .id = "UploadId",
	    .next_id = "NextUploadIdMarker"};
	struct listing l = {cb, ctx};
	struct buf q = BUF_INIT(32768);
	struct s3_request rq = {.method = "GET",
	    .permission = "s3:ListBucketMultipartUploads",
	    .root = "ListMultipartUploadsResult",
	    .d = d != NULL ? d : &never};
	int rc;

	do {
		struct xml *doc = NULL;

		buf_clear(&q);
		if ((rc = query_make(&m, &q, f)) != 0)
			break;
		rq.query = (char *)q.data;
		if ((rc = s3_call(s, &rq, NULL, &doc, NULL, f)) == 0 &&
		    (rc = s3_marks_entries(
			 &m, doc, "Upload", take_upload, &l, f)) == 0)
			rc = s3_marks_end(&m, doc, f);
		xml_free(doc);
	} while (rc == 0 && m.more);
	buf_free(&q);
	return rc;
}

int
s3_uploads_abort(struct s3 *s, const char *key, const char *id,
    const struct deadline *d, struct fault *f)
{
	struct deadline never = deadline_never();
	struct buf q = BUF_INIT(16384);
	struct s3_request rq = {.method = "DELETE",
	    .key = key,
	    .permission = "s3:AbortMultipartUpload",
	    .d = d != NULL ? d : &never};
	struct http_response rs;
	int rc = s3_url_query(&q, "uploadId", id, f);

	if (rc == 0) {
		rq.query = (char *)q.data;
		rc = s3_call(s, &rq, &rs, NULL, NULL, f);
		if (rc != 0 && s3_answer_says(&rs, "NoSuchUpload")) {
			fault_clear(f);
			rc = 0;
		}
		http_response_free(&rs);
	}
	buf_free(&q);
	return rc;
}
