#include <stdlib.h>
#include <string.h>

#include "store_s3.h"

/* Older versions of one object. */
#define OLDER_MAX 100

struct older {
	const char *key;
	const struct s3_state *newest;
	char *ids[OLDER_MAX];
	size_t n;
};

static int
take_older(void *ctx, const struct s3_version *v, struct fault *f)
{
	struct older *o = ctx;

	if (strcmp(v->key, o->key) != 0 || v->is_newest || v->is_marker ||
	    v->size != o->newest->size ||
	    strcmp(v->id, o->newest->version) == 0 || o->n == OLDER_MAX)
		return 0;
	o->ids[o->n] = strdup(v->id);
	return o->ids[o->n++] ? 0 : fault_nomem(f);
}

static void
note(void *ctx, size_t i, const struct fault *result)
{
	struct fault *worst = ctx;

	(void)i;
	if (result->code != FAULT_NONE && result->code != FAULT_ABSENT)
		*worst = *result;
}

/* It would be paid for twice until the lock ends. */
static int
check_free(
    const struct store_s3 *s, const struct s3_state *from, struct fault *f)
{
	char text[CLOCK_TEXT_SIZE];

	if (from->is_held)
		return fault_set(
		    f, FAULT_EXISTS, "under a legal hold of the store");
	if (from->locked_until_us == CLOCK_NONE ||
	    from->locked_until_us <= s3_now_us(s->s3))
		return 0;
	clock_format_iso(from->locked_until_us, text);
	return fault_set(f, FAULT_EXISTS, "locked until %s", text);
}

/* A version with the newest one's bytes, and no other, is what a copy left. */
static int
free_older(struct store_s3 *s, const struct older *o, bool *done,
    const struct deadline *d, struct fault *f)
{
	struct fault worst = FAULT_INIT;
	struct s3_state old;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < o->n; i++) {
		const char *id = o->ids[i];

		rc = s3_class_look(s->s3, o->key, id, &old, d, f);
		if (rc || !s3_class_same(&old, o->newest))
			continue;
		*done = true;
		rc = check_free(s, &old, f);
		if (rc == 0)
			rc = s3_delete_versions(
			    s->s3, &o->key, &id, 1, note, &worst, d, f);
		if (rc == 0 && worst.code != FAULT_NONE) {
			*f = worst;
			rc = (int)worst.code;
		}
	}
	return rc;
}

static int
free_spares(struct store_s3 *s, const char *key, const struct s3_state *newest,
    bool *done, const struct deadline *d, struct fault *f)
{
	struct older o = {.key = key, .newest = newest};
	int rc = s3_versions_list(s->s3, key, key, key, take_older, &o, d, f);

	if (rc == 0)
		rc = free_older(s, &o, done, d, f);
	for (size_t i = 0; i < o.n; i++)
		free(o.ids[i]);
	return rc;
}

int
store_s3_class_move(struct store *base, const char *key, const char *class,
    bool *done, const struct deadline *d, struct fault *f)
{
	struct store_s3 *s = (struct store_s3 *)base;
	char full[STORE_S3_KEY_MAX + 1];
	struct s3_state from, now;
	int rc;

	if ((rc = store_s3_key(s, key, full, f)) ||
	    (rc = store_s3_remove_learn(s, d, f)) ||
	    (rc = s3_class_look(s->s3, full, NULL, &from, d, f)))
		return rc;
	now = from;
	if (strcmp(from.storage_class, class) != 0) {
		if (s->versions == STORE_S3_VERSIONS &&
		    (rc = check_free(s, &from, f)))
			return rc;
		*done = true;
		rc = s3_class_change(s->s3, full, &from, class, &now, d, f);
	}
	return rc || s->versions != STORE_S3_VERSIONS
		   ? rc
		   : free_spares(s, full, &now, done, d, f);
}

/* ---- what a move that was cut off left ---- */

struct spares {
	size_t prefix_len; /* the repository's */
	store_list_fn cb;
	void *ctx;
	char newest[STORE_S3_KEY_MAX + 1]; /* of which the size is known */
	uint64_t size;
};

/* A key's newest version is listed before the older ones. */
static int
take_spare(void *ctx, const struct s3_version *v, struct fault *f)
{
	struct spares *l = ctx;
	struct store_entry e = {.key = v->key + l->prefix_len,
	    .size = v->size,
	    .modified_us = CLOCK_NONE,
	    .storage_class = v->storage_class};
	struct fault foreign;

	if (v->is_marker || strlen(v->key) > STORE_S3_KEY_MAX ||
	    store_key_check(e.key, &foreign) != 0)
		return 0;
	if (v->is_newest) {
		strcpy(l->newest, v->key);
		l->size = v->size;
		return 0;
	}
	if (strcmp(v->key, l->newest) != 0 || v->size != l->size)
		return 0;
	return l->cb(l->ctx, &e, f);
}

int
store_s3_class_spares(struct store *base, const char *prefix, store_list_fn cb,
    void *ctx, const struct deadline *d, struct fault *f)
{
	struct store_s3 *s = (struct store_s3 *)base;
	struct spares l = {.prefix_len = s->prefix_len, .cb = cb, .ctx = ctx};
	char full[STORE_S3_KEY_MAX + 1];
	int rc = store_s3_key(s, prefix, full, f);

	if (rc == 0)
		rc = store_s3_remove_learn(s, d, f);
	if (rc || s->versions != STORE_S3_VERSIONS)
		return rc;
	return s3_versions_list(s->s3, full, full, NULL, take_spare, &l, d, f);
}
