#include "unit.h"

#include "page.h"

#define SIZE 8192U

/* Pages of a PostgreSQL 15 with checksums: where the bytes stand that are not
 * zero. */
struct run {
	size_t at;
	const char *hex;
};

struct real {
	uint32_t block;
	struct run runs[12];
};

static const struct real reals[] = {
    /* a visibility map */
    {0, {{4, "30006c0111e800001800002000200420"}, {24, "03"}}},
    /* the root of a B-tree */
    {1, {{4, "c0f0460112b200001c00e01ff01f0420"}, {24, "e09f20"},
	    {8164, "01001000f734"}, {8188, "03"}}},
    /* a free space map */
    {2, {{4, "f0087301b96100001800002000200420"}, {28, "e4e400e4000000e4"},
	    {43, "e4"}, {59, "e4"}, {91, "e4"}, {155, "e4"}, {283, "e4"},
	    {539, "e4"}, {1051, "e4"}, {2075, "e4"}, {4123, "e4"}}},
    {3, {{4, "40fe3301397100002000d81ff01f0420"}, {24, "e89f1000d89f20"},
	    {8154, "0200010010208f2f"}, {8170, "010000000820"},
	    {8184, "0100000002"}}},
};
#define N_REALS (sizeof reals / sizeof reals[0])

static void
make(const struct real *r, unsigned char page[SIZE])
{
	memset(page, 0, SIZE);
	for (const struct run *p = r->runs; p->hex != NULL; p++)
		(void)unit_hex(p->hex, page + p->at);
}

static void
pages_of_a_server_are_good(void **state)
{
	unsigned char page[SIZE];

	(void)state;
	for (size_t i = 0; i < N_REALS; i++) {
		make(&reals[i], page);
		assert_int_equal(
		    page_check(page, SIZE, reals[i].block), PAGE_GOOD);
	}
	make(&reals[0], page);
	assert_int_equal(page_checksum(page, SIZE, 0), 0xE811);
	assert_true(page_lsn(page) == UINT64_C(0x016C0030));
}

static void
any_byte_counts_and_so_does_the_block(void **state)
{
	unsigned char page[SIZE];

	(void)state;
	for (size_t i = 0; i < N_REALS; i++) {
		make(&reals[i], page);
		for (size_t at = 0; at < SIZE; at++) {
			page[at] ^= 1;
			assert_int_equal(
			    page_check(page, SIZE, reals[i].block), PAGE_BAD);
			page[at] ^= 1;
		}
		assert_int_equal(
		    page_check(page, SIZE, reals[i].block + 1), PAGE_BAD);
		assert_int_equal(
		    page_check(page, SIZE, reals[i].block + 131072), PAGE_BAD);
	}
}

static void
zeros_are_a_page_that_is_not_used_yet(void **state)
{
	unsigned char page[SIZE] = {0};

	(void)state;
	assert_int_equal(page_check(page, SIZE, 7), PAGE_EMPTY);
	for (size_t at = 0; at < SIZE; at += 13) {
		page[at] = 1;
		assert_int_equal(page_check(page, SIZE, 7), PAGE_BAD);
		page[at] = 0;
	}
}

/* The half of a page that a disk or a reader got, over the other half. */
static void
a_torn_page_is_bad(void **state)
{
	unsigned char page[SIZE], other[SIZE];

	(void)state;
	make(&reals[1], page);
	make(&reals[3], other);
	memcpy(page + SIZE / 2, other + SIZE / 2, SIZE / 2);
	assert_int_equal(page_check(page, SIZE, 1), PAGE_BAD);
}

static void
other_page_sizes_have_their_own_sums(void **state)
{
	unsigned char page[PAGE_MAX] = {0};

	(void)state;
	for (size_t size = 512; size <= PAGE_MAX; size *= 2) {
		uint16_t sum;

		page[14] = 1; /* pd_upper */
		page[size - 1] = 0x5A;
		sum = page_checksum(page, size, 3);
		page[8] = (unsigned char)sum;
		page[9] = (unsigned char)(sum >> 8);
		assert_int_equal(page_check(page, size, 3), PAGE_GOOD);
		assert_int_equal(page_check(page, size / 2, 3), PAGE_BAD);
		memset(page, 0, sizeof page);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pages_of_a_server_are_good),
	    cmocka_unit_test(any_byte_counts_and_so_does_the_block),
	    cmocka_unit_test(zeros_are_a_page_that_is_not_used_yet),
	    cmocka_unit_test(a_torn_page_is_bad),
	    cmocka_unit_test(other_page_sizes_have_their_own_sums),
	};

	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
