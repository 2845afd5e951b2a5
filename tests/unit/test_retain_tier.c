/* Which tier's storage class a backup may be moved to, and when. */
#include <string.h>

#include "retain.h"
#include "unit.h"

#define S INT64_C(1000000)
#define DAY (86400 * S)
#define SEG (16U << 20)
/* 2026-11-22 12:00:00 UTC, a Sunday. */
#define NOW (INT64_C(1795348800) * S)

#define NONE RETAIN_CLASS_NONE
#define WEEKLY RETAIN_CLASS_WEEKLY
#define MONTHLY RETAIN_CLASS_MONTHLY
#define YEARLY RETAIN_CLASS_YEARLY
#define ARCHIVE RETAIN_CLASS_ARCHIVE

static const struct retain_policy usual = {
    30 * DAY, 14 * DAY, 2557 * DAY, 30, 12, 12, 7, 2};

#define BACKUPS 8
struct world {
	struct retain_policy policy;
	struct retain_backup b[BACKUPS];
	size_t n;
	struct retain_hold holds[1];
	size_t n_holds;
	uint64_t lost; /* this segment is missing; 0: none */
};

/* In segment 10, 20 and so on, the oldest first. */
static struct retain_backup *
add(struct world *w, const char *id, int days, enum retain_class class)
{
	struct retain_backup *b = &w->b[w->n++];
	uint64_t seg = 10 * w->n;

	*b = (struct retain_backup){.id = id,
	    .readable = true,
	    .full = true,
	    .class = class,
	    .start_us = NOW - days * DAY - 60 * S,
	    .stop_us = NOW - days * DAY,
	    .timeline = 1,
	    .start_lsn = seg * SEG + 40,
	    .stop_lsn = seg * SEG + 400};
	return b;
}

static void
tiers(struct world *w, int64_t hot_us, enum retain_class out[BACKUPS])
{
	struct retain_wal wal[] = {
	    {1, 0, w->lost - 1, NOW - 85 * DAY}, {1, w->lost + 1, 1000, NOW}};
	struct history_entry e = {1, 0, UINT64_MAX};
	struct history h = {&e, 1};
	struct retain_input in = {.backups = w->b,
	    .n_backups = w->n,
	    .wal = w->lost > 0 ? wal : wal + 1,
	    .n_wal = w->lost > 0 ? 2 : 1,
	    .paths = &h,
	    .n_paths = 1,
	    .holds = w->holds,
	    .n_holds = w->n_holds,
	    .running_us = CLOCK_NONE,
	    .segment_size = SEG,
	    .now_us = NOW,
	    .clock_us = NOW};
	struct retain_plan *p;
	struct fault f = FAULT_INIT;

	assert_int_equal(retain_plan(&p, &w->policy, &in, &f), 0);
	assert_int_equal(retain_tiers(p, hot_us, out, &f), 0);
	retain_free(p);
}

/* The newest two are the minimum, and the WAL window begins from the second. */
static void
add_newest(struct world *w)
{
	add(w, "y", 15, NONE);
	add(w, "z", 1, NONE);
}

static void
the_longest_rule_decides(void **state)
{
	struct world w = {.policy = usual};
	enum retain_class t[BACKUPS];

	(void)state;
	add(&w, "arch", 700, ARCHIVE);
	add(&w, "year", 500, NONE);    /* the newest of 2025 */
	add(&w, "class", 60, MONTHLY); /* no week's or month's newest */
	add(&w, "month", 57, NONE);    /* of September */
	add(&w, "week", 42, NONE);     /* of the week to October 11th */
	add(&w, "last", 35, NONE);     /* of the next, and of October */
	add_newest(&w);
	tiers(&w, 30 * DAY, t);
	assert_int_equal(t[0], ARCHIVE);
	assert_int_equal(t[1], YEARLY);
	assert_int_equal(t[2], MONTHLY);
	assert_int_equal(t[3], MONTHLY);
	assert_int_equal(t[4], WEEKLY);
	assert_int_equal(t[5], MONTHLY);
	assert_int_equal(t[6], NONE);
	assert_int_equal(t[7], NONE);
}

static void
nothing_moves_before_its_time(void **state)
{
	struct world w = {.policy = usual};
	enum retain_class t[BACKUPS];

	(void)state;
	add(&w, "a", 41, WEEKLY);
	add(&w, "b", 29, WEEKLY); /* younger than retain_full */
	add(&w, "c", 20, WEEKLY);
	add_newest(&w);
	tiers(&w, 0, t);
	assert_int_equal(t[0], WEEKLY);
	assert_int_equal(t[1], NONE);
	assert_int_equal(t[2], NONE);
	tiers(&w, 41 * DAY, t);
	assert_int_equal(t[0], NONE);
	/* Younger than the WAL window, and older than all else. */
	w.policy.full_us = DAY;
	w.policy.wal_us = 25 * DAY;
	tiers(&w, DAY, t);
	assert_true(t[0] != NONE);
	assert_int_equal(t[1], NONE); /* the window begins from it */
	assert_int_equal(t[2], NONE); /* in the window */
}

static void
what_is_wanted_soon_stays(void **state)
{
	struct world w = {.policy = usual};
	enum retain_class t[BACKUPS];

	(void)state;
	/* Backups have stopped long ago. */
	add(&w, "a", 100, MONTHLY);
	add(&w, "b", 90, MONTHLY);
	add(&w, "c", 80, MONTHLY);
	tiers(&w, 30 * DAY, t);
	assert_int_equal(t[0], MONTHLY);
	assert_int_equal(t[1], NONE); /* retain_minimum */
	assert_int_equal(t[2], NONE);
	w.policy.minimum = 1;
	tiers(&w, 30 * DAY, t);
	assert_int_equal(t[1], MONTHLY);
	assert_int_equal(t[2], NONE);
}

static void
what_is_held_or_broken_stays(void **state)
{
	struct world w = {.policy = usual};
	enum retain_class t[BACKUPS];

	(void)state;
	add(&w, "a", 100, MONTHLY);
	add(&w, "b", 90, MONTHLY);
	add(&w, "d", 80, RETAIN_CLASS_DAILY);
	add_newest(&w);
	tiers(&w, 30 * DAY, t);
	assert_int_equal(t[0], MONTHLY);
	assert_int_equal(t[1], MONTHLY);
	w.holds[0] = (struct retain_hold){
	    .id = "h", .until_us = CLOCK_NONE, .backup = "a"};
	w.n_holds = 1;
	w.lost = 20; /* WAL of b */
	tiers(&w, 30 * DAY, t);
	assert_int_equal(t[0], NONE);
	assert_int_equal(t[1], NONE);
	w.holds[0].until_us = NOW - 1;
	tiers(&w, 30 * DAY, t);
	assert_int_equal(t[0], MONTHLY);
}

static void
packs_that_others_use_go_no_further_than_they(void **state)
{
	struct world w = {.policy = usual};
	enum retain_class t[BACKUPS];
	const size_t first = 0, third = 2;
	struct retain_backup *b;

	(void)state;
	add(&w, "full", 200,
	    NONE); /* for its month, it would be; and a year's */
	b = add(&w, "incr", 199, YEARLY);
	b->full = false;
	b->needs = &first;
	b->n_needs = 1;
	add(&w, "other", 100, ARCHIVE);
	b = add(&w, "diff", 50, WEEKLY);
	b->full = false;
	b->needs = &third;
	b->n_needs = 1;
	add_newest(&w);
	tiers(&w, 30 * DAY, t);
	assert_int_equal(t[1], YEARLY);
	assert_int_equal(t[0], YEARLY); /* kept by who needs it alone */
	assert_int_equal(t[3], MONTHLY);
	assert_int_equal(t[2], MONTHLY); /* and not as far as its own class */
	/* One that stays at hand keeps all that it needs there. */
	b->stop_us = NOW - 20 * DAY;
	b->start_us = b->stop_us - 60 * S;
	tiers(&w, 30 * DAY, t);
	assert_int_equal(t[3], NONE);
	assert_int_equal(t[2], NONE);
	assert_int_equal(t[0], YEARLY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_longest_rule_decides),
	    cmocka_unit_test(nothing_moves_before_its_time),
	    cmocka_unit_test(what_is_wanted_soon_stays),
	    cmocka_unit_test(what_is_held_or_broken_stays),
	    cmocka_unit_test(packs_that_others_use_go_no_further_than_they),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
