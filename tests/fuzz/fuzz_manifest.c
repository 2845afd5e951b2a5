#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "manifest.h"

/* The first byte gives the step in which the rest is fed. Events touch all
 * that they are given, so that a sanitizer sees what lies outside. */

static volatile uint64_t sum;

static void
touch(const char *s)
{
	for (; *s != '\0'; s++)
		sum += (unsigned char)*s;
}

static int
on_entry(void *ctx, const struct manifest_entry *e, struct fault *f)
{
	(void)ctx;
	(void)f;
	touch(e->path);
	if (e->type == 'L')
		touch(e->link);
	return 0;
}

static int
on_pack(void *ctx, const struct manifest_pack *p, struct fault *f)
{
	(void)ctx;
	(void)f;
	touch(p->name);
	for (uint32_t i = 0; i < p->n_extents; i++) {
		const struct manifest_extent *e = &p->extents[i];

		for (uint32_t j = 0; j < e->n_pieces; j++) {
			const struct manifest_piece *q = &e->pieces[j];

			touch(q->path);
			if ((uint64_t)q->extent_offset + q->length >
				e->where.length ||
			    q->file_offset + q->length > q->file_size)
				abort();
		}
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct manifest_events ev = {on_entry, on_pack};
	struct manifest_reader *r;
	struct manifest_totals t;
	struct fault f = FAULT_INIT;
	size_t step;
	int rc = 0;

	if (size == 0 || manifest_reader_new(&r, &ev, NULL, &f) != 0)
		return 0;
	step = (size_t)data[0] + 1;
	for (data++, size--; rc == 0 && size > 0;) {
		size_t n = size < step ? size : step;

		rc = manifest_reader_feed(r, data, n, &f);
		data += n;
		size -= n;
	}
	if (rc == 0)
		(void)manifest_reader_end(r, &t, &f);
	manifest_reader_free(r);
	return 0;
}
