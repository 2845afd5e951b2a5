#include "store_s3.h"

/* Multipart uploads that were left behind. */

struct listing {
	size_t prefix_len; /* the repository's */
	store_remains_fn cb;
	void *ctx;
};

static int
listed(void *ctx, const char *full, const char *id, int64_t begun_us,
    struct fault *f)
{
	const struct listing *l = ctx;
	const struct store_remain r = {full + l->prefix_len, id, begun_us};
	struct fault foreign;

	/* What others keep in the bucket cannot be one of ours. */
	return store_key_check(r.key, &foreign) ? 0 : l->cb(l->ctx, &r, f);
}

int
store_s3_remains(struct store *base, const char *prefix, store_remains_fn cb,
    void *ctx, const struct deadline *d, struct fault *f)
{
	struct store_s3 *s = (struct store_s3 *)base;
	struct listing l = {s->prefix_len, cb, ctx};
	char full[STORE_S3_KEY_MAX + 1];
	int rc = store_s3_key(s, prefix, full, f);

	return rc ? rc : s3_uploads_list(s->s3, full, listed, &l, d, f);
}

int
store_s3_remains_remove(struct store *base, const char *key, const char *id,
    const struct deadline *d, struct fault *f)
{
	char full[STORE_S3_KEY_MAX + 1];
	struct s3 *s3 = store_s3_at(base, key, full, f);

	return !s3 ? (int)f->code : s3_uploads_abort(s3, full, id, d, f);
}
