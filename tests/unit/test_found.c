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

/* As the layers below put it. */
static void
an_object_is_named_once(void **state)
{
	static const struct {
		const char *object;
		const char *problem;
		const char *told;
	} rows[] = {
	    {"c/1/archive", "file:///r: c/1/archive: archive: is cut off",
		"is cut off"},
	    {"c/1/base/ID/head",
		"backup ID: s3://b: c/1/base/ID/head: ID/head: is cut: off",
		"is cut: off"},
	    {"c/1/base/ID/head", "backup ID: backup head: there is no \"id\"",
		"there is no \"id\""},
	    {"c/1/base/ID/manifest", "manifest: \"a\" is no path",
		"\"a\" is no path"},
	    {"c/1/wal/1/2/3", "3: is cut off", "is cut off"},
	    {"c/1/wal/1/2/23", "3: is cut off", "3: is cut off"},
	    {"c/1/base/ID/head", "backup OTHER: is there",
		"backup OTHER: is there"},
	    {"c", "is missing", "is missing"},
	    {"c", "", ""},
	};
	struct fault f = FAULT_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(found_add(&v, i % 2 == 0, rows[i].object,
				     rows[i].problem, &f, "row %zu", i),
		    0);
		assert_string_equal(v.findings[i].problem, rows[i].told);
	}
	assert_int_equal(found_hurting(&v), v.n_findings / 2 + 1);
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
		an_object_is_named_once, setup, end),
	    cmocka_unit_test_setup_teardown(
		what_is_not_listed_hurts_on, setup, end),
	};

	return cmocka_run_group_tests_name("found", tests, NULL, NULL);
}
