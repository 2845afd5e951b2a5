#include "head.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "text.h"
#include "walname.h"

/* Moments travel as microseconds in numbers: exact, and no parser of dates
 * stands between a backup and its restore. The twin "…_at" texts are for
 * people who look at an opened head; nobody reads them back. */

#define HEAD_FORMAT 1
/* 2000-01-01 and 2200-01-01: outside, a clock or the head is wrong. */
#define HEAD_TIME_MIN INT64_C(946684800000000)
#define HEAD_TIME_MAX INT64_C(7258118400000000)

static const char *const types[] = {"full", "diff", "incr", NULL};
static const char *const classes[] = {
    "", "daily", "weekly", "monthly", "yearly", "archive", NULL};
static const char *const sources[] = {"stream", "files", NULL};

/* ---- writing ---- */

static int
put_lsn(struct json *j, const char *name, uint64_t lsn, struct fault *f)
{
	char text[20];

	text_format_lsn(lsn, text);
	return json_put_str(j, name, text, f);
}

static int
put_time(struct json *j, const char *name, const char *at, int64_t us,
    struct fault *f)
{
	char text[CLOCK_TEXT_SIZE];
	int rc;

	if ((rc = json_put_i64(j, name, us, f)) != 0)
		return rc;
	clock_format_iso(us, text);
	return json_put_str(j, at, text, f);
}

static int
put_tablespaces(struct json *j, const struct head *h, struct fault *f)
{
	struct json *list, *one;
	int rc;

	if ((rc = json_put_array(j, "tablespaces", &list, f)) != 0)
		return rc;
	for (size_t i = 0; i < h->n_tablespaces; i++) {
		const struct head_tablespace *t = &h->tablespaces[i];

		if ((rc = json_append_object(list, &one, f)) != 0 ||
		    (rc = json_put_u64(one, "oid", t->oid, f)) != 0 ||
		    (rc = json_put_str(one, "path", t->path, f)) != 0 ||
		    (rc = json_put_u64(one, "size", t->size, f)) != 0)
			return rc;
	}
	return 0;
}

static int
put_totals(struct json *j, const struct head *h, struct fault *f)
{
	const struct manifest_totals *t = &h->totals;
	struct json *o;
	int rc;

	if ((rc = json_put_object(j, "totals", &o, f)) != 0 ||
	    (rc = json_put_u64(o, "files", t->files, f)) != 0 ||
	    (rc = json_put_u64(o, "folders", t->folders, f)) != 0 ||
	    (rc = json_put_u64(o, "links", t->links, f)) != 0 ||
	    (rc = json_put_u64(o, "bytes", t->bytes, f)) != 0 ||
	    (rc = json_put_u64(o, "packs", t->packs, f)) != 0 ||
	    (rc = json_put_u64(o, "extents", t->extents, f)) != 0 ||
	    (rc = json_put_u64(o, "pieces", t->pieces, f)) != 0)
		return rc;
	return json_put_u64(o, "stored", t->stored, f);
}

static int
put_what(struct json *j, const struct head *h, struct fault *f)
{
	int rc;

	if ((rc = json_put_i64(j, "format", HEAD_FORMAT, f)) != 0 ||
	    (rc = json_put_str(j, "id", h->id, f)) != 0 ||
	    (rc = json_put_str(j, "type", h->type, f)) != 0 ||
	    (rc = json_put_str(j, "class", h->retention_class, f)) != 0 ||
	    (rc = json_put_str(j, "label", h->label, f)) != 0 ||
	    (rc = json_put_str(j, "version", h->version, f)) != 0 ||
	    (rc = json_put_str(j, "host", h->host, f)) != 0 ||
	    (rc = json_put_i64(j, "pg_version", h->pg_version, f)) != 0 ||
	    (rc = json_put_u64(j, "system_id", h->system_id, f)) != 0 ||
	    (rc = json_put_i64(j, "segment_size", h->segment_size, f)) != 0 ||
	    (rc = json_put_bool(j, "checksums", h->checksums, f)) != 0 ||
	    (rc = json_put_bool(j, "from_standby", h->from_standby, f)) != 0)
		return rc;
	return json_put_str(j, "source", h->source, f);
}

static int
put_where(struct json *j, const struct head *h, struct fault *f)
{
	int rc;

	if ((rc = json_put_i64(j, "timeline", h->timeline, f)) != 0 ||
	    (rc = json_put_i64(j, "stop_timeline", h->stop_timeline, f)) != 0 ||
	    (rc = put_lsn(j, "start_lsn", h->start_lsn, f)) != 0 ||
	    (rc = put_lsn(j, "stop_lsn", h->stop_lsn, f)) != 0 ||
	    (rc = put_time(j, "start_us", "start_at", h->start_us, f)) != 0 ||
	    (rc = put_time(j, "stop_us", "stop_at", h->stop_us, f)) != 0 ||
	    (rc = put_time(j, "done_us", "done_at", h->done_us, f)) != 0)
		return rc;
	return json_put_u64(j, "manifest_size", h->manifest_size, f);
}

/* A head that no reader takes would be a backup that cannot be restored, and
 * one that stands in the way of the others: a clock that is decades wrong is
 * enough. */
static int
check_readable(const char *text, size_t len, struct fault *f)
{
	struct head h;
	int rc = head_decode(text, len, &h, f);

	if (rc != 0) {
		fault_prefix(f, "not written, as it could not be read again");
		return fault_recode(f, FAULT_SYSTEM);
	}
	head_free(&h);
	return 0;
}

int
head_encode(const struct head *h, struct buf *out, struct fault *f)
{
	struct json *j;
	char *text = NULL;
	size_t len;
	int rc;

	if ((rc = json_new(&j, f)) != 0)
		return rc;
	if ((rc = put_what(j, h, f)) != 0 || (rc = put_where(j, h, f)) != 0 ||
	    (rc = put_tablespaces(j, h, f)) != 0 ||
	    (rc = put_totals(j, h, f)) != 0 ||
	    (rc = json_dump(j, &text, &len, f)) != 0 ||
	    (rc = check_readable(text, len, f)) != 0)
		goto out;
	rc = buf_put(out, text, len, f);
out:
	free(text);
	json_free(j);
	return rc;
}

/* ---- reading ---- */

/* One of list, of which each is shorter than out. */
static int
get_word(const struct json *j, const char *name, char *out,
    const char *const *list, struct fault *f)
{
	size_t i;
	int rc = json_get_choice(j, name, list, &i, f);

	if (rc == 0)
		memcpy(out, list[i], strlen(list[i]) + 1);
	return rc;
}

static int
get_lsn(const struct json *j, const char *name, uint64_t *out, struct fault *f)
{
	const char *s;
	int rc = json_get_str(j, name, &s, f);

	if (rc != 0)
		return rc;
	return text_lsn(s, out) == 0 && *out != 0 ? 0 : json_bad(name, f);
}

static int
get_time(const struct json *j, const char *name, int64_t *out, struct fault *f)
{
	return json_get_range(j, name, HEAD_TIME_MIN, HEAD_TIME_MAX, out, f);
}

static int
get_tablespace(
    const struct json *one, struct head_tablespace *t, struct fault *f)
{
	const char *path;
	int rc;

	if ((rc = json_get_u32(one, "oid", 1, &t->oid, f)) != 0 ||
	    (rc = json_get_str(one, "path", &path, f)) != 0 ||
	    (rc = json_get_u64(one, "size", &t->size, f)) != 0)
		return rc;
	if (path[0] != '/' || strlen(path) >= MANIFEST_PATH)
		return json_bad("tablespaces.path", f);
	t->path = strdup(path);
	return t->path != NULL ? 0 : fault_nomem(f);
}

static int
get_tablespaces(const struct json *j, struct head *h, struct fault *f)
{
	struct json *list, *one;
	size_t n;
	int rc;

	if ((rc = json_get_array(j, "tablespaces", &list, &n, f)) != 0)
		return rc;
	if (n > HEAD_TABLESPACES)
		return json_bad("tablespaces", f);
	if (n == 0)
		return 0;
	h->tablespaces = calloc(n, sizeof *h->tablespaces);
	if (h->tablespaces == NULL)
		return fault_nomem(f);
	for (size_t i = 0; i < n; i++) {
		if ((rc = json_at(list, i, &one, f)) != 0 ||
		    (rc = get_tablespace(one, &h->tablespaces[i], f)) != 0)
			return rc;
		h->n_tablespaces++;
		for (size_t k = 0; k < i; k++) {
			if (h->tablespaces[k].oid == h->tablespaces[i].oid)
				return json_bad("tablespaces.oid", f);
		}
	}
	return 0;
}

static int
get_totals(const struct json *j, struct head *h, struct fault *f)
{
	struct manifest_totals *t = &h->totals;
	struct json *o;
	int rc;

	if ((rc = json_get_object(j, "totals", &o, f)) != 0 ||
	    (rc = json_get_u64(o, "files", &t->files, f)) != 0 ||
	    (rc = json_get_u64(o, "folders", &t->folders, f)) != 0 ||
	    (rc = json_get_u64(o, "links", &t->links, f)) != 0 ||
	    (rc = json_get_u64(o, "bytes", &t->bytes, f)) != 0 ||
	    (rc = json_get_u64(o, "packs", &t->packs, f)) != 0 ||
	    (rc = json_get_u64(o, "extents", &t->extents, f)) != 0 ||
	    (rc = json_get_u64(o, "pieces", &t->pieces, f)) != 0)
		return rc;
	return json_get_u64(o, "stored", &t->stored, f);
}

static int
get_what(const struct json *j, struct head *h, struct fault *f)
{
	int rc;

	if ((rc = json_get_format(j, HEAD_FORMAT, f)) != 0 ||
	    (rc = json_get_text(j, "id", h->id, sizeof h->id, f)) != 0)
		return rc;
	if (layout_check_id(h->id, f) != 0)
		return json_bad("id", f);
	if ((rc = get_word(j, "type", h->type, types, f)) != 0 ||
	    (rc = get_word(j, "class", h->retention_class, classes, f)) != 0 ||
	    (rc = get_word(j, "source", h->source, sources, f)) != 0 ||
	    (rc = json_get_text(j, "label", h->label, sizeof h->label, f)) !=
		0 ||
	    (rc = json_get_text(
		 j, "version", h->version, sizeof h->version, f)) != 0 ||
	    (rc = json_get_text(j, "host", h->host, sizeof h->host, f)) != 0 ||
	    (rc = json_get_bool(j, "checksums", &h->checksums, f)) != 0)
		return rc;
	return json_get_bool(j, "from_standby", &h->from_standby, f);
}

static int
get_where(const struct json *j, struct head *h, struct fault *f)
{
	int rc;

	if ((rc = json_get_u32(j, "pg_version", 1, &h->pg_version, f)) != 0 ||
	    (rc = json_get_u64(j, "system_id", &h->system_id, f)) != 0 ||
	    (rc = json_get_u32(j, "segment_size", 1, &h->segment_size, f)) !=
		0 ||
	    (rc = json_get_u32(j, "timeline", 1, &h->timeline, f)) != 0 ||
	    (rc = json_get_u32(j, "stop_timeline", 1, &h->stop_timeline, f)) !=
		0 ||
	    (rc = get_lsn(j, "start_lsn", &h->start_lsn, f)) != 0 ||
	    (rc = get_lsn(j, "stop_lsn", &h->stop_lsn, f)) != 0 ||
	    (rc = get_time(j, "start_us", &h->start_us, f)) != 0 ||
	    (rc = get_time(j, "stop_us", &h->stop_us, f)) != 0 ||
	    (rc = get_time(j, "done_us", &h->done_us, f)) != 0 ||
	    (rc = json_get_u64(j, "manifest_size", &h->manifest_size, f)) != 0)
		return rc;
	if (!walname_segment_size_ok(h->segment_size))
		return json_bad("segment_size", f);
	if (h->stop_timeline != h->timeline)
		return json_bad("stop_timeline", f);
	if (h->stop_lsn <= h->start_lsn)
		return json_bad("stop_lsn", f);
	return 0;
}

int
head_decode(const void *text, size_t len, struct head *out, struct fault *f)
{
	struct head h = {0};
	struct json *j;
	int rc;

	if (len > HEAD_MAX)
		return fault_set(f, FAULT_CORRUPT,
		    "backup head: longer than %u bytes", HEAD_MAX);
	if ((rc = json_parse(&j, "backup head", text, len, f)) != 0)
		return rc;
	if ((rc = get_what(j, &h, f)) != 0 || (rc = get_where(j, &h, f)) != 0 ||
	    (rc = get_tablespaces(j, &h, f)) != 0 ||
	    (rc = get_totals(j, &h, f)) != 0) {
		fault_prefix(f, "backup head");
		head_free(&h);
		goto out;
	}
	*out = h;
out:
	json_free(j);
	return rc;
}

void
head_free(struct head *h)
{
	for (size_t i = 0; i < h->n_tablespaces; i++)
		free(h->tablespaces[i].path);
	free(h->tablespaces);
	h->tablespaces = NULL;
	h->n_tablespaces = 0;
}
