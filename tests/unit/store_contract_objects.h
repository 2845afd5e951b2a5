#ifndef STORE_CONTRACT_OBJECTS_H
#define STORE_CONTRACT_OBJECTS_H

/* Of store_contract.h: objects are put once, whole, and got back. */

#include <pthread.h>

#include "store_contract_world.h"

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

#endif
