#ifndef OBJECT_CORE_H
#define OBJECT_CORE_H

#include "object.h"
#include "object_hand.h"

/*
 * For this module only: the layout of pitrkit-format(5), and what sealing,
 * opening and comparing have in common.
 */

#define OBJECT_CORE_VERSION 1
#define OBJECT_CORE_FIXED 96 /* header before the stanzas */
#define OBJECT_CORE_STANZA 92
#define OBJECT_CORE_STANZAS KEYRING_RECIPIENTS
#define OBJECT_CORE_WRAPPED (CRYPTO_KEY + CRYPTO_TAG)
#define OBJECT_CORE_END 0x80000000U /* in the length field of the end chunk */
#define OBJECT_CORE_END_PLAIN 12
#define OBJECT_CORE_END_STORED (4 + OBJECT_CORE_END_PLAIN + CRYPTO_TAG)
#define OBJECT_CORE_HEADER_MIN                                                 \
	(OBJECT_CORE_FIXED + OBJECT_CORE_STANZA + CRYPTO_TAG)

enum object_core_at { /* offsets in the header */
	AT_MAGIC = 0,
	AT_VERSION = 8,
	AT_KIND = 10,
	AT_CODEC = 11,
	AT_HEADER_LEN = 12,
	AT_CHUNK_LIMIT = 16,
	AT_STANZAS = 20,
	AT_META_LEN = 22,
	AT_BINDING = 24,
	AT_KEY_ID = 56,
	AT_FINGERPRINT = 64,
};

enum object_core_stanza_at { /* offsets in a stanza */
	STANZA_TYPE = 0,
	STANZA_KEY_ID = 4,
	STANZA_ENC = 12,
	STANZA_WRAPPED = 44,
};

enum object_core_stanza_type {
	STANZA_CLEAR = 0,
	STANZA_X25519 = 1,
};

extern const unsigned char object_core_magic[8];

/* A header whose form is right and that is the expected object's. Points into
 * the bytes it was read from. */
struct object_core {
	const unsigned char *bytes;
	size_t len;
	enum codec_kind codec;
	uint32_t chunk_limit;
	unsigned stanzas;
	size_t meta_len;
	bool clear; /* written with encryption off */
};

/* CORRUPT when form or binding is wrong or the kind of access (clear, sealed)
 * is not the one that keys stands for; KEY when it is sealed and keys NULL. */
int object_core_parse(struct object_core *c, const struct object_id *expect,
    const struct keyring *keys, const void *head, size_t len, struct fault *f);
const unsigned char *object_core_stanza(
    const struct object_core *c, unsigned i);
/* KEY, with the ids of all keys that would open it. */
int object_core_no_key(
    const struct object_core *c, const char *why, struct fault *f);

/* The key that the header names for fingerprint and trailer; NULL when keys
 * does not hold it. For a clear object *clear is filled and returned. */
int object_core_mac_key(const struct object_core *c, const struct keyring *keys,
    struct keyring_key *clear, const struct keyring_key **out, struct fault *f);

int object_core_binding(const struct object_id *id,
    unsigned char out[CRYPTO_SHA256], struct fault *f);
int object_core_fingerprint(const struct keyring_key *key,
    const unsigned char binding[CRYPTO_SHA256], const struct object_digest *d,
    unsigned char out[CRYPTO_SHA256], struct fault *f);
/* "pitrkit-object-1" 0x00 binding: info of the wrapping. */
#define OBJECT_CORE_INFO (16 + 1 + CRYPTO_SHA256)
void object_core_wrap_info(const unsigned char binding[CRYPTO_SHA256],
    unsigned char out[OBJECT_CORE_INFO]);
/* HKDF-Expand(object key, label | hash): meta and payload keys. */
int object_core_derive(const unsigned char object_key[CRYPTO_KEY],
    const char *label, const unsigned char hash[CRYPTO_SHA256],
    unsigned char out[CRYPTO_KEY], struct fault *f);
#define OBJECT_CORE_META_LABEL "pitrkit-meta-1"
#define OBJECT_CORE_PAYLOAD_LABEL "pitrkit-payload-1"
void object_core_nonce(
    uint64_t index, bool end, unsigned char out[CRYPTO_NONCE]);
int object_core_trailer(const unsigned char trailer_key[CRYPTO_KEY],
    const unsigned char header_hash[CRYPTO_SHA256], uint64_t length,
    unsigned char out[OBJECT_TRAILER], struct fault *f);

/* ---- a sealer, for who seals its chunks elsewhere ---- */

/* Another hand for its chunks. */
int object_sealer_hand(
    const struct object_sealer *s, struct object_hand **out, struct fault *f);
/* Can so many more chunks follow, the longest of them of len bytes? */
int object_sealer_check(
    const struct object_sealer *s, size_t chunks, size_t len, struct fault *f);
/* Of the chunk that comes next. */
uint32_t object_sealer_index(const struct object_sealer *s);
/* That chunk, as it is stored. e may be NULL. */
int object_sealer_put(struct object_sealer *s, const unsigned char *stored,
    size_t n, size_t len, struct object_extent *e, struct fault *f);
/* Nothing may follow. */
void object_sealer_fail(struct object_sealer *s);

/* ---- opening ---- */

/* The end chunk as it is stored, after count chunks with content bytes. */
int object_open_end(struct object_opener *o, const unsigned char *stored,
    uint32_t count, uint64_t content, struct fault *f);
/* The trailer, of an object of length bytes; its MAC when the key for it is
 * here. */
int object_open_trailer(struct object_opener *o,
    const unsigned char trailer[OBJECT_TRAILER], uint64_t length,
    struct fault *f);
uint32_t object_opener_chunk_limit(const struct object_opener *o);
/* Most bytes of a stored chunk, length field included. */
size_t object_opener_stored_limit(const struct object_opener *o);
/* Content that must not stay in memory: the object holds a key. */
bool object_opener_secret(const struct object_opener *o);

#endif
