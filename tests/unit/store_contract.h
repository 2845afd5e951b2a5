#ifndef STORE_CONTRACT_H
#define STORE_CONTRACT_H

/*
 * What store.h promises of every kind of store: one table of tests, run over
 * each. A test's state is a struct contract with an empty store.
 */

#include "unit.h"

#include <pthread.h>
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

/* ---- the tests ---- */

static inline void
contract_what_was_put_comes_back(void **state)
{
	static const size_t sizes[] = {
	    0, 1, 65521, 262143, 262144, 262145, 3145735};
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		unsigned char *p = contract_bytes(sizes[i], i);
		int64_t now = clock_now_us();
		struct store_info info;
		char key[64];

		snprintf(key, sizeof(key), "c/1/wal/%zu", sizes[i]);
		contract_absent(s, key);
		assert_ok(store_put(s, key, p, sizes[i], NULL, &f), f);
		contract_expect(s, key, p, sizes[i]);
		assert_ok(store_stat(s, key, &info, NULL, &f), f);
		assert_int_equal(info.size, sizes[i]);
		assert_true(llabs(info.modified_us - now) < 60 * 1000000LL);
		free(p);
	}
}

static inline void
contract_a_taken_name_keeps_its_content(void **state)
{
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	struct store_upload *u;

	contract_put(s, "a/b", "first");
	assert_fault(
	    store_put(s, "a/b", "second!", 7, NULL, &f), FAULT_EXISTS, f);
	assert_fault(
	    store_put(s, "a/b", "first", 5, NULL, &f), FAULT_EXISTS, f);
	assert_ok(store_upload_begin(&u, s, "a/b", NULL, &f), f);
	assert_ok(
	    store_upload_write(u, (const unsigned char *)"third", 5, &f), f);
	assert_fault(store_upload_commit(u, &f), FAULT_EXISTS, f);
	assert_fault(store_upload_commit(u, &f), FAULT_EXISTS, f);
	store_upload_free(u);
	contract_expect(s, "a/b", "first", 5);
	contract_list(s, "", false, NULL, "a/b|");
}

/* A try of which the answer was lost left it there. */
static inline void
contract_what_only_we_can_have_put_is_ours(void **state)
{
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	char big[9000];

	memset(big, 'x', sizeof big);
	assert_ok(store_put_own(s, "a", "first", 5, NULL, &f), f);
	assert_ok(store_put_own(s, "a", "first", 5, NULL, &f), f);
	assert_fault(
	    store_put_own(s, "a", "First", 5, NULL, &f), FAULT_EXISTS, f);
	assert_fault(
	    store_put_own(s, "a", "firs", 4, NULL, &f), FAULT_EXISTS, f);
	assert_fault(
	    store_put_own(s, "a", "first!", 6, NULL, &f), FAULT_EXISTS, f);
	assert_ok(store_put_own(s, "b", big, sizeof big, NULL, &f), f);
	assert_ok(store_put_own(s, "b", big, sizeof big, NULL, &f), f);
	assert_fault(store_put_own(s, "b", big, sizeof big - 1, NULL, &f),
	    FAULT_EXISTS, f);
	contract_expect(s, "a", "first", 5);
}

static inline void
contract_ranges(void **state)
{
	static const struct {
		uint64_t offset, length;
		const char *want; /* NULL: CORRUPT */
	} t[] = {
	    {0, UINT64_MAX, "0123456789"},
	    {0, 10, "0123456789"},
	    {0, 1, "0"},
	    {3, 4, "3456"},
	    {3, UINT64_MAX, "3456789"},
	    {9, 1, "9"},
	    {9, 100, "9"},
	    {9, UINT64_MAX - 3, "9"},
	    {4, 0, ""},
	    {10, 1, NULL},
	    {11, UINT64_MAX, NULL},
	    {UINT64_MAX / 4, UINT64_MAX, NULL},
	};
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	struct buf b = BUF_INIT(100);

	contract_put(s, "digits", "0123456789");
	contract_put(s, "empty", "");
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct store_info info = {0, 0};

		buf_clear(&b);
		if (!t[i].want) {
			assert_fault(
			    store_get(s, "digits", t[i].offset, t[i].length,
				buf_sink, &b, &info, NULL, &f),
			    FAULT_CORRUPT, f);
			assert_int_equal(b.len, 0);
			continue;
		}
		assert_ok(store_get(s, "digits", t[i].offset, t[i].length,
			      buf_sink, &b, &info, NULL, &f),
		    f);
		assert_int_equal(b.len, strlen(t[i].want));
		if (b.len)
			assert_memory_equal(b.data, t[i].want, b.len);
		assert_int_equal(info.size, 10);
	}
	buf_clear(&b);
	assert_ok(store_get(s, "empty", 0, 5, buf_sink, &b, NULL, NULL, &f), f);
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

static inline void
contract_refused(struct store *s, const char *key)
{
	struct fault f = FAULT_INIT;
	struct buf b = BUF_INIT(100);
	struct store_upload *u = NULL;

	assert_fault(store_put(s, key, "x", 1, NULL, &f), FAULT_CONFIG, f);
	assert_fault(store_get(s, key, 0, 1, buf_sink, &b, NULL, NULL, &f),
	    FAULT_CONFIG, f);
	assert_fault(store_stat(s, key, NULL, NULL, &f), FAULT_CONFIG, f);
	assert_fault(store_upload_begin(&u, s, key, NULL, &f), FAULT_CONFIG, f);
	assert_null(u);
	assert_fault(
	    store_delete(s, &key, 1, NULL, NULL, NULL, &f), FAULT_CONFIG, f);
}

static inline void
contract_keys_are_checked(void **state)
{
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", ".",
	    "..", "a/..", "a/../b", "./a", ".tmp-1", "a/.b/c", "a b", "a\nb",
	    "a\\b", "a:b", "\xc3\xa4", "a%2e", "a~", "a*"};
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	char key[STORE_KEY_MAX + 2];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		contract_refused(s, bad[i]);
	/* The longest key, and one byte more. */
	memset(key, 'k', sizeof(key));
	for (size_t i = 200; i < STORE_KEY_MAX; i += 200)
		key[i] = '/';
	key[STORE_KEY_MAX + 1] = '\0';
	contract_refused(s, key);
	key[STORE_KEY_MAX] = '\0';
	contract_put(s, key, "long");
	contract_expect(s, key, "long", 4);
	/* The longest part. */
	memset(key, 'k', 256);
	key[256] = '\0';
	contract_refused(s, key);
	key[255] = '\0';
	contract_put(s, key, "wide");
	contract_expect(s, key, "wide", 4);
	/* The deepest. */
	for (size_t i = 0; i < STORE_KEY_PARTS; i++)
		memcpy(key + 2 * i, "d/", 2);
	strcpy(key + 2 * STORE_KEY_PARTS, "d");
	contract_refused(s, key);
	key[2 * STORE_KEY_PARTS - 1] = '\0';
	contract_put(s, key, "deep");
	contract_expect(s, key, "deep", 4);
	assert_fault(
	    store_list(s, "a", false, NULL, contract_listed, NULL, NULL, &f),
	    FAULT_CONFIG, f);
	assert_fault(
	    store_list(s, "../", false, NULL, contract_listed, NULL, NULL, &f),
	    FAULT_CONFIG, f);
	contract_list(s, "d/", true, NULL, "d/d/|");
}

/* In byte order: '+' '-' '.' '/' digits letters. */
static const char *const contract_sorted[] = {"A", "a+b", "a-b", "a.b", "a.c/x",
    "a/b", "a/c+/e", "a/c/d", "a/c/d.x/1", "a/c/e", "a/c0", "a0", "ab",
    "b/00000001/000000010000000000000001", "b/00000002.history", "z"};
#define CONTRACT_SORTED (sizeof(contract_sorted) / sizeof(*contract_sorted))

static inline void
contract_lists_in_byte_order(void **state)
{
	static const char *const after[] = {NULL, "", "A", "a", "a-", "a.c",
	    "a.c/", "a.c/x", "a/", "a/b", "a/b0", "a/c", "a/c/", "a/c/d",
	    "a/c/d.x/0", "a/c/d.x/1", "a/c/zz", "a/c/d~", "b/00000001/",
	    "b/00000001/000000010000000000000001", "b/1", "z", "zz", "~"};
	static const char *const prefixes[] = {
	    "", "a/", "a/c/", "b/", "b/00000001/", "a.c/", "q/", "a/q/r/"};
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	struct contract_listing l = {"", 0, 3};

	/* Not put in order. */
	for (size_t i = 0; i < CONTRACT_SORTED; i++)
		contract_put(s, contract_sorted[i * 7 % CONTRACT_SORTED], "x");
	for (size_t p = 0; p < sizeof(prefixes) / sizeof(*prefixes); p++) {
		for (size_t a = 0; a < sizeof(after) / sizeof(*after); a++) {
			char want[4096] = "";

			for (size_t i = 0; i < CONTRACT_SORTED; i++) {
				const char *k = contract_sorted[i];

				if (!text_prefix(k, prefixes[p]) ||
				    (after[a] && strcmp(k, after[a]) <= 0))
					continue;
				strcat(strcat(want, k), "|");
			}
			contract_list(s, prefixes[p], false, after[a], want);
		}
	}
	assert_fault(
	    store_list(s, "", false, "a", contract_listed, &l, NULL, &f),
	    FAULT_FOREIGN, f);
	assert_string_equal(l.text, "a+b|a-b|a.b|");
}

static inline void
contract_lists_one_level(void **state)
{
	struct store *s = contract_of(state)->s;

	for (size_t i = 0; i < CONTRACT_SORTED; i++)
		contract_put(s, contract_sorted[i], "x");
	contract_list(s, "", true, NULL, "A|a+b|a-b|a.b|a.c/|a/|a0|ab|b/|z|");
	contract_list(s, "", true, "a.b", "a.c/|a/|a0|ab|b/|z|");
	contract_list(s, "", true, "a/", "a0|ab|b/|z|");
	contract_list(s, "", true, "a/c", "a0|ab|b/|z|");
	contract_list(s, "a/", true, NULL, "a/b|a/c+/|a/c/|a/c0|");
	contract_list(s, "a/", true, "a/c+/", "a/c/|a/c0|");
	contract_list(s, "b/", true, NULL, "b/00000001/|b/00000002.history|");
	contract_list(s, "nothing/", true, NULL, "");
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

static inline void
contract_deletes_tell_each_key(void **state)
{
	static const char *const keys[] = {
	    "a/b/1", "a/b/2", "a/b/none", "q/none", "a/c/1", "top"};
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	struct contract_deleted d = {{0}, 0};

	contract_put(s, "a/b/1", "1");
	contract_put(s, "a/b/2", "2");
	contract_put(s, "a/c/1", "3");
	contract_put(s, "a/keep", "4");
	contract_put(s, "top", "5");
	assert_ok(
	    store_delete(s, keys, 6, contract_note_deleted, &d, NULL, &f), f);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(d.told[i], 1);
		contract_absent(s, keys[i]);
	}
	assert_int_equal(d.bad, 0);
	contract_list(s, "", false, NULL, "a/keep|");
	contract_list(s, "a/", true, NULL, "a/keep|");
	contract_put(s, "a/b/1", "again");
	contract_expect(s, "a/b/1", "again", 5);
	assert_ok(
	    store_delete(s, NULL, 0, contract_note_deleted, &d, NULL, &f), f);
}

static inline void
contract_uploads_show_only_when_committed(void **state)
{
	static const size_t sizes[] = {
	    0, 100, 3 << 20, 24 << 20, (24 << 20) + 1, (50 << 20) + 3};
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		unsigned char *p = contract_bytes(sizes[i], i);
		struct contract_deleted d = {{0}, 0};
		struct store_upload *u;
		char key[64];
		const char *name = key;

		snprintf(key, sizeof(key), "up/%zu/pack", i);
		assert_ok(store_upload_begin(&u, s, key, NULL, &f), f);
		for (size_t at = 0; at < sizes[i];) {
			size_t n =
			    sizes[i] - at < 1000003 ? sizes[i] - at : 1000003;

			assert_ok(store_upload_write(u, p + at, n, &f), f);
			at += n;
		}
		contract_absent(s, key);
		contract_list(s, "up/", true, NULL, "");
		if (i % 2) {
			store_upload_free(u);
			contract_absent(s, key);
		} else {
			assert_ok(store_upload_commit(u, &f), f);
			store_upload_free(u);
			contract_expect(s, key, p, sizes[i]);
			assert_ok(store_delete(s, &name, 1,
				      contract_note_deleted, &d, NULL, &f),
			    f);
			assert_int_equal(d.bad, 0);
		}
		free(p);
	}
	contract_list(s, "", false, NULL, "");
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

static inline void
contract_the_sinks_fault_ends_a_get(void **state)
{
	struct store *s = contract_of(state)->s;
	unsigned char *p = contract_bytes(2 << 20, 1);
	struct fault f = FAULT_INIT;
	unsigned calls = 0;

	assert_ok(store_put(s, "big", p, 2 << 20, NULL, &f), f);
	assert_fault(store_get(s, "big", 0, UINT64_MAX, contract_choke, &calls,
			 NULL, NULL, &f),
	    FAULT_KEY, f);
	assert_string_equal(f.text, "the sink's own reason");
	assert_int_equal(calls, 1);
	free(p);
}

static inline void
contract_a_passed_deadline_is_again(void **state)
{
	struct store *s = contract_of(state)->s;
	struct deadline d = deadline_in_ms(0);
	struct contract_listing l = {"", 0, 0};
	struct contract_deleted told = {{0}, 0};
	struct buf b = BUF_INIT(100);
	struct fault f = FAULT_INIT;
	const char *key = "there";
	struct store_upload *u;
	int rc;

	contract_put(s, key, "x");
	assert_fault(store_put(s, "a", "x", 1, &d, &f), FAULT_AGAIN, f);
	assert_fault(store_get(s, key, 0, 1, buf_sink, &b, NULL, &d, &f),
	    FAULT_AGAIN, f);
	assert_fault(store_stat(s, key, NULL, &d, &f), FAULT_AGAIN, f);
	assert_fault(store_stat(s, "no", NULL, &d, &f), FAULT_AGAIN, f);
	assert_fault(
	    store_list(s, "", false, NULL, contract_listed, &l, &d, &f),
	    FAULT_AGAIN, f);
	assert_fault(
	    store_delete(s, &key, 1, contract_note_deleted, &told, &d, &f),
	    FAULT_AGAIN, f);
	rc = store_upload_begin(&u, s, "a", &d, &f);
	if (rc == 0) {
		rc = store_upload_commit(u, &f);
		store_upload_free(u);
	}
	assert_int_equal(rc, FAULT_AGAIN);
	contract_list(s, "", false, NULL, "there|");
}

#define CONTRACT_THREADS 8

struct contract_racer {
	struct store *s;
	unsigned id;
	int rc;
	unsigned char *data;
	pthread_barrier_t *start;
};

static inline void *
contract_race(void *arg)
{
	struct contract_racer *r = arg;
	struct fault f = FAULT_INIT;

	pthread_barrier_wait(r->start);
	r->rc = store_put(r->s, "race/one", r->data, 500000 + r->id, NULL, &f);
	return NULL;
}

static inline void
contract_one_of_many_puts_wins(void **state)
{
	struct store *s = contract_of(state)->s;
	struct contract_racer r[CONTRACT_THREADS];
	pthread_t t[CONTRACT_THREADS];
	pthread_barrier_t start;
	struct fault f = FAULT_INIT;
	unsigned winners = 0;

	pthread_barrier_init(&start, NULL, CONTRACT_THREADS);
	for (unsigned i = 0; i < CONTRACT_THREADS; i++) {
		r[i] = (struct contract_racer){
		    NULL, i, -1, contract_bytes(500000 + i, i), &start};
		assert_ok(store_clone(&r[i].s, s, &f), f);
		assert_string_equal(store_url(r[i].s), store_url(s));
		assert_string_equal(store_name(r[i].s), store_name(s));
		assert_int_equal(
		    pthread_create(&t[i], NULL, contract_race, &r[i]), 0);
	}
	for (unsigned i = 0; i < CONTRACT_THREADS; i++)
		pthread_join(t[i], NULL);
	for (unsigned i = 0; i < CONTRACT_THREADS; i++) {
		if (r[i].rc == 0) {
			winners++;
			contract_expect(s, "race/one", r[i].data, 500000 + i);
		} else {
			assert_int_equal(r[i].rc, FAULT_EXISTS);
		}
		store_free(r[i].s);
		free(r[i].data);
	}
	pthread_barrier_destroy(&start);
	assert_int_equal(winners, 1);
}

#define contract_test(name, setup, teardown)                                   \
	{                                                                      \
#name, contract_##name, setup, teardown, NULL                  \
	}
#define CONTRACT_TESTS(setup, teardown)                                        \
	contract_test(what_was_put_comes_back, setup, teardown),               \
	    contract_test(a_taken_name_keeps_its_content, setup, teardown),    \
	    contract_test(what_only_we_can_have_put_is_ours, setup, teardown), \
	    contract_test(ranges, setup, teardown),                            \
	    contract_test(keys_are_checked, setup, teardown),                  \
	    contract_test(lists_in_byte_order, setup, teardown),               \
	    contract_test(lists_one_level, setup, teardown),                   \
	    contract_test(deletes_tell_each_key, setup, teardown),             \
	    contract_test(uploads_show_only_when_committed, setup, teardown),  \
	    contract_test(the_sinks_fault_ends_a_get, setup, teardown),        \
	    contract_test(a_passed_deadline_is_again, setup, teardown),        \
	    contract_test(one_of_many_puts_wins, setup, teardown)

#endif
