#include <string.h>

#include "s3_call.h"
#include "s3_marks.h"

int
s3_versions_kept(
    struct s3 *s, bool *out, const struct deadline *d, struct fault *f)
{
	struct deadline never = deadline_never();
	struct s3_request rq = {.method = "GET",
	    .query = "versioning=",
	    .permission = "s3:GetBucketVersioning",
	    .root = "VersioningConfiguration",
	    .d = d != NULL ? d : &never};
	struct xml *doc = NULL;
	const char *status;
	int rc = s3_call(s, &rq, NULL, &doc, NULL, f);

	if (rc == 0) {
		status = xml_text(xml_top(doc), "Status");
		*out = status != NULL && status[0] != '\0';
	}
	xml_free(doc);
	return rc;
}

/* ---- listing ---- */

struct listing {
	s3_versions_fn cb;
	void *ctx;
};

static int
take_version(void *ctx, const char *key, const char *version,
    const struct xml_node *n, struct fault *f)
{
	const struct listing *l = ctx;

	(void)n;
	return l->cb(l->ctx, key, version, f);
}

/* In the order of the names, as the signature wants it. */
static int
query_make(const struct s3_marks *m, struct buf *q, struct fault *f)
{
	int rc = s3_url_query(q, "encoding-type", "url", f);

	if (rc == 0 && m->key[0] != '\0')
		rc = s3_url_query(q, "key-marker", m->key, f);
	if (rc == 0)
		rc = s3_url_query(q, "max-keys", "1000", f);
	if (rc == 0)
		rc = s3_url_query(q, "prefix", m->prefix, f);
	if (rc == 0 && m->mark[0] != '\0')
		rc = s3_url_query(q, "version-id-marker", m->mark, f);
	return rc != 0 ? rc : s3_url_query(q, "versions", "", f);
}

int
s3_versions_list(struct s3 *s, const char *prefix, const char *first,
    const char *last, s3_versions_fn cb, void *ctx, const struct deadline *d,
    struct fault *f)
{
	struct deadline never = deadline_never();
	struct s3_marks m = {.what = "listing of versions",
	    .prefix = prefix,
	    .id = "VersionId",
	    .next_id = "NextVersionIdMarker",
	    .more = true};
	struct listing l = {cb, ctx};
	struct buf q = BUF_INIT(32768);
	struct s3_request rq = {.method = "GET",
	    .permission = "s3:ListBucketVersions",
	    .root = "ListVersionsResult",
	    .d = d != NULL ? d : &never};
	size_t n = strlen(first);
	int rc = 0;

	/* Just before the first key. */
	if (n > strlen(prefix) && n < S3_MARKS_NAME) {
		memcpy(m.key, first, n - 1);
		m.key[n - 1] = '\0';
	}
	while (rc == 0 && m.more && strcmp(m.key, last) <= 0) {
		struct xml *doc = NULL;

		buf_clear(&q);
		if ((rc = query_make(&m, &q, f)) != 0)
			break;
		rq.query = (char *)q.data;
		if ((rc = s3_call(s, &rq, NULL, &doc, NULL, f)) == 0 &&
		    (rc = s3_marks_entries(
			 &m, doc, "Version", take_version, &l, f)) == 0 &&
		    (rc = s3_marks_entries(
			 &m, doc, "DeleteMarker", take_version, &l, f)) == 0)
			rc = s3_marks_end(&m, doc, f);
		xml_free(doc);
	}
	buf_free(&q);
	return rc;
}
