#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "evidence.h"

/* What a report says was read must be written again, and read as the same. */

#define ID "20261122T020000Z-1a2b3c4d"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
again(const struct evidence *a)
{
	struct evidence b;
	struct json *j;
	struct fault f = FAULT_INIT;
	char *text;
	size_t len;

	if (json_new(&j, &f) != 0 || json_put_i64(j, "format", 1, &f) != 0 ||
	    json_put_str(j, "id", ID, &f) != 0 ||
	    evidence_put(j, a->wal, a->n_wal, a->backups, a->n_backups, &f) !=
		0 ||
	    json_dump(j, &text, &len, &f) != 0 ||
	    evidence_decode(text, len, ID, &b, &f) != 0 ||
	    b.n_wal != a->n_wal || b.n_backups != a->n_backups)
		abort();
	evidence_free(&b);
	free(text);
	json_free(j);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evidence e;
	struct fault f = FAULT_INIT;

	if (evidence_decode(data, size, ID, &e, &f) != 0)
		return 0;
	for (size_t i = 1; i < e.n_wal; i++)
		if (!blocks_in_order(&e.wal[i - 1], &e.wal[i]))
			abort();
	again(&e);
	evidence_free(&e);
	return 0;
}
