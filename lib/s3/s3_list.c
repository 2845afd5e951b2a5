#include "s3_list.h"

#include <stdio.h>
#include <string.h>

#include "s3_call.h"
#include "text.h"

#define S3_NAME_MAX 3100 /* a key of 1024 bytes, percent-encoded */

void
s3_list_page_size(struct s3 *s, unsigned n)
{
	s->page_size = n;
}

static int
corrupt(struct fault *f, const char *why)
{
	return fault_set(f, FAULT_CORRUPT, "listing: %s", why);
}

/* One of the two series of a page, at its current element. */
struct series {
	const struct xml_node *node; /* NULL: over */
	const char *element;         /* that holds the name */
	char name[S3_NAME_MAX];
};

static int
series_load(struct series *r, bool encoded, struct fault *f)
{
	const char *s;

	if (r->node == NULL)
		return 0;
	s = xml_text(r->node, r->element);
	if (s == NULL || s[0] == '\0')
		return corrupt(f, "an entry without a name");
	if (strlen(s) >= sizeof r->name)
		return corrupt(f, "a name is too long");
	strcpy(r->name, s);
	if (encoded && s3_url_decode(r->name) != 0)
		return corrupt(f, "a name is not encoded as it has to be");
	return 0;
}

static int
emit(struct s3_list_state *l, const struct series *r, bool is_prefix,
    struct fault *f)
{
	struct s3_entry e = {
	    .key = r->name, .is_prefix = is_prefix, .modified_us = CLOCK_NONE};
	const char *text;
	struct fault ignored = FAULT_INIT;

	if (!text_prefix(r->name, l->prefix))
		return corrupt(f, "an entry that was not asked for");
	if (l->any && strcmp(r->name, l->last) <= 0)
		return corrupt(f, "the names are not in order");
	l->any = true;
	strcpy(l->last, r->name);
	if (l->start_after != NULL && strcmp(r->name, l->start_after) <= 0)
		return 0;
	if (!is_prefix) {
		text = xml_text(r->node, "Size");
		if (text == NULL || text_u64(text, &e.size) != 0)
			return corrupt(f, "an entry without a size");
		text = xml_text(r->node, "LastModified");
		if (text == NULL ||
		    clock_parse(text, &e.modified_us, NULL, &ignored) != 0)
			e.modified_us = CLOCK_NONE;
		e.storage_class =
		    s3_class_of(xml_text(r->node, "StorageClass"));
	}
	l->stopped = l->cb(l->ctx, &e, f);
	return l->stopped;
}

static int
page_end(struct s3_list_state *l, const struct xml_node *top, struct fault *f)
{
	const char *more = xml_text(top, "IsTruncated");
	const char *token = xml_text(top, "NextContinuationToken");

	if (more == NULL || (l->more = strcmp(more, "true") == 0,
				!l->more && strcmp(more, "false") != 0))
		return corrupt(f, "it does not say whether there is more");
	if (!l->more)
		return 0;
	if (token == NULL || token[0] == '\0')
		return corrupt(f, "there is more, but no token to get it");
	if (strlen(token) >= sizeof l->token)
		return corrupt(f, "the token is too long");
	if (strcmp(token, l->token) == 0)
		return corrupt(f, "the same page again and again");
	strcpy(l->token, token);
	return 0;
}

int
s3_list_read(struct s3_list_state *l, const struct xml *doc, struct fault *f)
{
	const struct xml_node *top = xml_top(doc);
	const char *encoding = xml_text(top, "EncodingType");
	bool encoded = encoding != NULL && strcmp(encoding, "url") == 0;
	struct series keys, prefixes, *r;
	int rc;

	keys.node = xml_child(top, "Contents");
	keys.element = "Key";
	prefixes.node = xml_child(top, "CommonPrefixes");
	prefixes.element = "Prefix";
	rc = series_load(&keys, encoded, f);
	if (rc == 0)
		rc = series_load(&prefixes, encoded, f);
	while (rc == 0 && (keys.node != NULL || prefixes.node != NULL)) {
		r = &keys;
		if (keys.node == NULL ||
		    (prefixes.node != NULL &&
			strcmp(prefixes.name, keys.name) < 0))
			r = &prefixes;
		rc = emit(l, r, r == &prefixes, f);
		if (rc == 0) {
			r->node = xml_next(r->node);
			rc = series_load(r, encoded, f);
		}
	}
	return rc != 0 ? rc : page_end(l, top, f);
}

static int
query_make(struct s3 *s, const struct s3_list_state *l, const char *delimiter,
    struct buf *q, struct fault *f)
{
	char size[16];
	int rc = 0;

	snprintf(size, sizeof size, "%u", s->page_size);
	if (l->token[0] != '\0')
		rc = s3_url_query(q, "continuation-token", l->token, f);
	if (rc == 0 && delimiter != NULL)
		rc = s3_url_query(q, "delimiter", delimiter, f);
	if (rc == 0)
		rc = s3_url_query(q, "encoding-type", "url", f);
	if (rc == 0)
		rc = s3_url_query(q, "list-type", "2", f);
	if (rc == 0)
		rc = s3_url_query(q, "max-keys", size, f);
	if (rc == 0)
		rc = s3_url_query(q, "prefix", l->prefix, f);
	if (rc == 0 && l->start_after != NULL && l->token[0] == '\0')
		rc = s3_url_query(q, "start-after", l->start_after, f);
	return rc;
}

int
s3_list(struct s3 *s, const char *prefix, const char *delimiter,
    const char *start_after, s3_list_fn cb, void *ctx, const struct deadline *d,
    struct fault *f)
{
	struct deadline never = deadline_never();
	struct s3_list_state l = {
	    .prefix = prefix, .start_after = start_after, .cb = cb, .ctx = ctx};
	struct buf q = BUF_INIT(16384);
	struct s3_request rq = {.method = "GET",
	    .permission = "s3:ListBucket",
	    .root = "ListBucketResult",
	    .d = d != NULL ? d : &never};
	struct xml *doc;
	int rc;

	do {
		buf_clear(&q);
		doc = NULL;
		rc = query_make(s, &l, delimiter, &q, f);
		if (rc == 0) {
			rq.query = (char *)q.data;
			rc = s3_call(s, &rq, NULL, &doc, NULL, f);
		}
		if (rc == 0) {
			rc = s3_list_read(&l, doc, f);
			if (rc != 0 && l.stopped == 0)
				(void)s3_call_context(s, &rq, f);
		}
		xml_free(doc);
	} while (rc == 0 && l.more);
	buf_free(&q);
	return rc;
}
