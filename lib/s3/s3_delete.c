#include "s3_delete.h"

#include <stdlib.h>
#include <string.h>

#include "s3_call.h"

#define S3_DELETE_MAX 1000

struct entry {
	const char *key;
	size_t i;
	bool deleted;
	const struct xml_node *error;
};

static int
by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* Put an element of the answer to its key: to each, if one was given twice. */
static void
note(struct entry *e, size_t n, const struct xml_node *node, bool deleted)
{
	struct entry wanted = {.key = xml_text(node, "Key")};
	struct entry *hit = NULL;

	if (wanted.key != NULL)
		hit = bsearch(&wanted, e, n, sizeof *e, by_key);
	if (hit == NULL)
		return;
	while (hit > e && by_key(hit - 1, &wanted) == 0)
		hit--;
	for (; hit < e + n && by_key(hit, &wanted) == 0; hit++) {
		if (deleted)
			hit->deleted = true;
		else
			hit->error = node;
	}
}

static void
tell(const struct s3_subject *s, const struct entry *e, s3_delete_fn cb,
    void *ctx)
{
	struct s3_subject one = *s;
	struct fault result = FAULT_INIT;

	one.method = "DELETE";
	one.key = e->key;
	if (e->error != NULL)
		s3_answer_deletion(&one, xml_text(e->error, "Code"),
		    xml_text(e->error, "Message"), &result);
	else if (!e->deleted)
		fault_set(&result, FAULT_AGAIN,
		    "repository %s: DELETE %s/%s: the store did not answer "
		    "for this key",
		    s->repo, s->bucket, e->key);
	cb(ctx, e->i, &result);
}

int
s3_delete_read(const struct s3_subject *s, const struct xml *doc,
    const char *const *keys, size_t n, s3_delete_fn cb, void *ctx,
    struct fault *f)
{
	const struct xml_node *top = xml_top(doc), *x;
	struct entry *e;

	e = calloc(n, sizeof *e);
	if (e == NULL)
		return fault_nomem(f);
	for (size_t i = 0; i < n; i++) {
		e[i].key = keys[i];
		e[i].i = i;
	}
	qsort(e, n, sizeof *e, by_key);
	for (x = xml_child(top, "Deleted"); x != NULL; x = xml_next(x))
		note(e, n, x, true);
	for (x = xml_child(top, "Error"); x != NULL; x = xml_next(x))
		note(e, n, x, false);
	for (size_t i = 0; i < n; i++)
		tell(s, &e[i], cb, ctx);
	free(e);
	return 0;
}

static int
put_escaped(struct buf *b, const char *s, struct fault *f)
{
	int rc = 0;

	for (; *s != '\0' && rc == 0; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < ' ' || c == 0x7f)
			return fault_set(f, FAULT_CONFIG,
			    "a key with a control character: %s", s);
		if (c == '&' || c == '<' || c == '>')
			rc = buf_printf(b, f, "&#%d;", c);
		else
			rc = buf_put_u8(b, c, f);
	}
	return rc;
}

static int
body_make(struct buf *b, const char *const *keys, const char *const *versions,
    size_t n, struct fault *f)
{
	int rc;

	rc = buf_put_str(
	    b, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">", f);
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = buf_put_str(b, "<Object><Key>", f);
		if (rc == 0)
			rc = put_escaped(b, keys[i], f);
		if (rc == 0)
			rc = buf_put_str(b, "</Key>", f);
		if (rc == 0 && versions != NULL) {
			rc = buf_put_str(b, "<VersionId>", f);
			if (rc == 0)
				rc = put_escaped(b, versions[i], f);
			if (rc == 0)
				rc = buf_put_str(b, "</VersionId>", f);
		}
		if (rc == 0)
			rc = buf_put_str(b, "</Object>", f);
	}
	return rc != 0 ? rc : buf_put_str(b, "</Delete>", f);
}

int
s3_delete(struct s3 *s, const char *const *keys, size_t n, s3_delete_fn cb,
    void *ctx, const struct deadline *d, struct fault *f)
{
	return s3_delete_versions(s, keys, NULL, n, cb, ctx, d, f);
}

int
s3_delete_versions(struct s3 *s, const char *const *keys,
    const char *const *versions, size_t n, s3_delete_fn cb, void *ctx,
    const struct deadline *d, struct fault *f)
{
	struct deadline never = deadline_never();
	struct buf b = BUF_INIT(8U << 20);
	struct s3_request rq = {.method = "POST",
	    .query = "delete=",
	    .permission =
		versions != NULL ? "s3:DeleteObjectVersion" : "s3:DeleteObject",
	    .root = "DeleteResult",
	    .md5 = true,
	    .d = d != NULL ? d : &never};
	struct s3_subject about = {
	    s->name, "POST", s->bucket, NULL, NULL, false};
	struct xml *doc = NULL;
	int rc;

	if (n == 0)
		return 0;
	if (n > S3_DELETE_MAX)
		return fault_set(f, FAULT_CONFIG,
		    "at most %d keys in one deletion", S3_DELETE_MAX);
	rc = body_make(&b, keys, versions, n, f);
	if (rc == 0) {
		rq.body = b.data;
		rq.body_len = b.len;
		rc = s3_call(s, &rq, NULL, &doc, NULL, f);
	}
	if (rc == 0)
		rc = s3_delete_read(&about, doc, keys, n, cb, ctx, f);
	xml_free(doc);
	buf_free(&b);
	return rc;
}
