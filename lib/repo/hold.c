#include "hold.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"

#define HOLD_FORMAT 1
#define RECORD_MAX (1U << 16)

static int
put_time(struct json *j, const char *name, int64_t us, struct fault *f)
{
	return us == CLOCK_NONE ? json_put_null(j, name, f)
				: json_put_i64(j, name, us, f);
}

static int
get_time(const struct json *j, const char *name, int64_t *us, struct fault *f)
{
	*us = CLOCK_NONE;
	return json_has(j, name) ? json_get_i64(j, name, us, f) : 0;
}

/* Seal a record and put it. Takes j. */
static int
store_record(struct repo *r, size_t i, const struct hold *h, const char *what,
    struct json *j, const struct deadline *d, struct fault *f)
{
	char key[LAYOUT_KEY], name[LAYOUT_KEY], *text = NULL;
	size_t len;
	int rc;

	if ((rc = json_put_i64(j, "format", HOLD_FORMAT, f)) == 0 &&
	    (rc = json_put_str(j, "id", h->id, f)) == 0 &&
	    (rc = json_dump(j, &text, &len, f)) == 0 &&
	    (rc = layout_hold(repo_cluster(r), repo_system_id(r), h->id, what,
		 key, f)) == 0 &&
	    (rc = layout_hold_name(h->id, what, name, f)) == 0)
		rc = repo_put_object(
		    r, i, key, OBJECT_HOLD, name, text, len, d, f);
	free(text);
	json_free(j);
	return rc;
}

int
hold_place(struct repo *r, size_t i, const struct hold *h,
    const struct deadline *d, struct fault *f)
{
	struct json *j;
	int rc = json_new(&j, f);

	if (rc != 0)
		return rc;
	if ((rc = json_put_i64(j, "placed_us", h->placed_us, f)) != 0 ||
	    (rc = json_put_str(j, "holder", h->holder, f)) != 0 ||
	    (rc = json_put_str(j, "reason", h->reason, f)) != 0 ||
	    (rc = json_put_str(j, "by", h->by, f)) != 0 ||
	    (rc = json_put_str(j, "backup", h->backup, f)) != 0 ||
	    (rc = put_time(j, "from_us", h->from_us, f)) != 0 ||
	    (rc = put_time(j, "to_us", h->to_us, f)) != 0 ||
	    (rc = put_time(j, "until_us", h->until_us, f)) != 0) {
		json_free(j);
		return rc;
	}
	return store_record(r, i, h, "placed", j, d, f);
}

int
hold_release(struct repo *r, size_t i, const struct hold *h,
    const struct deadline *d, struct fault *f)
{
	char key[LAYOUT_KEY];
	struct store *s;
	struct json *j;
	int rc;

	if ((rc = repo_store(r, i, &s, f)) != 0 ||
	    (rc = layout_hold(repo_cluster(r), repo_system_id(r), h->id,
		 "placed", key, f)) != 0 ||
	    (rc = store_stat(s, key, NULL, d, f)) != 0 ||
	    (rc = json_new(&j, f)) != 0)
		return rc;
	if ((rc = json_put_i64(j, "released_us", h->released_us, f)) != 0 ||
	    (rc = json_put_str(j, "by", h->released_by, f)) != 0 ||
	    (rc = json_put_str(j, "reason", h->released_for, f)) != 0) {
		json_free(j);
		return rc;
	}
	return store_record(r, i, h, "released", j, d, f);
}

static int
take_placed(const struct json *j, struct hold *h, struct fault *f)
{
	struct fault ignored = FAULT_INIT;
	int rc;

	if ((rc = json_get_i64(j, "placed_us", &h->placed_us, f)) != 0 ||
	    (rc = json_get_text(j, "holder", h->holder, HOLD_TEXT, f)) != 0 ||
	    (rc = json_get_text(j, "reason", h->reason, HOLD_TEXT, f)) != 0 ||
	    (rc = json_get_text(j, "by", h->by, HOLD_TEXT, f)) != 0 ||
	    (rc = json_get_text(j, "backup", h->backup, LAYOUT_ID, f)) != 0 ||
	    (rc = get_time(j, "from_us", &h->from_us, f)) != 0 ||
	    (rc = get_time(j, "to_us", &h->to_us, f)) != 0 ||
	    (rc = get_time(j, "until_us", &h->until_us, f)) != 0)
		return rc;
	if (h->backup[0] != '\0' ? layout_check_id(h->backup, &ignored) != 0
				 : h->from_us == CLOCK_NONE)
		return fault_set(f, FAULT_CORRUPT, "it holds nothing");
	return 0;
}

static int
take_released(const struct json *j, struct hold *h, struct fault *f)
{
	int rc;

	h->released = true;
	if ((rc = json_get_i64(j, "released_us", &h->released_us, f)) != 0 ||
	    (rc = json_get_text(j, "by", h->released_by, HOLD_TEXT, f)) != 0)
		return rc;
	return json_get_text(j, "reason", h->released_for, HOLD_TEXT, f);
}

static int
read_record(struct repo *r, size_t i, struct hold *h, const char *what,
    const struct deadline *d, struct fault *f)
{
	struct buf text = BUF_INIT(RECORD_MAX);
	char key[LAYOUT_KEY], name[LAYOUT_KEY];
	struct json *j = NULL;
	const char *id;
	int rc;

	if ((rc = layout_hold(repo_cluster(r), repo_system_id(r), h->id, what,
		 key, f)) == 0 &&
	    (rc = layout_hold_name(h->id, what, name, f)) == 0 &&
	    (rc = repo_get_object(r, i, key, OBJECT_HOLD, name, &text, d, f)) ==
		0 &&
	    (rc = json_parse(&j, "hold", text.data, text.len, f)) == 0 &&
	    (rc = json_get_format(j, HOLD_FORMAT, f)) == 0 &&
	    (rc = json_get_str(j, "id", &id, f)) == 0) {
		if (strcmp(id, h->id) != 0)
			rc = fault_set(
			    f, FAULT_CORRUPT, "not a record of this hold");
		else if (strcmp(what, "placed") == 0)
			rc = take_placed(j, h, f);
		else
			rc = take_released(j, h, f);
	}
	if (rc != 0)
		fault_prefix(f, "hold %s", h->id);
	json_free(j);
	buf_free(&text);
	return rc;
}

struct reading {
	struct hold_list list;
	size_t prefix_len;
};

/* "…/hold/ID/placed". Other names below hold/ may be of a newer version; what
 * they mean is not known, so nothing is known. */
static int
take_name(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct reading *g = ctx;
	const char *id = e->key + g->prefix_len, *slash = strchr(id, '/');
	struct hold *h = g->list.n > 0 ? &g->list.h[g->list.n - 1] : NULL;
	struct fault ignored = FAULT_INIT;
	char text[LAYOUT_ID] = "";

	if (slash != NULL && (size_t)(slash - id) < sizeof text)
		memcpy(text, id, (size_t)(slash - id));
	if (slash == NULL || layout_check_hold(text, &ignored) != 0 ||
	    (strcmp(slash, "/placed") != 0 && strcmp(slash, "/released") != 0))
		return fault_set(f, FAULT_CORRUPT,
		    "%s: no hold has such a name; a newer version?", e->key);
	if (h == NULL || strcmp(h->id, text) != 0) {
		void *grown =
		    reallocarray(g->list.h, g->list.n + 1, sizeof *g->list.h);

		if (grown == NULL)
			return fault_nomem(f);
		g->list.h = grown;
		h = &g->list.h[g->list.n++];
		memset(h, 0, sizeof *h);
		memcpy(h->id, text, sizeof text);
		if (strcmp(slash, "/placed") != 0)
			return fault_set(f, FAULT_CORRUPT,
			    "hold %s was released, but its record is gone",
			    text);
	}
	if (strcmp(slash, "/released") == 0)
		h->released = true;
	return 0;
}

int
hold_list(struct repo *r, size_t i, struct hold_list *out,
    const struct deadline *d, struct fault *f)
{
	struct reading g = {.list = {NULL, 0}};
	char prefix[LAYOUT_KEY];
	struct store *s;
	int rc;

	if ((rc = repo_store(r, i, &s, f)) == 0 &&
	    (rc = layout_hold_prefix(
		 repo_cluster(r), repo_system_id(r), prefix, f)) == 0) {
		g.prefix_len = strlen(prefix);
		rc = store_list(s, prefix, false, NULL, take_name, &g, d, f);
	}
	if (rc != 0)
		hold_free(&g.list);
	else
		*out = g.list;
	return rc;
}

int
hold_read(struct repo *r, size_t i, struct hold_list *out,
    const struct deadline *d, struct fault *f)
{
	struct hold_list list = {NULL, 0};
	int rc = hold_list(r, i, &list, d, f);

	for (size_t k = 0; rc == 0 && k < list.n; k++) {
		struct hold *h = &list.h[k];

		rc = read_record(r, i, h, "placed", d, f);
		if (rc == 0 && h->released)
			rc = read_record(r, i, h, "released", d, f);
		if (rc == FAULT_ABSENT)
			rc = fault_recode(f, FAULT_AGAIN);
	}
	if (rc != 0)
		hold_free(&list);
	else
		*out = list;
	return rc;
}

void
hold_free(struct hold_list *l)
{
	free(l->h);
	l->h = NULL;
	l->n = 0;
}

bool
hold_active(const struct hold *h, int64_t now_us)
{
	return !h->released &&
	       (h->until_us == CLOCK_NONE || h->until_us > now_us);
}
