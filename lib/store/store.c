#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "store_ops.h"

#define OWN 4096 /* what of two objects is compared */

struct store_upload {
	struct store *s;
	char *key;
	struct deadline d;
	void *state; /* of the kind; NULL: collected */
	struct buf collected;
	bool done;           /* committed */
	struct fault failed; /* the first failure ends the upload */
};

static struct deadline
or_never(const struct deadline *d)
{
	return d ? *d : deadline_never();
}

int
store_clone(struct store **out, const struct store *s, struct fault *f)
{
	return s->ops->clone(out, s, f);
}

void
store_free(struct store *s)
{
	char *name, *url;

	if (!s)
		return;
	name = s->name;
	url = s->url;
	s->ops->free(s);
	free(name);
	free(url);
}

const char *
store_name(const struct store *s)
{
	return s->name;
}

const char *
store_url(const struct store *s)
{
	return s->url;
}

int
store_put(struct store *s, const char *key, const void *data, size_t len,
    const struct deadline *d, struct fault *f)
{
	struct deadline until = or_never(d);
	int rc = store_key_check(key, f);

	return rc ? rc : s->ops->put(s, key, data ? data : "", len, &until, f);
}

struct same {
	const unsigned char *left; /* what was not compared yet */
	size_t n;
	bool differs;
};

static int
same_take(void *ctx, const unsigned char *data, size_t n, struct fault *f)
{
	struct same *x = ctx;

	(void)f;
	x->differs = x->differs || n > x->n || memcmp(x->left, data, n) != 0;
	if (!x->differs) {
		x->left += n;
		x->n -= n;
	}
	return 0;
}

int
store_put_own(struct store *s, const char *key, const void *data, size_t len,
    const struct deadline *d, struct fault *f)
{
	struct same x = {data, len < OWN ? len : OWN, false};
	struct fault ignored = FAULT_INIT;
	struct store_info info;
	int rc = store_put(s, key, data, len, d, f);

	if (rc != FAULT_EXISTS || len == 0 ||
	    store_get(s, key, 0, x.n, same_take, &x, &info, d, &ignored) != 0 ||
	    x.differs || x.n != 0 || info.size != len)
		return rc;
	fault_clear(f);
	return 0;
}

bool
store_may_rewrite(const struct store *s)
{
	return s->ops->look_first != NULL;
}

void
store_look_first(struct store *s)
{
	if (s->ops->look_first)
		s->ops->look_first(s);
}

/* ---- terms ---- */

void
store_set_terms(struct store *s, const struct store_terms *t)
{
	if (s->ops->set_terms)
		s->ops->set_terms(s, t);
}

bool
store_has_lock(const struct store *s)
{
	return s->ops->has_lock && s->ops->has_lock(s);
}

static int
check_lock(struct store *s, const char *key, struct fault *f)
{
	if (!store_has_lock(s))
		return fault_set(f, FAULT_CONFIG,
		    "repository %s: object_lock is off", s->name);
	return store_key_check(key, f);
}

int
store_lock_until(struct store *s, const char *key, int64_t *until_us,
    const struct deadline *d, struct fault *f)
{
	struct deadline until = or_never(d);
	int rc = check_lock(s, key, f);

	return rc ? rc : s->ops->lock_until(s, key, until_us, &until, f);
}

int
store_lock_extend(struct store *s, const char *key, int64_t until_us,
    bool *done, const struct deadline *d, struct fault *f)
{
	struct deadline until = or_never(d);
	bool ignored;
	int rc = check_lock(s, key, f);

	if (rc)
		return rc;
	return s->ops->lock_extend(
	    s, key, until_us, done ? done : &ignored, &until, f);
}

int64_t
store_now_us(const struct store *s)
{
	return s->ops->now_us ? s->ops->now_us(s) : clock_now_us();
}

int
store_lock_ensure(
    struct store *s, const char *key, const struct deadline *d, struct fault *f)
{
	struct deadline until = or_never(d);
	int rc = check_lock(s, key, f);

	return rc ? rc : s->ops->lock_ensure(s, key, &until, f);
}

int
store_legal_held(struct store *s, const char *key, bool *on,
    const struct deadline *d, struct fault *f)
{
	struct deadline until = or_never(d);
	int rc = check_lock(s, key, f);

	return rc ? rc : s->ops->legal_held(s, key, on, &until, f);
}

int
store_legal_hold(struct store *s, const char *key, bool on, bool *done,
    const struct deadline *d, struct fault *f)
{
	struct deadline until = or_never(d);
	bool is_on;
	int rc = store_legal_held(s, key, &is_on, d, f);

	if (rc == 0 && is_on != on)
		rc = s->ops->legal_hold(s, key, on, &until, f);
	if (rc == 0 && done)
		*done = is_on != on;
	return rc;
}

/* ---- uploads ---- */

int
store_upload_begin(struct store_upload **out, struct store *s, const char *key,
    const struct deadline *d, struct fault *f)
{
	struct store_upload *u;
	int rc = store_key_check(key, f);

	if (rc)
		return rc;
	u = calloc(1, sizeof(*u));
	if (!u)
		return fault_nomem(f);
	u->s = s;
	u->d = or_never(d);
	buf_init(&u->collected, SIZE_MAX / 4);
	u->key = strdup(key);
	if (!u->key)
		rc = fault_nomem(f);
	else if (s->ops->upload_begin)
		rc = s->ops->upload_begin(&u->state, s, u->key, &u->d, f);
	if (rc) {
		store_upload_free(u);
		return rc;
	}
	*out = u;
	return 0;
}

int
store_upload_write(
    void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct store_upload *u = ctx;
	int rc;

	if (u->failed.code) {
		*f = u->failed;
		return (int)f->code;
	}
	if (len == 0)
		return 0;
	if (u->state)
		rc = u->s->ops->upload_write(u->state, data, len, f);
	else
		rc = buf_put(&u->collected, data, len, f);
	if (rc)
		u->failed = *f;
	return rc;
}

void
store_upload_deadline(struct store_upload *u, const struct deadline *d)
{
	u->d = or_never(d);
	if (u->state)
		u->s->ops->upload_deadline(u->state, &u->d);
}

int
store_upload_commit(struct store_upload *u, struct fault *f)
{
	int rc;

	if (u->failed.code) {
		*f = u->failed;
		return (int)f->code;
	}
	if (u->done)
		return fault_set(
		    f, FAULT_EXISTS, "%s: was committed before", u->key);
	if (u->state)
		rc = u->s->ops->upload_commit(u->state, f);
	else
		rc = store_put(u->s, u->key, u->collected.data,
		    u->collected.len, &u->d, f);
	if (rc)
		u->failed = *f;
	else
		u->done = true;
	return rc;
}

void
store_upload_free(struct store_upload *u)
{
	if (!u)
		return;
	if (u->state)
		u->s->ops->upload_free(u->state);
	buf_free(&u->collected);
	free(u->key);
	free(u);
}

/* ---- reading ---- */

int
store_get(struct store *s, const char *key, uint64_t offset, uint64_t length,
    sink_fn sink, void *ctx, struct store_info *info, const struct deadline *d,
    struct fault *f)
{
	struct deadline until = or_never(d);
	struct store_info found;
	int rc = store_key_check(key, f);

	if (rc)
		return rc;
	/* S3 has no empty range: every kind is asked for the same. */
	if (length == 0)
		rc = s->ops->stat(s, key, &found, &until, f);
	else
		rc = s->ops->get(
		    s, key, offset, length, sink, ctx, &found, &until, f);
	if (rc == 0 && info)
		*info = found;
	return rc;
}

int
store_stat(struct store *s, const char *key, struct store_info *info,
    const struct deadline *d, struct fault *f)
{
	struct deadline until = or_never(d);
	struct store_info found;
	int rc = store_key_check(key, f);

	if (rc == 0)
		rc = s->ops->stat(s, key, &found, &until, f);
	if (rc == 0 && info)
		*info = found;
	return rc;
}

int
store_list(struct store *s, const char *prefix, bool shallow,
    const char *start_after, store_list_fn cb, void *ctx,
    const struct deadline *d, struct fault *f)
{
	struct deadline until = or_never(d);
	int rc = store_key_check_prefix(prefix, f);

	if (rc)
		return rc;
	if (start_after && start_after[0] == '\0')
		start_after = NULL;
	return s->ops->list(
	    s, prefix, shallow, start_after, cb, ctx, &until, f);
}

int
store_remains(struct store *s, const char *prefix, store_remains_fn cb,
    void *ctx, const struct deadline *d, struct fault *f)
{
	struct deadline until = or_never(d);
	int rc = store_key_check_prefix(prefix, f);

	if (rc || !s->ops->remains)
		return rc;
	return s->ops->remains(s, prefix, cb, ctx, &until, f);
}

int
store_remains_remove(struct store *s, const char *key, const char *id,
    const struct deadline *d, struct fault *f)
{
	struct deadline until = or_never(d);
	int rc = store_key_check(key, f);

	if (rc || !s->ops->remains_remove)
		return rc;
	return s->ops->remains_remove(s, key, id, &until, f);
}

int
store_delete(struct store *s, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *f)
{
	struct deadline until = or_never(d);

	for (size_t i = 0; i < n; i++) {
		int rc = store_key_check(keys[i], f);

		if (rc)
			return rc;
	}
	return n ? s->ops->remove(s, keys, n, cb, ctx, &until, f) : 0;
}
