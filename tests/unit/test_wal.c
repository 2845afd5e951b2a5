#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "bytes.h"
#include "wal.h"

static unsigned char head[40];

/* Segment 000000030000000200000005 of 16 MB, by PostgreSQL 15. */
static void
make_head(void)
{
	memset(head, 0, sizeof(head));
	bytes_set_u16(head, 0xD110);
	bytes_set_u16(head + 2, 2);
	bytes_set_u32(head + 4, 3);
	bytes_set_u64(head + 8, 0x205000000);
	bytes_set_u64(head + 24, 7123456789012345678U);
	bytes_set_u32(head + 32, 16 << 20);
	bytes_set_u32(head + 36, 8192);
}

static void
a_header_is_read(void **state)
{
	struct fault f = FAULT_INIT;
	struct wal_header h;

	(void)state;
	make_head();
	assert_int_equal(wal_header(head, sizeof(head), &h, &f), 0);
	assert_int_equal(h.magic, 0xD110);
	assert_int_equal(h.timeline, 3);
	assert_int_equal(h.address, 0x205000000);
	assert_int_equal(h.system_id, 7123456789012345678U);
	assert_int_equal(h.segment_size, 16 << 20);
	assert_int_equal(h.page_size, 8192);
	assert_int_equal(
	    wal_header(head, sizeof(head) - 1, &h, &f), FAULT_CORRUPT);
}

static void
what_is_no_header_is_refused(void **state)
{
	static const size_t at[] = {0, 4, 8, 32, 36};

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		struct fault f = FAULT_INIT;
		struct wal_header h;

		make_head();
		bytes_set_u16(head + at[i], 0);
		bytes_set_u16(head + at[i] + 2, 0);
		if (at[i] == 8)
			head[8] = 1;
		assert_int_equal(
		    wal_header(head, sizeof(head), &h, &f), FAULT_CORRUPT);
	}
}

static void
magics_tell_the_version(void **state)
{
	(void)state;
	assert_int_equal(wal_version(0xD10D), 14);
	assert_int_equal(wal_version(0xD110), 15);
	assert_int_equal(wal_version(0xD113), 16);
	assert_int_equal(wal_version(0xD116), 17);
	assert_int_equal(wal_version(0xD118), 18);
	assert_int_equal(wal_version(0xD121), 19);
	assert_int_equal(wal_version(0xD1FF), 0);
}

static int
check(const char *name, uint64_t size)
{
	struct fault f = FAULT_INIT;
	struct wal_header h;
	struct walname n;
	int rc;

	make_head();
	assert_int_equal(wal_header(head, sizeof(head), &h, &f), 0);
	assert_int_equal(walname_parse(name, &n, &f), 0);
	rc = wal_check_name(&h, &n, size, &f);
	assert_int_equal(rc, f.code);
	return (rc);
}

static void
a_header_must_fit_its_name(void **state)
{
	(void)state;
	assert_int_equal(check("000000030000000200000005", 16 << 20), 0);
	assert_int_equal(
	    check("000000030000000200000005.partial", 16 << 20), 0);
	/* first segment after a promotion, by whatever number */
	assert_int_equal(check("000000040000000200000005", 16 << 20), 0);
	assert_int_equal(check("000000090000000200000005", 16 << 20), 0);
	assert_int_equal(
	    check("000000020000000200000005", 16 << 20), FAULT_FOREIGN);
	assert_int_equal(
	    check("000000030000000200000006", 16 << 20), FAULT_FOREIGN);
	assert_int_equal(
	    check("000000030000000100000005", 16 << 20), FAULT_FOREIGN);
	assert_int_equal(
	    check("000000030000000200000100", 16 << 20), FAULT_FOREIGN);
	assert_int_equal(
	    check("000000030000000200000005", 1 << 20), FAULT_FOREIGN);
	assert_int_equal(
	    check("000000030000000200000005", (16 << 20) - 1), FAULT_FOREIGN);
	assert_int_equal(check("00000003.history", 16 << 20), FAULT_FOREIGN);
}

static void
the_crc_is_crc32c(void **state)
{
	/* RFC 3720, B.4 */
	unsigned char b[32];

	(void)state;
	memset(b, 0, sizeof(b));
	assert_int_equal(wal_crc32c(0, b, sizeof(b)), 0x8A9136AA);
	memset(b, 0xFF, sizeof(b));
	assert_int_equal(wal_crc32c(0, b, sizeof(b)), 0x62A8AB43);
	for (unsigned char i = 0; i < 32; i++)
		b[i] = i;
	assert_int_equal(wal_crc32c(0, b, sizeof(b)), 0x46DD794E);
	assert_int_equal(wal_crc32c(0, "123456789", 9), 0xE3069283);
	assert_int_equal(wal_crc32c_table(0, "123456789", 9), 0xE3069283);
	assert_int_equal(wal_crc32c(0, b, 0), 0);
}

static void
the_processor_and_the_tables_agree(void **state)
{
	unsigned char b[3000];
	uint32_t x = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(b); i++) {
		x = x * 1664525 + 1013904223;
		b[i] = (unsigned char)(x >> 24);
	}
	for (size_t n = 0; n < 2900; n++) {
		size_t cut = n * 7 / 11;
		uint32_t want = wal_crc32c_table(0, b + n % 9, n);

		assert_int_equal(wal_crc32c(0, b + n % 9, n), want);
		assert_int_equal(wal_crc32c(wal_crc32c(0, b + n % 9, cut),
				     b + n % 9 + cut, n - cut),
		    want);
	}
}

static void
the_crc_of_a_whole_is_the_sum_of_its_stretches(void **state)
{
	static unsigned char b[70000];
	static const size_t cuts[][4] = {{0, 0, 0, 0}, {1, 2, 3, 69999},
	    {8192, 16384, 65536, 65536}, {70000, 70000, 70000, 70000},
	    {17, 4711, 30000, 69000}};
	uint32_t x = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(b); i++) {
		x = x * 1664525 + 1013904223;
		b[i] = (unsigned char)(x >> 24);
	}
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		size_t end = sizeof(b);
		uint32_t sum = 0;

		/* from the last to the first */
		for (int k = 4; k >= 0; k--) {
			size_t begin = k > 0 ? cuts[i][k - 1] : 0;

			sum ^= wal_crc32c_shift(
			    wal_crc32c(0, b + begin, end - begin),
			    sizeof(b) - end);
			end = begin;
		}
		assert_int_equal(sum, wal_crc32c(0, b, sizeof(b)));
	}
	/* more bytes than 32 bits count: x^(2^35) twice is x^(2^36) */
	assert_int_equal(
	    wal_crc32c_shift(
		wal_crc32c_shift(1, UINT64_C(1) << 32), UINT64_C(1) << 32),
	    wal_crc32c_shift(1, UINT64_C(1) << 33));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_header_is_read),
	    cmocka_unit_test(what_is_no_header_is_refused),
	    cmocka_unit_test(magics_tell_the_version),
	    cmocka_unit_test(a_header_must_fit_its_name),
	    cmocka_unit_test(the_crc_is_crc32c),
	    cmocka_unit_test(the_processor_and_the_tables_agree),
	    cmocka_unit_test(the_crc_of_a_whole_is_the_sum_of_its_stretches),
	};

	return (cmocka_run_group_tests_name("wal", tests, NULL, NULL));
}
