#include <stdio.h>
#include <string.h>

#include "walname.h"

#define DIGITS 8 /* of each of the numbers in a name */

/* Exactly eight upper-case hexadecimal digits; a NUL stops it early. */
static int
hex32(const char *s, uint32_t *out)
{
	uint32_t v = 0;

	for (int i = 0; i < DIGITS; i++) {
		char c = s[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (c >= 'A' && c <= 'F')
			v = v << 4 | (uint32_t)(c - 'A' + 10);
		else
			return (-1);
	}
	*out = v;
	return (0);
}

static int
parse(const char *s, struct walname *n)
{
	memset(n, 0, sizeof(*n));
	if (hex32(s, &n->timeline) != 0 || n->timeline == 0)
		return (-1);
	s += DIGITS;
	if (strcmp(s, ".history") == 0) {
		n->kind = WALNAME_HISTORY;
		return (0);
	}
	if (hex32(s, &n->log) != 0 || hex32(s + DIGITS, &n->seg) != 0)
		return (-1);
	s += (size_t)2 * DIGITS;
	if (*s == '\0') {
		n->kind = WALNAME_SEGMENT;
		return (0);
	}
	if (strcmp(s, ".partial") == 0) {
		n->kind = WALNAME_PARTIAL;
		return (0);
	}
	if (*s != '.' || hex32(s + 1, &n->offset) != 0 ||
	    strcmp(s + 1 + DIGITS, ".backup") != 0)
		return (-1);
	n->kind = WALNAME_LABEL;
	return (0);
}

int
walname_parse(const char *s, struct walname *out, struct fault *f)
{
	struct walname n;

	if (parse(s, &n) != 0)
		return (fault_set(f, FAULT_FOREIGN,
		    "%.80s: not the name of a WAL segment, .partial, .backup "
		    "or .history file",
		    s));
	*out = n;
	return (0);
}

bool
walname_segment_size_ok(uint64_t size)
{
	return (size >= WALNAME_SEGMENT_MIN && size <= WALNAME_SEGMENT_MAX &&
		(size & (size - 1)) == 0);
}

static uint64_t
segments_per_log(uint32_t segment_size)
{
	return ((UINT64_C(1) << 32) / segment_size);
}

int
walname_segno(const struct walname *n, uint32_t segment_size, uint64_t *segno,
    struct fault *f)
{
	uint64_t per_log;

	if (!walname_segment_size_ok(segment_size))
		return (fault_set(f, FAULT_FOREIGN,
		    "%u bytes is not a WAL segment size", segment_size));
	per_log = segments_per_log(segment_size);
	if (n->seg >= per_log)
		return (fault_set(f, FAULT_FOREIGN,
		    "%08X%08X%08X: no segment has this name when segments "
		    "have %u bytes",
		    n->timeline, n->log, n->seg, segment_size));
	*segno = n->log * per_log + n->seg;
	return (0);
}

uint64_t
walname_lsn(uint64_t segno, uint32_t segment_size)
{
	return (segno * segment_size);
}

uint64_t
walname_segno_of(uint64_t lsn, uint32_t segment_size)
{
	return (lsn / segment_size);
}

uint64_t
walname_segno_before(uint64_t lsn, uint32_t segment_size)
{
	return (lsn == 0 ? 0 : (lsn - 1) / segment_size);
}

void
walname_format(uint32_t timeline, uint64_t segno, uint32_t segment_size,
    char out[WALNAME_SIZE])
{
	uint64_t per_log = segments_per_log(segment_size);

	(void)snprintf(out, WALNAME_SIZE, "%08X%08X%08X", timeline,
	    (uint32_t)(segno / per_log), (uint32_t)(segno % per_log));
}

void
walname_format_history(uint32_t timeline, char out[WALNAME_SIZE])
{
	(void)snprintf(out, WALNAME_SIZE, "%08X.history", timeline);
}
