#ifndef CRYPTO_H
#define CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"

/*
 * The primitives, over OpenSSL's EVP with algorithms fetched once. Units:
 * bytes. Sources: RFC 7748 (X25519), RFC 5869 (HKDF), RFC 9180 (HPKE),
 * NIST SP 800-38D (GCM). A failure of OpenSSL itself is SYSTEM.
 */

#define CRYPTO_SHA256 32
#define CRYPTO_KEY 32   /* AES-256, X25519 */
#define CRYPTO_TAG 16   /* GCM */
#define CRYPTO_NONCE 12 /* GCM */

int crypto_random(void *p, size_t n, struct fault *f);

int crypto_sha256(
    const void *p, size_t n, unsigned char out[CRYPTO_SHA256], struct fault *f);
int crypto_md5(const void *p, size_t n, unsigned char out[16], struct fault *f);
int crypto_hmac(const void *key, size_t key_len, const void *p, size_t n,
    unsigned char out[CRYPTO_SHA256], struct fault *f);
int crypto_hkdf_extract(const void *salt, size_t salt_len, const void *ikm,
    size_t ikm_len, unsigned char prk[CRYPTO_SHA256], struct fault *f);
/* Limits: info 512 bytes, out 255 * 32 bytes. */
int crypto_hkdf_expand(const unsigned char prk[CRYPTO_SHA256], const void *info,
    size_t info_len, unsigned char *out, size_t out_len, struct fault *f);

/* Streaming SHA-256. */
struct crypto_hash;
int crypto_hash_new(struct crypto_hash **out, struct fault *f);
int crypto_hash_update(
    struct crypto_hash *h, const void *p, size_t n, struct fault *f);
int crypto_hash_final(
    struct crypto_hash *h, unsigned char out[CRYPTO_SHA256], struct fault *f);
void crypto_hash_free(struct crypto_hash *h);

/* XXH3-128 (canonical, big-endian form), at once and streaming: a fingerprint,
 * no protection against somebody who wants a collision. */
void crypto_xxh(const void *p, size_t n, unsigned char out[16]);
struct crypto_xxh;
int crypto_xxh_new(struct crypto_xxh **out, struct fault *f);
void crypto_xxh_update(struct crypto_xxh *x, const void *p, size_t n);
void crypto_xxh_final(const struct crypto_xxh *x, unsigned char out[16]);
void crypto_xxh_free(struct crypto_xxh *x);

int crypto_x25519_generate(unsigned char private_key[CRYPTO_KEY],
    unsigned char public_key[CRYPTO_KEY], struct fault *f);
int crypto_x25519_public(const unsigned char private_key[CRYPTO_KEY],
    unsigned char public_key[CRYPTO_KEY], struct fault *f);
/* CORRUPT when the result is all zero (a point of small order). */
int crypto_x25519(const unsigned char private_key[CRYPTO_KEY],
    const unsigned char public_key[CRYPTO_KEY],
    unsigned char shared[CRYPTO_KEY], struct fault *f);

/* AES-256-GCM with one key, many messages; one thread at a time. out may be
 * the same place as in. seal writes n + CRYPTO_TAG bytes, open n - CRYPTO_TAG;
 * open is CORRUPT, and out wiped, when the tag does not fit. */
struct crypto_aead;
int crypto_aead_new(struct crypto_aead **out,
    const unsigned char key[CRYPTO_KEY], struct fault *f);
/* Another with the key of a, for another thread. */
int crypto_aead_copy(
    struct crypto_aead **out, const struct crypto_aead *a, struct fault *f);
void crypto_aead_free(struct crypto_aead *a);
int crypto_aead_seal(struct crypto_aead *a,
    const unsigned char nonce[CRYPTO_NONCE], const void *aad, size_t aad_len,
    const unsigned char *in, size_t n, unsigned char *out, struct fault *f);
int crypto_aead_open(struct crypto_aead *a,
    const unsigned char nonce[CRYPTO_NONCE], const void *aad, size_t aad_len,
    const unsigned char *in, size_t n, unsigned char *out, struct fault *f);

#endif
