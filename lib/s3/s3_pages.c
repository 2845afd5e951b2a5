#include "s3_pages.h"

#include <string.h>

#include "s3_call.h"

/* In the order of the names, as the signature wants it. */
static int
query_make(const struct s3_pages *p, const struct s3_marks *m, struct buf *q,
    struct fault *f)
{
	int rc = s3_url_query(q, "encoding-type", "url", f);

	if (rc == 0 && m->key[0] != '\0')
		rc = s3_url_query(q, "key-marker", m->key, f);
	if (rc == 0)
		rc = s3_url_query(q, p->limit, "1000", f);
	if (rc == 0)
		rc = s3_url_query(q, "prefix", m->prefix, f);
	if (rc == 0 && m->mark[0] != '\0')
		rc = s3_url_query(q, p->mark, m->mark, f);
	return rc != 0 ? rc : s3_url_query(q, p->kind, "", f);
}

static int
take_page(const struct s3_pages *p, struct s3_marks *m, const struct xml *doc,
    s3_marks_fn cb, void *ctx, struct fault *f)
{
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < 2 && p->entries[k] != NULL; k++)
		rc = s3_marks_entries(m, doc, p->entries[k], cb, ctx, f);
	return rc != 0 ? rc : s3_marks_end(m, doc, f);
}

int
s3_pages_walk(struct s3 *s, const struct s3_pages *p, struct s3_marks *m,
    const char *last, s3_marks_fn cb, void *ctx, const struct deadline *d,
    struct fault *f)
{
	struct deadline never = deadline_never();
	struct buf q = BUF_INIT(32768);
	struct s3_request rq = {.method = "GET",
	    .permission = p->permission,
	    .root = p->root,
	    .d = d != NULL ? d : &never};
	int rc = 0;

	m->more = true;
	while (
	    rc == 0 && m->more && (last == NULL || strcmp(m->key, last) <= 0)) {
		struct xml *doc = NULL;

		buf_clear(&q);
		if ((rc = query_make(p, m, &q, f)) != 0)
			break;
		rq.query = (char *)q.data;
		if ((rc = s3_call(s, &rq, NULL, &doc, NULL, f)) == 0)
			rc = take_page(p, m, doc, cb, ctx, f);
		xml_free(doc);
	}
	buf_free(&q);
	return rc;
}
