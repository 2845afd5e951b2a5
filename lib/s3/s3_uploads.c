#include "s3_call.h"
#include "s3_pages.h"

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

int
s3_uploads_list(struct s3 *s, const char *prefix, s3_uploads_fn cb, void *ctx,
    const struct deadline *d, struct fault *f)
{
	static const struct s3_pages pages = {.kind = "uploads",
	    .limit = "max-uploads",
	    .mark = "upload-id-marker",
	    .root = "ListMultipartUploadsResult",
	    .permission = "s3:ListBucketMultipartUploads",
	    .entries = {"Upload"}};
	struct s3_marks m = {.what = "listing of uploads",
	    .prefix = prefix,
	    .id = "UploadId",
	    .next_id = "NextUploadIdMarker"};
	struct listing l = {cb, ctx};

	return s3_pages_walk(s, &pages, &m, NULL, take_upload, &l, d, f);
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
