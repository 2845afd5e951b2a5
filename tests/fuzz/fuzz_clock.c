#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* A time that was read is written and read again as the same moment. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char s[128], out[CLOCK_TEXT_SIZE], compact[17];
	struct fault f = FAULT_INIT;
	int64_t us, again;
	bool assumed;

	if (size >= sizeof(s))
		return 0;
	memcpy(s, data, size);
	s[size] = '\0';
	if (clock_parse_http(s, &us) == 0)
		clock_format_iso(us, out);
	if (size == sizeof(us)) {
		memcpy(&us, data, sizeof(us));
		clock_format(us, out);
		clock_format_iso(us, out);
		clock_format_compact(us, compact);
		if (strlen(compact) != 16)
			abort();
	}
	if (clock_parse(s, &us, &assumed, &f) != 0)
		return 0;
	clock_format(us, out);
	/* A zone can carry a moment out of the years that have four digits. */
	if (clock_parse(out, &again, &assumed, &f) != 0) {
		if (us >= -62135596800LL * 1000000 &&
		    us < 253402300800LL * 1000000)
			abort();
		return 0;
	}
	if (again != us || assumed)
		abort();
	return 0;
}
