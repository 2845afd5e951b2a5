/* The findings of a verification. */
#include "unit.h"

#include <stdio.h>

#include "../../cmd/repo-verify/found.c"

static struct verify v;

static void
add(bool hurts, unsigned n, const char *meaning)
{
	struct fault f = FAULT_INIT;
	char object[32];

	snprintf(object, sizeof object, "object %u", n);
	assert_int_equal(
	    found_add(&v, hurts, object, "is missing", &f, "%s", meaning), 0);
}

static int
setup(void **state)
{
	(void)state;
	memset(&v, 0, sizeof v);
	pthread_mutex_init(&v.lock, NULL);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	found_free(&v);
	pthread_mutex_destroy(&v.lock);
	return 0;
}

static void
what_a_pruned_backup_lost_hurts_no_more(void **state)
{
	(void)state;
	add(true, 1, "backup X cannot be restored");
	add(true, 1, "backup X cannot be restored");
	add(true, 2, "backup Y cannot be restored");
	assert_int_equal(v.n_findings, 2);
	found_forget(&v, "X");
	assert_int_equal(v.n_findings, 1);
	assert_true(v.hurt);
	found_forget(&v, "Y");
	assert_int_equal(v.n_findings, 0);
	assert_false(v.hurt);
}

static void
what_is_not_listed_hurts_on(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FINDINGS_MAX; i++)
		add(false, i, "backup X");
	assert_false(v.hurt);
	add(true, FINDINGS_MAX, "no moment after this one can be reached");
	assert_int_equal(v.n_findings, FINDINGS_MAX);
	assert_int_equal(v.more, 1);
	found_forget(&v, "X");
	assert_int_equal(v.n_findings, 0);
	assert_true(v.hurt);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_a_pruned_backup_lost_hurts_no_more, setup, end),
	    cmocka_unit_test_setup_teardown(
		what_is_not_listed_hurts_on, setup, end),
	};

	return cmocka_run_group_tests_name("found", tests, NULL, NULL);
}
