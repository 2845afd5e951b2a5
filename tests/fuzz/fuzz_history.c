#include <stdlib.h>

#include "history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fault f = FAULT_INIT;
	struct history h;
	uint32_t t;

	if (history_parse(&h, 1000, (const char *)data, n, &f) != 0)
		return (0);
	for (size_t i = 0; i < h.n; i++) {
		t = history_timeline_at(&h, h.entry[i].begin);
		if (t > 1000)
			abort();
		(void)history_reaches(&h, t, h.entry[i].end);
	}
	history_free(&h);
	return (0);
}
