#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "crypto.h"
#include "manifest.h"
#include "manifest_format.h"
#include "tiles.h"

/* The reader: one record is gathered, checked as a whole, told, forgotten.
 * What a record says it holds is believed only as far as its bytes reach. */

struct file_row {
	const char *path;
	uint32_t mode;
	int64_t mtime_us;
	uint64_t size;
};

struct manifest_reader {
	struct manifest_events ev;
	void *ctx;
	unsigned char head[MANIFEST_RECORD_HEAD];
	size_t head_len;
	uint32_t want; /* payload bytes of the record at hand */
	struct buf record;
	struct file_row *files;
	size_t files_cap;
	struct manifest_extent *extents;
	size_t extents_cap;
	struct manifest_piece *pieces;
	size_t pieces_cap;
	struct manifest_totals seen;
	struct manifest_totals told;
	struct tiles tiles;
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
	*out = r;
	return 0;
}

void
manifest_reader_free(struct manifest_reader *r)
{
	if (r == NULL)
		return;
	buf_free(&r->record);
	free(r->files);
	free(r->extents);
	free(r->pieces);
	free(r);
}

static int
bad(struct fault *f, const char *what)
{
	return fault_set(f, FAULT_CORRUPT, "manifest: %s", what);
}

/* A string with its NUL, used in place. */
static int
take_string(struct bytes *b, const char **out, struct fault *f)
{
	struct bytes s;
	uint16_t n;

	if (bytes_u16(b, &n) != 0 || bytes_sub(b, (size_t)n + 1, &s) != 0)
		return bad(f, "a name runs over its record");
	if (n >= MANIFEST_PATH || memchr(s.p, '\0', s.left) != s.p + n)
		return bad(f, "a name that is too long or has a NUL inside");
	*out = (const char *)s.p;
	return 0;
}

static int
take_path(struct bytes *b, const char **out, struct fault *f)
{
	int rc = take_string(b, out, f);

	if (rc != 0)
		return rc;
	if (!manifest_path_ok(*out, strlen(*out)))
		return fault_set(f, FAULT_CORRUPT,
		    "manifest: \"%.200s\" is not a path below the data "
		    "directory",
		    *out);
	return 0;
}

static int
take_mode(struct bytes *b, uint32_t *mode, int64_t *mtime_us, struct fault *f)
{
	uint64_t t;

	if (bytes_u32(b, mode) != 0 || bytes_u64(b, &t) != 0)
		return bad(f, "a record is too short");
	if ((*mode & ~MANIFEST_MODE) != 0)
		return bad(f, "mode bits that no file has");
	*mtime_us = (int64_t)t;
	return 0;
}

static int
read_entry(
    struct manifest_reader *r, char type, struct bytes *b, struct fault *f)
{
	struct manifest_entry e = {.type = type};
	int rc;

	if ((rc = take_mode(b, &e.mode, &e.mtime_us, f)) != 0 ||
	    (rc = take_path(b, &e.path, f)) != 0)
		return rc;
	if (type == 'L' && (rc = take_string(b, &e.link, f)) != 0)
		return rc;
	if (b->left != 0)
		return bad(f, "a record is longer than what it holds");
	if (type == 'D')
		r->seen.folders++;
	else if (type == 'F')
		r->seen.files++;
	else
		r->seen.links++;
	return r->ev.entry != NULL ? r->ev.entry(r->ctx, &e, f) : 0;
}

/* Room for n elements of size bytes in *p, kept from record to record. */
static int
make_room(void **p, size_t *cap, size_t n, size_t size, struct fault *f)
{
	void *q;

	if (n <= *cap)
		return 0;
	q = reallocarray(*p, n, size);
	if (q == NULL)
		return fault_nomem(f);
	*p = q;
	*cap = n;
	return 0;
}

static int
read_files(struct manifest_reader *r, struct bytes *b, uint32_t *count,
    struct fault *f)
{
	uint32_t n;
	void *p = r->files;
	int rc;

	if (bytes_u32(b, &n) != 0 || n > b->left / MANIFEST_FILE_MIN)
		return bad(f, "a pack lists more files than fit its record");
	rc = make_room(&p, &r->files_cap, n, sizeof *r->files, f);
	r->files = p;
	if (rc != 0)
		return rc;
	for (uint32_t i = 0; i < n; i++) {
		struct file_row *row = &r->files[i];

		if ((rc = take_mode(b, &row->mode, &row->mtime_us, f)) != 0)
			return rc;
		if (bytes_u64(b, &row->size) != 0)
			return bad(f, "a record is too short");
		if ((rc = take_path(b, &row->path, f)) != 0)
			return rc;
	}
	*count = n;
	return 0;
}

static int
read_piece(struct manifest_reader *r, struct bytes *b, uint32_t n_files,
    const struct manifest_extent *e, uint32_t *used, struct manifest_piece *q,
    struct fault *f)
{
	const struct file_row *row;
	uint32_t file;

	if (bytes_u32(b, &file) != 0 || bytes_u64(b, &q->file_offset) != 0 ||
	    bytes_u32(b, &q->extent_offset) != 0 ||
	    bytes_u32(b, &q->length) != 0 ||
	    bytes_copy(b, q->xxh, sizeof q->xxh) != 0)
		return bad(f, "a record is too short");
	if (file >= n_files)
		return bad(f, "a piece of a file that its pack does not list");
	row = &r->files[file];
	if (q->length == 0 || q->file_offset > row->size ||
	    q->length > row->size - q->file_offset)
		return fault_set(f, FAULT_CORRUPT,
		    "manifest: %.200s: a piece lies outside of the file",
		    row->path);
	if (q->extent_offset < *used || q->extent_offset > e->where.length ||
	    q->length > e->where.length - q->extent_offset)
		return fault_set(f, FAULT_CORRUPT,
		    "manifest: %.200s: a piece lies outside of its extent",
		    row->path);
	*used = q->extent_offset + q->length;
	q->path = row->path;
	q->mode = row->mode;
	q->mtime_us = row->mtime_us;
	q->file_size = row->size;
	r->seen.files += q->file_offset == 0;
	r->seen.bytes += q->length;
	tiles_add(&r->tiles, q->path, q->file_size, q->file_offset, q->length);
	return 0;
}

static int
read_extent(struct bytes *b, struct manifest_extent *e, uint64_t pack_size,
    struct fault *f)
{
	struct object_extent *w = &e->where;

	if (bytes_u64(b, &w->offset) != 0 || bytes_u32(b, &w->stored) != 0 ||
	    bytes_u32(b, &w->index) != 0 || bytes_u32(b, &w->length) != 0 ||
	    bytes_u32(b, &e->n_pieces) != 0)
		return bad(f, "a record is too short");
	if (w->stored == 0 || w->stored > OBJECT_STORED_MAX ||
	    w->offset > pack_size || w->stored > pack_size - w->offset)
		return bad(f, "an extent lies outside of its pack");
	if (w->length == 0 || w->length > OBJECT_CHUNK_MAX)
		return bad(f, "an extent of impossible length");
	return 0;
}

/* The extents with their pieces, which are counted before them. */
static int
read_extents(struct manifest_reader *r, struct bytes *b,
    struct manifest_pack *p, uint32_t n_files, struct fault *f)
{
	uint32_t n_pieces, done = 0;
	uint64_t end = 0;
	void *room = r->extents;
	int rc;

	if (bytes_u32(b, &p->n_extents) != 0 || bytes_u32(b, &n_pieces) != 0 ||
	    p->n_extents > b->left / MANIFEST_EXTENT_SIZE ||
	    n_pieces > b->left / MANIFEST_PIECE_SIZE)
		return bad(f, "more extents or pieces than fit their record");
	rc = make_room(
	    &room, &r->extents_cap, p->n_extents, sizeof *r->extents, f);
	r->extents = room;
	if (rc != 0)
		return rc;
	room = r->pieces;
	rc = make_room(&room, &r->pieces_cap, n_pieces, sizeof *r->pieces, f);
	r->pieces = room;
	if (rc != 0)
		return rc;
	for (uint32_t i = 0; i < p->n_extents; i++) {
		struct manifest_extent *e = &r->extents[i];
		uint32_t used = 0;

		if ((rc = read_extent(b, e, p->size, f)) != 0)
			return rc;
		if (e->where.offset < end ||
		    (i > 0 && e->where.index <= r->extents[i - 1].where.index))
			return bad(f, "extents out of order");
		end = e->where.offset + e->where.stored;
		if (e->n_pieces == 0 || e->n_pieces > n_pieces - done)
			return bad(f, "none or too many pieces in an extent");
		e->pieces = r->pieces + done;
		for (uint32_t j = 0; j < e->n_pieces; j++) {
			rc = read_piece(
			    r, b, n_files, e, &used, r->pieces + done, f);
			if (rc != 0)
				return rc;
			done++;
		}
	}
	if (done != n_pieces || b->left != 0)
		return bad(f, "a record is longer than what it holds");
	p->extents = r->extents;
	return 0;
}

static int
read_pack(struct manifest_reader *r, struct bytes *b, struct fault *f)
{
	struct manifest_pack p;
	uint32_t n_files = 0;
	int rc;

	if ((rc = take_path(b, &p.name, f)) != 0)
		return rc;
	if (bytes_u64(b, &p.size) != 0)
		return bad(f, "a record is too short");
	if ((rc = read_files(r, b, &n_files, f)) != 0 ||
	    (rc = read_extents(r, b, &p, n_files, f)) != 0)
		return rc;
	r->seen.packs++;
	r->seen.extents += p.n_extents;
	r->seen.stored += p.size;
	for (uint32_t i = 0; i < p.n_extents; i++)
		r->seen.pieces += p.extents[i].n_pieces;
	return r->ev.pack != NULL ? r->ev.pack(r->ctx, &p, f) : 0;
}

static int
read_totals(struct manifest_reader *r, struct bytes *b, struct fault *f)
{
	struct manifest_totals *t = &r->told;

	if (bytes_u64(b, &t->files) != 0 || bytes_u64(b, &t->folders) != 0 ||
	    bytes_u64(b, &t->links) != 0 || bytes_u64(b, &t->bytes) != 0 ||
	    bytes_u64(b, &t->packs) != 0 || bytes_u64(b, &t->extents) != 0 ||
	    bytes_u64(b, &t->pieces) != 0 || bytes_u64(b, &t->stored) != 0 ||
	    b->left != 0)
		return bad(f, "the end record has the wrong length");
	r->ended = true;
	return 0;
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
		return read_entry(r, type, &b, f);
	case 'P':
		return read_pack(r, &b, f);
	case 'E':
		return read_totals(r, &b, f);
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
