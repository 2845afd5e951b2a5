#ifndef RETAIN_CALENDAR_H
#define RETAIN_CALENDAR_H

#include <stddef.h>
#include <stdint.h>

/* Calendar buckets in UTC. Pure; only lib/retain includes this. */

enum retain_unit {
	RETAIN_UNIT_DAY,
	RETAIN_UNIT_WEEK, /* ISO 8601: Monday to Sunday */
	RETAIN_UNIT_MONTH,
	RETAIN_UNIT_YEAR,
};
#define RETAIN_UNITS 4

/* The bucket's number; the next bucket's is one more. */
int64_t retain_calendar_bucket(enum retain_unit u, int64_t us);
/* When it begins. */
int64_t retain_calendar_start(enum retain_unit u, int64_t bucket);
/* "2026-11-22", "2026-W47", "2026-11", "2026". */
void retain_calendar_text(
    enum retain_unit u, int64_t us, char *out, size_t cap);

#endif
