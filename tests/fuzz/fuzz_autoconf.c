#include <stdlib.h>
#include <string.h>

#include "autoconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Rewriting what was rewritten changes nothing more. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct autoconf_setting set[] = {{"restore_command", "it's \\"}};
	struct buf once = BUF_INIT(1 << 24), twice = BUF_INIT(1 << 24);
	struct fault f = FAULT_INIT;

	if (autoconf_rewrite((const char *)data, n, set, 1, &once, &f) != 0 ||
	    autoconf_rewrite(
		(const char *)once.data, once.len, set, 1, &twice, &f) != 0)
		abort();
	if (once.len != twice.len ||
	    memcmp(once.data, twice.data, once.len) != 0)
		abort();
	buf_free(&once);
	buf_free(&twice);
	return (0);
}
