#include "text.h"

#include <stdio.h>
#include <string.h>

/* Leading decimal digits; end points behind them. */
static int
number(const char *s, uint64_t *out, const char **end)
{
	uint64_t v = 0, d;

	if (*s < '0' || *s > '9')
		return -1;
	for (; *s >= '0' && *s <= '9'; s++) {
		d = (uint64_t)(*s - '0');
		if (v > (UINT64_MAX - d) / 10)
			return -1;
		v = v * 10 + d;
	}
	*out = v;
	*end = s;
	return 0;
}

int
text_u64(const char *s, uint64_t *out)
{
	const char *end;
	uint64_t v;

	if (number(s, &v, &end) != 0 || *end != '\0')
		return -1;
	*out = v;
	return 0;
}

int
text_u32(const char *s, uint32_t *out)
{
	uint64_t v;

	if (text_u64(s, &v) != 0 || v > UINT32_MAX)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
text_hex_u64(const char *s, size_t digits, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;
	int d;

	if (digits == 0 || digits > 16)
		return -1;
	for (i = 0; i < digits; i++) {
		d = hex_digit(s[i]);
		if (d < 0)
			return -1;
		v = v << 4 | (uint64_t)d;
	}
	if (s[digits] != '\0')
		return -1;
	*out = v;
	return 0;
}

/* Looked through first: *out is set only on success. */
int
text_unhex(const char *s, unsigned char *out, size_t n)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (hex_digit(s[i]) < 0)
			return -1;
	if (i % 2 != 0 || i / 2 != n)
		return -1;
	for (i = 0; i < n; i++)
		out[i] = (unsigned char)(hex_digit(s[2 * i]) << 4 |
					 hex_digit(s[2 * i + 1]));
	return 0;
}

void
text_hex(const unsigned char *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* A number followed by one of the units; the table ends with name NULL. */
static int
with_unit(const char *s, const struct unit *units, uint64_t *out)
{
	const char *end;
	uint64_t v;

	if (number(s, &v, &end) != 0)
		return -1;
	for (; units->name != NULL; units++)
		if (strcmp(units->name, end) == 0)
			break;
	if (units->name == NULL || v > UINT64_MAX / units->factor)
		return -1;
	*out = v * units->factor;
	return 0;
}

int
text_size(const char *s, uint64_t *bytes)
{
	static const struct unit units[] = {
	    {"", 1},
	    {"B", 1},
	    {"kB", 1ULL << 10},
	    {"KB", 1ULL << 10},
	    {"MB", 1ULL << 20},
	    {"GB", 1ULL << 30},
	    {"TB", 1ULL << 40},
	    {NULL, 0},
	};

	return with_unit(s, units, bytes);
}

int
text_duration(const char *s, int64_t *ms)
{
	static const struct unit units[] = {
	    {"ms", 1},
	    {"s", 1000},
	    {"min", 60 * 1000},
	    {"h", 3600 * 1000},
	    {"d", 86400 * 1000ULL},
	    {"w", 7 * 86400 * 1000ULL},
	    {NULL, 0},
	};
	uint64_t v;

	if (with_unit(s, units, &v) != 0 || v > INT64_MAX)
		return -1;
	*ms = (int64_t)v;
	return 0;
}

int
text_bool(const char *s, bool *out)
{
	static const char *const yes[] = {"yes", "on", "true"};
	static const char *const no[] = {"no", "off", "false"};
	size_t i;

	for (i = 0; i < 3; i++) {
		if (strcmp(s, yes[i]) == 0) {
			*out = true;
			return 0;
		}
		if (strcmp(s, no[i]) == 0) {
			*out = false;
			return 0;
		}
	}
	return -1;
}

bool
text_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

void
text_human_size(uint64_t bytes, char out[16])
{
	static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double v = (double)bytes;
	size_t i = 0;

	/* From 1023.5 on it would be printed as 1024. */
	while (i < 5 && v >= 1023.5) {
		v /= 1024;
		i++;
	}
	if (i == 0 || v >= 99.95)
		snprintf(out, 16, "%.0f %s", v, unit[i]);
	else
		snprintf(out, 16, "%.1f %s", v, unit[i]);
}

void
text_human_duration(int64_t ms, char out[24])
{
	uint64_t s;

	if (ms < 0)
		ms = 0;
	s = (uint64_t)ms / 1000;
	if (s < 60)
		snprintf(out, 24, "%u.%u s", (unsigned)s,
		    (unsigned)((uint64_t)ms % 1000 / 100));
	else if (s < 3600)
		snprintf(out, 24, "%u min %02u s", (unsigned)(s / 60),
		    (unsigned)(s % 60));
	else if (s < 86400)
		snprintf(out, 24, "%u h %02u min", (unsigned)(s / 3600),
		    (unsigned)(s % 3600 / 60));
	else
		/* 2^63 ms are 106751991167 days: eleven digits. */
		snprintf(out, 24, "%llu d %02u h",
		    (unsigned long long)(s / 86400 % 1000000000000ULL),
		    (unsigned)(s % 86400 / 3600));
}

/* One half of an LSN: one to eight hex digits up to the character stop. */
static int
lsn_half(const char **s, char stop, uint32_t *out)
{
	uint32_t v = 0;
	int i, d;

	for (i = 0; (d = hex_digit((*s)[i])) >= 0; i++) {
		if (i == 8)
			return -1;
		v = v << 4 | (uint32_t)d;
	}
	if (i == 0 || (*s)[i] != stop)
		return -1;
	*s += i;
	*out = v;
	return 0;
}

int
text_lsn(const char *s, uint64_t *out)
{
	uint32_t high, low;

	if (lsn_half(&s, '/', &high) != 0)
		return -1;
	s++;
	if (lsn_half(&s, '\0', &low) != 0)
		return -1;
	*out = (uint64_t)high << 32 | low;
	return 0;
}

void
text_format_lsn(uint64_t lsn, char out[20])
{
	snprintf(out, 20, "%X/%X", (unsigned)(lsn >> 32),
	    (unsigned)(lsn & 0xffffffffU));
}
