#include "manifest_record.h"

#include <stdlib.h>
#include <string.h>

#include "manifest_format.h"

void
manifest_rows_free(struct manifest_rows *r)
{
	free(r->files);
	free(r->extents);
	free(r->pieces);
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

int
manifest_record_entry(
    char type, struct bytes b, struct manifest_entry *e, struct fault *f)
{
	int rc;

	*e = (struct manifest_entry){.type = type};
	if ((rc = take_mode(&b, &e->mode, &e->mtime_us, f)) != 0 ||
	    (rc = take_path(&b, &e->path, f)) != 0)
		return rc;
	if (type == 'L' && (rc = take_string(&b, &e->link, f)) != 0)
		return rc;
	if (b.left != 0)
		return bad(f, "a record is longer than what it holds");
	return 0;
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
read_files(
    struct manifest_rows *r, struct bytes *b, uint32_t *count, struct fault *f)
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
		struct manifest_file *row = &r->files[i];

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
read_piece(struct manifest_rows *r, struct bytes *b, uint32_t n_files,
    const struct manifest_extent *e, uint32_t *used, struct manifest_piece *q,
    struct fault *f)
{
	const struct manifest_file *row;
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
read_extents(struct manifest_rows *r, struct bytes *b, struct manifest_pack *p,
    uint32_t n_files, struct fault *f)
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

int
manifest_record_pack(struct bytes b, struct manifest_rows *rows,
    struct manifest_pack *p, struct fault *f)
{
	uint32_t n_files = 0;
	int rc;

	if ((rc = take_path(&b, &p->name, f)) != 0)
		return rc;
	if (bytes_u64(&b, &p->size) != 0)
		return bad(f, "a record is too short");
	if ((rc = read_files(rows, &b, &n_files, f)) != 0)
		return rc;
	return read_extents(rows, &b, p, n_files, f);
}

int
manifest_record_totals(
    struct bytes b, struct manifest_totals *t, struct fault *f)
{
	if (bytes_u64(&b, &t->files) != 0 || bytes_u64(&b, &t->folders) != 0 ||
	    bytes_u64(&b, &t->links) != 0 || bytes_u64(&b, &t->bytes) != 0 ||
	    bytes_u64(&b, &t->packs) != 0 || bytes_u64(&b, &t->extents) != 0 ||
	    bytes_u64(&b, &t->pieces) != 0 || bytes_u64(&b, &t->stored) != 0 ||
	    b.left != 0)
		return bad(f, "the end record has the wrong length");
	return 0;
}
