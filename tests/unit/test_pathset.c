#include "unit.h"

#include <stdio.h>

#include "manifest.h"
#include "pathset.h"

static void
what_was_added_is_there_and_nothing_else(void **state)
{
	struct fault f = FAULT_INIT;
	struct pathset *s;
	char path[64];

	(void)state;
	assert_int_equal(pathset_new(&s, 100000, &f), 0);
	for (int k = 0; k < 100000; k++) {
		snprintf(path, sizeof path, "base/%d/%d", k % 7, k);
		assert_int_equal(pathset_add(s, path, &f), 0);
	}
	for (int k = 0; k < 200000; k++) {
		snprintf(path, sizeof path, "base/%d/%d", k % 7, k);
		assert_int_equal(pathset_has(s, path), k < 100000);
	}
	assert_false(pathset_has(s, "base"));
	assert_false(pathset_has(s, ""));
	pathset_free(s);
}

static void
what_comes_twice_takes_no_room(void **state)
{
	struct fault f = FAULT_INIT;
	struct pathset *s;

	(void)state;
	assert_int_equal(pathset_new(&s, 2, &f), 0);
	for (int k = 0; k < 100; k++)
		assert_int_equal(pathset_add(s, k % 2 ? "a" : "b", &f), 0);
	assert_int_equal(pathset_add(s, "c", &f), FAULT_CORRUPT);
	assert_true(pathset_has(s, "a"));
	assert_false(pathset_has(s, "c"));
	pathset_free(s);
}

static void
the_longest_paths_are_told_apart(void **state)
{
	char a[MANIFEST_PATH];
	char b[MANIFEST_PATH];
	struct fault f = FAULT_INIT;
	struct pathset *s;

	(void)state;
	memset(a, 'x', sizeof a);
	a[sizeof a - 1] = '\0';
	memcpy(b, a, sizeof b);
	b[sizeof b - 2] = 'y';
	assert_int_equal(pathset_new(&s, 1, &f), 0);
	assert_int_equal(pathset_add(s, a, &f), 0);
	assert_true(pathset_has(s, a));
	assert_false(pathset_has(s, b));
	pathset_free(s);
}

static void
more_than_memory_is_meant_for_is_refused(void **state)
{
	struct fault f = FAULT_INIT;
	struct pathset *s = NULL;

	(void)state;
	assert_int_equal(
	    pathset_new(&s, (uint64_t)PATHSET_MAX + 1, &f), FAULT_CONFIG);
	assert_int_equal(pathset_new(&s, UINT64_MAX, &f), FAULT_CONFIG);
	assert_null(s);
	pathset_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_added_is_there_and_nothing_else),
	    cmocka_unit_test(what_comes_twice_takes_no_room),
	    cmocka_unit_test(the_longest_paths_are_told_apart),
	    cmocka_unit_test(more_than_memory_is_meant_for_is_refused),
	};

	return cmocka_run_group_tests_name("pathset", tests, NULL, NULL);
}
