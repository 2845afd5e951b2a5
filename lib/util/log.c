#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Set once by the command before it starts threads; live may change. */
static const char *program = "pitrkit";
static int verbosity;
static atomic_int live;

void
log_init(const char *name, int level)
{
	program = name;
	verbosity = level;
}

int
log_verbosity(void)
{
	return verbosity;
}

void
log_live(int on)
{
	atomic_store(&live, on);
}

void
log_line(int level, const char *fmt, ...)
{
	char line[2048];
	size_t n, i, start;
	ssize_t r;
	va_list ap;
	int k;

	if (level > verbosity)
		return;
	/* Over a progress bar: it is drawn again below the line. */
	k = snprintf(line, sizeof(line) / 2,
	    "%s%s: ", atomic_load(&live) ? "\r\033[K" : "", program);
	n = k < 0 ? 0 : strnlen(line, sizeof(line) / 2);
	start = n;
	va_start(ap, fmt);
	k = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	va_end(ap);
	if (k > 0)
		n += strnlen(line + n, sizeof(line) - n - 1);
	for (i = start; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[n++] = '\n';
	do
		r = write(STDERR_FILENO, line, n);
	while (r < 0 && errno == EINTR);
}
