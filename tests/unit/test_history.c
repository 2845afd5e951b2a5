#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "history.h"

static int
parse(struct history *h, uint32_t timeline, const char *text)
{
	struct fault f = FAULT_INIT;

	return (history_parse(
	    h, timeline, text, text == NULL ? 0 : strlen(text), &f));
}

static void
ancestors_are_read_as_postgresql_writes_them(void **state)
{
	struct history h;

	(void)state;
	assert_int_equal(parse(&h, 4,
			     "1\t0/1315CA58\tno recovery target specified\n\n"
			     "# a comment\n"
			     "  2 \t 1/A0 at restore point \"x\"\n"
			     "3\t1/ff"),
	    0);
	assert_int_equal(h.n, 4);
	assert_int_equal(h.entry[0].timeline, 1);
	assert_int_equal(h.entry[0].begin, 0);
	assert_int_equal(h.entry[0].end, 0x1315CA58);
	assert_int_equal(h.entry[1].begin, 0x1315CA58);
	assert_int_equal(h.entry[1].end, 0x1000000A0);
	assert_int_equal(h.entry[2].end, 0x1000000FF);
	assert_int_equal(h.entry[3].timeline, 4);
	assert_int_equal(h.entry[3].begin, 0x1000000FF);
	assert_true(h.entry[3].end == UINT64_MAX);
	history_free(&h);
}

static void
without_a_file_there_are_no_ancestors(void **state)
{
	struct history h;

	(void)state;
	assert_int_equal(parse(&h, 1, NULL), 0);
	assert_int_equal(h.n, 1);
	assert_int_equal(history_timeline_at(&h, 12345), 1);
	assert_true(history_reaches(&h, 1, 12345));
	assert_false(history_reaches(&h, 2, 12345));
	history_free(&h);
	history_free(&h);
}

static void
a_position_belongs_to_one_timeline(void **state)
{
	struct history h;

	(void)state;
	assert_int_equal(parse(&h, 5, "1\t0/100\tx\n3\t0/200\tx\n"), 0);
	assert_int_equal(history_timeline_at(&h, 0), 1);
	assert_int_equal(history_timeline_at(&h, 0xFF), 1);
	assert_int_equal(history_timeline_at(&h, 0x100), 3);
	assert_int_equal(history_timeline_at(&h, 0x1FF), 3);
	assert_int_equal(history_timeline_at(&h, 0x200), 5);
	assert_true(history_reaches(&h, 1, 0xFF));
	assert_true(history_reaches(&h, 1, 0x100));
	assert_false(history_reaches(&h, 1, 0x101));
	assert_true(history_reaches(&h, 3, 0x150));
	assert_false(history_reaches(&h, 3, 0xFF));
	assert_false(history_reaches(&h, 2, 0x50));
	assert_false(history_reaches(&h, 4, 0x150));
	assert_true(history_reaches(&h, 5, UINT64_MAX));
	history_free(&h);
}

/* Recovery along timeline 2, stopped before 2 began: seen with 15. */
static void
a_branch_may_lie_before_its_parents(void **state)
{
	struct history h;

	(void)state;
	assert_int_equal(parse(&h, 3, "1\t0/500\tx\n2\t0/300\tx\n"), 0);
	assert_int_equal(history_timeline_at(&h, 0x2FF), 1);
	assert_int_equal(history_timeline_at(&h, 0x300), 3);
	assert_int_equal(history_timeline_at(&h, 0x400), 3);
	assert_int_equal(history_timeline_at(&h, 0x600), 3);
	assert_true(history_reaches(&h, 1, 0x300));
	assert_false(history_reaches(&h, 1, 0x301));
	assert_false(history_reaches(&h, 2, 0x600));
	history_free(&h);
}

static void
malformed_lines_are_corrupt(void **state)
{
	static const char *const bad[] = {
	    "x\t0/100\n",
	    "1\n",
	    "1\t\n",
	    "1\t100\n",
	    "1\t0/\n",
	    "1\t/100\n",
	    "1\t0/100000000\n",
	    "1\t100000000/0\n",
	    "1\t0/10x\n",
	    "4294967296\t0/100\n",
	    "0\t0/100\n",
	    "-1\t0/100\n",
	    "2\t0/100\n1\t0/200\n",
	    "2\t0/100\n2\t0/200\n",
	    "5\t0/100\n",
	    "6\t0/100\n",
	    "1.\t0/100\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct history h = {NULL, 7};

		if (parse(&h, 5, bad[i]) != FAULT_CORRUPT)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(h.n, 7);
	}
}

static void
there_is_a_limit(void **state)
{
	char *text = malloc(40 * (HISTORY_MAX + 1)), *end = text;
	struct history h;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 1; i <= HISTORY_MAX; i++)
		end += sprintf(end, "%u\t0/%X\tx\n", i, i);
	assert_int_equal(parse(&h, 5000, text), 0);
	assert_int_equal(h.n, HISTORY_MAX + 1);
	history_free(&h);
	sprintf(end, "%u\t1/0\tx\n", HISTORY_MAX + 1);
	assert_int_equal(parse(&h, 5000, text), FAULT_CORRUPT);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ancestors_are_read_as_postgresql_writes_them),
	    cmocka_unit_test(without_a_file_there_are_no_ancestors),
	    cmocka_unit_test(a_position_belongs_to_one_timeline),
	    cmocka_unit_test(a_branch_may_lie_before_its_parents),
	    cmocka_unit_test(malformed_lines_are_corrupt),
	    cmocka_unit_test(there_is_a_limit),
	};

	return (cmocka_run_group_tests_name("history", tests, NULL, NULL));
}
