#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "deadline.h"
#include "fault.h"

/*
 * Time. Moments are int64_t microseconds since 1970-01-01 00:00:00 UTC
 * (CLOCK_NONE: no moment).
 */

#define CLOCK_NONE INT64_MIN

int64_t clock_now_us(void);       /* wall clock */
int64_t clock_monotonic_ms(void); /* for durations and deadlines */
void clock_sleep_ms(int64_t ms);

/*
 * ISO 8601 ("2026-11-22T07:53:01.25Z", "…+01:00") or PostgreSQL's form
 * ("2026-11-22 07:53:01.25+01"). Without a zone, UTC is assumed and
 * *zone_assumed (may be NULL) says so. CONFIG when it is neither.
 */
int clock_parse(
    const char *s, int64_t *us, bool *zone_assumed, struct fault *f);
/* "2026-11-22 07:53:01.250000+00" (PostgreSQL reads it back exactly). */
#define CLOCK_TEXT_SIZE 40
void clock_format(int64_t us, char out[CLOCK_TEXT_SIZE]);
/* "20261122T075301Z": for names and for SigV4. */
void clock_format_compact(int64_t us, char out[17]);
/* "2026-11-22T07:53:01.250Z": for JSON. */
void clock_format_iso(int64_t us, char out[CLOCK_TEXT_SIZE]);
/* "Sun, 22 Nov 2026 07:53:01 GMT" (RFC 9110) to a moment; -1 if it is not. */
int clock_parse_http(const char *s, int64_t *us);

#endif
