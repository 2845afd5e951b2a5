/* What a verification draws, adds up and tells. */
#include <errno.h>
#include <stdlib.h>

#include "backupcheck.h"
#include "lottery.h"
#include "tiles.h"
#include "unit.h"

/* ---- lottery ---- */

static void
a_percentage_is_read_strictly(void **state)
{
	const struct {
		const char *text;
		uint32_t share; /* 0: wrong */
	} rows[] = {{"25", 2500}, {"100", 10000}, {"0.5", 50}, {"0.01", 1},
	    {"12.34", 1234}, {"1.5", 150}, {"0", 0}, {"0.00", 0}, {"101", 0},
	    {"100.01", 0}, {"", 0}, {"x", 0}, {"1.", 0}, {".5", 0},
	    {"1.234", 0}, {"-1", 0}, {"1 ", 0}, {"9999999999", 0},
	    {"1.2.3", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fault f = FAULT_INIT;
		uint32_t share = 0;
		int rc = lottery_percent(rows[i].text, &share, &f);

		if (rc != (rows[i].share == 0 ? FAULT_CONFIG : 0) ||
		    share != rows[i].share)
			fail_msg("\"%s\": %d, %u", rows[i].text, rc, share);
	}
}

static void
a_share_is_drawn_and_by_one_seed_the_same(void **state)
{
	struct lottery l = {.seed = 1, .share = 2500}, other = l, all = l;
	unsigned drawn = 0, differ = 0;

	(void)state;
	other.seed = 2;
	all.share = LOTTERY_ALL;
	for (uint32_t i = 0; i < 10000; i++) {
		bool a = lottery_draws(&l, "name", i);

		drawn += a;
		differ += a != lottery_draws(&other, "name", i);
		assert_int_equal(a, lottery_draws(&l, "name", i));
		assert_true(lottery_draws(&all, "name", i));
	}
	assert_in_range(drawn, 2200, 2800);
	assert_in_range(differ, 3000, 4500);
}

/* ---- tiles ---- */

struct piece {
	const char *path;
	uint64_t size;
	uint64_t offset;
	uint64_t length;
};

static bool
whole(const struct piece *p, size_t n)
{
	const unsigned char seed[16] = "0123456789abcde";
	struct tiles t;

	tiles_begin(&t, seed);
	for (size_t i = 0; i < n; i++)
		tiles_add(&t, p[i].path, p[i].size, p[i].offset, p[i].length);
	return tiles_whole(&t);
}

static void
only_pieces_that_cover_each_file_once_are_whole(void **state)
{
	const struct {
		bool whole;
		size_t n;
		struct piece p[5];
	} rows[] = {
	    {true, 0, {{0}}},
	    {true, 1, {{"a", 10, 0, 10}}},
	    {true, 4,
		{{"a", 10, 7, 3}, {"b", 5, 0, 5}, {"a", 10, 0, 4},
		    {"a", 10, 4, 3}}},
	    /* a hole, an overlap, the end missing, the beginning missing */
	    {false, 2, {{"a", 10, 0, 4}, {"a", 10, 5, 5}}},
	    {false, 2, {{"a", 10, 0, 6}, {"a", 10, 5, 5}}},
	    {false, 2, {{"a", 10, 0, 4}, {"a", 10, 4, 5}}},
	    {false, 1, {{"a", 10, 4, 6}}},
	    /* a hole and an overlap of one length: the totals are right */
	    {false, 4,
		{{"a", 10, 0, 5}, {"a", 10, 6, 4}, {"b", 10, 0, 6},
		    {"b", 10, 5, 5}}},
	    /* one piece twice, another not at all */
	    {false, 3, {{"a", 9, 0, 3}, {"a", 9, 3, 3}, {"a", 9, 3, 3}}},
	    /* pieces of one file that do not agree on its size */
	    {false, 2, {{"a", 10, 0, 5}, {"a", 11, 5, 5}}},
	    /* another file's */
	    {false, 2, {{"a", 10, 0, 5}, {"b", 10, 5, 5}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (whole(rows[i].p, rows[i].n) != rows[i].whole)
			fail_msg("row %zu", i);
}

/* ---- what is told ---- */

/* What tells of an object, and what of the host that reads it. */
static void
what_the_host_lacks_tells_nothing_of_the_object(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	fault_set(&f, FAULT_CORRUPT, "x");
	assert_true(backupcheck_tells(&f));
	fault_errno(&f, EIO, "x");
	assert_true(backupcheck_tells(&f));
	fault_errno(&f, EMFILE, "x");
	assert_false(backupcheck_tells(&f));
	fault_nomem(&f);
	assert_false(backupcheck_tells(&f));
	fault_set(&f, FAULT_AGAIN, "x");
	assert_false(backupcheck_tells(&f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_the_host_lacks_tells_nothing_of_the_object),
	    cmocka_unit_test(a_percentage_is_read_strictly),
	    cmocka_unit_test(a_share_is_drawn_and_by_one_seed_the_same),
	    cmocka_unit_test(only_pieces_that_cover_each_file_once_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
