#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secret.h"
#include "store_s3.h"

/* Read once, for all clones. */
struct store_s3_account {
	atomic_uint users;
	const struct conf_repo *repo;
	struct secret key;
	struct secret token;
};

int
store_s3_key(const struct store_s3 *s, const char *key,
    char out[STORE_S3_KEY_MAX + 1], struct fault *f)
{
	size_t n = strlen(key);

	if (n > STORE_S3_KEY_MAX - s->prefix_len)
		return fault_set(f, FAULT_CONFIG,
		    "%s/%.300s: longer than S3 allows", s->base.url, key);
	memcpy(out, s->prefix, s->prefix_len);
	memcpy(out + s->prefix_len, key, n + 1);
	return 0;
}

struct s3 *
store_s3_at(struct store *base, const char *key,
    char full[STORE_S3_KEY_MAX + 1], struct fault *f)
{
	struct store_s3 *s = (struct store_s3 *)base;

	return store_s3_key(s, key, full, f) == 0 ? s->s3 : NULL;
}

static int
put(struct store *base, const char *key, const void *data, size_t len,
    const struct deadline *d, struct fault *f)
{
	char full[STORE_S3_KEY_MAX + 1];
	struct s3 *s3 = store_s3_at(base, key, full, f);

	return !s3 ? (int)f->code : s3_put(s3, full, data, len, d, f);
}

static void
look_first(struct store *base)
{
	struct store_s3 *s = (struct store_s3 *)base;

	s->look_first = true;
	s3_look_first(s->s3);
}

/* ---- terms, locks ---- */

static void
set_terms(struct store *base, const struct store_terms *t)
{
	struct store_s3 *s = (struct store_s3 *)base;

	s->terms = (struct s3_terms){t->storage_class, t->lock_us};
	s3_set_terms(s->s3, &s->terms);
}

static bool
has_lock(const struct store *base)
{
	const struct store_s3 *s = (const struct store_s3 *)base;

	return s->account->repo->object_lock != CONF_LOCK_OFF;
}

static int
lock_until(struct store *base, const char *key, int64_t *until_us,
    const struct deadline *d, struct fault *f)
{
	char full[STORE_S3_KEY_MAX + 1];
	struct s3 *s3 = store_s3_at(base, key, full, f);

	return !s3 ? (int)f->code
		   : s3_lock_until(s3, full, NULL, until_us, d, f);
}

static int
lock_extend(struct store *base, const char *key, int64_t until_us, bool *done,
    const struct deadline *d, struct fault *f)
{
	char full[STORE_S3_KEY_MAX + 1];
	struct s3 *s3 = store_s3_at(base, key, full, f);

	return !s3 ? (int)f->code
		   : s3_lock_extend(s3, full, until_us, done, d, f);
}

static int64_t
now_us(const struct store *base)
{
	return s3_now_us(((const struct store_s3 *)base)->s3);
}

static int
lock_ensure(struct store *base, const char *key, const struct deadline *d,
    struct fault *f)
{
	struct store_s3 *s = (struct store_s3 *)base;
	char full[STORE_S3_KEY_MAX + 1];
	int rc = store_s3_key(s, key, full, f);

	if (rc || s->terms.lock_us <= 0)
		return rc;
	return s3_lock_ensure(s->s3, full, s->terms.lock_us, d, f);
}

static int
legal_held(struct store *base, const char *key, bool *on,
    const struct deadline *d, struct fault *f)
{
	char full[STORE_S3_KEY_MAX + 1];
	struct s3 *s3 = store_s3_at(base, key, full, f);

	return !s3 ? (int)f->code : s3_lock_held(s3, full, NULL, on, d, f);
}

static int
legal_hold(struct store *base, const char *key, bool on,
    const struct deadline *d, struct fault *f)
{
	char full[STORE_S3_KEY_MAX + 1];
	struct s3 *s3 = store_s3_at(base, key, full, f);

	return !s3 ? (int)f->code : s3_lock_hold(s3, full, on, d, f);
}

/* ---- reading ---- */

static void
tell_info(const struct s3_info *i, struct store_info *info)
{
	info->size = i->size;
	info->modified_us = i->modified_us;
}

static int
stat_object(struct store *base, const char *key, struct store_info *info,
    const struct deadline *d, struct fault *f)
{
	struct store_s3 *s = (struct store_s3 *)base;
	char full[STORE_S3_KEY_MAX + 1];
	struct s3_info i;
	int rc = store_s3_key(s, key, full, f);

	if (rc == 0)
		rc = s3_head(s->s3, full, &i, d, f);
	if (rc == 0)
		tell_info(&i, info);
	return rc;
}

static int
get(struct store *base, const char *key, uint64_t offset, uint64_t length,
    sink_fn sink, void *ctx, struct store_info *info, const struct deadline *d,
    struct fault *f)
{
	struct store_s3 *s = (struct store_s3 *)base;
	char full[STORE_S3_KEY_MAX + 1];
	struct s3_info i;
	int rc = store_s3_key(s, key, full, f);

	if (rc)
		return rc;
	rc = s3_get(s->s3, full, offset, length, sink, ctx, &i, d, f);
	if (rc == 0) {
		tell_info(&i, info);
	} else if (rc == FAULT_CORRUPT && offset == 0 && length < UINT64_MAX) {
		/* To S3 every range begins beyond the end of an empty
		 * object. */
		struct fault told = *f;

		if (s3_head(s->s3, full, &i, d, f) == 0 && i.size == 0) {
			tell_info(&i, info);
			return 0;
		}
		*f = told;
	}
	return rc;
}

/* ---- listing ---- */

struct listing {
	size_t prefix_len; /* the repository's */
	store_list_fn cb;
	void *ctx;
};

static int
listed(void *ctx, const struct s3_entry *x, struct fault *f)
{
	const struct listing *l = ctx;
	/* s3_list passes nothing that was not asked for. */
	struct store_entry e = {.key = x->key + l->prefix_len,
	    .is_folder = x->is_prefix,
	    .size = x->size,
	    .modified_us = x->modified_us,
	    .storage_class = x->storage_class};
	struct fault foreign;
	int rc = e.is_folder ? store_key_check_prefix(e.key, &foreign)
			     : store_key_check(e.key, &foreign);

	/* What others keep in the bucket cannot be one of ours. */
	return rc ? 0 : l->cb(l->ctx, &e, f);
}

static int
list(struct store *base, const char *prefix, bool shallow,
    const char *start_after, store_list_fn cb, void *ctx,
    const struct deadline *d, struct fault *f)
{
	struct store_s3 *s = (struct store_s3 *)base;
	struct listing l = {s->prefix_len, cb, ctx};
	char full[STORE_S3_KEY_MAX + 1], after[STORE_S3_KEY_MAX + 1];
	int rc = store_s3_key(s, prefix, full, f);

	if (rc == 0 && start_after)
		rc = store_s3_key(s, start_after, after, f);
	if (rc)
		return rc;
	return s3_list(s->s3, full, shallow ? "/" : NULL,
	    start_after ? after : NULL, listed, &l, d, f);
}

/* ---- opening ---- */

static void
account_drop(struct store_s3_account *a)
{
	if (!a || atomic_fetch_sub(&a->users, 1) != 1)
		return;
	secret_free(&a->key);
	secret_free(&a->token);
	free(a);
}

static void
free_store(struct store *base)
{
	struct store_s3 *s = (struct store_s3 *)base;

	s3_free(s->s3);
	account_drop(s->account);
	free(s->prefix);
	free(s);
}

static int clone_store(
    struct store **out, const struct store *s, struct fault *f);

static const struct store_ops ops = {
    .clone = clone_store,
    .free = free_store,
    .put = put,
    .get = get,
    .stat = stat_object,
    .list = list,
    .remove = store_s3_remove,
    .look_first = look_first,
    .set_terms = set_terms,
    .has_lock = has_lock,
    .lock_until = lock_until,
    .lock_extend = lock_extend,
    .now_us = now_us,
    .lock_ensure = lock_ensure,
    .legal_held = legal_held,
    .legal_hold = legal_hold,
    .class_move = store_s3_class_move,
    .class_spares = store_s3_class_spares,
    .remains = store_s3_remains,
    .remains_remove = store_s3_remains_remove,
    .upload_begin = store_s3_upload_begin,
    .upload_write = store_s3_upload_write,
    .upload_deadline = store_s3_upload_deadline,
    .upload_commit = store_s3_upload_commit,
    .upload_free = store_s3_upload_free,
};

static int
connect_account(struct s3 **out, struct store_s3_account *a, struct fault *f)
{
	static const char *const modes[] = {NULL, "GOVERNANCE", "COMPLIANCE"};
	const struct conf_repo *r = a->repo;
	struct s3_config c = {
	    .name = r->name,
	    .endpoint = r->endpoint,
	    .region = r->region,
	    .bucket = r->bucket,
	    .host_style = r->host_style,
	    .storage_class = r->storage_class,
	    .lock_mode = modes[r->object_lock],
	    .tls = {.ca_file = r->ca_file,
		.ca_path = r->ca_path,
		.pins = r->pins,
		.n_pins = r->n_pins,
		.allow_tls12 = r->tls12},
	    .access_key_id = r->access_key_id,
	    .secret = a->key,
	    .session_token = a->token,
	};

	return s3_new(out, &c, f);
}

/* Takes the caller's share of a, also when it fails. */
static int
make(struct store **out, struct store_s3_account *a, struct fault *f)
{
	const struct conf_repo *r = a->repo;
	const char *prefix = r->prefix ? r->prefix : "";
	const char *slash = *prefix ? "/" : "";
	struct store_s3 *s = calloc(1, sizeof(*s));
	int rc = 0;

	if (!s) {
		account_drop(a);
		return fault_nomem(f);
	}
	s->base.ops = &ops;
	s->account = a;
	s->base.name = strdup(r->name);
	if (asprintf(&s->base.url, "s3://%s%s%s", r->bucket, slash, prefix) < 0)
		s->base.url = NULL;
	if (asprintf(&s->prefix, "%s%s", prefix, slash) < 0)
		s->prefix = NULL;
	if (!s->base.name || !s->base.url || !s->prefix)
		rc = fault_nomem(f);
	else if ((s->prefix_len = strlen(s->prefix)) > STORE_S3_KEY_MAX)
		rc = fault_set(f, FAULT_CONFIG,
		    "repository %s: its prefix is too long", r->name);
	if (rc == 0)
		rc = connect_account(&s->s3, a, f);
	if (rc)
		store_free(&s->base);
	else
		*out = &s->base;
	return rc;
}

static int
clone_store(struct store **out, const struct store *base, struct fault *f)
{
	const struct store_s3 *s = (const struct store_s3 *)base;
	int rc;

	atomic_fetch_add(&s->account->users, 1);
	rc = make(out, s->account, f);
	if (rc == 0 && s->look_first)
		look_first(*out);
	if (rc == 0) {
		struct store_s3 *n = (struct store_s3 *)*out;

		n->terms = s->terms;
		s3_set_terms(n->s3, &n->terms);
	}
	return rc;
}

int
store_s3_open(struct store **out, const struct conf_repo *repo, struct fault *f)
{
	struct store_s3_account *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return fault_nomem(f);
	atomic_init(&a->users, 1);
	a->repo = repo;
	rc = conf_secret_read(
	    &repo->secret_access_key, "secret_access_key", &a->key, f);
	if (rc == 0)
		rc = conf_secret_read(
		    &repo->session_token, "session_token", &a->token, f);
	if (rc) {
		account_drop(a);
		return fault_prefix(f, "repository %s", repo->name);
	}
	return make(out, a, f);
}
