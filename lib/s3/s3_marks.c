#include "s3_marks.h"

#include <string.h>

#include "s3_url.h"
#include "text.h"

static int
corrupt(const struct s3_marks *m, const char *why, struct fault *f)
{
	return fault_set(f, FAULT_CORRUPT, "%s: %s", m->what, why);
}

static bool
is_encoded(const struct xml_node *top)
{
	const char *s = xml_text(top, "EncodingType");

	return s != NULL && strcmp(s, "url") == 0;
}

static int
take_name(const struct s3_marks *m, const struct xml_node *n,
    const char *element, bool encoded, char out[S3_MARKS_NAME], struct fault *f)
{
	const char *s = xml_text(n, element);

	if (s == NULL || s[0] == '\0')
		return corrupt(m, "an entry without a name", f);
	if (strlen(s) >= S3_MARKS_NAME)
		return corrupt(m, "a name is too long", f);
	strcpy(out, s);
	if (encoded && s3_url_decode(out) != 0)
		return corrupt(m, "a name is not encoded as it has to be", f);
	return 0;
}

int
s3_marks_entries(const struct s3_marks *m, const struct xml *doc,
    const char *element, s3_marks_fn cb, void *ctx, struct fault *f)
{
	const struct xml_node *top = xml_top(doc), *n;
	char key[S3_MARKS_NAME], id[S3_MARKS_NAME];
	bool encoded = is_encoded(top);
	int rc = 0;

	for (n = xml_child(top, element); rc == 0 && n != NULL;
	     n = xml_next(n)) {
		if ((rc = take_name(m, n, "Key", encoded, key, f)) != 0 ||
		    (rc = take_name(m, n, m->id, false, id, f)) != 0)
			break;
		rc = text_prefix(key, m->prefix)
			 ? cb(ctx, key, id, n, f)
			 : corrupt(m, "an entry that was not asked for", f);
	}
	return rc;
}

int
s3_marks_end(struct s3_marks *m, const struct xml *doc, struct fault *f)
{
	const struct xml_node *top = xml_top(doc);
	const char *more = xml_text(top, "IsTruncated");
	const char *v = xml_text(top, m->next_id);
	char key[S3_MARKS_NAME], mark[S3_MARKS_NAME] = "";
	int rc, order;

	if (more == NULL ||
	    (strcmp(more, "true") != 0 && strcmp(more, "false") != 0))
		return corrupt(m, "it does not say whether there is more", f);
	m->more = strcmp(more, "true") == 0;
	if (!m->more)
		return 0;
	rc = take_name(m, top, "NextKeyMarker", is_encoded(top), key, f);
	if (rc == 0 && v != NULL && v[0] != '\0')
		rc = take_name(m, top, m->next_id, false, mark, f);
	if (rc != 0)
		return rc;
	order = strcmp(key, m->key);
	m->same = order == 0 ? m->same + 1 : 0;
	if (order < 0 || (order == 0 && strcmp(mark, m->mark) == 0) ||
	    m->same > S3_MARKS_SAME)
		return corrupt(m, "the same page again and again", f);
	strcpy(m->key, key);
	strcpy(m->mark, mark);
	return 0;
}
