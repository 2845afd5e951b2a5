/* The way from a backup to a target. */
#include "way_world.h"

static void
latest_goes_to_the_first_absent_segment(void **state)
{
	struct fault f = FAULT_INIT;
	struct waypath w;

	(void)state;
	plain_archive(10, 30);
	assert_int_equal(ends(A, LATEST, 1, 30), 21);
	assert_int_equal(find(A, LATEST, &w, &f), 0);
	assert_true(w.target_seen);
	waypath_free(&w);
}

static void
a_hole_is_never_an_end(void **state)
{
	(void)state;
	plain_archive(10, 24);
	segment(1, 26, 0, NULL);
	fails(A, LATEST, FAULT_ABSENT, "000000010000000000000019");
	/* but a target before it is reached */
	ends(A, TIME(1800), 1, 18);
	/* and one behind it is not, with the hole named */
	fails(A, TIME(2600), FAULT_ABSENT, "000000010000000000000019");
}

static void
wal_of_another_server_is_never_a_way(void **state)
{
	(void)state;
	stray_from = 15;
	stray_to = 22;
	plain_archive(10, 30);
	fails(A, LATEST, FAULT_ABSENT,
	    "00000001000000000000000F does not go on where "
	    "00000001000000000000000E ends, as if");
	/* The backup behind it, and where its server's WAL ends. */
	fails(B, LATEST, FAULT_ABSENT, "000000010000000000000017 does not");
	ends(A, TIME(1400), 1, 14);
	ends(B, TIME(2200), 1, 22);
	fails(A, TIME(1500), FAULT_ABSENT, "00000001000000000000000F does not");
}

static void
a_time_needs_a_later_commit(void **state)
{
	(void)state;
	plain_archive(10, 30);
	/* At the commit itself: inclusive needs the next, exclusive not. */
	ends(A, TIME(1550), 1, 16);
	ends(A,
	    GOAL(.target = WAYPATH_TIME, .time_us = AT(1550),
		.exclusive = true),
	    1, 15);
	/* After the newest commit PostgreSQL would end with an error. */
	fails(A, TIME(3050), FAULT_CONFIG, "");
	/* Before the backup's end there is no consistent state. */
	fails(A, TIME(999), FAULT_CONFIG, "");
}

static void
an_lsn_needs_the_record_after_it(void **state)
{
	(void)state;
	plain_archive(10, 30);
	ends(A, LSN(14, 100), 1, 15);
	ends(A, LSN(30, 100), 1, 30);
	fails(A, LSN(31, 100), FAULT_CONFIG, "");
}

static void
immediate_needs_the_backups_own_wal_only(void **state)
{
	(void)state;
	plain_archive(11, 30);
	fails(A, IMMEDIATE, FAULT_ABSENT, "00000001000000000000000A");
	assert_int_equal(ends(B, IMMEDIATE, 1, 20), 1);
}

/* The incident of test_waychoice, asked for: to name the timeline makes it no
 * less wrong. */
static void
a_timeline_that_was_asked_for_must_have_begun(void **state)
{
	const struct waypath_goal *two =
	    GOAL(.target = WAYPATH_LATEST, .timeline = 2);
	struct fault f = FAULT_INIT;
	struct waypath w;

	(void)state;
	plain_archive(10, 26);
	history(2, FORK);
	fails(A, two, FAULT_ABSENT, "");
	/* The end of the backup is reached before the fork. */
	assert_int_equal(
	    find(A, GOAL(.target = WAYPATH_IMMEDIATE, .timeline = 2), &w, &f),
	    0);
	waypath_free(&w);
	segment(2, 25, 2580, NULL);
	ends(A, two, 2, 25);
}

/* What pushing and copying leave behind when a repository was away for a time:
 * each has a part, and together they are the archive. */
static void
wal_may_lie_in_any_repository(void **state)
{
	(void)state;
	backup(A, 1, 10, 1000);
	for (uint64_t k = 10; k <= 30; k++) {
		into = k % 3 == 0 || k > 25;
		segment(1, k, (int64_t)k * 100 + 50, NULL);
	}
	assert_int_equal(ends(A, LATEST, 1, 30), 21);
	/* What none has is a hole, wherever the next one lies. */
	for (into = 0; into < 2; into++) {
		segment(1, 32 + into, 0, NULL);
		fails(A, LATEST, FAULT_ABSENT, "00000001000000000000001F");
		fails(A, LATEST, FAULT_ABSENT, "000000010000000000000020");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(latest_goes_to_the_first_absent_segment),
	    TEST(a_hole_is_never_an_end),
	    TEST(wal_of_another_server_is_never_a_way),
	    TEST(a_time_needs_a_later_commit),
	    TEST(an_lsn_needs_the_record_after_it),
	    TEST(immediate_needs_the_backups_own_wal_only),
	    TEST(a_timeline_that_was_asked_for_must_have_begun),
	    TEST(wal_may_lie_in_any_repository),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
