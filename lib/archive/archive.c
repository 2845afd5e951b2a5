#include "archive_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define ARCHIVE_MARK "archive"

static int
archive_mark_text(
    const struct repo *r, char **text, size_t *len, struct fault *f)
{
	char created[CLOCK_TEXT_SIZE], id[24];
	struct json *j;
	int rc = json_new(&j, f);

	if (rc != 0)
		return rc;
	clock_format_iso(clock_now_us(), created);
	snprintf(id, sizeof(id), "%" PRIu64, repo_system_id(r));
	(void)((rc = json_put_str(j, "cluster", repo_cluster(r), f)) ||
	       (rc = json_put_str(j, "system_id", id, f)) ||
	       (rc = json_put_str(j, "created", created, f)) ||
	       (rc = json_put_str(j, "version", PITRKIT_VERSION, f)) ||
	       (rc = json_dump(j, text, len, f)));
	json_free(j);
	return rc;
}

/* EXISTS when it is there. */
static int
archive_mark_put(
    struct repo *r, size_t i, const struct deadline *d, struct fault *f)
{
	char key[LAYOUT_KEY];
	char *text;
	size_t len;
	int rc;

	if ((rc = layout_mark(repo_cluster(r), repo_system_id(r), key, f)) !=
		0 ||
	    (rc = archive_mark_text(r, &text, &len, f)) != 0)
		return rc;
	rc = repo_put_object(
	    r, i, key, OBJECT_ARCHIVE, ARCHIVE_MARK, text, len, d, f);
	free(text);
	return rc;
}

int
archive_mark_make(
    struct repo *r, size_t i, const struct deadline *d, struct fault *f)
{
	char key[LAYOUT_KEY];
	struct store *s;
	struct store_info info;
	int rc;

	if ((rc = repo_store(r, i, &s, f)) != 0 ||
	    (rc = layout_mark(repo_cluster(r), repo_system_id(r), key, f)) != 0)
		return rc;
	/* Some stores would write over it, and so would a wrong key. Who may
	 * not look puts it all the same. */
	if (store_stat(s, key, &info, d, f) == 0)
		return 0;
	fault_clear(f);
	rc = archive_mark_put(r, i, d, f);
	if (rc != FAULT_EXISTS)
		return rc;
	fault_clear(f);
	return 0;
}

int
archive_mark_probe(struct repo *r, size_t i, bool *once,
    const struct deadline *d, struct fault *f)
{
	int rc = archive_mark_put(r, i, d, f);

	if (rc == 0)
		rc = archive_mark_put(r, i, d, f);
	if (rc != 0 && rc != FAULT_EXISTS)
		return rc;
	*once = rc == FAULT_EXISTS;
	fault_clear(f);
	return 0;
}

int
archive_mark_ours(
    struct repo *r, size_t i, const struct deadline *d, struct fault *f)
{
	static const struct object_digest none;
	struct archive_file_key k = {.id = {repo_cluster(r), repo_system_id(r),
					 OBJECT_ARCHIVE, ARCHIVE_MARK}};
	uint64_t stored;
	bool same;
	int rc = layout_mark(k.id.cluster, k.id.system_id, k.key, f);

	if (rc != 0)
		return rc;
	return archive_file_compare(r, i, &k, &none, &same, &stored, d, f);
}

int
archive_mark_check(
    struct repo *r, size_t i, const struct deadline *d, struct fault *f)
{
	struct buf text = BUF_INIT(ARCHIVE_MARK_MAX);
	struct json *j = NULL;
	const char *cluster, *id;
	char want[24], key[LAYOUT_KEY];
	int rc;

	(void)((rc = layout_mark(repo_cluster(r), repo_system_id(r), key, f)) ||
	       (rc = repo_get_object(
		    r, i, key, OBJECT_ARCHIVE, ARCHIVE_MARK, &text, d, f)) ||
	       (rc = json_parse(&j, key, text.data, text.len, f)) ||
	       (rc = json_get_str(j, "cluster", &cluster, f)) ||
	       (rc = json_get_str(j, "system_id", &id, f)));
	/* Without encryption nothing else binds the mark to its place. */
	snprintf(want, sizeof(want), "%" PRIu64, repo_system_id(r));
	if (rc == 0 &&
	    (strcmp(cluster, repo_cluster(r)) != 0 || strcmp(id, want) != 0))
		rc = fault_set(f, FAULT_CORRUPT,
		    "%s: the mark of cluster %s, system id %s", key, cluster,
		    id);
	json_free(j);
	buf_free(&text);
	return rc;
}

int
archive_mark_read(const struct repo *r, struct store *s, struct buf *out,
    const struct deadline *d, struct fault *f)
{
	char key[LAYOUT_KEY];
	int rc = layout_mark(repo_cluster(r), repo_system_id(r), key, f);

	if (rc == 0)
		rc =
		    store_get(s, key, 0, UINT64_MAX, buf_sink, out, NULL, d, f);
	if (rc != FAULT_ABSENT)
		return rc;
	fault_clear(f);
	buf_clear(out);
	return 0;
}

int
archive_look(struct repo *r, size_t i, const char *name, struct walmeta *m,
    uint64_t *stored, const struct deadline *d, struct fault *f)
{
	struct archive_file_key k;
	struct store_info info = {0};
	struct buf head = BUF_INIT(OBJECT_HEADER_MAX);
	struct object_opener *o = NULL;
	struct store *s;
	struct walmeta meta;
	const unsigned char *p;
	size_t len;
	int rc = archive_file_key(r, name, &k, f);

	if (rc != 0)
		return rc;
	if ((rc = repo_store(r, i, &s, f)) != 0 ||
	    (rc = store_get(s, k.key, 0, OBJECT_HEADER_MAX, buf_sink, &head,
		 &info, d, f)) != 0)
		goto done;
	rc =
	    object_open_header(&o, &k.id, repo_keys(r), head.data, head.len, f);
	if (rc == 0) {
		p = object_meta(o, &len);
		rc = walmeta_decode(p, len, &meta, f);
	}
	if (rc != 0) {
		fault_prefix(f, "%s: %s", store_url(s), k.key);
		goto done;
	}
	if (m != NULL)
		*m = meta;
	*stored = info.size;
done:
	object_opener_free(o);
	buf_free(&head);
	return rc;
}

int
archive_look_any(struct repo *r, const char *name, struct walmeta *m,
    uint64_t *stored, const struct deadline *d, struct fault *f)
{
	struct fault worst = FAULT_INIT, one = FAULT_INIT;

	for (size_t i = 0; i < repo_count(r); i++) {
		fault_clear(&one);
		if (archive_look(r, i, name, m, stored, d, &one) == 0)
			return 0;
		if (archive_file_worse(one.code, worst.code))
			worst = one;
	}
	*f = worst;
	return (int)worst.code;
}

int
archive_look_sealed(struct repo *r, size_t i, const char *name,
    uint64_t *stored, const struct deadline *d, struct fault *f)
{
	static const struct object_digest none;
	struct archive_file_key k;
	bool same;
	int rc = archive_file_key(r, name, &k, f);

	if (rc != 0)
		return rc;
	return archive_file_compare(r, i, &k, &none, &same, stored, d, f);
}
