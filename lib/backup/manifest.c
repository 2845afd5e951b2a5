#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "distinct.h"
#include "manifest.h"
#include "manifest_format.h"

/* The writer. Records are put together in one buffer and poured into chunks
 * of OBJECT_CHUNK; neither grows with the number of files. */

struct manifest_writer {
	struct object_sealer *sealer;
	struct buf record;
	unsigned char *chunk;
	size_t chunk_len;
	struct distinct *paths;
	struct manifest_totals totals;
	uint64_t announced; /* sizes of the files counted so far */
	bool ended;
};

int
manifest_writer_new(
    struct manifest_writer **out, struct object_sealer *sealer, struct fault *f)
{
	struct manifest_writer *w = calloc(1, sizeof *w);
	int rc;

	if (w == NULL)
		return fault_nomem(f);
	w->sealer = sealer;
	buf_init(&w->record, MANIFEST_RECORD_MAX + MANIFEST_RECORD_HEAD);
	w->chunk = malloc(OBJECT_CHUNK);
	rc = w->chunk == NULL ? fault_nomem(f) : distinct_new(&w->paths, f);
	if (rc != 0) {
		manifest_writer_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void
manifest_writer_free(struct manifest_writer *w)
{
	if (w == NULL)
		return;
	buf_free(&w->record);
	free(w->chunk);
	distinct_free(w->paths);
	free(w);
}

static int
chunk_flush(struct manifest_writer *w, struct fault *f)
{
	int rc;

	if (w->chunk_len == 0)
		return 0;
	rc = object_seal_chunk(w->sealer, w->chunk, w->chunk_len, NULL, f);
	w->chunk_len = 0;
	return rc;
}

static int
record_begin(struct manifest_writer *w, char type, struct fault *f)
{
	int rc;

	if (w->ended)
		return fault_set(
		    f, FAULT_SYSTEM, "manifest: a record after its end");
	buf_clear(&w->record);
	if ((rc = buf_put_u8(&w->record, (uint8_t)type, f)) != 0)
		return rc;
	return buf_put_u32(&w->record, 0, f); /* length, set at the end */
}

static int
record_end(struct manifest_writer *w, struct fault *f)
{
	const unsigned char *p = w->record.data;
	size_t left = w->record.len;
	int rc;

	bytes_set_u32(w->record.data + 1,
	    (uint32_t)(w->record.len - MANIFEST_RECORD_HEAD));
	while (left > 0) {
		size_t n = OBJECT_CHUNK - w->chunk_len;

		if (n > left)
			n = left;
		memcpy(w->chunk + w->chunk_len, p, n);
		w->chunk_len += n;
		p += n;
		left -= n;
		if (w->chunk_len == OBJECT_CHUNK &&
		    (rc = chunk_flush(w, f)) != 0)
			return rc;
	}
	return 0;
}

/* Length, bytes, and a NUL that lets a reader use them in place. */
static int
put_string(struct buf *b, const char *s, struct fault *f)
{
	size_t n = strlen(s);
	int rc;

	if (n >= MANIFEST_PATH)
		return fault_set(f, FAULT_CONFIG,
		    "%.100s…: a name of more than %d bytes cannot be stored", s,
		    MANIFEST_PATH - 1);
	if ((rc = buf_put_u16(b, (uint16_t)n, f)) != 0)
		return rc;
	return buf_put(b, s, n + 1, f);
}

static int
put_path(struct buf *b, const char *path, struct fault *f)
{
	if (!manifest_path_ok(path, strlen(path)))
		return fault_set(f, FAULT_CONFIG,
		    "%.200s: not a path that can be stored", path);
	return put_string(b, path, f);
}

/* PostgreSQL 16 sends the folder of a tablespace in place twice; that does no
 * harm. A server or a file system that names a file twice while others come and
 * go, or a file where a folder was: which of the two would be restored is not
 * known. */
static int
list_path(
    struct manifest_writer *w, const char *path, bool folder, struct fault *f)
{
	const char *why;
	int rc = distinct_meet(w->paths, path, folder, &why, f);

	if (rc == 0 && why != NULL)
		rc = fault_set(f, FAULT_SYSTEM,
		    "%.200s: %s, as it changed while the backup was taken; "
		    "take another one",
		    path, why);
	return rc;
}

int
manifest_put_entry(
    struct manifest_writer *w, const struct manifest_entry *e, struct fault *f)
{
	struct buf *b = &w->record;
	int rc;

	if (e->type != 'D' && e->type != 'F' && e->type != 'L')
		return fault_set(
		    f, FAULT_SYSTEM, "manifest: no entry of type %d", e->type);
	if ((rc = record_begin(w, e->type, f)) != 0 ||
	    (rc = buf_put_u32(b, e->mode & MANIFEST_MODE, f)) != 0 ||
	    (rc = buf_put_u64(b, (uint64_t)e->mtime_us, f)) != 0 ||
	    (rc = put_path(b, e->path, f)) != 0 ||
	    (rc = list_path(w, e->path, e->type == 'D', f)) != 0)
		return rc;
	if (e->type == 'L' && (rc = put_string(b, e->link, f)) != 0)
		return rc;
	if (e->type == 'D')
		w->totals.folders++;
	else if (e->type == 'F')
		w->totals.files++;
	else
		w->totals.links++;
	return record_end(w, f);
}

static bool
same_file(const struct manifest_piece *a, const struct manifest_piece *b)
{
	return a->mode == b->mode && a->mtime_us == b->mtime_us &&
	       a->file_size == b->file_size &&
	       (a->path == b->path || strcmp(a->path, b->path) == 0);
}

/* The pack's table of files: one entry for pieces that follow each other. */
static int
put_files(struct buf *b, const struct manifest_pack *p, struct fault *f)
{
	const struct manifest_piece *last = NULL;
	size_t count_at = b->len;
	uint32_t n = 0;
	int rc;

	if ((rc = buf_put_u32(b, 0, f)) != 0)
		return rc;
	for (uint32_t i = 0; i < p->n_extents; i++) {
		for (uint32_t j = 0; j < p->extents[i].n_pieces; j++) {
			const struct manifest_piece *q =
			    &p->extents[i].pieces[j];

			if (last != NULL && same_file(last, q))
				continue;
			last = q;
			n++;
			if ((rc = buf_put_u32(b, q->mode & MANIFEST_MODE, f)) !=
				0 ||
			    (rc = buf_put_u64(b, (uint64_t)q->mtime_us, f)) !=
				0 ||
			    (rc = buf_put_u64(b, q->file_size, f)) != 0 ||
			    (rc = put_path(b, q->path, f)) != 0)
				return rc;
		}
	}
	bytes_set_u32(b->data + count_at, n);
	return 0;
}

static int
put_extent(struct manifest_writer *w, const struct manifest_extent *e,
    const struct manifest_piece **last, uint32_t *file, struct fault *f)
{
	struct buf *b = &w->record;
	int rc;

	if ((rc = buf_put_u64(b, e->where.offset, f)) != 0 ||
	    (rc = buf_put_u32(b, e->where.stored, f)) != 0 ||
	    (rc = buf_put_u32(b, e->where.index, f)) != 0 ||
	    (rc = buf_put_u32(b, e->where.length, f)) != 0 ||
	    (rc = buf_put_u32(b, e->n_pieces, f)) != 0)
		return rc;
	for (uint32_t j = 0; j < e->n_pieces; j++) {
		const struct manifest_piece *q = &e->pieces[j];

		if (*last != NULL && !same_file(*last, q))
			++*file;
		*last = q;
		if ((rc = buf_put_u32(b, *file, f)) != 0 ||
		    (rc = buf_put_u64(b, q->file_offset, f)) != 0 ||
		    (rc = buf_put_u32(b, q->extent_offset, f)) != 0 ||
		    (rc = buf_put_u32(b, q->length, f)) != 0 ||
		    (rc = buf_put(b, q->xxh, sizeof q->xxh, f)) != 0)
			return rc;
		w->totals.bytes += q->length;
		if (q->file_offset == 0) {
			if ((rc = list_path(w, q->path, false, f)) != 0)
				return rc;
			w->totals.files++;
			w->announced += q->file_size;
		}
	}
	w->totals.pieces += e->n_pieces;
	return 0;
}

int
manifest_put_pack(
    struct manifest_writer *w, const struct manifest_pack *p, struct fault *f)
{
	const struct manifest_piece *last = NULL;
	struct buf *b = &w->record;
	uint32_t file = 0, n_pieces = 0;
	int rc;

	for (uint32_t i = 0; i < p->n_extents; i++)
		n_pieces += p->extents[i].n_pieces;
	if ((rc = record_begin(w, 'P', f)) != 0 ||
	    (rc = put_string(b, p->name, f)) != 0 ||
	    (rc = buf_put_u64(b, p->size, f)) != 0 ||
	    (rc = put_files(b, p, f)) != 0 ||
	    (rc = buf_put_u32(b, p->n_extents, f)) != 0 ||
	    (rc = buf_put_u32(b, n_pieces, f)) != 0)
		return rc;
	for (uint32_t i = 0; i < p->n_extents; i++) {
		if ((rc = put_extent(w, &p->extents[i], &last, &file, f)) != 0)
			return rc;
	}
	w->totals.packs++;
	w->totals.extents += p->n_extents;
	w->totals.stored += p->size;
	return record_end(w, f);
}

int
manifest_writer_end(
    struct manifest_writer *w, struct manifest_totals *t, struct fault *f)
{
	const struct manifest_totals *s = &w->totals;
	const uint64_t v[] = {s->files, s->folders, s->links, s->bytes,
	    s->packs, s->extents, s->pieces, s->stored};
	int rc;

	if (w->announced != s->bytes)
		return fault_set(f, FAULT_SYSTEM,
		    "manifest: pieces do not make up their files");
	if ((rc = record_begin(w, 'E', f)) != 0)
		return rc;
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		if ((rc = buf_put_u64(&w->record, v[i], f)) != 0)
			return rc;
	}
	if ((rc = record_end(w, f)) != 0 || (rc = chunk_flush(w, f)) != 0)
		return rc;
	w->ended = true;
	*t = w->totals;
	return 0;
}
