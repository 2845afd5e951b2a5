#ifndef OBJECT_H
#define OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "codec.h"
#include "keyring.h"
#include "sink.h"

/*
 * The sealed object: what every file in a repository is. Content is cut into
 * chunks, each compressed and then sealed by itself with AES-256-GCM under a
 * key made for this object alone; that key is wrapped for each recipient. The
 * object is bound to its cluster, system id, kind and name: one that was
 * moved, swapped, cut, extended or reordered does not open. The byte layout
 * is in pitrkit-format(5).
 *
 *	header | chunk 0 | chunk 1 | … | end chunk | trailer
 *
 * The header can be told from the first OBJECT_HEADER_MAX bytes and holds a
 * sealed "meta" of the caller's, and the fingerprint by which a host without
 * private key recognises the same content. The trailer holds the object's
 * length under a MAC, so such a host also notices a cut object.
 */

enum object_kind {
	OBJECT_WAL = 1,     /* a whole segment */
	OBJECT_HISTORY = 2, /* timeline history file */
	OBJECT_LABEL = 3,   /* .backup file */
	OBJECT_PARTIAL = 4, /* .partial segment */
	OBJECT_PACK = 5,
	OBJECT_MANIFEST = 6,
	OBJECT_HEAD = 7,    /* a backup exists when its head exists */
	OBJECT_ARCHIVE = 8, /* the mark of a cluster's archive */
	OBJECT_KEY = 9,     /* an old key, sealed to a newer one */
	OBJECT_HOLD = 10,
	OBJECT_AUDIT = 11,
	OBJECT_REPORT = 12,
};

#define OBJECT_CHUNK (1U << 20)     /* content bytes in a chunk, usual */
#define OBJECT_CHUNK_MAX (4U << 20) /* content bytes in a chunk, at most */
#define OBJECT_META_MAX 2048
#define OBJECT_HEADER_MAX 4096
#define OBJECT_TRAILER 40
/* A chunk as stored: length field, ciphertext, tag. Never more than this. */
#define OBJECT_STORED_MAX (OBJECT_CHUNK_MAX + (OBJECT_CHUNK_MAX >> 7) + 1024)

/* What an object is bound to. name: the last part of its key for WAL files,
 * "ID/head", "ID/manifest", "ID/pack/N" for backups, … (repo/layout.h). */
struct object_id {
	const char *cluster;
	uint64_t system_id;
	enum object_kind kind;
	const char *name;
};

/* XXH3-128 of the whole content, and its length. */
struct object_digest {
	unsigned char xxh[16];
	uint64_t length;
};
void object_digest(struct object_digest *d, const void *content, size_t len);

/* ---- sealing: one thread at a time ---- */

struct object_params {
	struct object_id id;
	const struct keyring
	    *keys;             /* NULL: not encrypted ("encryption = off") */
	enum codec_kind codec; /* OBJECT_KEY: none, whatever stands here, for
				* zstd keeps what it has compressed */
	int level;
	const void *meta;                   /* may be NULL */
	size_t meta_len;                    /* at most OBJECT_META_MAX */
	const struct object_digest *digest; /* NULL: no fingerprint */
};

/* Where a chunk lies in its object. */
struct object_extent {
	uint64_t offset; /* of its length field */
	uint32_t stored; /* bytes, length field and tag included */
	uint32_t index;  /* 0, 1, … */
	uint32_t length; /* content bytes */
};

struct object_sealer;

/* Writes the header to sink. The strings of params are copied. */
int object_seal_begin(struct object_sealer **out, const struct object_params *p,
    sink_fn sink, void *ctx, struct fault *f);
/* One chunk of 1 to OBJECT_CHUNK_MAX bytes; e may be NULL. */
int object_seal_chunk(struct object_sealer *s, const void *content, size_t len,
    struct object_extent *e, struct fault *f);
/* Content of any length, 0 included, in chunks of OBJECT_CHUNK. hands: so many
 * threads, the caller among them, work at it until this returns, each with 2
 * MiB of memory; the sink is called by the caller alone. */
int object_seal_content(struct object_sealer *s, const void *content,
    size_t len, unsigned hands, struct fault *f);
/* End chunk and trailer. *size (may be NULL): bytes of the whole object. */
int object_seal_end(struct object_sealer *s, uint64_t *size, struct fault *f);
void object_seal_free(struct object_sealer *s);

/* All at once, for small objects: content of any length into out. */
int object_seal_all(const struct object_params *p, const void *content,
    size_t len, struct buf *out, struct fault *f);

/* ---- opening ---- */

/*
 * keys NULL: only objects that were written with encryption off open (others
 * are KEY); with keys, only encrypted ones do (a clear one is CORRUPT: there
 * is no way back to plaintext).
 * Faults: KEY no private key for it here, CORRUPT for everything else: not an
 * object, unknown version, other name, damaged.
 */
struct object_opener;

/* Length of the header, from its first 16 bytes or more. */
int object_header_length(
    const void *head, size_t len, size_t *header_len, struct fault *f);
/* head holds at least the whole header; expect is copied. */
int object_open_header(struct object_opener **out,
    const struct object_id *expect, const struct keyring *keys,
    const void *head, size_t len, struct fault *f);
/* The sealed meta; belongs to the opener. */
const unsigned char *object_meta(const struct object_opener *o, size_t *len);
/* One chunk as it is stored, length field included; out has room for cap
 * bytes; CORRUPT when it holds more. Any order; one thread at a time. */
int object_open_chunk(struct object_opener *o, uint32_t index,
    const void *stored, size_t stored_len, unsigned char *out, size_t cap,
    size_t *len, struct fault *f);
void object_opener_free(struct object_opener *o);

/* The whole object as it streams in. Content goes to sink chunk by chunk, each
 * after its authentication; it is complete only when object_reader_end
 * returns 0, so a destination gets its name after that. */
struct object_reader;
int object_reader_new(struct object_reader **out,
    const struct object_id *expect, const struct keyring *keys, sink_fn sink,
    void *ctx, struct fault *f);
/* A sink_fn; ctx is the struct object_reader. */
int object_reader_feed(
    void *ctx, const unsigned char *data, size_t len, struct fault *f);
int object_reader_end(struct object_reader *r, struct fault *f);
/* NULL until the header has come in. */
const struct object_opener *object_reader_opener(const struct object_reader *r);
uint64_t object_reader_content(const struct object_reader *r); /* bytes */
void object_reader_free(struct object_reader *r);

/* All at once into out (its limit holds). */
int object_open_all(const struct object_id *expect, const struct keyring *keys,
    const void *object, size_t len, struct buf *out, struct fault *f);

/*
 * Is the stored object, of which we have the first bytes, the trailer and the
 * length, this content under this name? Needs no private key.
 * 0 and *same; CORRUPT when it is no object, was made for another name, or
 * its length is not what its trailer says; KEY when its fingerprint or trailer
 * was made with a secret that keys does not hold.
 */
int object_compare(const struct object_id *expect, const struct keyring *keys,
    const struct object_digest *digest, const void *head, size_t head_len,
    const unsigned char trailer[OBJECT_TRAILER], uint64_t object_len,
    bool *same, struct fault *f);
/* The same about the content of another object under this name, of which own is
 * the header. KEY also when the two were made with different secrets. */
int object_compare_twin(const struct object_id *expect,
    const struct keyring *keys, const void *own, size_t own_len,
    const void *head, size_t head_len,
    const unsigned char trailer[OBJECT_TRAILER], uint64_t object_len,
    bool *same, struct fault *f);

#endif
