#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit_record.h"
#include "audit_text.h"
#include "tally.h"

/* What decodes must encode, and decode to the same again; and whatever a text
 * is, a record can be made of it. So must a slot that counts what was read. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
any_text(const uint8_t *data, size_t size)
{
	char in[3000], once[AUDIT_TEXT], twice[AUDIT_TEXT];
	size_t n = size < sizeof in - 1 ? size : sizeof in - 1;

	memcpy(in, data, n);
	in[n] = '\0';
	audit_text(once, sizeof once, in);
	audit_text(twice, sizeof twice, once);
	if (strcmp(once, twice) != 0)
		abort();
}

static void
slot(const uint8_t *data, size_t size)
{
	unsigned char text[TALLY_SIZE];
	struct tally a, b;

	if (tally_decode(data, size, &a) != 0)
		return;
	tally_encode(&a, text);
	if (tally_decode(text, sizeof text, &b) != 0 ||
	    memcmp(&a, &b, sizeof a) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct audit_record a, b;
	struct buf text = BUF_INIT(AUDIT_RECORD_MAX);
	struct fault f = FAULT_INIT;

	any_text(data, size);
	slot(data, size);
	if (audit_record_decode(data, size, &a, &f) != 0)
		return 0;
	if (audit_record_encode(&a, &text, &f) != 0 ||
	    audit_record_decode(text.data, text.len, &b, &f) != 0 ||
	    memcmp(&a, &b, sizeof a) != 0)
		abort();
	buf_free(&text);
	return 0;
}
