#include <string.h>

#include "s3_call.h"
#include "s3_delete.h"
#include "text.h"

#define VERSIONS_NAME 3100 /* a key of 1024 bytes, percent-encoded */

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

struct page {
	char key[VERSIONS_NAME]; /* where the next one begins */
	char version[VERSIONS_NAME];
	bool more;
};

static int
corrupt(struct fault *f, const char *why)
{
	return fault_set(f, FAULT_CORRUPT, "listing of versions: %s", why);
}

static int
take_name(const struct xml_node *n, const char *element, bool encoded,
    char out[VERSIONS_NAME], struct fault *f)
{
	const char *s = xml_text(n, element);

	if (s == NULL || s[0] == '\0')
		return corrupt(f, "an entry without a name");
	if (strlen(s) >= VERSIONS_NAME)
		return corrupt(f, "a name is too long");
	strcpy(out, s);
	if (encoded && s3_url_decode(out) != 0)
		return corrupt(f, "a name is not encoded as it has to be");
	return 0;
}

static int
tell_series(const struct xml_node *top, const char *element, bool encoded,
    const char *prefix, s3_versions_fn cb, void *ctx, struct fault *f)
{
	const struct xml_node *n;
	char key[VERSIONS_NAME], version[VERSIONS_NAME];
	int rc = 0;

	for (n = xml_child(top, element); rc == 0 && n != NULL;
	     n = xml_next(n)) {
		rc = take_name(n, "Key", encoded, key, f);
		if (rc == 0)
			rc = take_name(n, "VersionId", false, version, f);
		if (rc == 0 && !text_prefix(key, prefix))
			rc = corrupt(f, "an entry that was not asked for");
		if (rc == 0)
			rc = cb(ctx, key, version, f);
	}
	return rc;
}

static int
page_end(
    struct page *p, const struct xml_node *top, bool encoded, struct fault *f)
{
	const char *more = xml_text(top, "IsTruncated");
	char key[VERSIONS_NAME], version[VERSIONS_NAME] = "";
	const char *v = xml_text(top, "NextVersionIdMarker");
	int rc;

	if (more == NULL ||
	    (strcmp(more, "true") != 0 && strcmp(more, "false") != 0))
		return corrupt(f, "it does not say whether there is more");
	p->more = strcmp(more, "true") == 0;
	if (!p->more)
		return 0;
	if ((rc = take_name(top, "NextKeyMarker", encoded, key, f)) != 0)
		return rc;
	if (v != NULL && v[0] != '\0' &&
	    (rc = take_name(top, "NextVersionIdMarker", false, version, f)) !=
		0)
		return rc;
	if (strcmp(key, p->key) < 0 ||
	    (strcmp(key, p->key) == 0 && strcmp(version, p->version) == 0))
		return corrupt(f, "the same page again and again");
	strcpy(p->key, key);
	strcpy(p->version, version);
	return 0;
}

/* In the order of the names, as the signature wants it. */
static int
query_make(
    const struct page *p, const char *prefix, struct buf *q, struct fault *f)
{
	int rc = s3_url_query(q, "encoding-type", "url", f);

	if (rc == 0 && p->key[0] != '\0')
		rc = s3_url_query(q, "key-marker", p->key, f);
	if (rc == 0)
		rc = s3_url_query(q, "max-keys", "1000", f);
	if (rc == 0)
		rc = s3_url_query(q, "prefix", prefix, f);
	if (rc == 0 && p->version[0] != '\0')
		rc = s3_url_query(q, "version-id-marker", p->version, f);
	return rc != 0 ? rc : s3_url_query(q, "versions", "", f);
}

int
s3_versions_list(struct s3 *s, const char *prefix, const char *first,
    const char *last, s3_versions_fn cb, void *ctx, const struct deadline *d,
    struct fault *f)
{
	struct deadline never = deadline_never();
	struct page p = {.more = true};
	struct buf q = BUF_INIT(16384);
	struct s3_request rq = {.method = "GET",
	    .permission = "s3:ListBucketVersions",
	    .root = "ListVersionsResult",
	    .d = d != NULL ? d : &never};
	size_t n = strlen(first);
	int rc = 0;

	/* Just before the first key. */
	if (n > strlen(prefix) && n < VERSIONS_NAME) {
		memcpy(p.key, first, n - 1);
		p.key[n - 1] = '\0';
	}
	while (rc == 0 && p.more && strcmp(p.key, last) <= 0) {
		struct xml *doc = NULL;
		const struct xml_node *top;
		const char *encoding;
		bool encoded;

		buf_clear(&q);
		if ((rc = query_make(&p, prefix, &q, f)) != 0)
			break;
		rq.query = (char *)q.data;
		if ((rc = s3_call(s, &rq, NULL, &doc, NULL, f)) == 0) {
			top = xml_top(doc);
			encoding = xml_text(top, "EncodingType");
			encoded =
			    encoding != NULL && strcmp(encoding, "url") == 0;
			if ((rc = tell_series(top, "Version", encoded, prefix,
				 cb, ctx, f)) == 0 &&
			    (rc = tell_series(top, "DeleteMarker", encoded,
				 prefix, cb, ctx, f)) == 0)
				rc = page_end(&p, top, encoded, f);
		}
		xml_free(doc);
	}
	buf_free(&q);
	return rc;
}
