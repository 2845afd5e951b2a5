/* One line, made once, safe to print. */
#include "unit.h"

#include <errno.h>

#include "fault.h"

static void
set_returns_the_code_and_keeps_the_line(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(fault_set(&f, FAULT_KEY, "%s: %d", "a", 7), FAULT_KEY);
	assert_int_equal(f.code, FAULT_KEY);
	assert_string_equal(f.text, "a: 7");
	fault_clear(&f);
	assert_int_equal(f.code, FAULT_NONE);
	assert_string_equal(f.text, "");
}

static void
errno_is_told_in_words(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(fault_errno(&f, ENOSPC, "/x"), FAULT_SYSTEM);
	assert_false(fault_of_medium(&f));
	assert_string_equal(f.text, "/x: No space left on device");
}

static void
prefix_keeps_code_and_text(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	fault_set(&f, FAULT_CORRUPT, "bad tag");
	assert_int_equal(fault_prefix(&f, "chunk %d", 3), FAULT_CORRUPT);
	assert_string_equal(f.text, "chunk 3: bad tag");
	assert_int_equal(fault_recode(&f, FAULT_FOREIGN), FAULT_FOREIGN);
	assert_string_equal(f.text, "chunk 3: bad tag");
}

static void
a_line_may_be_made_from_itself(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	fault_set(&f, FAULT_SYSTEM, "inner");
	fault_set(&f, FAULT_SYSTEM, "outer (%s)", f.text);
	assert_string_equal(f.text, "outer (inner)");
	fault_prefix(&f, "%s", f.text);
	assert_string_equal(f.text, "outer (inner): outer (inner)");
}

static void
no_control_character_reaches_a_terminal(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	fault_set(&f, FAULT_SYSTEM,
	    "a\nb\x1b[31m\x7f\xc2\x9b"
	    "c");
	assert_string_equal(f.text, "a?b?[31m???c");
}

static void
a_long_line_ends_in_dots(void **state)
{
	struct fault f = FAULT_INIT;
	char big[2000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	fault_set(&f, FAULT_SYSTEM, "%s", big);
	assert_int_equal(strlen(f.text), sizeof(f.text) - 1);
	assert_string_equal(f.text + sizeof(f.text) - 5, "x...");
	fault_prefix(&f, "head");
	assert_memory_equal(f.text, "head: xxx", 9);
	assert_string_equal(f.text + sizeof(f.text) - 5, "x...");
}

static void
a_disk_that_gives_nothing_back(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	fault_errno(&f, EIO, "/x");
	fault_prefix(&f, "pack");
	assert_true(fault_of_medium(&f));
	fault_recode(&f, FAULT_CORRUPT);
	assert_false(fault_of_medium(&f));
	fault_nomem(&f);
	assert_false(fault_of_medium(&f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_disk_that_gives_nothing_back),
	    cmocka_unit_test(set_returns_the_code_and_keeps_the_line),
	    cmocka_unit_test(errno_is_told_in_words),
	    cmocka_unit_test(prefix_keeps_code_and_text),
	    cmocka_unit_test(a_line_may_be_made_from_itself),
	    cmocka_unit_test(no_control_character_reaches_a_terminal),
	    cmocka_unit_test(a_long_line_ends_in_dots),
	};

	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
