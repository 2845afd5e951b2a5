#ifndef OBJECT_HAND_H
#define OBJECT_HAND_H

#include "object.h"

/*
 * For this module only: what one thread makes stored chunks with. All hands of
 * an object have the same key; the chunk's index is the nonce, so no two may
 * be given the same one.
 */

struct object_hand;

/* aead: its key, in a copy. */
int object_hand_new(struct object_hand **out, enum codec_kind codec, int level,
    const struct crypto_aead *aead, struct fault *f);
void object_hand_free(struct object_hand *h);

/* Bytes that a chunk with len bytes of content takes at most. */
size_t object_hand_bound(const struct object_hand *h, size_t len);
/* The chunk as it is stored, length field included, to out, which has room
 * for cap bytes, at least that bound. */
int object_hand_seal(struct object_hand *h, uint32_t index, const void *content,
    size_t len, unsigned char *out, size_t cap, size_t *stored,
    struct fault *f);

#endif
