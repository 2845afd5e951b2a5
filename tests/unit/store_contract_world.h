#ifndef STORE_CONTRACT_WORLD_H
#define STORE_CONTRACT_WORLD_H

/* What the tests of stores share. A test's state is a struct contract with an
 * empty store. */

#include "unit.h"

#include <stdio.h>

#include "buf.h"
#include "store.h"

struct contract {
	struct store *s;
	void *own;
};

#define CONTRACT_LIMIT ((size_t)64 << 20)

static inline struct contract *
contract_of(void **state)
{
	return *state;
}

/* Bytes that differ from place to place and from seed to seed. */
static inline unsigned char *
contract_bytes(size_t n, uint64_t seed)
{
	unsigned char *p = malloc(n + 1);
	uint64_t x = seed * 0x9e3779b97f4a7c15U + 1;

	assert_non_null(p);
	for (size_t i = 0; i < n; i++) {
		x = x * 6364136223846793005U + 1442695040888963407U;
		p[i] = (unsigned char)(x >> 56);
	}
	return p;
}

#define assert_ok(call, f)                                                     \
	do {                                                                   \
		const int rc_ = (call);                                        \
		if (rc_ != 0)                                                  \
			fail_msg("%s: %d %s", #call, rc_, (f).text);           \
	} while (0)

#define assert_fault(call, want, f)                                            \
	do {                                                                   \
		const int rc_ = (call);                                        \
		if (rc_ != (int)(want) || (f).code != (want))                  \
			fail_msg("%s: %d, not %d: %s", #call, rc_,             \
			    (int)(want), (f).text);                            \
	} while (0)

static inline void
contract_put(struct store *s, const char *key, const char *text)
{
	struct fault f = FAULT_INIT;

	assert_ok(store_put(s, key, text, strlen(text), NULL, &f), f);
}

static inline void
contract_expect(struct store *s, const char *key, const void *data, size_t len)
{
	struct fault f = FAULT_INIT;
	struct buf b = BUF_INIT(CONTRACT_LIMIT);
	struct store_info info;

	assert_ok(
	    store_get(s, key, 0, UINT64_MAX, buf_sink, &b, &info, NULL, &f), f);
	assert_int_equal(b.len, len);
	assert_int_equal(info.size, len);
	if (len)
		assert_memory_equal(b.data, data, len);
	buf_free(&b);
}

static inline void
contract_absent(struct store *s, const char *key)
{
	struct fault f = FAULT_INIT;
	struct buf b = BUF_INIT(CONTRACT_LIMIT);

	assert_fault(store_stat(s, key, NULL, NULL, &f), FAULT_ABSENT, f);
	assert_fault(
	    store_get(s, key, 0, UINT64_MAX, buf_sink, &b, NULL, NULL, &f),
	    FAULT_ABSENT, f);
	assert_int_equal(b.len, 0);
}

/* Collects a listing as "key|key|…", folders with their '/'. */
struct contract_listing {
	char text[4096];
	size_t n;
	size_t stop_at; /* 0: never */
};

static inline int
contract_listed(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct contract_listing *l = ctx;
	size_t len = strlen(l->text);

	snprintf(l->text + len, sizeof(l->text) - len, "%s|", e->key);
	assert_int_equal(e->is_folder, e->key[strlen(e->key) - 1] == '/');
	if (!e->is_folder)
		assert_true(e->modified_us != CLOCK_NONE);
	if (++l->n == l->stop_at)
		return fault_set(f, FAULT_FOREIGN, "enough");
	return 0;
}

static inline void
contract_list(struct store *s, const char *prefix, bool shallow,
    const char *after, const char *want)
{
	struct fault f = FAULT_INIT;
	struct contract_listing l = {"", 0, 0};

	assert_ok(store_list(
		      s, prefix, shallow, after, contract_listed, &l, NULL, &f),
	    f);
	assert_string_equal(l.text, want);
}

struct contract_deleted {
	unsigned told[8];
	unsigned bad;
};

static inline void
contract_note_deleted(void *ctx, size_t i, const struct fault *result)
{
	struct contract_deleted *d = ctx;

	d->told[i]++;
	d->bad += result->code != FAULT_NONE;
}

static inline int
contract_choke(
    void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	(void)data;
	(void)len;
	++*(unsigned *)ctx;
	return fault_set(f, FAULT_KEY, "the sink's own reason");
}

#endif
