#include "object_hand.h"

#include <stdlib.h>

#include "object_core.h"

struct object_hand {
	struct codec_encoder *encoder;
	struct crypto_aead *aead;
	enum codec_kind codec;
};

int
object_hand_new(struct object_hand **out, enum codec_kind codec, int level,
    const struct crypto_aead *aead, struct fault *f)
{
	struct object_hand *h = calloc(1, sizeof(*h));
	int rc;

	if (h == NULL)
		return fault_nomem(f);
	h->codec = codec;
	rc = codec_encoder_new(&h->encoder, codec, level, f);
	if (rc == 0)
		rc = crypto_aead_copy(&h->aead, aead, f);
	if (rc != 0)
		object_hand_free(h);
	else
		*out = h;
	return rc;
}

void
object_hand_free(struct object_hand *h)
{
	if (h == NULL)
		return;
	codec_encoder_free(h->encoder);
	crypto_aead_free(h->aead);
	free(h);
}

size_t
object_hand_bound(const struct object_hand *h, size_t len)
{
	return 4 + codec_bound(h->codec, len) + CRYPTO_TAG;
}

/* Compressed to where it goes out from, sealed in place. */
int
object_hand_seal(struct object_hand *h, uint32_t index, const void *content,
    size_t len, unsigned char *out, size_t cap, size_t *stored, struct fault *f)
{
	unsigned char nonce[CRYPTO_NONCE];
	size_t n = 0;
	int rc = codec_encode(
	    h->encoder, content, len, out + 4, cap - 4 - CRYPTO_TAG, &n, f);

	if (rc != 0)
		return rc;
	object_core_nonce(index, false, nonce);
	rc = crypto_aead_seal(h->aead, nonce, NULL, 0, out + 4, n, out + 4, f);
	if (rc != 0)
		return rc;
	n += CRYPTO_TAG;
	bytes_set_u32(out, (uint32_t)n);
	*stored = n + 4;
	return 0;
}
