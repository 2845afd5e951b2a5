/* The chunks of a sealed object: each by itself, and all in their order. */
#include "object_world.h"

/* Three chunks of 1000 bytes that cannot be compressed. */
static struct buf
three_chunks(struct object_extent e[3], const unsigned char *p)
{
	const struct object_params params = {
	    wal, owner, CODEC_NONE, 0, NULL, 0, NULL};
	struct buf b = BUF_INIT(1 << 20);
	struct object_sealer *s;
	uint64_t size;

	assert_int_equal(object_seal_begin(&s, &params, buf_sink, &b, &f), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(
		    object_seal_chunk(s, p + 1000 * i, 1000, &e[i], &f), 0);
		assert_int_equal(e[i].index, i);
		assert_int_equal(e[i].length, 1000);
		assert_int_equal(e[i].offset + e[i].stored, b.len);
	}
	assert_int_equal(object_seal_end(s, &size, &f), 0);
	assert_int_equal(size, b.len);
	assert_int_equal(object_seal_chunk(s, p, 1, NULL, &f), FAULT_SYSTEM);
	assert_int_equal(object_seal_end(s, NULL, &f), FAULT_SYSTEM);
	assert_int_equal(size, b.len);
	object_seal_free(s);
	return b;
}

static void
chunks_open_in_any_order_by_their_extent(void **state)
{
	static const size_t order[] = {2, 0, 1, 2};
	unsigned char *p = content_of(3000), out[1000];
	struct object_extent e[3];
	struct buf b = three_chunks(e, p);
	struct object_opener *o;
	size_t n;

	(void)state;
	assert_int_equal(
	    object_open_header(&o, &wal, owner, b.data, b.len, &f), 0);
	for (size_t i = 0; i < 4; i++) {
		const struct object_extent *x = &e[order[i]];

		assert_int_equal(
		    object_open_chunk(o, x->index, b.data + x->offset,
			x->stored, out, 1000, &n, &f),
		    0);
		assert_int_equal(n, 1000);
		assert_memory_equal(out, p + 1000 * order[i], 1000);
	}
	/* Under another index, cut, or without room: not. */
	assert_int_equal(object_open_chunk(o, 1, b.data + e[0].offset,
			     e[0].stored, out, 1000, &n, &f),
	    FAULT_CORRUPT);
	assert_int_equal(object_open_chunk(o, 0, b.data + e[0].offset,
			     e[0].stored - 1, out, 1000, &n, &f),
	    FAULT_CORRUPT);
	assert_int_equal(object_open_chunk(o, 0, b.data + e[0].offset,
			     e[0].stored, out, 999, &n, &f),
	    FAULT_CORRUPT);
	for (size_t cut = 0; cut < 21; cut++)
		assert_int_equal(object_open_chunk(o, 0, b.data + e[0].offset,
				     cut, out, 1000, &n, &f),
		    FAULT_CORRUPT);
	/* The end chunk is no chunk. */
	assert_int_equal(
	    object_open_chunk(o, 3, b.data + e[2].offset + e[2].stored,
		OBJECT_CORE_END_STORED, out, 1000, &n, &f),
	    FAULT_CORRUPT);
	object_opener_free(o);
	object_opener_free(NULL);
	buf_free(&b);
	free(p);
}

static void
chunks_cannot_be_swapped_repeated_or_left_out(void **state)
{
	unsigned char *p = content_of(3000);
	struct object_extent e[3], e2[3];
	struct buf b = three_chunks(e, p), other = three_chunks(e2, p);
	struct buf x = BUF_INIT(1 << 20);
	const size_t n = e[0].stored;
	/* Which chunks of the object in which order. */
	static const int rows[][4] = {{1, 0, 2, -1}, {0, 2, 1, -1},
	    {0, 0, 1, -1}, {0, 1, -1, -1}, {1, 2, -1, -1}, {-1, -1, -1, -1},
	    {0, 1, 2, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_clear(&x);
		buf_put(&x, b.data, e[0].offset, &f);
		for (size_t j = 0; j < 4 && rows[i][j] >= 0; j++)
			buf_put(&x, b.data + e[rows[i][j]].offset, n, &f);
		buf_put(&x, b.data + e[2].offset + n, 72, &f);
		/* With the length put right, as an attacker would. */
		bytes_set_u64(x.data + x.len - OBJECT_TRAILER, x.len);
		assert_int_equal(
		    open_it(&wal, owner, &x, "", 0), FAULT_CORRUPT);
	}
	/* From another object of the same name, content and length. */
	buf_clear(&x);
	buf_put(&x, b.data, b.len, &f);
	memcpy(x.data + e[1].offset, other.data + e2[1].offset, n);
	assert_int_equal(open_it(&wal, owner, &x, "", 0), FAULT_CORRUPT);
	/* The whole payload under the other's header. */
	memcpy(x.data, b.data, b.len);
	memcpy(x.data, other.data, e[0].offset);
	assert_int_equal(open_it(&wal, owner, &x, "", 0), FAULT_CORRUPT);
	buf_free(&x);
	buf_free(&b);
	buf_free(&other);
	free(p);
}

static void
any_fragmentation_is_fine(void **state)
{
	static const size_t steps[] = {1, 2, 3, 7, 16, 100, 1031, 4096, 70000};
	unsigned char *p = content_of(3000);
	struct object_extent e[3];
	struct buf b = three_chunks(e, p);

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct buf out = BUF_INIT(1 << 20);
		struct object_reader *r;
		size_t at, n;

		assert_int_equal(
		    object_reader_new(&r, &wal, owner, buf_sink, &out, &f), 0);
		assert_null(object_reader_opener(r));
		for (at = 0; at < b.len; at += n) {
			n = b.len - at < steps[i] ? b.len - at : steps[i];
			/* A copy, so that the sanitizer sees its borders. */
			unsigned char *part = malloc(n);

			assert_non_null(part);
			memcpy(part, b.data + at, n);
			assert_int_equal(object_reader_feed(r, part, n, &f), 0);
			free(part);
			if (at + n < b.len) {
				assert_int_equal(
				    object_reader_feed(r, b.data, 0, &f), 0);
			}
		}
		assert_int_equal(object_reader_end(r, &f), 0);
		assert_int_equal(object_reader_content(r), 3000);
		assert_non_null(object_reader_opener(r));
		assert_int_equal(out.len, 3000);
		assert_memory_equal(out.data, p, 3000);
		object_reader_free(r);
		buf_free(&out);
	}
	object_reader_free(NULL);
	buf_free(&b);
	free(p);
}

static int
failing_sink(void *ctx, const unsigned char *data, size_t len, struct fault *e)
{
	int *left = ctx;

	(void)data;
	(void)len;
	if ((*left)-- > 0)
		return 0;
	return fault_set(e, FAULT_AGAIN, "the disk of the test is full");
}

static void
a_failure_stays_a_failure(void **state)
{
	const struct object_params params = {
	    wal, owner, CODEC_ZSTD, 1, NULL, 0, NULL};
	unsigned char *p = content_of(3000);
	struct object_extent e[3];
	struct buf b = three_chunks(e, p);
	struct object_reader *r;
	struct object_sealer *s = NULL;
	int left = 1;

	(void)state;
	assert_int_equal(
	    object_reader_new(&r, &wal, owner, failing_sink, &left, &f), 0);
	assert_int_equal(object_reader_feed(r, b.data, b.len, &f), FAULT_AGAIN);
	assert_string_equal(f.text, "the disk of the test is full");
	fault_clear(&f);
	assert_int_equal(object_reader_feed(r, b.data, b.len, &f), FAULT_AGAIN);
	fault_clear(&f);
	assert_int_equal(object_reader_end(r, &f), FAULT_AGAIN);
	object_reader_free(r);

	left = 0;
	assert_int_equal(
	    object_seal_begin(&s, &params, failing_sink, &left, &f),
	    FAULT_AGAIN);
	assert_null(s);
	left = 1;
	assert_int_equal(
	    object_seal_begin(&s, &params, failing_sink, &left, &f), 0);
	assert_int_equal(object_seal_chunk(s, p, 10, NULL, &f), FAULT_AGAIN);
	left = 9;
	assert_int_equal(object_seal_chunk(s, p, 10, NULL, &f), FAULT_SYSTEM);
	assert_int_equal(object_seal_end(s, NULL, &f), FAULT_SYSTEM);
	object_seal_free(s);
	object_seal_free(NULL);
	buf_free(&b);
	free(p);
}

static void
empty_and_too_large_chunks_are_not_sealed(void **state)
{
	const struct object_params params = {
	    wal, owner, CODEC_ZSTD, 1, NULL, 0, NULL};
	unsigned char *p = content_of(OBJECT_CHUNK_MAX + 1);
	struct buf b = BUF_INIT(16 << 20);
	struct object_sealer *s;

	(void)state;
	assert_int_equal(object_seal_begin(&s, &params, buf_sink, &b, &f), 0);
	assert_int_equal(object_seal_chunk(s, p, 0, NULL, &f), FAULT_SYSTEM);
	assert_int_equal(
	    object_seal_chunk(s, p, OBJECT_CHUNK_MAX + 1, NULL, &f),
	    FAULT_SYSTEM);
	/* Neither has spoilt anything. */
	assert_int_equal(
	    object_seal_chunk(s, p, OBJECT_CHUNK_MAX, NULL, &f), 0);
	assert_int_equal(object_seal_end(s, NULL, &f), 0);
	object_seal_free(s);
	assert_int_equal(open_it(&wal, owner, &b, p, OBJECT_CHUNK_MAX), 0);
	buf_free(&b);
	free(p);
}

static void
incompressible_chunks_of_any_size_fit(void **state)
{
	static unsigned char p[OBJECT_CHUNK_MAX];
	static const size_t sizes[] = {
	    1, 255, 256, 1000, 131072, 131073, OBJECT_CHUNK, OBJECT_CHUNK_MAX};
	const struct object_params params = {
	    wal, owner, CODEC_ZSTD, 1, NULL, 0, NULL};

	(void)state;
	assert_int_equal(crypto_random(p, sizeof(p), &f), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct buf b = BUF_INIT(16 << 20);
		struct object_sealer *s;
		struct object_extent e;

		assert_int_equal(
		    object_seal_begin(&s, &params, buf_sink, &b, &f), 0);
		assert_int_equal(object_seal_chunk(s, p, sizes[i], &e, &f), 0);
		assert_true(e.stored <= OBJECT_STORED_MAX);
		assert_int_equal(object_seal_end(s, NULL, &f), 0);
		object_seal_free(s);
		assert_int_equal(open_it(&wal, owner, &b, p, sizes[i]), 0);
		buf_free(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(chunks_open_in_any_order_by_their_extent),
	    cmocka_unit_test(chunks_cannot_be_swapped_repeated_or_left_out),
	    cmocka_unit_test(any_fragmentation_is_fine),
	    cmocka_unit_test(a_failure_stays_a_failure),
	    cmocka_unit_test(empty_and_too_large_chunks_are_not_sealed),
	    cmocka_unit_test(incompressible_chunks_of_any_size_fit),
	};

	return cmocka_run_group_tests_name(
	    "object_chunks", tests, setup, teardown);
}
