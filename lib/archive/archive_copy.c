#include <stdlib.h>
#include <string.h>

#include "archive_job.h"

/* Opens the object as it streams by, for the digest of its content. */
struct copy_look {
	struct object_reader *reader;
	struct crypto_xxh *xxh;
	struct buf *head; /* its first bytes, up to the limit */
	struct buf *keep; /* the object; NULL when it is too large, then: */
	struct crypto_xxh *object;
	bool closed; /* there is no private key for it here */
};

static int
copy_content(void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct copy_look *x = ctx;

	(void)f;
	crypto_xxh_update(x->xxh, data, len);
	return 0;
}

static int
copy_bytes(void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct copy_look *x = ctx;
	size_t n = x->head->limit - x->head->len;
	int rc = buf_put(x->head, data, n < len ? n : len, f);

	if (rc == 0 && !x->closed)
		rc = object_reader_feed(x->reader, data, len, f);
	if (rc == FAULT_KEY) {
		x->closed = true;
		fault_clear(f);
		rc = 0;
	}
	if (rc == 0 && x->keep != NULL)
		rc = buf_put(x->keep, data, len, f);
	else if (rc == 0)
		crypto_xxh_update(x->object, data, len);
	return rc;
}

/* All of the object: whole and, where there is a private key, authentic;
 * without one as far as its header and the MAC over its length tell. */
static int
copy_read(struct archive_job_task *t, struct repo *from,
    const struct deadline *d, struct fault *f)
{
	struct copy_look x = {.head = &t->head};
	struct store_info info;
	int rc = store_stat(t->from, t->key.key, &info, d, f);

	if (rc == 0 && info.size <= t->sealed.limit)
		x.keep = &t->sealed;
	if (rc == 0)
		rc = crypto_xxh_new(&x.xxh, f);
	if (rc == 0)
		rc = crypto_xxh_new(&x.object, f);
	if (rc == 0)
		rc = object_reader_new(&x.reader, &t->key.id, repo_keys(from),
		    copy_content, &x, f);
	if (rc == 0)
		rc = store_get(t->from, t->key.key, 0, UINT64_MAX, copy_bytes,
		    &x, NULL, d, f);
	if (rc == 0) {
		t->object.length = info.size;
		crypto_xxh_final(x.object, t->object.xxh);
	}
	if (rc == 0 && x.closed)
		rc = archive_look_sealed(
		    from, 0, t->key.id.name, &info.size, d, f);
	else if (rc == 0 && (rc = object_reader_end(x.reader, f)) == 0) {
		t->opened = true;
		t->file.digest.length = object_reader_content(x.reader);
		t->file.size = t->file.digest.length;
		crypto_xxh_final(x.xxh, t->file.digest.xxh);
	}
	if (rc == FAULT_CORRUPT)
		fault_prefix(f, "%s: %s", store_url(t->from), t->key.key);
	object_reader_free(x.reader);
	crypto_xxh_free(x.xxh);
	crypto_xxh_free(x.object);
	return rc;
}

static int
copy_begin(struct archive_push **out, struct repo *r, struct repo *from,
    const char *name, const struct deadline *d, struct fault *f)
{
	struct archive_job_task *t = NULL;
	struct archive_push *p = NULL;
	int rc = archive_push_begin_sealed(&p, r, name, &t, f);

	if (rc != 0)
		return rc;
	if ((rc = repo_store(from, 0, &t->from, f)) == 0 &&
	    (rc = archive_mark_read(from, t->from, &t->mark, d, f)) == 0)
		rc = copy_read(t, from, d, f);
	/* A disk that cannot be read is no trouble of r's. */
	if (rc == FAULT_SYSTEM || rc == FAULT_DENIED)
		rc = fault_recode(f, FAULT_CORRUPT);
	if (rc != 0)
		archive_push_free(p);
	else
		*out = p;
	return rc;
}

int
archive_copy(struct repo *r, struct repo *from, const char *name,
    const char *mark_note, const struct deadline *d, struct archive_result *res,
    struct fault *f)
{
	struct archive_push *p = NULL;
	int rc;

	memset(res, 0, sizeof(*res));
	rc = copy_begin(&p, r, from, name, d, f);
	return rc != 0 ? rc : archive_push_end(p, mark_note, d, res, f);
}
