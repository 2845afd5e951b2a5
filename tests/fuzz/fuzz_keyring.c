/* Any text as a key file: refused, or a ring whose recipient part is a key
 * file with the same ids. */
#include <stdlib.h>
#include <string.h>

#include "keyring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = FAULT_INIT;
	struct keyring *k = NULL, *r = NULL;
	char *text;
	size_t len;

	if (keyring_parse(&k, "fuzz", (const char *)data, size, &f) != 0) {
		if (f.code == FAULT_NONE || f.text[0] == '\0' || k != NULL)
			abort();
		return 0;
	}
	if (keyring_recipient_text(k, &text, &len, &f) != 0 ||
	    keyring_parse(&r, "again", text, len, &f) != 0)
		abort();
	if (keyring_count(k) != keyring_count(r) || keyring_can_open(r))
		abort();
	for (size_t i = 0; i < keyring_count(k); i++)
		if (memcmp(keyring_at(k, i)->id, keyring_at(r, i)->id,
			KEYRING_ID) != 0)
			abort();
	free(text);
	keyring_free(k);
	keyring_free(r);
	return 0;
}
