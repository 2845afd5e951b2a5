#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Also the C1 controls, which UTF-8 writes as C2 80 … C2 9F: some terminals
 * obey them like an escape sequence. */
static void
sanitize(char *s)
{
	unsigned char *p = (unsigned char *)s;

	for (; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
	}
}

/* The new line is made aside: an argument may be the old one. */
static void __attribute__((format(printf, 3, 0)))
format(struct fault *f, const char *tail, const char *fmt, va_list ap)
{
	char line[sizeof(f->text)];
	size_t used, n;
	int r;

	r = vsnprintf(line, sizeof(line), fmt, ap);
	if (r < 0) {
		line[0] = '\0';
		r = 0;
	}
	used = (size_t)r < sizeof(line) ? (size_t)r : sizeof(line) - 1;
	n = strlen(tail);
	if (n > sizeof(line) - 1 - used)
		n = sizeof(line) - 1 - used;
	memcpy(line + used, tail, n);
	line[used + n] = '\0';
	if ((size_t)r > used || tail[n] != '\0')
		memcpy(line + sizeof(line) - 4, "...", 4);
	sanitize(line);
	memcpy(f->text, line, sizeof(f->text));
}

int
fault_set(struct fault *f, enum fault_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	format(f, "", fmt, ap);
	va_end(ap);
	f->code = code;
	f->errnum = 0;
	return (int)code;
}

int
fault_errno(struct fault *f, int errnum, const char *fmt, ...)
{
	char store[128], tail[160];
	va_list ap;

	snprintf(tail, sizeof(tail), ": %s",
	    strerror_r(errnum, store, sizeof(store)));
	va_start(ap, fmt);
	format(f, tail, fmt, ap);
	va_end(ap);
	f->code = FAULT_SYSTEM;
	f->errnum = errnum;
	return FAULT_SYSTEM;
}

bool
fault_of_medium(const struct fault *f)
{
	return f->code == FAULT_SYSTEM && f->errnum == EIO;
}

int
fault_nomem(struct fault *f)
{
	return fault_set(f, FAULT_SYSTEM, "out of memory");
}

int
fault_prefix(struct fault *f, const char *fmt, ...)
{
	char tail[sizeof(f->text) + 2];
	va_list ap;

	memcpy(tail, ": ", 2);
	memcpy(tail + 2, f->text, sizeof(f->text));
	tail[sizeof(tail) - 1] = '\0';
	va_start(ap, fmt);
	format(f, tail, fmt, ap);
	va_end(ap);
	return (int)f->code;
}

int
fault_recode(struct fault *f, enum fault_code code)
{
	f->code = code;
	return (int)code;
}

void
fault_clear(struct fault *f)
{
	f->code = FAULT_NONE;
	f->text[0] = '\0';
	f->errnum = 0;
}
