/* For how long object lock holds: never longer than rules keep. */
#include <stdio.h>

#include "retain.h"
#include "unit.h"

#define S INT64_C(1000000)
#define DAY (86400 * S)
#define SEG (16U << 20)
/* 2026-11-22 12:00:00 UTC, a Sunday. */
#define NOW (INT64_C(1795348800) * S)
#define MIDNIGHT (NOW - DAY / 2)

static const struct retain_policy usual = {
    30 * DAY, 14 * DAY, 2557 * DAY, 30, 12, 12, 7, 2};
static const struct retain_policy tiers_only = {
    1 * DAY, 1 * DAY, 2557 * DAY, 3, 2, 2, 1, 1};

static int64_t
at(const char *text)
{
	struct fault f = FAULT_INIT;
	int64_t us;

	assert_int_equal(clock_parse(text, &us, NULL, &f), 0);
	return us;
}

static void
at_upload_the_lock_is_what_is_certain(void **state)
{
	struct retain_policy p = usual;

	(void)state;
	assert_int_equal(retain_lock_wal_us(&p), 14 * DAY);
	assert_int_equal(
	    retain_lock_backup_us(&p, RETAIN_CLASS_NONE, NOW), 30 * DAY);
	/* A window may begin from a backup. */
	p.wal_us = 40 * DAY;
	assert_int_equal(
	    retain_lock_backup_us(&p, RETAIN_CLASS_NONE, NOW), 40 * DAY);
	p = usual;
	assert_int_equal(
	    retain_lock_backup_us(&p, RETAIN_CLASS_ARCHIVE, NOW), 2557 * DAY);
	/* To the end of the 30th day, the 12th week, month, the 7th year. */
	assert_int_equal(
	    NOW + retain_lock_backup_us(&p, RETAIN_CLASS_DAILY, NOW),
	    MIDNIGHT + 31 * DAY);
	assert_int_equal(
	    NOW + retain_lock_backup_us(&p, RETAIN_CLASS_WEEKLY, NOW),
	    at("2027-02-15T00:00:00Z"));
	assert_int_equal(
	    NOW + retain_lock_backup_us(&p, RETAIN_CLASS_MONTHLY, NOW),
	    at("2027-12-01T00:00:00Z"));
	assert_int_equal(
	    NOW + retain_lock_backup_us(&p, RETAIN_CLASS_YEARLY, NOW),
	    at("2034-01-01T00:00:00Z"));
	p.yearly = 0; /* no such tier: no rule keeps the class */
	assert_int_equal(
	    retain_lock_backup_us(&p, RETAIN_CLASS_YEARLY, NOW), 30 * DAY);
	assert_true(retain_lock_record_us(&usual) >= 2557 * DAY);
}

static struct retain_backup
backup(const char *id, const char *stop, uint64_t seg)
{
	int64_t us = at(stop);

	return (struct retain_backup){.id = id,
	    .readable = true,
	    .full = true,
	    .start_us = us - 60 * S,
	    .stop_us = us,
	    .timeline = 1,
	    .start_lsn = seg * SEG + 40,
	    .stop_lsn = seg * SEG + 400};
}

static int64_t
until(struct retain_backup *b, size_t n, size_t i, const char *now,
    const struct retain_policy *policy)
{
	struct retain_wal wal = {1, 0, 1000, NOW};
	struct history_entry e = {1, 0, UINT64_MAX};
	struct history h = {&e, 1};
	struct retain_input in = {.backups = b,
	    .n_backups = n,
	    .wal = &wal,
	    .n_wal = 1,
	    .paths = &h,
	    .n_paths = 1,
	    .running_us = CLOCK_NONE,
	    .segment_size = SEG,
	    .now_us = at(now),
	    .clock_us = at(now)};
	struct retain_plan *p;
	struct fault f = FAULT_INIT;
	int64_t us;

	assert_int_equal(retain_plan(&p, policy, &in, &f), 0);
	us = retain_backup_until(p, i);
	retain_free(p);
	return us;
}

static void
promotion_comes_when_the_bucket_is_over(void **state)
{
	struct retain_backup b[] = {backup("a", "2026-12-30T02:00:00Z", 5),
	    backup("b", "2026-12-31T02:00:00Z", 6)};

	(void)state;
	/* Still the 31st: a was the last of its day, b may not stay so. */
	assert_int_equal(until(b, 2, 0, "2026-12-31T12:00:00Z", &tiers_only),
	    at("2027-01-03T00:00:00Z"));
	assert_int_equal(until(b, 2, 1, "2026-12-31T12:00:00Z", &tiers_only),
	    at("2027-01-01T02:00:00Z")); /* retain_full */
	/* Day, month and year are over, the week is not. */
	assert_int_equal(until(b, 2, 1, "2027-01-01T12:00:00Z", &tiers_only),
	    at("2028-01-01T00:00:00Z"));
	assert_int_equal(until(b, 2, 0, "2027-01-01T12:00:00Z", &tiers_only),
	    at("2027-01-03T00:00:00Z"));
	/* What no rule keeps is not locked, and retain_minimum has no end. */
	assert_int_equal(
	    until(b, 2, 0, "2027-02-01T00:00:00Z", &tiers_only), CLOCK_NONE);
}

static void
what_a_backup_needs_is_locked_as_long(void **state)
{
	static const size_t needs[] = {0}, chain[] = {1};
	struct retain_backup b[] = {backup("a", "2026-11-01T02:00:00Z", 5),
	    backup("b", "2026-11-20T02:00:00Z", 6),
	    backup("c", "2026-11-21T02:00:00Z", 7)};

	(void)state;
	b[1].needs = needs;
	b[1].n_needs = 1;
	b[2].needs = chain;
	b[2].n_needs = 1;
	b[2].class = RETAIN_CLASS_ARCHIVE;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(until(b, 3, i, "2026-11-22T12:00:00Z", &usual),
		    b[2].stop_us + 2557 * DAY);
}

/* Over a year and more of daily backups no lock outlives the rules: what is
 * locked at some moment is never let go before the lock ends. */
static void
no_lock_outlives_the_rules(void **state)
{
	enum {
		N = 420
	};
	static struct retain_backup b[N];
	static int64_t locked[N];
	static char ids[N][8];
	int64_t first = at("2024-01-03T02:00:00Z");
	struct retain_wal wal = {1, 0, N + 1, 0};
	struct history_entry e = {1, 0, UINT64_MAX};
	struct history h = {&e, 1};
	unsigned promoted = 0;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		int64_t stop = first + (int64_t)i * DAY;

		snprintf(ids[i], sizeof ids[i], "b%zu", i);
		b[i] = backup(ids[i], "2024-01-03T02:00:00Z", i);
		b[i].start_us = stop - 60 * S;
		b[i].stop_us = stop;
		locked[i] = stop + retain_lock_backup_us(
				       &tiers_only, RETAIN_CLASS_NONE, stop);
	}
	for (size_t n = 1; n <= N; n++) {
		int64_t now = first + (int64_t)(n - 1) * DAY + DAY / 2;
		struct retain_input in = {.backups = b,
		    .n_backups = n,
		    .wal = &wal,
		    .n_wal = 1,
		    .paths = &h,
		    .n_paths = 1,
		    .running_us = CLOCK_NONE,
		    .segment_size = SEG,
		    .now_us = now,
		    .clock_us = now};
		struct retain_plan *p;
		struct fault f = FAULT_INIT;

		wal.last_us = now;
		assert_int_equal(retain_plan(&p, &tiers_only, &in, &f), 0);
		for (size_t i = 0; i < n; i++) {
			int64_t us = retain_backup_until(p, i);

			if (retain_backup_rules(p, i) == 0)
				assert_true(locked[i] <= now);
			if (us != CLOCK_NONE && us > locked[i]) {
				locked[i] = us;
				promoted++;
			}
		}
		retain_free(p);
	}
	/* Each at the end of its day, and the last of the months to more. */
	assert_int_equal(promoted, N - 1);
	promoted = 0;
	for (size_t i = 0; i < N; i++)
		promoted += locked[i] - b[i].stop_us > 45 * DAY;
	assert_int_equal(promoted, 13);
}

/* Backups on one timeline that has WAL up to segment 1000, seen at NOW. */
static struct retain_input
one_way(const struct retain_backup *b, size_t n)
{
	static const struct retain_wal wal = {1, 0, 1000, NOW};
	static struct history_entry e = {1, 0, UINT64_MAX};
	static const struct history h = {&e, 1};

	return (struct retain_input){.backups = b,
	    .n_backups = n,
	    .wal = &wal,
	    .n_wal = 1,
	    .paths = &h,
	    .n_paths = 1,
	    .running_us = CLOCK_NONE,
	    .segment_size = SEG,
	    .now_us = NOW,
	    .clock_us = NOW};
}

static void
window_wal_waits_for_the_next_backup(void **state)
{
	struct retain_backup b[] = {backup("a", "2026-11-01T02:00:00Z", 5),
	    backup("b", "2026-11-08T02:00:00Z", 6)};
	struct retain_input in = one_way(b, 2);
	struct retain_plan *p;
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(retain_plan(&p, &usual, &in, &f), 0);
	assert_int_equal(retain_wal_until(p, at("2026-11-03T00:00:00Z")),
	    b[1].stop_us + 14 * DAY);
	assert_int_equal(
	    retain_wal_until(p, at("2026-11-09T00:00:00Z")), NOW + 14 * DAY);
	retain_free(p);
}

static void
by_holds_alone_all_else_goes(void **state)
{
	struct retain_backup b[] = {backup("a", "2026-11-01T02:00:00Z", 5),
	    backup("b", "2026-11-08T02:00:00Z", 60),
	    backup("c", "2026-11-20T02:00:00Z", 100)};
	struct retain_bound bound = {1, 70};
	struct retain_hold holds[] = {
	    {.id = "h1", .until_us = CLOCK_NONE, .backup = "a"},
	    {.id = "h2", .until_us = NOW - 1, .backup = "c"},
	    {.id = "h3",
		.until_us = CLOCK_NONE,
		.from_us = at("2026-11-09T00:00:00Z"),
		.to_us = at("2026-11-10T00:00:00Z"),
		.bounds = &bound,
		.n_bounds = 1},
	};
	struct retain_input in = one_way(b, 3);
	struct retain_plan *p;
	struct fault f = FAULT_INIT;
	uint64_t last;

	(void)state;
	in.holds = holds;
	in.n_holds = 3;
	assert_int_equal(retain_plan_held(&p, &in, &f), 0);
	assert_int_equal(retain_backup_rules(p, 0), RETAIN_HOLD);
	assert_int_equal(retain_backup_rules(p, 1), RETAIN_HOLD);
	assert_int_equal(retain_backup_rules(p, 2), 0); /* it is over */
	assert_true(retain_keeps_place(p, 1, 5, &last));
	assert_false(retain_keeps_place(p, 1, 6, &last));
	assert_true(retain_keeps_place(p, 1, 60, &last));
	assert_true(retain_keeps_place(p, 1, 70, &last));
	assert_false(retain_keeps_place(p, 1, 71, &last));
	assert_false(retain_keeps_place(p, 1, 1000, &last));
	retain_free(p);
	in.n_holds = 0;
	assert_int_equal(retain_plan_held(&p, &in, &f), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(retain_backup_rules(p, i), 0);
	assert_false(retain_keeps_place(p, 1, 1000, &last));
	retain_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(at_upload_the_lock_is_what_is_certain),
	    cmocka_unit_test(promotion_comes_when_the_bucket_is_over),
	    cmocka_unit_test(what_a_backup_needs_is_locked_as_long),
	    cmocka_unit_test(no_lock_outlives_the_rules),
	    cmocka_unit_test(by_holds_alone_all_else_goes),
	    cmocka_unit_test(window_wal_waits_for_the_next_backup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
