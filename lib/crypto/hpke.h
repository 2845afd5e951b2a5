#ifndef HPKE_H
#define HPKE_H

#include "crypto.h"

/*
 * RFC 9180 in mode_psk with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
 * AES-256-GCM, single shot: seals a few bytes for one recipient such that
 * opening takes the recipient's private key AND the pre-shared secret, and
 * sealing takes the pre-shared secret. Whoever has only the public key can
 * neither read nor forge; whoever breaks X25519 alone cannot read.
 * Limits: info and PSK id 256 bytes each.
 */

#define HPKE_ENC 32

struct hpke_psk {
	const unsigned char *psk; /* 32 bytes */
	const unsigned char *id;
	size_t id_len; /* at least 1 */
};

/* out: n + CRYPTO_TAG bytes; enc: the ephemeral public key. */
int hpke_seal(const unsigned char public_key[CRYPTO_KEY],
    const struct hpke_psk *psk, const void *info, size_t info_len,
    const void *aad, size_t aad_len, const unsigned char *in, size_t n,
    unsigned char enc[HPKE_ENC], unsigned char *out, struct fault *f);
/* out: n - CRYPTO_TAG bytes. CORRUPT when it does not open. */
int hpke_open(const unsigned char private_key[CRYPTO_KEY],
    const struct hpke_psk *psk, const void *info, size_t info_len,
    const void *aad, size_t aad_len, const unsigned char enc[HPKE_ENC],
    const unsigned char *in, size_t n, unsigned char *out, struct fault *f);

#endif
