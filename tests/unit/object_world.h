#ifndef OBJECT_WORLD_H
#define OBJECT_WORLD_H

/* Keys, and what is sealed for and opened with them. */

#include <stdio.h>

#include "unit.h"

#include "object_core.h"
#include "secret.h"

static struct fault f;
static struct keyring *owner;     /* private key */
static struct keyring *recipient; /* its recipient part */
static struct keyring *stranger;  /* another key */
static struct keyring *rotated;   /* a newer key, the owner's as older one */

static const struct object_id wal = {"main", UINT64_C(7300000000000000001),
    OBJECT_WAL, "000000010000000000000001"};

static inline struct keyring *
generate(char **text)
{
	struct keyring *k = NULL;
	size_t len;

	assert_int_equal(keyring_generate(0, text, &len, &f), 0);
	assert_int_equal(keyring_parse(&k, "test", *text, len, &f), 0);
	return k;
}

static inline int
setup(void **state)
{
	char *a, *b, *part, both[2048];
	size_t len;

	(void)state;
	owner = generate(&a);
	stranger = generate(&b);
	assert_int_equal(keyring_recipient_text(owner, &part, &len, &f), 0);
	assert_int_equal(keyring_parse(&recipient, "part", part, len, &f), 0);
	snprintf(both, sizeof(both), "%s%s", b, a);
	assert_int_equal(
	    keyring_parse(&rotated, "both", both, strlen(both), &f), 0);
	free(a);
	free(b);
	free(part);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	keyring_free(owner);
	keyring_free(recipient);
	keyring_free(stranger);
	keyring_free(rotated);
	return 0;
}

/* Compressible, not constant. */
static inline unsigned char *
content_of(size_t n)
{
	unsigned char *p = malloc(n + 1);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i >> 8 ^ i * 31 % 251);
	return p;
}

static inline struct buf
seal_with(const struct object_params *p, const void *content, size_t n)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);

	assert_int_equal(object_seal_all(p, content, n, &b, &f), 0);
	return b;
}

/* With a fingerprint and "meta" as meta. */
static inline struct buf
seal(const struct object_id *id, const struct keyring *keys, const void *p,
    size_t n)
{
	struct object_digest d;
	const struct object_params params = {
	    *id, keys, CODEC_ZSTD, 1, "meta", 4, &d};

	object_digest(&d, p, n);
	return seal_with(&params, p, n);
}

static inline int
open_it(const struct object_id *id, const struct keyring *keys,
    const struct buf *object, const void *want, size_t n)
{
	struct buf out = BUF_INIT(SIZE_MAX / 2);
	const int rc =
	    object_open_all(id, keys, object->data, object->len, &out, &f);

	if (rc == 0) {
		assert_int_equal(out.len, n);
		if (n != 0)
			assert_memory_equal(out.data, want, n);
	}
	buf_free(&out);
	return rc;
}

static inline int
compare(const struct object_id *id, const struct keyring *keys,
    const struct buf *object, const void *content, size_t n, bool *same)
{
	struct object_digest d;

	object_digest(&d, content, n);
	return object_compare(id, keys, &d, object->data,
	    object->len < OBJECT_HEADER_MAX ? object->len : OBJECT_HEADER_MAX,
	    object->data + object->len - OBJECT_TRAILER, object->len, same, &f);
}

#endif
