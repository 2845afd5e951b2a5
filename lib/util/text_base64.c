#include "text.h"

#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Pin and key values are short: a table would gain nothing. */
static int
digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	if (c == '/')
		return 63;
	return -1;
}

/* Everything is checked before the first byte is written: out is set only on
 * success. Unused bits of the last digit must be zero, so that a value has one
 * spelling. */
int
text_unbase64(const char *s, unsigned char *out, size_t cap, size_t *n)
{
	size_t len = strlen(s), digits = len, bytes, i;
	unsigned acc = 0, bits = 0;

	if (len % 4 != 0)
		return -1;
	while (digits > 0 && len - digits < 2 && s[digits - 1] == '=')
		digits--;
	for (i = 0; i < digits; i++)
		if (digit(s[i]) < 0)
			return -1;
	if (len - digits == 1 && (digit(s[digits - 1]) & 3) != 0)
		return -1;
	if (len - digits == 2 && (digit(s[digits - 1]) & 15) != 0)
		return -1;
	bytes = len / 4 * 3 - (len - digits);
	if (bytes > cap)
		return -1;
	for (i = 0; i < digits; i++) {
		acc = (acc << 6 | (unsigned)digit(s[i])) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*out++ = (unsigned char)(acc >> bits & 0xff);
		}
	}
	*n = bytes;
	return 0;
}

void
text_base64(const unsigned char *p, size_t n, char *out)
{
	unsigned v;

	for (; n >= 3; p += 3, n -= 3) {
		v = (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2];
		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = alphabet[v >> 6 & 63];
		*out++ = alphabet[v & 63];
	}
	if (n > 0) {
		v = (unsigned)p[0] << 16 | (n == 2 ? (unsigned)p[1] << 8 : 0);
		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = (char)(n == 2 ? alphabet[v >> 6 & 63] : '=');
		*out++ = '=';
	}
	*out = '\0';
}
