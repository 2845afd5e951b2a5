#include "blocks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"

#define SHIFT 6

static int
compare(
    uint32_t timeline, uint32_t log, uint32_t seg, const struct blocks_mark *m)
{
	if (timeline != m->timeline)
		return timeline < m->timeline ? -1 : 1;
	if (log != m->log)
		return log < m->log ? -1 : 1;
	seg >>= SHIFT;
	return (seg > m->first >> SHIFT) - (seg < m->first >> SHIFT);
}

bool
blocks_in_order(const struct blocks_mark *a, const struct blocks_mark *b)
{
	return compare(a->timeline, a->log, a->first, b) < 0;
}

void
blocks_begin(struct blocks *b, const struct blocks_mark *known, size_t n)
{
	memset(b, 0, sizeof *b);
	b->known = known;
	b->n_known = n;
}

/* Is the block that ends here, or its beginning, what was known? */
static int
close_block(struct blocks *b, struct fault *f)
{
	struct blocks_one *one = b->n > 0 ? &b->b[b->n - 1] : NULL;
	unsigned char sum[BLOCKS_SUM];
	int rc = 0;

	if (one == NULL)
		return 0;
	if (b->all != NULL)
		rc = crypto_hash_final(b->all, one->all.sum, f);
	if (rc == 0 && b->old != NULL && one->known != NULL) {
		const struct blocks_mark *k = one->known;

		rc = crypto_hash_final(b->old, sum, f);
		if (k->first != one->all.first || k->files != b->old_files ||
		    memcmp(k->sum, sum, sizeof sum) != 0)
			one->known = NULL;
	}
	crypto_hash_free(b->all);
	crypto_hash_free(b->old);
	b->all = b->old = NULL;
	b->old_files = 0;
	return rc;
}

static int
open_block(struct blocks *b, const struct walname *n, struct blocks_one **out,
    struct fault *f)
{
	const struct blocks_mark *k = NULL;
	int rc;

	if (b->n == b->cap) {
		size_t cap = b->cap == 0 ? 64 : 2 * b->cap;
		void *grown = reallocarray(b->b, cap, sizeof *b->b);

		if (grown == NULL)
			return fault_nomem(f);
		b->b = grown;
		b->cap = cap;
	}
	while (b->next < b->n_known &&
	       compare(n->timeline, n->log, n->seg, &b->known[b->next]) > 0)
		b->next++;
	if (b->next < b->n_known &&
	    compare(n->timeline, n->log, n->seg, &b->known[b->next]) == 0)
		k = &b->known[b->next];
	rc = crypto_hash_new(&b->all, f);
	if (rc == 0 && k != NULL)
		rc = crypto_hash_new(&b->old, f);
	if (rc != 0)
		return rc;
	*out = &b->b[b->n++];
	**out = (struct blocks_one){.all = {.timeline = n->timeline,
					.log = n->log,
					.first = n->seg,
					.last = n->seg},
	    .known = k};
	return 0;
}

int
blocks_add(struct blocks *b, const struct walname *n, const char *name,
    uint64_t size, int64_t modified_us, struct fault *f)
{
	struct blocks_one *one = b->n > 0 ? &b->b[b->n - 1] : NULL;
	char line[160];
	int len, rc = 0;

	if (one == NULL ||
	    compare(n->timeline, n->log, n->seg, &one->all) != 0) {
		rc = close_block(b, f);
		if (rc == 0)
			rc = open_block(b, n, &one, f);
		if (rc != 0 || one == NULL)
			return rc;
	}
	len = snprintf(line, sizeof line, "%s %" PRIu64 " %" PRId64 "\n", name,
	    size, modified_us);
	one->all.last = n->seg;
	one->all.files++;
	one->bytes += size;
	rc = crypto_hash_update(b->all, line, (size_t)len, f);
	if (rc == 0 && b->old != NULL && one->known != NULL &&
	    n->seg <= one->known->last) {
		b->old_files++;
		rc = crypto_hash_update(b->old, line, (size_t)len, f);
	}
	return rc;
}

int
blocks_end(struct blocks *b, struct fault *f)
{
	return close_block(b, f);
}

void
blocks_free(struct blocks *b)
{
	crypto_hash_free(b->all);
	crypto_hash_free(b->old);
	free(b->b);
	memset(b, 0, sizeof *b);
}

struct blocks_one *
blocks_find(const struct blocks *b, const struct walname *n)
{
	size_t low = 0, high = b->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = compare(n->timeline, n->log, n->seg, &b->b[mid].all);

		if (c == 0)
			return &b->b[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

bool
blocks_was_read(const struct blocks_one *b, const struct walname *n)
{
	return b != NULL && b->known != NULL && n->seg <= b->known->last;
}

bool
blocks_mark_of(
    const struct blocks_one *b, int64_t now_us, struct blocks_mark *out)
{
	uint32_t known = b->known != NULL ? b->known->files : 0;

	if (b->torn)
		return false;
	if (b->done == b->all.files) {
		*out = b->all;
		out->read_us = now_us;
		return true;
	}
	if (b->known == NULL)
		return false;
	*out = *b->known;
	/* Only what came behind it was read now. */
	if (b->done == b->all.files - known) {
		*out = b->all;
		out->read_us = b->known->read_us;
	}
	return true;
}
