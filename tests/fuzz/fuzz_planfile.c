/* Any bytes as a plan: a whole reading of it ends, with totals that fit what
 * was read, or is refused. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "planfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The line's sum is what the reader wants: with it the end is reached. */
static size_t
with_sum(const struct planfile *p, char *text, size_t size)
{
	static const char end[] = "{\"line\":\"end\",\"objects\":%llu,"
				  "\"bytes\":%llu,\"sum\":\"%s\"}\n";
	char sum[65];
	int n;

	for (unsigned i = 0; i < 32; i++)
		snprintf(sum + 2 * i, 3, "%02x", p->sum[i]);
	n = snprintf(text + size, 300, end, (unsigned long long)p->deletes,
	    (unsigned long long)p->bytes, sum);
	return size + (size_t)n;
}

/* 0 when the end was reached. */
static int
read_all(struct planfile *p)
{
	struct fault f = FAULT_INIT;
	struct json *j = NULL;
	const char *line;
	uint64_t deletes = 0;
	int rc = planfile_rewind(p, &f);

	while (rc == 0) {
		rc = planfile_next(p, &j, &line, &f);
		if (rc != 0 || j == NULL)
			break;
		deletes += strcmp(line, "delete") == 0;
		json_free(j);
	}
	if (deletes != p->deletes && rc == 0)
		abort();
	if (rc != 0 && (f.code == FAULT_NONE || f.text[0] == '\0'))
		abort();
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 301);
	struct planfile p;

	if (text == NULL || size == 0 || size > 1U << 16) {
		free(text);
		return 0;
	}
	memcpy(text, data, size);
	for (int try = 0; try < 2; try++) {
		memset(&p, 0, sizeof p);
		p.name = "plan";
		p.fp = fmemopen(text, size, "r");
		if (p.fp == NULL)
			abort();
		(void)read_all(&p);
		/* A plan that was only cut is completed, and read again. */
		if (try == 0)
			size = with_sum(&p, text, size);
		planfile_close(&p);
	}
	free(text);
	return 0;
}
