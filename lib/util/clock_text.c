#include "clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND 1000000

/* Exactly n digits. */
static int
digits(const char **s, int n, int *out)
{
	int v = 0;

	for (; n > 0; n--, (*s)++) {
		if (**s < '0' || **s > '9')
			return -1;
		v = v * 10 + (**s - '0');
	}
	*out = v;
	return 0;
}

static bool
take(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* A second 60 is taken as PostgreSQL takes it: the next minute's first. */
static int
moment(const struct tm *tm, int64_t *us)
{
	static const int days[] = {
	    31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = tm->tm_year + 1900;
	struct tm copy = *tm;

	if (year < 1 || tm->tm_mon < 0 || tm->tm_mon > 11 || tm->tm_mday < 1 ||
	    tm->tm_mday > days[tm->tm_mon] || tm->tm_hour > 23 ||
	    tm->tm_min > 59 || tm->tm_sec > 60)
		return -1;
	if (tm->tm_mon == 1 && tm->tm_mday == 29 &&
	    (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
		return -1;
	*us = (int64_t)timegm(&copy) * SECOND;
	return 0;
}

/* "2026-11-22T07:53:01", blank instead of T, seconds optional; or the compact
 * "20261122T075301". */
static int
date_time(const char **s, struct tm *tm)
{
	bool compact;

	memset(tm, 0, sizeof(*tm));
	if (digits(s, 4, &tm->tm_year) != 0)
		return -1;
	compact = !take(s, '-');
	if (digits(s, 2, &tm->tm_mon) != 0 || (!compact && !take(s, '-')) ||
	    digits(s, 2, &tm->tm_mday) != 0)
		return -1;
	if (!take(s, 'T') && (compact || !take(s, ' ')))
		return -1;
	if (digits(s, 2, &tm->tm_hour) != 0 || (!compact && !take(s, ':')) ||
	    digits(s, 2, &tm->tm_min) != 0)
		return -1;
	if ((compact || take(s, ':')) && digits(s, 2, &tm->tm_sec) != 0)
		return -1;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return 0;
}

/* Below a microsecond only zeros: we do not move a moment silently. */
static int
fraction(const char **s, int64_t *us)
{
	int64_t v = 0;
	int n = 0;

	*us = 0;
	if (!take(s, '.'))
		return 0;
	for (; **s >= '0' && **s <= '9'; (*s)++, n++) {
		if (n < 6)
			v = v * 10 + (**s - '0');
		else if (**s != '0')
			return -1;
	}
	if (n == 0)
		return -1;
	for (; n < 6; n++)
		v *= 10;
	*us = v;
	return 0;
}

/* Z, UTC, GMT, +01, +0130, +01:30, +01:30:15; takes the rest of the string. */
static int
zone(const char *s, int64_t *east_us, bool *assumed)
{
	int h = 0, m = 0, sec = 0, sign;

	*east_us = 0;
	*assumed = *s == '\0';
	if (*assumed)
		return 0;
	if (strcmp(s, "Z") == 0)
		return 0;
	if (*s == ' ')
		s++;
	if (strcmp(s, "UTC") == 0 || strcmp(s, "GMT") == 0)
		return 0;
	if (*s != '+' && *s != '-')
		return -1;
	sign = *s++ == '-' ? -1 : 1;
	if (digits(&s, 2, &h) != 0)
		return -1;
	if (take(&s, ':')) {
		if (digits(&s, 2, &m) != 0 ||
		    (take(&s, ':') && digits(&s, 2, &sec) != 0))
			return -1;
	} else if (*s != '\0' && digits(&s, 2, &m) != 0)
		return -1;
	if (*s != '\0' || h > 15 || m > 59 || sec > 59)
		return -1;
	*east_us = (int64_t)sign * (h * 3600 + m * 60 + sec) * SECOND;
	return 0;
}

int
clock_parse(const char *s, int64_t *us, bool *zone_assumed, struct fault *f)
{
	const char *p = s;
	int64_t t, part, east;
	struct tm tm;
	bool assumed;

	if (date_time(&p, &tm) != 0 || moment(&tm, &t) != 0 ||
	    fraction(&p, &part) != 0 || zone(p, &east, &assumed) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "\"%.60s\" is not a time; write it like "
		    "2026-11-22 07:53:01.25+00, with the zone's distance "
		    "from UTC, not its name",
		    s);
	*us = t + part - east;
	if (zone_assumed != NULL)
		*zone_assumed = assumed;
	return 0;
}

/* Rounds down, before 1970 too. Returns the microseconds. */
static unsigned
split(int64_t us, struct tm *tm)
{
	int64_t part = us % SECOND;
	time_t t = (time_t)(us / SECOND);

	if (part < 0) {
		part += SECOND;
		t--;
	}
	gmtime_r(&t, tm);
	return (unsigned)part;
}

/* To the second, and the microseconds behind it; false: there is no moment. */
static bool
seconds(int64_t us, char between, char out[CLOCK_TEXT_SIZE], unsigned *micro)
{
	struct tm tm;
	char rest[24];

	if (us == CLOCK_NONE) {
		memcpy(out, "none", 5);
		return false;
	}
	*micro = split(us, &tm);
	strftime(rest, sizeof(rest), "-%m-%dT%H:%M:%S", &tm);
	rest[6] = between;
	snprintf(out, CLOCK_TEXT_SIZE, "%04d%s", tm.tm_year + 1900, rest);
	return true;
}

void
clock_format(int64_t us, char out[CLOCK_TEXT_SIZE])
{
	unsigned micro;
	size_t n;

	if (!seconds(us, ' ', out, &micro))
		return;
	n = strlen(out);
	snprintf(out + n, CLOCK_TEXT_SIZE - n, ".%06u+00", micro);
}

void
clock_format_iso(int64_t us, char out[CLOCK_TEXT_SIZE])
{
	unsigned micro;
	size_t n;

	if (!seconds(us, 'T', out, &micro))
		return;
	n = strlen(out);
	snprintf(out + n, CLOCK_TEXT_SIZE - n, ".%03uZ", micro / 1000);
}

/* The form has four digits for the year: others are clamped. */
void
clock_format_compact(int64_t us, char out[17])
{
	const int64_t first = -62167219200LL * SECOND; /* 0000-01-01 */
	const int64_t last = 253402300799LL * SECOND;  /* 9999-12-31 */
	struct tm tm;

	split(us < first ? first : us > last ? last : us, &tm);
	snprintf(out, 17, "%04u", (unsigned)(tm.tm_year + 1900) % 10000);
	strftime(out + 4, 13, "%m%dT%H%M%SZ", &tm);
}

static int
name(const char **s, const char *names, int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (strncmp(*s, names + 3 * i, 3) == 0) {
			*s += 3;
			return i;
		}
	return -1;
}

/* The day of the week is read over: it adds nothing. */
int
clock_parse_http(const char *s, int64_t *us)
{
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	if (name(&s, "MonTueWedThuFriSatSun", 7) < 0 || !take(&s, ',') ||
	    !take(&s, ' ') || digits(&s, 2, &tm.tm_mday) != 0 || !take(&s, ' '))
		return -1;
	tm.tm_mon = name(&s, "JanFebMarAprMayJunJulAugSepOctNovDec", 12);
	if (tm.tm_mon < 0 || !take(&s, ' ') ||
	    digits(&s, 4, &tm.tm_year) != 0 || !take(&s, ' ') ||
	    digits(&s, 2, &tm.tm_hour) != 0 || !take(&s, ':') ||
	    digits(&s, 2, &tm.tm_min) != 0 || !take(&s, ':') ||
	    digits(&s, 2, &tm.tm_sec) != 0 || strcmp(s, " GMT") != 0)
		return -1;
	tm.tm_year -= 1900;
	return moment(&tm, us);
}
