#include <stdlib.h>

#include "evidence.h"

/* What a report hands on of the time before it. */

static int
take_prune(const struct json *j, struct evidence_prune *p, struct fault *f)
{
	int rc = json_get_range(j, "at_us", 0, EVIDENCE_2200, &p->at_us, f);

	return rc != 0 ? rc
		       : json_get_range(j, "wal_window_from_us", 0,
			     EVIDENCE_2200, &p->floor_us, f);
}

static int
take_tail(const struct json *j, struct evidence_tail *t, struct fault *f)
{
	const char *name;
	int rc;

	if ((rc = json_get_str(j, "last", &name, f)) != 0 ||
	    (rc = json_get_i64(j, "archived_us", &t->archived_us, f)) != 0)
		return rc;
	if (walname_parse(name, &t->name, f) != 0 ||
	    t->name.kind != WALNAME_SEGMENT)
		return json_bad("tails.last", f);
	return 0;
}

static int
take_named(const struct json *j, struct evidence_named *x, struct fault *f)
{
	int rc;

	if ((rc = json_get_text(j, "id", x->id, sizeof x->id, f)) != 0 ||
	    (rc = json_get_hex(j, "sum", x->hash, sizeof x->hash, f)) != 0)
		return rc;
	return layout_check_hold(x->id, f);
}

/* Room for the elements of a list, which may not be there. */
static int
begin(const struct json *report, const char *name, size_t size,
    struct json **list, void **out, size_t *n, struct fault *f)
{
	int rc;

	*out = NULL;
	*n = 0;
	if (report == NULL || !json_has(report, name))
		return 0;
	if ((rc = json_get_array(report, name, list, n, f)) != 0)
		return rc;
	*out = calloc(*n + 1, size);
	return *out == NULL ? fault_nomem(f) : 0;
}

int
evidence_past_prunes(const struct json *report, struct evidence_prune **out,
    size_t *n, struct fault *f)
{
	struct json *list = NULL, *j;
	void *room;
	int rc = begin(report, "prunings", sizeof **out, &list, &room, n, f);

	*out = room;
	for (size_t i = 0; rc == 0 && i < *n; i++)
		if ((rc = json_at(list, i, &j, f)) == 0)
			rc = take_prune(j, &(*out)[i], f);
	if (rc == 0)
		return 0;
	free(*out);
	*out = NULL;
	return rc;
}

int
evidence_past_tails(const struct json *report, struct evidence_tail **out,
    size_t *n, struct fault *f)
{
	struct json *list = NULL, *j;
	void *room;
	int rc = begin(report, "tails", sizeof **out, &list, &room, n, f);

	*out = room;
	for (size_t i = 0; rc == 0 && i < *n; i++)
		if ((rc = json_at(list, i, &j, f)) == 0)
			rc = take_tail(j, &(*out)[i], f);
	if (rc == 0)
		return 0;
	free(*out);
	*out = NULL;
	return rc;
}

int
evidence_past_unrecorded(const struct json *report, struct evidence_named **out,
    size_t *n, struct fault *f)
{
	struct json *list = NULL, *j;
	void *room;
	int rc = begin(report, "unrecorded", sizeof **out, &list, &room, n, f);

	*out = room;
	for (size_t i = 0; rc == 0 && i < *n; i++)
		if ((rc = json_at(list, i, &j, f)) == 0)
			rc = take_named(j, &(*out)[i], f);
	if (rc == 0)
		return 0;
	free(*out);
	*out = NULL;
	return rc;
}
