#include "unit.h"

#include <stdio.h>

#include "distinct.h"
#include "manifest.h"

static bool
meet(struct distinct *d, const char *path)
{
	struct fault f = FAULT_INIT;
	bool again = true;

	assert_int_equal(distinct_meet(d, path, &again, &f), 0);
	return again;
}

static bool
meet_number(struct distinct *d, uint32_t k)
{
	char path[64];

	snprintf(path, sizeof path, "base/%u/%u", k % 7, k);
	return meet(d, path);
}

/* As many as are promised, through all the tables on the way. */
static void
what_comes_twice_is_seen_and_nothing_else(void **state)
{
	struct fault f = FAULT_INIT;
	struct distinct *d;

	(void)state;
	assert_int_equal(distinct_new(&d, &f), 0);
	for (uint32_t k = 0; k < DISTINCT_SURE - 1; k++)
		if (meet_number(d, k))
			fail_msg("%u has not come before", k);
	for (uint32_t k = 0; k < DISTINCT_SURE - 1; k++)
		if (!meet_number(d, k))
			fail_msg("%u has come before", k);
	assert_false(meet(d, ""));
	assert_true(meet(d, ""));
	distinct_free(d);
}

/* Three times as many: a quarter is looked at in the end. */
static void
of_more_a_part_is_seen_and_still_nothing_else(void **state)
{
	const uint32_t n = 3 * DISTINCT_SURE;
	struct fault f = FAULT_INIT;
	struct distinct *d;
	uint32_t seen = 0;

	(void)state;
	assert_int_equal(distinct_new(&d, &f), 0);
	for (uint32_t k = 0; k < n; k++)
		if (meet_number(d, k))
			fail_msg("%u has not come before", k);
	for (uint32_t k = 0; k < n; k++)
		seen += meet_number(d, k);
	assert_in_range(seen, n / 4 - n / 50, n / 4 + n / 50);
	distinct_free(d);
}

static void
the_longest_paths_are_told_apart(void **state)
{
	char a[MANIFEST_PATH];
	struct fault f = FAULT_INIT;
	struct distinct *d;

	(void)state;
	memset(a, 'x', sizeof a);
	a[sizeof a - 1] = '\0';
	assert_int_equal(distinct_new(&d, &f), 0);
	assert_false(meet(d, a));
	a[sizeof a - 2] = 'y';
	assert_false(meet(d, a));
	a[0] = 'y';
	assert_false(meet(d, a));
	assert_true(meet(d, a));
	distinct_free(d);
	distinct_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_comes_twice_is_seen_and_nothing_else),
	    cmocka_unit_test(of_more_a_part_is_seen_and_still_nothing_else),
	    cmocka_unit_test(the_longest_paths_are_told_apart),
	};

	return cmocka_run_group_tests_name("distinct", tests, NULL, NULL);
}
