#include "unit.h"

#include <stdio.h>

#include "distinct.h"
#include "manifest.h"

static const char *
meet_as(struct distinct *d, const char *path, bool folder)
{
	struct fault f = FAULT_INIT;
	const char *why = "";

	assert_int_equal(distinct_meet(d, path, folder, &why, &f), 0);
	return why;
}

static bool
meet(struct distinct *d, const char *path)
{
	const char *why = meet_as(d, path, false);

	if (why != NULL)
		assert_string_equal(why, "is listed twice");
	return why != NULL;
}

static bool
meet_number(struct distinct *d, uint32_t k)
{
	char path[64];

	snprintf(path, sizeof path, "base/%u/%u", k % 7, k);
	return meet(d, path);
}

/* As many as are promised, through all the tables on the way: of the paths, 8
 * are the folders that they are in, and one the empty path. */
static void
what_comes_twice_is_seen_and_nothing_else(void **state)
{
	struct fault f = FAULT_INIT;
	struct distinct *d;

	(void)state;
	assert_int_equal(distinct_new(&d, &f), 0);
	for (uint32_t k = 0; k < DISTINCT_SURE - 9; k++)
		if (meet_number(d, k))
			fail_msg("%u has not come before", k);
	for (uint32_t k = 0; k < DISTINCT_SURE - 9; k++)
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

/* In whatever order they come; a folder may come twice. */
static void
paths_that_are_no_one_tree_are_seen(void **state)
{
	static const struct {
		const char *path;
		bool folder;
		const char *why;
	} rows[] = {
	    {"a", true, NULL},
	    {"a/b", false, NULL},
	    {"a", true, NULL},
	    {"a/b", true, "is a file and a folder"},
	    {"a/b/c", false, "lies below a file"},
	    {"a/b/c/d", true, "lies below a file"},
	    {"a/bc", false, NULL},
	    {"a/bc", false, "is listed twice"},
	    {"a", false, "is a file and a folder"},
	    {"e/f/g", false, NULL},
	    {"e/f", false, "is a file and a folder"},
	    {"e", false, "is a file and a folder"},
	    {"e", true, NULL},
	    {"e/f/g/h", false, "lies below a file"},
	    {"e/f/i", false, NULL},
	    {"e/f/i/j/k/l", false, "lies below a file"},
	    {"ef", false, NULL},
	    {"e/fg", false, NULL},
	};
	struct fault f = FAULT_INIT;
	struct distinct *d;

	(void)state;
	assert_int_equal(distinct_new(&d, &f), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *why = meet_as(d, rows[i].path, rows[i].folder);

		if (rows[i].why == NULL)
			assert_null(why);
		else
			assert_string_equal(why, rows[i].why);
	}
	distinct_free(d);
}

/* The tables that grow keep which is which. */
static void
files_and_folders_are_told_apart_among_many(void **state)
{
	struct fault f = FAULT_INIT;
	struct distinct *d;
	char path[64];

	(void)state;
	assert_int_equal(distinct_new(&d, &f), 0);
	for (uint32_t k = 0; k < 100000; k++) {
		snprintf(path, sizeof path, "%u/%u", k, k);
		assert_null(meet_as(d, path, false));
	}
	for (uint32_t k = 0; k < 100000; k++) {
		snprintf(path, sizeof path, "%u", k);
		assert_null(meet_as(d, path, true));
		assert_non_null(meet_as(d, path, false));
		snprintf(path, sizeof path, "%u/%u", k, k);
		assert_non_null(meet_as(d, path, true));
		snprintf(path, sizeof path, "%u/%u/x", k, k);
		assert_non_null(meet_as(d, path, false));
	}
	distinct_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_comes_twice_is_seen_and_nothing_else),
	    cmocka_unit_test(of_more_a_part_is_seen_and_still_nothing_else),
	    cmocka_unit_test(the_longest_paths_are_told_apart),
	    cmocka_unit_test(paths_that_are_no_one_tree_are_seen),
	    cmocka_unit_test(files_and_folders_are_told_apart_among_many),
	};

	return cmocka_run_group_tests_name("distinct", tests, NULL, NULL);
}
