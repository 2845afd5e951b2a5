#ifndef MANIFEST_H
#define MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "object.h"

/*
 * A backup's manifest: every folder and file, and for each stretch of a file
 * the extent (chunk) of the pack that holds it. Ordered by packs, not by files:
 * it can be written while packs are finished by several workers, and read as a
 * stream by a restore that takes one pack after the other, in memory that does
 * not grow with the number of files. Packs may belong to older backups (that
 * is how incremental backups refer to what did not change).
 *
 * Layout in pitrkit-format(5): records in the content of a sealed object of
 * kind OBJECT_MANIFEST, each u8 type, u32 length, payload:
 *	'D' folder, 'F' empty file, 'L' symbolic link,
 *	'P' pack with its extents and their pieces, 'E' end with totals.
 * A folder's record comes before any record of something in it. Paths are
 * relative to the data directory ("pg_tblspc/16384/PG_15_…/5/16385" for files
 * of tablespaces), at most MANIFEST_PATH-1 bytes, without "." and ".." parts.
 */

#define MANIFEST_PATH 1024
#define MANIFEST_RECORD_MAX (8U << 20)
#define MANIFEST_XXH 16

struct manifest_entry { /* 'D', 'F', 'L' */
	char type;
	const char *path;
	const char *link; /* 'L' only */
	uint32_t mode;    /* permission bits */
	int64_t mtime_us;
};

/* A stretch of a file that lies in an extent. */
struct manifest_piece {
	const char *path;
	uint32_t mode;
	int64_t mtime_us;
	uint64_t file_size; /* of the whole file */
	uint64_t file_offset;
	uint32_t extent_offset; /* in the extent's content */
	uint32_t length;        /* at least 1 */
	/* XXH3-128 of the piece: whether a file that is there holds it. */
	unsigned char xxh[MANIFEST_XXH];
};

struct manifest_extent {
	struct object_extent where;
	const struct manifest_piece *pieces;
	uint32_t n_pieces;
};

struct manifest_pack {
	const char *name; /* bound name: "ID/pack/00000001" */
	uint64_t size;    /* bytes of the object */
	const struct manifest_extent *extents; /* by rising offset */
	uint32_t n_extents;
};

struct manifest_totals {
	uint64_t files; /* 'F', and files with pieces */
	uint64_t folders;
	uint64_t links;
	uint64_t bytes; /* of all files */
	uint64_t packs;
	uint64_t extents;
	uint64_t pieces;
	uint64_t stored; /* bytes of all packs */
};

/* ---- writing; the caller serialises ---- */
struct manifest_writer;
/* Records go into sealer as content of a manifest object, in chunks. SYSTEM
 * when paths do not fit into one tree (distinct.h). */
int manifest_writer_new(struct manifest_writer **out,
    struct object_sealer *sealer, struct fault *f);
int manifest_put_entry(
    struct manifest_writer *w, const struct manifest_entry *e, struct fault *f);
/* A file is counted where a piece of it has file_offset 0. */
int manifest_put_pack(
    struct manifest_writer *w, const struct manifest_pack *p, struct fault *f);
/* 'E', and the last chunk; the sealer is ended by the caller. */
int manifest_writer_end(
    struct manifest_writer *w, struct manifest_totals *t, struct fault *f);
void manifest_writer_free(struct manifest_writer *w);

/* ---- reading: out of a repository see manifest_source.h ---- */
struct manifest_events { /* NULL: passed over */
	int (*entry)(
	    void *ctx, const struct manifest_entry *e, struct fault *f);
	int (*pack)(void *ctx, const struct manifest_pack *p, struct fault *f);
};
struct manifest_reader;
int manifest_reader_new(struct manifest_reader **out,
    const struct manifest_events *ev, void *ctx, struct fault *f);
/* A sink_fn over the manifest object's content; ctx is the reader. Everything
 * is checked (paths, which have to fit into one tree (distinct.h), bounds of
 * pieces in extents and files, order of extents) before an event is made;
 * CORRUPT otherwise. What an event is given is valid during the call only. */
int manifest_reader_feed(
    void *ctx, const unsigned char *data, size_t len, struct fault *f);
/* CORRUPT unless 'E' came, was the last, its totals are what was read, and the
 * pieces cover each file from its beginning to its end. */
int manifest_reader_end(
    struct manifest_reader *r, struct manifest_totals *t, struct fault *f);
void manifest_reader_free(struct manifest_reader *r);

/* Is path safe to be made below a directory? */
bool manifest_path_ok(const char *path, size_t len);
/* The folder of a tablespace may be anywhere, and a server has one folder in
 * it, "PG_15_202209061": CORRUPT when path leads to something else there.
 * below: what of path comes behind "pg_tblspc/OID/". */
int manifest_path_in_space(
    const char *path, const char *below, struct fault *f);

#endif
