/* A buffer keeps its limit; a reader never passes its end. */
#include "unit.h"

#include "buf.h"

static void
numbers_are_little_endian_and_come_back(void **state)
{
	struct buf b = BUF_INIT(100);
	struct fault f = FAULT_INIT;
	struct bytes r;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	(void)state;
	assert_int_equal(buf_put_u8(&b, 0xfe, &f), 0);
	assert_int_equal(buf_put_u16(&b, 0xfedc, &f), 0);
	assert_int_equal(buf_put_u32(&b, 0xfedcba98U, &f), 0);
	assert_int_equal(buf_put_u64(&b, 0xfedcba9876543210ULL, &f), 0);
	assert_int_equal(b.len, 15);
	assert_hex(b.data, "fedcfe98badcfe1032547698badcfe");
	r.p = b.data;
	r.left = b.len;
	assert_int_equal(bytes_u8(&r, &u8), 0);
	assert_int_equal(bytes_u16(&r, &u16), 0);
	assert_int_equal(bytes_u32(&r, &u32), 0);
	assert_int_equal(bytes_u64(&r, &u64), 0);
	assert_int_equal(u8, 0xfe);
	assert_int_equal(u16, 0xfedc);
	assert_int_equal(u32, 0xfedcba98U);
	assert_true(u64 == 0xfedcba9876543210ULL);
	assert_int_equal(r.left, 0);
	buf_free(&b);
	assert_null(b.data);
}

static void
the_limit_holds_to_the_byte(void **state)
{
	struct buf b = BUF_INIT(100);
	struct fault f = FAULT_INIT;
	char x[101] = {0};
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_int_equal(buf_put(&b, x, 10, &f), 0);
	assert_int_equal(buf_put(&b, x, 0, &f), 0);
	assert_int_equal(buf_put(&b, x, 1, &f), FAULT_CORRUPT);
	assert_int_equal(buf_reserve(&b, SIZE_MAX, &f), FAULT_CORRUPT);
	assert_int_equal(buf_printf(&b, &f, "%d", 1), FAULT_CORRUPT);
	assert_int_equal(
	    buf_sink(&b, (const unsigned char *)x, 1, &f), FAULT_CORRUPT);
	assert_int_equal(b.len, 100);
	/* The NUL is not counted. */
	assert_int_equal(buf_terminate(&b, &f), 0);
	assert_int_equal(b.len, 100);
	assert_int_equal(b.data[100], 0);
	buf_clear(&b);
	assert_int_equal(buf_put(&b, x, 101, &f), FAULT_CORRUPT);
	assert_int_equal(buf_put(&b, x, 100, &f), 0);
	buf_wipe(&b);
	assert_null(b.data);
	assert_int_equal(b.limit, 100);
}

static void
text_is_appended(void **state)
{
	struct fault f = FAULT_INIT;
	struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	assert_int_equal(buf_terminate(&b, &f), 0);
	assert_string_equal((char *)b.data, "");
	assert_int_equal(buf_put_str(&b, "a", &f), 0);
	assert_int_equal(buf_printf(&b, &f, "%0200d", 5), 0);
	assert_int_equal(buf_put_str(&b, "z", &f), 0);
	assert_int_equal(buf_terminate(&b, &f), 0);
	assert_int_equal(b.len, 202);
	assert_string_equal((char *)b.data + 199, "05z");
	buf_free(&b);
}

static void
a_short_reader_consumes_nothing(void **state)
{
	unsigned char data[7] = {1, 2, 3, 4, 5, 6, 7}, out[8];
	struct bytes r = {data, 7}, sub = {NULL, 99};
	uint64_t u64 = 42;

	(void)state;
	assert_int_equal(bytes_u64(&r, &u64), -1);
	assert_int_equal(bytes_copy(&r, out, 8), -1);
	assert_int_equal(bytes_skip(&r, SIZE_MAX), -1);
	assert_int_equal(bytes_sub(&r, 8, &sub), -1);
	assert_int_equal(r.left, 7);
	assert_ptr_equal(r.p, data);
	assert_true(u64 == 42);
	assert_int_equal(sub.left, 99);
	assert_int_equal(bytes_sub(&r, 3, &sub), 0);
	assert_int_equal(sub.left, 3);
	assert_int_equal(r.left, 4);
	assert_int_equal(bytes_copy(&r, out, 4), 0);
	assert_memory_equal(out, data + 3, 4);
	assert_int_equal(bytes_skip(&r, 1), -1);
	assert_int_equal(bytes_skip(&r, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_little_endian_and_come_back),
	    cmocka_unit_test(the_limit_holds_to_the_byte),
	    cmocka_unit_test(text_is_appended),
	    cmocka_unit_test(a_short_reader_consumes_nothing),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
