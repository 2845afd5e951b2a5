#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "crypto.h"
#include "distinct.h"
#include "manifest.h"
#include "manifest_format.h"
#include "manifest_record.h"
#include "tiles.h"

/* The reader: one record is gathered, checked as a whole, counted, told and
 * forgotten. */

struct manifest_reader {
	struct manifest_events ev;
	void *ctx;
	unsigned char head[MANIFEST_RECORD_HEAD];
	size_t head_len;
	uint32_t want; /* payload bytes of the record at hand */
	struct buf record;
	struct manifest_rows rows;
	struct manifest_totals seen;
	struct manifest_totals told;
	struct tiles tiles;
	struct distinct *paths;
	bool ended;
};

int
manifest_reader_new(struct manifest_reader **out,
    const struct manifest_events *ev, void *ctx, struct fault *f)
{
	struct manifest_reader *r = calloc(1, sizeof *r);
	unsigned char seed[TILES_SEED];
	int rc;

	if (r == NULL)
		return fault_nomem(f);
	if ((rc = crypto_random(seed, sizeof seed, f)) != 0) {
		free(r);
		return rc;
	}
	tiles_begin(&r->tiles, seed);
	r->ev = *ev;
	r->ctx = ctx;
	buf_init(&r->record, MANIFEST_RECORD_MAX);
	if ((rc = distinct_new(&r->paths, f)) != 0) {
		manifest_reader_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void
manifest_reader_free(struct manifest_reader *r)
{
	if (r == NULL)
		return;
	buf_free(&r->record);
	manifest_rows_free(&r->rows);
	distinct_free(r->paths);
	free(r);
}

static int
bad(struct fault *f, const char *what)
{
	return fault_set(f, FAULT_CORRUPT, "manifest: %s", what);
}

/* A record's path, or that of a file that begins: by the tiles each file whose
 * pieces come has as many beginnings as it is listed times. */
static int
list_path(
    struct manifest_reader *r, const char *path, bool folder, struct fault *f)
{
	const char *why;
	int rc = distinct_meet(r->paths, path, folder, &why, f);

	if (rc == 0 && why != NULL)
		rc = fault_set(
		    f, FAULT_CORRUPT, "manifest: \"%.200s\" %s", path, why);
	return rc;
}

static int
read_entry(
    struct manifest_reader *r, char type, struct bytes b, struct fault *f)
{
	struct manifest_entry e;
	int rc;

	if ((rc = manifest_record_entry(type, b, &e, f)) != 0 ||
	    (rc = list_path(r, e.path, type == 'D', f)) != 0)
		return rc;
	if (type == 'D')
		r->seen.folders++;
	else if (type == 'F')
		r->seen.files++;
	else
		r->seen.links++;
	return r->ev.entry != NULL ? r->ev.entry(r->ctx, &e, f) : 0;
}

static int
count_pack(
    struct manifest_reader *r, const struct manifest_pack *p, struct fault *f)
{
	int rc;

	r->seen.packs++;
	r->seen.extents += p->n_extents;
	r->seen.stored += p->size;
	for (uint32_t i = 0; i < p->n_extents; i++) {
		const struct manifest_extent *e = &p->extents[i];

		r->seen.pieces += e->n_pieces;
		for (uint32_t k = 0; k < e->n_pieces; k++) {
			const struct manifest_piece *q = &e->pieces[k];

			r->seen.bytes += q->length;
			tiles_add(&r->tiles, q->path, q->file_size,
			    q->file_offset, q->length);
			if (q->file_offset != 0)
				continue;
			r->seen.files++;
			if ((rc = list_path(r, q->path, false, f)) != 0)
				return rc;
		}
	}
	return 0;
}

static int
read_pack(struct manifest_reader *r, struct bytes b, struct fault *f)
{
	struct manifest_pack p;
	int rc;

	if ((rc = manifest_record_pack(b, &r->rows, &p, f)) != 0 ||
	    (rc = count_pack(r, &p, f)) != 0)
		return rc;
	return r->ev.pack != NULL ? r->ev.pack(r->ctx, &p, f) : 0;
}

static int
read_totals(struct manifest_reader *r, struct bytes b, struct fault *f)
{
	int rc = manifest_record_totals(b, &r->told, f);

	r->ended = rc == 0;
	return rc;
}

static int
read_record(struct manifest_reader *r, struct fault *f)
{
	struct bytes b = {r->record.data, r->record.len};
	char type = (char)r->head[0];

	switch (type) {
	case 'D':
	case 'F':
	case 'L':
		return read_entry(r, type, b, f);
	case 'P':
		return read_pack(r, b, f);
	case 'E':
		return read_totals(r, b, f);
	default:
		return fault_set(f, FAULT_CORRUPT,
		    "manifest: a record of unknown type %u", r->head[0]);
	}
}

int
manifest_reader_feed(
    void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct manifest_reader *r = ctx;
	int rc;

	while (len > 0) {
		bool in_head = r->head_len < MANIFEST_RECORD_HEAD;
		size_t n = in_head ? MANIFEST_RECORD_HEAD - r->head_len
				   : r->want - r->record.len;

		if (r->ended)
			return bad(f, "bytes after its end");
		if (n > len)
			n = len;
		if (in_head) {
			memcpy(r->head + r->head_len, data, n);
			r->head_len += n;
		} else if ((rc = buf_put(&r->record, data, n, f)) != 0)
			return rc;
		data += n;
		len -= n;
		if (r->head_len < MANIFEST_RECORD_HEAD)
			continue;
		r->want = bytes_get_u32(r->head + 1);
		if (r->want > MANIFEST_RECORD_MAX)
			return bad(f, "a record that is too long");
		if (r->record.len < r->want)
			continue;
		if ((rc = read_record(r, f)) != 0)
			return rc;
		buf_clear(&r->record);
		r->head_len = 0;
	}
	return 0;
}

int
manifest_reader_end(
    struct manifest_reader *r, struct manifest_totals *t, struct fault *f)
{
	const struct manifest_totals *a = &r->seen, *b = &r->told;

	if (!r->ended || r->head_len != 0)
		return bad(f, "cut off: it has no end record");
	if (a->files != b->files || a->folders != b->folders ||
	    a->links != b->links || a->bytes != b->bytes ||
	    a->packs != b->packs || a->extents != b->extents ||
	    a->pieces != b->pieces || a->stored != b->stored)
		return bad(f, "its totals are not what it lists");
	if (!tiles_whole(&r->tiles))
		return bad(f, "its pieces do not cover each file once");
	*t = r->told;
	return 0;
}
