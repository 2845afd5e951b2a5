#include "label.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fault f = FAULT_INIT;
	struct label l;

	(void)label_parse((const char *)data, n, &l, &f);
	return (0);
}
