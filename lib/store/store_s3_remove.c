#include <stdlib.h>
#include <string.h>

#include "store_s3.h"

#define BATCH 1000

/* A batch of keys, in the bucket's own names. */
struct batch {
	struct store_s3 *s;
	char *text;
	const char **full; /* sorted by key */
	size_t *place;     /* of each in the caller's list */
	struct fault *result;
	size_t n;
	const struct deadline *d;
	/* versions: */
	const char **keys;
	char **ids;
	size_t n_ids;
	size_t cap;
	size_t at; /* where the slice that is being deleted begins */
};

struct named {
	const char *key;
	size_t place;
};

static int
by_key(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void
batch_free(struct batch *b)
{
	for (size_t i = 0; i < b->n_ids; i++)
		free(b->ids[i]);
	free(b->ids);
	free(b->keys);
	free(b->text);
	free(b->full);
	free(b->place);
	free(b->result);
}

static int
batch_make(struct batch *b, const char *const *keys, struct fault *f)
{
	struct named *named = calloc(b->n, sizeof(*named));
	int rc = 0;

	b->text = malloc(b->n * (STORE_S3_KEY_MAX + 1));
	b->full = calloc(b->n, sizeof(*b->full));
	b->place = calloc(b->n, sizeof(*b->place));
	b->result = calloc(b->n, sizeof(*b->result));
	if (!named || !b->text || !b->full || !b->place || !b->result)
		rc = fault_nomem(f);
	for (size_t i = 0; i < b->n && rc == 0; i++) {
		char *full = b->text + i * (STORE_S3_KEY_MAX + 1);

		rc = store_s3_key(b->s, keys[i], full, f);
		named[i] = (struct named){full, i};
	}
	if (rc == 0) {
		qsort(named, b->n, sizeof(*named), by_key);
		for (size_t i = 0; i < b->n; i++) {
			b->full[i] = named[i].key;
			b->place[i] = named[i].place;
		}
	}
	free(named);
	return rc;
}

static void
note_plain(void *ctx, size_t i, const struct fault *result)
{
	struct batch *b = ctx;

	if (result->code != FAULT_ABSENT)
		b->result[i] = *result;
}

/* ---- versions ---- */

static size_t
find(const struct batch *b, const char *key)
{
	size_t low = 0, high = b->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(b->full[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < b->n && strcmp(b->full[low], key) == 0 ? low : b->n;
}

static int
take_version(void *ctx, const struct s3_version *v, struct fault *f)
{
	struct batch *b = ctx;
	size_t i = find(b, v->key);

	if (i == b->n)
		return 0;
	if (b->n_ids == b->cap) {
		size_t cap = b->cap ? 2 * b->cap : 256;
		void *keys = reallocarray(b->keys, cap, sizeof(*b->keys));
		void *ids;

		if (!keys)
			return fault_nomem(f);
		b->keys = keys;
		ids = reallocarray(b->ids, cap, sizeof(*b->ids));
		if (!ids)
			return fault_nomem(f);
		b->ids = ids;
		b->cap = cap;
	}
	b->ids[b->n_ids] = strdup(v->id);
	if (!b->ids[b->n_ids])
		return fault_nomem(f);
	b->keys[b->n_ids++] = b->full[i];
	return 0;
}

/* A refusal may be a lock's. A bucket that never had object lock has neither.
 */
static void
look_for_lock(struct batch *b, size_t i, struct fault *result)
{
	char text[CLOCK_TEXT_SIZE];
	struct fault ignored = FAULT_INIT;
	const char *key = b->keys[i], *id = b->ids[i];
	int64_t until_us;
	bool held;

	if (result->code != FAULT_DENIED)
		return;
	if (s3_lock_until(b->s->s3, key, id, &until_us, b->d, &ignored) == 0 &&
	    until_us > clock_now_us()) {
		clock_format_iso(until_us, text);
		fault_set(result, FAULT_EXISTS, "locked until %s", text);
	} else if (s3_lock_held(b->s->s3, key, id, &held, b->d, &ignored) ==
		       0 &&
		   held) {
		fault_set(
		    result, FAULT_EXISTS, "under a legal hold of the store");
	}
}

static void
note_version(void *ctx, size_t i, const struct fault *result)
{
	struct batch *b = ctx;
	size_t k = find(b, b->keys[b->at + i]);

	if (result->code == FAULT_NONE || result->code == FAULT_ABSENT ||
	    b->result[k].code != FAULT_NONE)
		return;
	b->result[k] = *result;
	look_for_lock(b, b->at + i, &b->result[k]);
}

/* The versions of all keys are listed first: an object never disappears behind
 * a marker, where the next run would not find it. */
static int
remove_versions(struct batch *b, struct fault *f)
{
	const char *first = b->full[0], *last = b->full[b->n - 1];
	char prefix[STORE_S3_KEY_MAX + 1];
	size_t n = 0;
	int rc;

	while (first[n] != '\0' && first[n] == last[n])
		n++;
	memcpy(prefix, first, n);
	prefix[n] = '\0';
	rc = s3_versions_list(
	    b->s->s3, prefix, first, last, take_version, b, b->d, f);
	for (b->at = 0; rc == 0 && b->at < b->n_ids; b->at += BATCH) {
		size_t left = b->n_ids - b->at;

		rc = s3_delete_versions(b->s->s3, b->keys + b->at,
		    (const char *const *)b->ids + b->at,
		    left < BATCH ? left : BATCH, note_version, b, b->d, f);
	}
	return rc;
}

/* ---- both ---- */

int
store_s3_remove_learn(
    struct store_s3 *s, const struct deadline *d, struct fault *f)
{
	bool kept;
	int rc = 0;

	if (s->versions == STORE_S3_UNKNOWN) {
		rc = s3_versions_kept(s->s3, &kept, d, f);
		if (rc == 0)
			s->versions = kept ? STORE_S3_VERSIONS : STORE_S3_PLAIN;
	}
	return rc;
}

int
store_s3_remove(struct store *base, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *f)
{
	struct store_s3 *s = (struct store_s3 *)base;
	int rc = n > 0 ? store_s3_remove_learn(s, d, f) : 0;

	for (size_t first = 0; first < n && rc == 0; first += BATCH) {
		struct batch b = {.s = s, .d = d};

		b.n = n - first < BATCH ? n - first : BATCH;
		rc = batch_make(&b, keys + first, f);
		if (rc == 0 && s->versions == STORE_S3_VERSIONS)
			rc = remove_versions(&b, f);
		else if (rc == 0)
			rc =
			    s3_delete(s->s3, b.full, b.n, note_plain, &b, d, f);
		for (size_t i = 0; i < b.n && rc == 0; i++)
			cb(ctx, first + b.place[i], &b.result[i]);
		batch_free(&b);
	}
	return rc;
}
