#ifndef HPKE_CORE_H
#define HPKE_CORE_H

#include "crypto.h"

/*
 * The two halves of RFC 9180 that hpke.c puts together, apart so that the
 * published vectors can look inside. Shared secrets and keys: the caller
 * wipes them.
 */

#define HPKE_CORE_AES_128_GCM 1 /* in vectors only */
#define HPKE_CORE_AES_256_GCM 2
#define HPKE_CORE_INFO_MAX 256 /* bytes of info, of a PSK id */

/* 4.1 Encap() with a given ephemeral key pair. */
int hpke_core_encap(const unsigned char ephemeral[CRYPTO_KEY],
    const unsigned char public_key[CRYPTO_KEY], unsigned char enc[CRYPTO_KEY],
    unsigned char shared[CRYPTO_KEY], struct fault *f);
/* 4.1 Decap(). CORRUPT for an enc of small order. */
int hpke_core_decap(const unsigned char enc[CRYPTO_KEY],
    const unsigned char private_key[CRYPTO_KEY],
    unsigned char shared[CRYPTO_KEY], struct fault *f);

/* 5.1 KeySchedule() in mode_psk; psk is 32 bytes. */
struct hpke_core_context {
	unsigned char key[CRYPTO_KEY]; /* 16 bytes of it for AES-128 */
	unsigned char base_nonce[CRYPTO_NONCE];
};
int hpke_core_schedule(int aead_id, const unsigned char shared[CRYPTO_KEY],
    const void *info, size_t info_len, const unsigned char psk[CRYPTO_KEY],
    const void *psk_id, size_t psk_id_len, struct hpke_core_context *out,
    struct fault *f);

#endif
