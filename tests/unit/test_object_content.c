/* Sealing with several threads gives the object that one gives, and fails as
 * one fails. Also run under ThreadSanitizer (long/threads). */
#include <pthread.h>

#include "unit.h"

#include "object.h"

#define CHUNKS 9
#define CONTENT (CHUNKS * (size_t)OBJECT_CHUNK - 12345)

static struct fault f;
static struct keyring *keys;
static unsigned char *content;

static const struct object_id wal = {"main", UINT64_C(7300000000000000001),
    OBJECT_WAL, "000000010000000000000001"};

static int
setup(void **state)
{
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(keyring_generate(0, &text, &len, &f), 0);
	assert_int_equal(keyring_parse(&keys, "test", text, len, &f), 0);
	free(text);
	content = malloc(CONTENT);
	assert_non_null(content);
	/* Chunks that take very different times, so that they overtake. */
	for (size_t i = 0; i < CONTENT; i++)
		content[i] = i / OBJECT_CHUNK % 3 == 0
				 ? 'x'
				 : (unsigned char)((i * i >> 7) ^ i * 31);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(content);
	keyring_free(keys);
	return 0;
}

struct taker {
	struct buf out;
	pthread_t caller;
	size_t calls, fails_at;
};

/* Only the caller's thread may come here. */
static int
taker_sink(void *ctx, const unsigned char *data, size_t len, struct fault *why)
{
	struct taker *t = ctx;

	if (!pthread_equal(pthread_self(), t->caller))
		return fault_set(why, FAULT_SYSTEM, "called by a helper");
	if (++t->calls == t->fails_at)
		return fault_set(why, FAULT_AGAIN, "the sink is full");
	return buf_sink(&t->out, data, len, why);
}

static int
seal(struct taker *t, size_t len, unsigned hands)
{
	const struct object_params params = {
	    wal, keys, CODEC_ZSTD, 1, NULL, 0, NULL};
	struct object_sealer *s = NULL;
	uint64_t size = 0;
	int rc;

	buf_init(&t->out, SIZE_MAX / 2);
	t->caller = pthread_self();
	t->calls = 0;
	assert_int_equal(object_seal_begin(&s, &params, taker_sink, t, &f), 0);
	rc = object_seal_content(s, content, len, hands, &f);
	if (rc == 0) {
		assert_int_equal(object_seal_end(s, &size, &f), 0);
		assert_int_equal(size, t->out.len);
	} else {
		struct fault ignored = FAULT_INIT;

		assert_int_not_equal(object_seal_end(s, NULL, &ignored), 0);
	}
	object_seal_free(s);
	return rc;
}

static void
any_number_of_hands_seals_the_same(void **state)
{
	static const size_t sizes[] = {
	    0, 1, OBJECT_CHUNK, OBJECT_CHUNK + 1, 2 * OBJECT_CHUNK, CONTENT};
	struct taker t = {.fails_at = 0};
	size_t alone = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (unsigned hands = 0; hands <= 9; hands++) {
			struct buf back = BUF_INIT(SIZE_MAX / 2);

			assert_int_equal(seal(&t, sizes[i], hands), 0);
			assert_int_equal(object_open_all(&wal, keys, t.out.data,
					     t.out.len, &back, &f),
			    0);
			assert_int_equal(back.len, sizes[i]);
			if (sizes[i] > 0)
				assert_memory_equal(
				    back.data, content, sizes[i]);
			if (hands == 0)
				alone = t.out.len;
			assert_int_equal(t.out.len, alone);
			buf_free(&back);
			buf_free(&t.out);
		}
}

static void
a_sink_that_fails_ends_it_at_any_chunk(void **state)
{
	struct taker t = {.fails_at = 0};

	(void)state;
	for (t.fails_at = 2; t.fails_at <= CHUNKS + 1; t.fails_at++)
		for (unsigned hands = 1; hands <= 4; hands++) {
			assert_int_equal(seal(&t, CONTENT, hands), FAULT_AGAIN);
			assert_int_equal(t.calls, t.fails_at);
			buf_free(&t.out);
		}
}

/* Chunks that were sealed before and after take part in the numbering. */
static void
it_may_stand_between_chunks(void **state)
{
	const struct object_params params = {
	    wal, keys, CODEC_ZSTD, 1, NULL, 0, NULL};
	struct buf out = BUF_INIT(SIZE_MAX / 2), back = BUF_INIT(SIZE_MAX / 2);
	struct object_sealer *s = NULL;
	struct object_extent e;

	(void)state;
	assert_int_equal(object_seal_begin(&s, &params, buf_sink, &out, &f), 0);
	assert_int_equal(object_seal_chunk(s, content, 100, &e, &f), 0);
	assert_int_equal(
	    object_seal_content(s, content + 100, CONTENT - 200, 2, &f), 0);
	assert_int_equal(
	    object_seal_chunk(s, content + CONTENT - 100, 100, &e, &f), 0);
	assert_int_equal(e.index, CHUNKS + 1);
	assert_int_equal(object_seal_end(s, NULL, &f), 0);
	assert_int_equal(
	    object_open_all(&wal, keys, out.data, out.len, &back, &f), 0);
	assert_int_equal(back.len, CONTENT);
	assert_memory_equal(back.data, content, CONTENT);
	object_seal_free(s);
	buf_free(&out);
	buf_free(&back);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_number_of_hands_seals_the_same),
	    cmocka_unit_test(a_sink_that_fails_ends_it_at_any_chunk),
	    cmocka_unit_test(it_may_stand_between_chunks),
	};

	return cmocka_run_group_tests_name(
	    "object_content", tests, setup, teardown);
}
