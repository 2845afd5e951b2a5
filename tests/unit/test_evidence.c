/* Reports of a verification, as the next one reads them. */
#include "unit.h"

#include "evidence.h"

#define ID "20261122T020000Z-1a2b3c4d"
#define SUM "abababababababababababababababababababababababababababababababab"
#define MARK(first, last)                                                      \
	"{\"timeline\":1,\"log\":0,\"first\":" first ",\"last\":" last         \
	",\"files\":9,\"sum\":\"" SUM "\",\"read_us\":7}"
#define REPORT(id, wal, backups)                                               \
	"{\"format\":1,\"id\":\"" id "\",\"read\":{\"wal\":[" wal              \
	"],\"backups\":[" backups "]}}"
/* With what it hands on. */
#define PAST(members)                                                          \
	"{\"format\":1,\"id\":\"" ID "\",\"read\":{\"wal\":[],"                \
	"\"backups\":[]}," members "}"
#define PRUNE(at, from) "{\"at_us\":" at ",\"wal_window_from_us\":" from "}"
#define TAIL(last, at) "{\"last\":" last ",\"archived_us\":" at "}"
#define BACKUP(id, sum)                                                        \
	"{\"id\":\"" id "\",\"objects\":3,\"sum\":\"" sum "\",\"read_us\":7}"

static void
a_report_tells_what_was_read(void **state)
{
	static const char good[] =
	    REPORT(ID, MARK("3", "9") "," MARK("64", "127"),
		BACKUP("20261122T010000Z-full-1a2b3c4d", SUM));
	struct evidence e;
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(evidence_decode(good, strlen(good), ID, &e, &f), 0);
	assert_int_equal(e.n_wal, 2);
	assert_int_equal(e.wal[1].first, 64);
	assert_non_null(evidence_find(&e, "20261122T010000Z-full-1a2b3c4d"));
	assert_null(evidence_find(&e, "20261122T010000Z-full-1a2b3c4e"));
	evidence_free(&e);
}

static void
a_report_hands_on_prunings_and_tails(void **state)
{
	static const char past[] = PAST("\"prunings\":[" PRUNE(
	    "5", "6") "," PRUNE("7",
	    "8") "],"
		 "\"tails\":[" TAIL("\"0000000300000002000000F1\"", "9") "]");
	struct evidence_prune *prunes;
	struct evidence_tail *tails;
	size_t n;
	struct evidence e;
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(evidence_decode(past, strlen(past), ID, &e, &f), 0);
	assert_int_equal(evidence_past_prunes(e.all, &prunes, &n, &f), 0);
	assert_int_equal(n, 2);
	assert_int_equal(prunes[1].floor_us, 8);
	free(prunes);
	assert_int_equal(evidence_past_tails(e.all, &tails, &n, &f), 0);
	assert_int_equal(n, 1);
	assert_int_equal(tails[0].name.timeline, 3);
	assert_int_equal(tails[0].name.seg, 0xf1);
	assert_int_equal(tails[0].archived_us, 9);
	free(tails);
	evidence_free(&e);
}

static void
what_breaks_a_rule_of_the_format_is_corrupt(void **state)
{
	static const char *const bad[] = {
	    "",
	    "{}",
	    "[]",
	    REPORT("20261122T020000Z-1a2b3c4e", "", ""),
	    REPORT(ID, MARK("64", "70") "," MARK("3", "9"), ""),
	    REPORT(ID, MARK("3", "9") "," MARK("10", "11"), ""),
	    REPORT(ID, MARK("9", "3"), ""),
	    REPORT(ID, MARK("-1", "3"), ""),
	    REPORT(ID, MARK("4294967296", "4294967297"), ""),
	    REPORT(ID, "", BACKUP("../x", SUM)),
	    REPORT(ID, "", BACKUP("20261122T010000Z-full-1a2b3c4d", "ab")),
	    PAST("\"prunings\":{}"),
	    PAST("\"prunings\":[1]"),
	    PAST("\"prunings\":[" PRUNE("1", "-1") "]"),
	    PAST("\"prunings\":[" PRUNE("7258118400000001", "1") "]"),
	    PAST("\"prunings\":[" PRUNE("1", "1") "," PRUNE("\"1\"", "1") "]"),
	    PAST("\"tails\":7"),
	    PAST("\"tails\":[[]]"),
	    PAST("\"tails\":[" TAIL("1", "1") "]"),
	    PAST("\"tails\":[" TAIL("\"../x\"", "1") "]"),
	    PAST("\"tails\":[" TAIL("\"00000002.history\"", "1") "]"),
	    PAST("\"tails\":[" TAIL(
		"\"000000010000000000000001\"", "\"x\"") "]"),
	};
	struct evidence e;
	struct fault f = FAULT_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (evidence_decode(bad[i], strlen(bad[i]), ID, &e, &f) !=
		    FAULT_CORRUPT)
			fail_msg("%s", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_report_tells_what_was_read),
	    cmocka_unit_test(a_report_hands_on_prunings_and_tails),
	    cmocka_unit_test(what_breaks_a_rule_of_the_format_is_corrupt),
	};

	return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
