#include <stdio.h>

#include "retain.h"
#include "unit.h"

#define S INT64_C(1000000)
#define DAY (86400 * S)
#define SEG (16U << 20)
/* 2026-11-22 12:00:00 UTC, a Sunday. */
#define NOW (INT64_C(1795348800) * S)

static const struct retain_policy policy = {
    30 * DAY, 14 * DAY, 2557 * DAY, 30, 12, 12, 7, 2};

static struct retain_backup
backup(const char *id, int64_t stop_us, uint64_t seg)
{
	return (struct retain_backup){.id = id,
	    .readable = true,
	    .full = true,
	    .start_us = stop_us - 60 * S,
	    .stop_us = stop_us,
	    .timeline = 1,
	    .start_lsn = seg * SEG + 40,
	    .stop_lsn = seg * SEG + 400};
}

struct fixture {
	struct retain_backup b[4];
	struct retain_wal wal[4];
	struct history_entry e[3];
	struct history h[2];
	struct retain_input in;
};

static void
set_up(struct fixture *x, size_t n)
{
	memset(x, 0, sizeof *x);
	x->wal[0] = (struct retain_wal){1, 0, 1000, NOW};
	x->e[0] = (struct history_entry){1, 0, UINT64_MAX};
	x->h[0] = (struct history){x->e, 1};
	x->in = (struct retain_input){.backups = x->b,
	    .n_backups = n,
	    .wal = x->wal,
	    .n_wal = 1,
	    .paths = x->h,
	    .n_paths = 1,
	    .running_us = CLOCK_NONE,
	    .segment_size = SEG,
	    .now_us = NOW,
	    .clock_us = NOW};
}

static void
assert_refused(struct fixture *x, int code, const char *word)
{
	struct retain_plan *p = NULL;
	struct fault f = FAULT_INIT;

	assert_int_equal(retain_plan(&p, &policy, &x->in, &f), code);
	assert_non_null(strstr(f.text, word));
	assert_null(p);
}

static void
a_backup_from_the_future_stops_the_plan(void **state)
{
	struct fixture x;

	(void)state;
	set_up(&x, 1);
	x.b[0] = backup("a", NOW + 6 * 60 * S, 5);
	assert_refused(&x, FAULT_CONFIG, "a ended at 2026-11-22 12:06");
}

static void
a_clock_that_went_backwards_stops_the_plan(void **state)
{
	struct fixture x;

	(void)state;
	set_up(&x, 2);
	x.b[0] = backup("later-in-wal", NOW - 2 * DAY, 9);
	x.b[1] = backup("earlier-in-wal", NOW - DAY, 5);
	assert_refused(&x, FAULT_CONFIG, "went backwards");
	set_up(&x, 1);
	x.b[0] = backup("a", NOW - DAY, 5);
	x.b[0].start_us = NOW;
	assert_refused(&x, FAULT_CONFIG, "before it began");
}

/* Timeline 2 began at segment 8 of timeline 1. */
static void
with_timeline_2(struct fixture *x)
{
	x->e[1] = (struct history_entry){1, 0, 8 * SEG};
	x->e[2] = (struct history_entry){2, 8 * SEG, UINT64_MAX};
	x->h[1] = (struct history){&x->e[1], 2};
	x->in.n_paths = 2;
}

static void
backups_of_two_timelines_may_lie_in_any_order(void **state)
{
	struct fixture x;
	struct retain_plan *p = NULL;
	struct fault f = FAULT_INIT;

	(void)state;
	set_up(&x, 2);
	with_timeline_2(&x);
	/* Timeline 1 went on to segment 20 before somebody went back. */
	x.b[0] = backup("old", NOW - 2 * DAY, 20);
	x.b[1] = backup("new", NOW - DAY, 9);
	x.b[1].timeline = 2;
	assert_int_equal(retain_plan(&p, &policy, &x.in, &f), 0);
	retain_free(p);
	/* But a child's backup cannot be older than its parent's. */
	x.b[0] = backup("child", NOW - 2 * DAY, 9);
	x.b[0].timeline = 2;
	x.b[1] = backup("parent", NOW - DAY, 5);
	assert_refused(&x, FAULT_CONFIG, "went backwards");
}

static void
an_unreadable_head_stops_the_plan(void **state)
{
	struct fixture x;

	(void)state;
	set_up(&x, 1);
	x.b[0] = backup("a", NOW - DAY, 5);
	x.b[0].readable = false;
	assert_refused(&x, FAULT_CORRUPT, "backup a cannot be read");
}

static void
rules(const struct retain_plan *p, size_t i, char *out, size_t cap)
{
	char one[RETAIN_TEXT];
	size_t n = 0;

	out[0] = '\0';
	for (unsigned k = 0; k < RETAIN_RULES; k++) {
		if ((retain_backup_rules(p, i) & 1U << k) == 0)
			continue;
		retain_rule_text(p, i, 1U << k, one);
		n += (size_t)snprintf(
		    out + n, cap - n, "%s%s", n > 0 ? "; " : "", one);
	}
}

static void
each_kept_backup_tells_all_its_rules(void **state)
{
	const size_t need = 0;
	struct fixture x;
	struct retain_plan *p = NULL;
	struct fault f = FAULT_INIT;
	char text[512];

	(void)state;
	set_up(&x, 4);
	/* 2021-01-03 is a Sunday of 2020's week 53. */
	x.b[0] = backup("old", INT64_C(1609632000) * S, 5);
	x.b[1] = backup("archived", INT64_C(1640000000) * S, 50);
	x.b[1].class = RETAIN_CLASS_ARCHIVE;
	x.b[2] = backup("gone", NOW - 400 * DAY, 60);
	x.b[3] = backup("new", NOW - DAY, 900);
	x.b[3].full = false;
	x.b[3].needs = &need;
	x.b[3].n_needs = 1;
	assert_int_equal(retain_plan(&p, &policy, &x.in, &f), 0);
	rules(p, 0, text, sizeof text);
	assert_string_equal(text, "needed by new");
	rules(p, 1, text, sizeof text);
	assert_string_equal(text, "yearly 2021; class archive; retain_minimum");
	rules(p, 2, text, sizeof text);
	assert_string_equal(
	    text, "yearly 2025; retain_minimum; retain_wal, timeline 1");
	rules(p, 3, text, sizeof text);
	assert_string_equal(text,
	    "retain_full; daily 2026-11-21; weekly 2026-W47; monthly 2026-11; "
	    "yearly 2026");
	retain_free(p);
}

static void
wal_stays_while_there_is_no_good_backup(void **state)
{
	struct fixture x;
	struct retain_plan *p = NULL;
	struct fault f = FAULT_INIT;

	(void)state;
	set_up(&x, 1);
	x.b[0] = backup("a", NOW - 50 * DAY, 5);
	x.wal[0].first = 6; /* its own WAL is gone */
	assert_int_equal(retain_plan(&p, &policy, &x.in, &f), 0);
	assert_false(retain_backup_good(p, 0));
	assert_true(retain_keeps_wal(p, 1, 7, NOW - 40 * DAY));
	retain_free(p);
	x.wal[0].first = 5;
	assert_int_equal(retain_plan(&p, &policy, &x.in, &f), 0);
	assert_true(retain_backup_good(p, 0));
	assert_false(retain_keeps_wal(p, 1, 4, NOW - 60 * DAY));
	assert_true(retain_keeps_wal(p, 1, 4, NOW - 13 * DAY));
	assert_true(retain_keeps_wal(p, 1, 4, CLOCK_NONE));
	retain_free(p);
}

static void
windows_are_told_for_each_timeline(void **state)
{
	struct fixture x;
	struct retain_window *w = NULL;
	struct fault f = FAULT_INIT;
	size_t n = 0;

	(void)state;
	set_up(&x, 2);
	with_timeline_2(&x);
	x.b[0] = backup("a", NOW - 3 * DAY, 2);
	x.b[1] = backup("b", NOW - 2 * DAY, 6);
	x.wal[0] = (struct retain_wal){1, 2, 3, NOW - 3 * DAY};
	x.wal[1] = (struct retain_wal){1, 5, 20, NOW - DAY};
	x.wal[2] = (struct retain_wal){2, 8, 9, NOW};
	x.in.n_wal = 3;
	assert_int_equal(retain_windows(&x.in, NULL, &w, &n, &f), 0);
	assert_int_equal(n, 3);
	assert_int_equal(w[0].backup, 0);
	assert_int_equal(w[0].end_segno, 3);
	assert_int_equal(w[1].timeline, 1);
	assert_int_equal(w[1].end_segno, 20);
	assert_int_equal(w[2].timeline, 2);
	assert_int_equal(w[2].backup, 1);
	assert_int_equal(w[2].end_segno, 9);
	free(w);
}

static void
a_window_ends_where_wal_does_not_go_on(void **state)
{
	static const struct retain_cut cuts[] = {{2, 8}, {1, 10}};
	struct fixture x;
	struct retain_window *w = NULL;
	struct fault f = FAULT_INIT;
	size_t n = 0;

	(void)state;
	set_up(&x, 2);
	with_timeline_2(&x);
	x.b[0] = backup("a", NOW - 3 * DAY, 6);
	x.b[1] = backup("b", NOW - 2 * DAY, 10);
	x.wal[0] = (struct retain_wal){1, 5, 20, NOW - DAY};
	x.wal[1] = (struct retain_wal){2, 8, 9, NOW};
	x.in.n_wal = 2;
	x.in.cuts = cuts;
	x.in.n_cuts = 2;
	/* No backup leads behind the beginning of timeline 2. */
	assert_int_equal(retain_windows(&x.in, NULL, &w, &n, &f), 0);
	assert_int_equal(n, 2);
	assert_int_equal(w[0].backup, 0);
	assert_int_equal(w[0].end_segno, 9);
	assert_int_equal(w[1].timeline, 1);
	assert_int_equal(w[1].backup, 1);
	assert_int_equal(w[1].end_segno, 20);
	free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_backup_from_the_future_stops_the_plan),
	    cmocka_unit_test(a_clock_that_went_backwards_stops_the_plan),
	    cmocka_unit_test(backups_of_two_timelines_may_lie_in_any_order),
	    cmocka_unit_test(an_unreadable_head_stops_the_plan),
	    cmocka_unit_test(each_kept_backup_tells_all_its_rules),
	    cmocka_unit_test(wal_stays_while_there_is_no_good_backup),
	    cmocka_unit_test(windows_are_told_for_each_timeline),
	    cmocka_unit_test(a_window_ends_where_wal_does_not_go_on),
	};

	return cmocka_run_group_tests_name("retain", tests, NULL, NULL);
}
