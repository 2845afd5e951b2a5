#ifndef CRYPTO_ALG_H
#define CRYPTO_ALG_H

#include <openssl/evp.h>

#include "fault.h"

/*
 * For this module only. The algorithms are fetched from OpenSSL once in a
 * process and kept until it ends: looking one up by name costs more than
 * hashing a page.
 */
struct crypto_alg {
	EVP_MD *sha256;
	EVP_MAC *hmac;
	EVP_CIPHER *gcm;
};

/* NULL, with f filled, when OpenSSL has one of them not. Any thread. */
const struct crypto_alg *crypto_alg_get(struct fault *f);

/* SYSTEM, "what: OpenSSL's reason"; empties OpenSSL's queue of errors. */
int crypto_alg_fault(struct fault *f, const char *what);

#endif
