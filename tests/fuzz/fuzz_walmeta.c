#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "archive_journal.h"
#include "object.h"

/* What decodes of a meta must encode, and decode as the same; and a journal in
 * spool_dir yields no more than there is room for. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
meta(const uint8_t *data, size_t size)
{
	struct walmeta a, b;
	struct buf text = BUF_INIT(OBJECT_META_MAX);
	struct fault f = FAULT_INIT;

	if (walmeta_decode(data, size, &a, &f) != 0)
		return;
	if (a.n_pushes > WALMETA_PUSHES || walmeta_encode(&a, &text, &f) != 0 ||
	    walmeta_encode_pushes(a.pushes, a.n_pushes, &text, &f) != 0 ||
	    walmeta_decode(text.data, text.len, &b, &f) != 0 ||
	    a.n_pushes != b.n_pushes ||
	    memcmp(a.pushes, b.pushes, a.n_pushes * sizeof *a.pushes) != 0)
		abort();
	buf_free(&text);
}

static void
journal(const uint8_t *data, size_t size)
{
	struct walmeta_push *few = calloc(3, sizeof *few);
	size_t n;

	if (few == NULL)
		abort();
	n = archive_journal_decode(data, size, few, 3);
	if (n > 3 || n > size / (WALMETA_PUSH + 8))
		abort();
	free(few);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	meta(data, size);
	journal(data, size);
	return 0;
}
