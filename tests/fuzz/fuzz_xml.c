#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xml.h"

/* Walks what was accepted as the S3 calls do. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {
	    "Contents", "Key", "Error", "Code", "a"};
	const struct xml_node *n;
	struct fault f = FAULT_INIT;
	struct xml *x;
	const char *s;
	size_t i, sum = 0;

	if (xml_parse(&x, data, size, &f) != 0)
		return 0;
	sum += strlen(xml_root(x));
	for (i = 0; i < 5; i++) {
		s = xml_text(xml_top(x), names[i]);
		sum += s != NULL ? strlen(s) : 0;
		n = xml_child(xml_top(x), names[i]);
		for (; n != NULL; n = xml_next(n)) {
			s = xml_text(n, "Key");
			sum += s != NULL ? strlen(s) : 0;
		}
	}
	/* Text is part of the document, and an entity never grows it. */
	if (sum > 10 * size)
		abort();
	xml_free(x);
	return 0;
}
