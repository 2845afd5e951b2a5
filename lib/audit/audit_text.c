#include "audit_text.h"

#include <stdbool.h>
#include <string.h>

/* How many bytes the UTF-8 sequence at s has, 0 when it is none (RFC 3629). */
static size_t
utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0x80                    ? 1
		   : s[0] >= 0xc2 && s[0] <= 0xdf ? 2
		   : (s[0] & 0xf0) == 0xe0        ? 3
		   : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
						  : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than need be, surrogates, beyond U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static bool
is_control(const unsigned char *s)
{
	return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

void
audit_text(char *out, size_t cap, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t at = 0;

	while (*s != '\0') {
		size_t n = utf8_length(s);
		bool bad = n == 0 || is_control(s);

		if (at + (bad ? 1 : n) >= cap)
			break;
		if (bad) {
			out[at++] = '?';
		} else {
			memcpy(out + at, s, n);
			at += n;
		}
		s += n == 0 ? 1 : n;
	}
	out[at] = '\0';
}
