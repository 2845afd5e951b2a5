#include "retain_calendar.h"

#include <stdio.h>

#define DAY_US (86400 * INT64_C(1000000))

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Day 0 is 1970-01-01. The calendar repeats every 400 years; a year that
 * begins in March has its leap day last. */
static void
civil(int64_t day, int64_t *year, int *month, int *mday)
{
	int64_t era = floor_div(day + 719468, 146097);
	int64_t d = day + 719468 - era * 146097;
	int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int64_t yday = d - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * yday + 2) / 153;

	*mday = (int)(yday - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = y + era * 400 + (*month <= 2);
}

int64_t
retain_calendar_bucket(enum retain_unit u, int64_t us)
{
	int64_t day = floor_div(us, DAY_US), year;
	int month, mday;

	if (u == RETAIN_UNIT_DAY)
		return day;
	if (u == RETAIN_UNIT_WEEK)
		return floor_div(day + 3, 7); /* it was a Thursday */
	civil(day, &year, &month, &mday);
	return u == RETAIN_UNIT_MONTH ? year * 12 + month - 1 : year;
}

/* The day on which a month begins, month counted from 0. */
static int64_t
month_start(int64_t year, int64_t month)
{
	int64_t y = month < 2 ? year - 1 : year;
	int64_t era = floor_div(y, 400), in_era = y - era * 400;
	int64_t m = month < 2 ? month + 10 : month - 2; /* from March on */

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 +
	       (153 * m + 2) / 5 - 719468;
}

int64_t
retain_calendar_start(enum retain_unit u, int64_t bucket)
{
	switch (u) {
	case RETAIN_UNIT_DAY:
		return bucket * DAY_US;
	case RETAIN_UNIT_WEEK:
		return (bucket * 7 - 3) * DAY_US;
	case RETAIN_UNIT_MONTH:
		return month_start(floor_div(bucket, 12),
			   bucket - floor_div(bucket, 12) * 12) *
		       DAY_US;
	case RETAIN_UNIT_YEAR:
		break;
	}
	return month_start(bucket, 0) * DAY_US;
}

/* A week belongs to the year of its Thursday. */
static void
week_text(int64_t day, char *out, size_t cap)
{
	int64_t thursday = floor_div(day + 3, 7) * 7, year, first;
	int month, mday;

	civil(thursday, &year, &month, &mday);
	for (first = thursday; month != 1 || mday > 7;) {
		first -= 7;
		civil(first, &year, &month, &mday);
	}
	snprintf(out, cap, "%lld-W%02d", (long long)year,
	    (int)((thursday - first) / 7) + 1);
}

void
retain_calendar_text(enum retain_unit u, int64_t us, char *out, size_t cap)
{
	int64_t day = floor_div(us, DAY_US), year;
	int month, mday;

	civil(day, &year, &month, &mday);
	switch (u) {
	case RETAIN_UNIT_DAY:
		snprintf(
		    out, cap, "%lld-%02d-%02d", (long long)year, month, mday);
		break;
	case RETAIN_UNIT_WEEK:
		week_text(day, out, cap);
		break;
	case RETAIN_UNIT_MONTH:
		snprintf(out, cap, "%lld-%02d", (long long)year, month);
		break;
	case RETAIN_UNIT_YEAR:
		snprintf(out, cap, "%lld", (long long)year);
		break;
	}
}
