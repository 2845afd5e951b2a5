#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "evidence.h"
#include "ledger.h"

/* What a report says was read must be written again, and read as the same; so
 * must what it knows of backups. */

#define ID "20261122T020000Z-1a2b3c4d"
#define NOW INT64_C(1795348800000000)

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

static size_t
missed(const struct ledger *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += ledger_misses(&l->b[i]) && l->b[i].stop_us >= l->silent_us;
	return n;
}

static void
recall(const struct json *report, bool instead)
{
	struct ledger a, b;
	struct fault f = FAULT_INIT;
	struct json *j;

	(void)ledger_known(report);
	ledger_begin(&a);
	ledger_begin(&b);
	if (ledger_recall(&a, report, instead, &f) == 0) {
		ledger_settle(&a);
		if (json_new(&j, &f) != 0 ||
		    json_put_i64(j, "begun_us", NOW, &f) != 0 ||
		    ledger_put(&a, NOW, j, &f) != 0 ||
		    ledger_recall(&b, j, true, &f) != 0)
			abort();
		ledger_settle(&b);
		if (missed(&a) != missed(&b))
			abort();
		json_free(j);
	}
	ledger_free(&a);
	ledger_free(&b);
}

static void
heads(const struct json *report)
{
	struct audit_head *h;
	struct fault f = FAULT_INIT;
	size_t n;

	if (evidence_heads(report, &h, &n, &f) != 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (strnlen(h[i].writer, sizeof h[i].writer) ==
		    sizeof h[i].writer)
			abort();
	free(h);
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
	recall(e.all, true);
	recall(e.all, false);
	heads(e.all);
	evidence_free(&e);
	return 0;
}
