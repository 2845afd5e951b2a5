/* What is known of a day's WAL, from the headers of its segments. */

#include "unit.h"
#include "waldays.h"

#define S INT64_C(1000000)
#define NOON (1795348800 * S)

static struct waldays_one
segment(uint32_t timeline, uint32_t log, uint32_t seg)
{
	return (struct waldays_one){
	    .timeline = timeline, .log = log, .seg = seg, .stored = 10};
}

/* Archived then, with commits so many seconds before. */
static struct walmeta
meta(int64_t pushed_us, int64_t first_s, int64_t last_s)
{
	static struct walmeta m;

	memset(&m, 0, sizeof m);
	m.size = 100;
	m.pushed_us = pushed_us;
	m.summary.first_commit_us =
	    first_s < 0 ? CLOCK_NONE : pushed_us - first_s * S;
	m.summary.last_commit_us =
	    last_s < 0 ? CLOCK_NONE : pushed_us - last_s * S;
	return m;
}

static void
tells(struct walmeta *m, const struct waldays_one *x, int64_t durable_us,
    uint32_t ms, uint16_t flags, uint8_t asked, uint32_t held)
{
	m->pushes[m->n_pushes++] = (struct walmeta_push){
	    x->timeline, x->log, x->seg, flags, asked, 1, held, ms, durable_us};
}

static void
a_day_is_summed_up(void **state)
{
	struct waldays_one x[] = {segment(2, 0, 1), segment(1, 1, 0),
	    segment(1, 0, 255), segment(1, 0, 254)};
	const struct waldays_one stranger = segment(9, 9, 9);
	struct fault f = FAULT_INIT;
	struct waldays_sum s;
	struct walmeta m;

	(void)state;
	waldays_sort(x, 4);
	assert_int_equal(x[0].seg, 254);
	assert_int_equal(x[3].timeline, 2);
	m = meta(NOON, 60, 1);
	waldays_header(x, 4, &x[0], &m);
	m = meta(NOON + 10 * S, 9, 3);
	tells(&m, &x[0], NOON + 2 * S, 2000, 0, 2, 1);
	tells(&m, &stranger, NOON, 1, 0, 1, 1);
	waldays_header(x, 4, &x[1], &m);
	/* Nothing was committed in it; and one tells of it twice. */
	m = meta(NOON + 20 * S, -1, -1);
	tells(&m, &x[1], NOON + 99 * S, 50, 0, 2, 3);
	tells(&m, &x[1], NOON + 11 * S, 40, 0, 2, 3);
	tells(&m, &x[1], NOON + 12 * S, 45, 0, 2, 3);
	waldays_header(x, 4, &x[2], &m);
	/* Of another day; the last one's header does not open. */
	m = meta(NOON + 90000 * S, 1, 1);
	tells(&m, &x[2], NOON + 25 * S, WALMETA_UNKNOWN, WALMETA_DRAINED, 1, 1);
	waldays_header(x, 4, NULL, &m);
	assert_int_equal(waldays_sum(x, 4, &s, &f), 0);
	assert_int_equal(s.segments, 4);
	assert_int_equal(s.bytes, 300);
	assert_int_equal(s.stored, 40);
	assert_int_equal(s.unknown, 1);
	assert_int_equal(s.partly, 1);
	assert_int_equal(s.drained, 1);
	assert_string_equal(s.first, "0000000100000000000000FE");
	assert_string_equal(s.last, "000000020000000000000001");
	/* 40, 2000, and the drained one since it was put aside: 5000. */
	assert_int_equal(s.median_ms, 2000);
	assert_int_equal(s.longest.ms, 5000);
	assert_string_equal(s.longest.of, "000000010000000100000000");
	assert_int_equal(s.lag.ms, 4000);
	assert_string_equal(s.lag.of, "0000000100000000000000FF");
	assert_int_equal(s.loss.ms, 62000);
	assert_string_equal(s.loss.of, "0000000100000000000000FE");
}

static void
nothing_known_is_no_number(void **state)
{
	struct waldays_one x[] = {segment(1, 0, 1), segment(1, 0, 2)};
	struct fault f = FAULT_INIT;
	struct waldays_sum s;
	struct walmeta m = meta(NOON, 60, 1);
	struct json *j;

	(void)state;
	assert_int_equal(waldays_sum(x, 0, &s, &f), 0);
	assert_int_equal(s.segments, 0);
	waldays_header(x, 2, &x[0], &m);
	/* A clock that was set back between commit and push. */
	m = meta(NOON, 0, 0);
	m.summary.first_commit_us = m.summary.last_commit_us = NOON + 9 * S;
	tells(&m, &x[1], NOON + S, 70, 0, 1, 1);
	waldays_header(x, 2, &x[1], &m);
	assert_int_equal(waldays_sum(x, 2, &s, &f), 0);
	assert_int_equal(s.unknown, 1);
	assert_int_equal(s.longest.ms, 70);
	assert_true(s.lag.ms == -1 && s.loss.ms == -1);
	assert_int_equal(json_new(&j, &f), 0);
	assert_int_equal(waldays_put(j, 20779, &s, &f), 0);
	assert_true(json_has(j, "longest_of") && !json_has(j, "lag_ms"));
	json_free(j);
}

static void
days_have_one_name(void **state)
{
	static const char *const none[] = {"", "2026-11-2", "2026-11-221",
	    "2026-02-30", "2026-11-22Z", "1969-12-31", "2026/11/22",
	    "2200-01-01", "2026-1-022"};
	char text[11];

	(void)state;
	for (int64_t day = 0; day < 84000; day += 7) {
		waldays_text(day, text);
		assert_int_equal(waldays_day(text), day);
	}
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_int_equal(waldays_day(none[i]), -1);
	assert_int_equal(waldays_day("2026-11-22"), 20779);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_day_is_summed_up),
	    cmocka_unit_test(nothing_known_is_no_number),
	    cmocka_unit_test(days_have_one_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
