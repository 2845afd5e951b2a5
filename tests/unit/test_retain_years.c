/*
 * Seven years of daily backups, hourly WAL and daily pruning, on a clock of the
 * test's own.
 */
#include "retain_model.h"

#define YEARS 7
#define DAYS (YEARS * 365 + 2)
#define HOURS (DAYS * 24)

struct life {
	struct retain_backup b[512];
	char id[512][16];
	bool good[512];
	size_t n;
	bool wal[HOURS + 48];
	struct retain_wal ranges[512];
};

static size_t
life_ranges(struct life *l, int hours, int64_t begin)
{
	size_t n = 0;

	for (int h = 0; h < hours; h++) {
		if (!l->wal[h])
			continue;
		if (h == 0 || !l->wal[h - 1]) {
			assert_true(n < 512);
			l->ranges[n++] =
			    (struct retain_wal){1, (uint64_t)h, (uint64_t)h, 0};
		}
		l->ranges[n - 1].last = (uint64_t)h;
		l->ranges[n - 1].last_us = begin + (h + 1) * 3600 * S;
	}
	return n;
}

/* Day d: a backup at 02:10 to 02:40, then the pruning at 03:00. */
static void
life_backup(struct life *l, int d, int64_t begin)
{
	struct retain_backup *b = &l->b[l->n];
	uint64_t lsn = (uint64_t)(d * 24 + 2) * SEG;

	assert_true(l->n < 512);
	snprintf(l->id[l->n], sizeof l->id[l->n], "day-%d", d);
	*b = (struct retain_backup){
	    .id = l->id[l->n],
	    .readable = true,
	    .full = true,
	    .start_us = begin + d * DAY + 130 * 60 * S,
	    .stop_us = begin + d * DAY + 160 * 60 * S,
	    .timeline = 1,
	    .start_lsn = lsn + SEG / 6,
	    .stop_lsn = lsn + SEG / 3 * 2,
	};
	l->good[l->n++] = true;
}

/* One path without gaps: the window needs the newest backup that ended before
 * it began, or the oldest, and all WAL from there. */
static void
life_expect(const struct life *l, const struct retain_policy *p, int64_t now,
    bool *keep, int *from)
{
	size_t first = 0;

	for (size_t i = 0; i < l->n; i++) {
		keep[i] = model_ages(p, l->b, l->good, (int)l->n, (int)i, now);
		if (l->b[i].stop_us <= now - p->wal_us)
			first = i;
	}
	keep[first] = true;
	*from = (int)(l->b[first].start_lsn / SEG);
}

/* What goes is taken out of the catalogue, as deleting would. */
static size_t
life_prune(struct life *l, const struct retain_plan *p, int hours, int from,
    const bool *keep, int64_t begin, int64_t window)
{
	size_t n = 0, removed = 0;

	for (int h = 0; h < hours; h++) {
		int64_t at = begin + (h + 1) * 3600 * S;
		bool stays = retain_keeps_wal(p, 1, (uint64_t)h, at);
		bool wanted = h >= from || at >= window;

		for (size_t i = 0; !wanted && l->wal[h] && i < l->n; i++)
			wanted = keep[i] && first_seg(&l->b[i]) == h;
		if (l->wal[h] && stays != wanted)
			fail_msg("hour %d of %d: kept %d", h, hours, stays);
		removed += l->wal[h] && !stays;
		l->wal[h] = l->wal[h] && stays;
	}
	for (size_t i = 0; i < l->n; i++) {
		if (!keep[i])
			continue;
		l->b[n] = l->b[i];
		memmove(l->id[n], l->id[i], sizeof l->id[n]);
		l->b[n].id = l->id[n];
		n++;
	}
	l->n = n;
	return removed;
}

static void
life_day(struct life *l, int d, int64_t begin, const struct retain_policy *p)
{
	struct history_entry e = {1, 0, UINT64_MAX};
	struct history h = {&e, 1};
	struct retain_plan *plan = NULL;
	struct fault f = FAULT_INIT;
	int hours = d * 24 + 3, from;
	int64_t now = begin + d * DAY + 3 * 3600 * S;
	bool keep[512];
	struct retain_input in = {.backups = l->b,
	    .paths = &h,
	    .n_paths = 1,
	    .running_us = CLOCK_NONE,
	    .segment_size = SEG,
	    .now_us = now,
	    .clock_us = now};

	for (int k = hours < 24 ? 0 : hours - 24; k < hours; k++)
		l->wal[k] = true;
	life_backup(l, d, begin);
	in.n_backups = l->n;
	in.wal = l->ranges;
	in.n_wal = life_ranges(l, hours, begin);
	assert_int_equal(retain_plan(&plan, p, &in, &f), 0);
	life_expect(l, p, now, keep, &from);
	for (size_t i = 0; i < l->n; i++)
		if (keep[i] != (retain_backup_rules(plan, i) != 0))
			fail_msg("day %d: backup %s", d, l->b[i].id);
	life_prune(l, plan, hours, from, keep, begin, now - p->wal_us);
	retain_free(plan);
}

static void
seven_years_of_daily_pruning_keep_what_the_model_says(void **state)
{
	const struct retain_policy p = {
	    30 * DAY, 14 * DAY, 2557 * DAY, 30, 12, 12, 7, 2};
	/* 2019-06-03, a Monday. */
	int64_t begin = INT64_C(1559520000) * S;
	struct life *l = calloc(1, sizeof *l);

	(void)state;
	assert_non_null(l);
	for (int d = 0; d < DAYS; d++)
		life_day(l, d, begin, &p);
	/* 31 days, of 12 earlier weeks those not among them, of 12 earlier
	 * months, and seven years. */
	assert_in_range(l->n, 31 + 7 + 10 + 5, 31 + 9 + 12 + 7);
	assert_string_equal(l->b[0].id, "day-211"); /* 2019-12-31 */
	free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		seven_years_of_daily_pruning_keep_what_the_model_says),
	};

	return cmocka_run_group_tests_name("retain_years", tests, NULL, NULL);
}
