/* A moment means the same to us and to PostgreSQL. */
#include "unit.h"

#include "clock.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BASE 1795333981LL /* 2026-11-22 07:53:01+00, by date(1) */

static struct fault f;

static void
both_forms_and_all_zones_are_read(void **state)
{
	static const struct {
		const char *s;
		int64_t us;
		bool assumed;
	} t[] = {
	    {"2026-11-22T07:53:01.25Z", BASE * 1000000 + 250000, false},
	    {"2026-11-22 07:53:01.25+00", BASE * 1000000 + 250000, false},
	    {"2026-11-22 08:53:01+01", BASE * 1000000, false},
	    {"2026-11-22T08:53:01+01:00", BASE * 1000000, false},
	    {"2026-11-22T08:53:01+0100", BASE * 1000000, false},
	    {"2026-11-22 02:23:01-0530", BASE * 1000000, false},
	    {"2026-11-22 08:00:29+00:07:28", BASE * 1000000, false},
	    {"2026-11-22 07:53:01 UTC", BASE * 1000000, false},
	    {"2026-11-22 07:53:01", BASE * 1000000, true},
	    {"2026-11-22 07:53", BASE * 1000000 - 1000000, true},
	    {"20261122T075301Z", BASE * 1000000, false},
	    {"2026-11-22 07:52:60+00", BASE * 1000000 - 1000000, false},
	    {"2026-11-22 07:53:01.123456000Z", BASE * 1000000 + 123456, false},
	    {"1970-01-01 00:00:00Z", 0, false},
	    {"1969-12-31 23:59:59.999999Z", -1, false},
	    {"2024-02-29 00:00:00Z", 1709164800LL * 1000000, false},
	    {"2000-02-29 00:00:00Z", 951782400LL * 1000000, false},
	};
	int64_t us;
	bool assumed;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		us = 7;
		assumed = !t[i].assumed;
		assert_int_equal(clock_parse(t[i].s, &us, &assumed, &f), 0);
		assert_true(us == t[i].us);
		assert_int_equal(assumed, t[i].assumed);
		assert_int_equal(clock_parse(t[i].s, &us, NULL, &f), 0);
	}
}

static void
what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {"", "now", "2026-11-22",
	    "2026-11-22 ", "2026-11-22T07", "2026-13-01 00:00:00",
	    "2026-00-01 00:00:00", "2026-02-29 00:00:00", "1900-02-29 00:00:00",
	    "2026-04-31 00:00:00", "2026-11-00 00:00:00", "0000-01-01 00:00:00",
	    "2026-11-22 24:00:00", "2026-11-22 07:60:00", "2026-11-22 07:53:61",
	    "2026-11-22 07:53:01.", "2026-11-22 07:53:01.1234567",
	    "2026-11-22 07:53:01+1", "2026-11-22 07:53:01+16",
	    "2026-11-22 07:53:01+01:60", "2026-11-22 07:53:01ZZ",
	    "2026-11-22 07:53:01 Z", "2026-11-22 07:53:01 CET",
	    " 2026-11-22 07:53:01", "2026-1-22 07:53:01", "20261122 075301",
	    "202611-22T07:53:01", "1795333981", "2026-11-22 07:53:01\n"};
	int64_t us = 7;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(
		    clock_parse(bad[i], &us, NULL, &f), FAULT_CONFIG);
	assert_true(us == 7);
}

static void
what_is_written_is_read_back(void **state)
{
	static const int64_t t[] = {0, 1, -1, BASE * 1000000 + 250000,
	    -62135596800LL * 1000000, 253402300799LL * 1000000 + 999999};
	char s[CLOCK_TEXT_SIZE];
	int64_t us;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		clock_format(t[i], s);
		assert_int_equal(clock_parse(s, &us, NULL, &f), 0);
		assert_true(us == t[i]);
	}
	clock_format(t[3], s);
	assert_string_equal(s, "2026-11-22 07:53:01.250000+00");
	clock_format_iso(t[3], s);
	assert_string_equal(s, "2026-11-22T07:53:01.250Z");
	clock_format_compact(t[3], s);
	assert_string_equal(s, "20261122T075301Z");
}

static void
extreme_moments_do_not_overflow(void **state)
{
	char s[CLOCK_TEXT_SIZE];

	(void)state;
	clock_format(CLOCK_NONE, s);
	assert_string_equal(s, "none");
	clock_format(INT64_MIN + 1, s);
	assert_string_equal(s, "-290308-12-21 19:59:05.224193+00");
	clock_format(INT64_MAX, s);
	assert_string_equal(s, "294247-01-10 04:00:54.775807+00");
	clock_format_compact(INT64_MAX, s);
	assert_string_equal(s, "99991231T235959Z");
	clock_format_compact(CLOCK_NONE, s);
	assert_string_equal(s, "00000101T000000Z");
}

static void
http_dates_are_those_of_rfc_9110(void **state)
{
	static const char *const bad[] = {"", "Sun, 22 Nov 2026 07:53:01",
	    "Sun, 22 Nov 2026 07:53:01 CET", "Sun, 31 Nov 2026 07:53:01 GMT",
	    "Sun, 2 Nov 2026 07:53:01 GMT", "Sunday, 22-Nov-26 07:53:01 GMT",
	    "Sun, 22 nov 2026 07:53:01 GMT", "22 Nov 2026 07:53:01 GMT"};
	int64_t us = 7;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(clock_parse_http(bad[i], &us), -1);
	assert_true(us == 7);
	assert_int_equal(
	    clock_parse_http("Sun, 22 Nov 2026 07:53:01 GMT", &us), 0);
	assert_true(us == BASE * 1000000);
}

static void
pauses_grow_and_keep_the_deadline(void **state)
{
	struct deadline d = deadline_never();
	int64_t p;

	(void)state;
	assert_true(deadline_left_ms(&d) == INT64_MAX);
	assert_int_equal(deadline_pause_ms(&d, 1, 0), 50);
	assert_int_equal(deadline_pause_ms(&d, 1, 50), 100);
	assert_int_equal(deadline_pause_ms(&d, 2, 0), 100);
	assert_int_equal(deadline_pause_ms(&d, 1000000, 2500), 5000);
	assert_true(deadline_pause_ms(&d, 7, UINT32_MAX) <= 5000);
	d = deadline_in_ms(30);
	p = deadline_pause_ms(&d, 9, 0);
	assert_true(p <= 30);
	clock_sleep_ms(31);
	assert_true(deadline_passed(&d));
	assert_int_equal(deadline_pause_ms(&d, 1, 0), 0);
	d = deadline_in_ms(INT64_MAX);
	assert_false(deadline_passed(&d));
	d = deadline_in_ms(-5);
	assert_true(deadline_passed(&d));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_forms_and_all_zones_are_read),
	    cmocka_unit_test(what_is_no_time_is_refused),
	    cmocka_unit_test(what_is_written_is_read_back),
	    cmocka_unit_test(extreme_moments_do_not_overflow),
	    cmocka_unit_test(http_dates_are_those_of_rfc_9110),
	    cmocka_unit_test(pauses_grow_and_keep_the_deadline),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
