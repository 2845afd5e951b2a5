#include <stdio.h>
#include <string.h>

#include "holding.h"
#include "who.h"

int
words_take(
    const char *option, const char *text, char out[HOLD_TEXT], struct fault *f)
{
	if (text == NULL || text[0] == '\0')
		return fault_set(f, FAULT_CONFIG, "give --%s TEXT", option);
	if (strlen(text) >= HOLD_TEXT)
		return fault_set(f, FAULT_CONFIG,
		    "--%s is longer than %d bytes", option, HOLD_TEXT - 1);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

void
words_who(char out[HOLD_TEXT])
{
	struct who w;

	who_read(&w);
	snprintf(out, HOLD_TEXT, "%.200s@%s", w.user, w.host);
}

void
words_time(int64_t us, const char *none, char out[CLOCK_TEXT_SIZE])
{
	if (us == CLOCK_NONE)
		snprintf(out, CLOCK_TEXT_SIZE, "%s", none);
	else
		clock_format_iso(us, out);
}
