#ifndef MANIFEST_WORLD_H
#define MANIFEST_WORLD_H

#include "unit.h"

#include <stdio.h>

#include "buf.h"
#include "manifest.h"

/* The manifest's content without the sealing: chunks are laid end to end. */

static struct buf content;
static size_t largest;

int __wrap_object_seal_chunk(struct object_sealer *s, const void *data,
    size_t len, struct object_extent *e, struct fault *f);

int
__wrap_object_seal_chunk(struct object_sealer *s, const void *data, size_t len,
    struct object_extent *e, struct fault *f)
{
	(void)s;
	(void)e;
	if (len > largest)
		largest = len;
	return buf_put(&content, data, len, f);
}

static inline int
setup(void **state)
{
	(void)state;
	buf_init(&content, 64U << 20);
	largest = 0;
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	buf_free(&content);
	return 0;
}

/* What a reader was told, as text. */
struct told {
	struct buf text;
};

static inline int
on_entry(void *ctx, const struct manifest_entry *e, struct fault *f)
{
	struct told *t = ctx;

	return buf_printf(&t->text, f, "%c %s %o %lld %s\n", e->type, e->path,
	    e->mode, (long long)e->mtime_us, e->type == 'L' ? e->link : "-");
}

static inline int
on_pack(void *ctx, const struct manifest_pack *p, struct fault *f)
{
	struct told *t = ctx;
	int rc = buf_printf(
	    &t->text, f, "P %s %llu\n", p->name, (unsigned long long)p->size);

	for (uint32_t i = 0; rc == 0 && i < p->n_extents; i++) {
		const struct manifest_extent *e = &p->extents[i];

		rc = buf_printf(&t->text, f, " E %llu %u %u %u\n",
		    (unsigned long long)e->where.offset, e->where.stored,
		    e->where.index, e->where.length);
		for (uint32_t j = 0; rc == 0 && j < e->n_pieces; j++) {
			const struct manifest_piece *q = &e->pieces[j];

			rc = buf_printf(&t->text, f,
			    "  %s %o %lld %llu: %llu %u %u %d %d\n", q->path,
			    q->mode, (long long)q->mtime_us,
			    (unsigned long long)q->file_size,
			    (unsigned long long)q->file_offset,
			    q->extent_offset, q->length, q->xxh[0], q->xxh[15]);
		}
	}
	return rc;
}

static const struct manifest_events events = {on_entry, on_pack};

/* Feed content in steps; the fault's code, and what was told. */
static inline int
read_all(const void *data, size_t len, size_t step, struct told *t,
    struct manifest_totals *totals, struct fault *f)
{
	struct manifest_reader *r;
	const unsigned char *p = data;
	int rc;

	assert_int_equal(manifest_reader_new(&r, &events, t, f), 0);
	for (rc = 0; rc == 0 && len > 0;) {
		size_t n = len < step ? len : step;

		rc = manifest_reader_feed(r, p, n, f);
		p += n;
		len -= n;
	}
	if (rc == 0)
		rc = manifest_reader_end(r, totals, f);
	manifest_reader_free(r);
	return rc;
}

#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)

#endif
