#include <string.h>

#include "s3_call.h"
#include "s3_pages.h"
#include "text.h"

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
	const char *size = xml_text(n, "Size");
	const char *newest = xml_text(n, "IsLatest");
	struct s3_version v = {.key = key,
	    .id = version,
	    .is_newest = newest == NULL || strcmp(newest, "false") != 0,
	    .storage_class = s3_class_of(xml_text(n, "StorageClass"))};

	v.is_marker = size == NULL || text_u64(size, &v.size) != 0;
	return l->cb(l->ctx, &v, f);
}

int
s3_versions_list(struct s3 *s, const char *prefix, const char *first,
    const char *last, s3_versions_fn cb, void *ctx, const struct deadline *d,
    struct fault *f)
{
	static const struct s3_pages pages = {.kind = "versions",
	    .limit = "max-keys",
	    .mark = "version-id-marker",
	    .root = "ListVersionsResult",
	    .permission = "s3:ListBucketVersions",
	    .entries = {"Version", "DeleteMarker"}};
	struct s3_marks m = {.what = "listing of versions",
	    .prefix = prefix,
	    .id = "VersionId",
	    .next_id = "NextVersionIdMarker"};
	struct listing l = {cb, ctx};
	size_t n = strlen(first);

	/* Just before the first key. */
	if (n > strlen(prefix) && n < S3_MARKS_NAME) {
		memcpy(m.key, first, n - 1);
		m.key[n - 1] = '\0';
	}
	return s3_pages_walk(s, &pages, &m, last, take_version, &l, d, f);
}
