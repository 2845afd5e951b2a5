#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "head.h"

/* What decodes must encode, and decode again. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head a, b;
	struct buf text = BUF_INIT(HEAD_MAX * 2);
	struct fault f = FAULT_INIT;

	if (head_decode(data, size, &a, &f) != 0)
		return 0;
	if (head_encode(&a, &text, &f) != 0)
		abort();
	if (text.len <= HEAD_MAX) {
		if (head_decode(text.data, text.len, &b, &f) != 0)
			abort();
		head_free(&b);
	}
	buf_free(&text);
	head_free(&a);
	return 0;
}
