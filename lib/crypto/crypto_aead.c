#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto.h"
#include "crypto_alg.h"
#include "secret.h"

/* The key schedule is set up once for all messages of one direction; from one
 * to the next only the nonce changes. */
struct crypto_aead {
	EVP_CIPHER_CTX *ctx;
	int direction; /* of ctx: 1 sealing, 0 opening, -1 not set up */
	unsigned char key[CRYPTO_KEY];
};

int
crypto_aead_new(struct crypto_aead **out, const unsigned char key[CRYPTO_KEY],
    struct fault *f)
{
	struct crypto_aead *a;

	if (crypto_alg_get(f) == NULL)
		return (int)f->code;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return fault_nomem(f);
	a->ctx = EVP_CIPHER_CTX_new();
	if (a->ctx == NULL) {
		free(a);
		return fault_nomem(f);
	}
	a->direction = -1;
	memcpy(a->key, key, CRYPTO_KEY);
	*out = a;
	return 0;
}

int
crypto_aead_copy(
    struct crypto_aead **out, const struct crypto_aead *a, struct fault *f)
{
	return crypto_aead_new(out, a->key, f);
}

void
crypto_aead_free(struct crypto_aead *a)
{
	if (a == NULL)
		return;
	EVP_CIPHER_CTX_free(a->ctx); /* wipes its copy of the key */
	secret_wipe(a, sizeof(*a));
	free(a);
}

/* Ready for one message, the associated data taken in. */
static int
begin(struct crypto_aead *a, int direction,
    const unsigned char nonce[CRYPTO_NONCE], const void *aad, size_t aad_len,
    size_t n, struct fault *f)
{
	const struct crypto_alg *alg = crypto_alg_get(f);
	const int fresh = a->direction != direction;
	int got = 0;

	if (alg == NULL)
		return (int)f->code;
	if (n > INT_MAX || aad_len > INT_MAX)
		return fault_set(f, FAULT_SYSTEM,
		    "AES-256-GCM: a message of %zu bytes is too long", n);
	a->direction = direction;
	if (EVP_CipherInit_ex2(a->ctx, fresh ? alg->gcm : NULL,
		fresh ? a->key : NULL, nonce, direction, NULL) != 1 ||
	    (aad_len != 0 &&
		EVP_CipherUpdate(a->ctx, NULL, &got, aad, (int)aad_len) != 1)) {
		a->direction = -1;
		return crypto_alg_fault(f, "AES-256-GCM");
	}
	return 0;
}

int
crypto_aead_seal(struct crypto_aead *a, const unsigned char nonce[CRYPTO_NONCE],
    const void *aad, size_t aad_len, const unsigned char *in, size_t n,
    unsigned char *out, struct fault *f)
{
	int got = 0;
	int rc = begin(a, 1, nonce, aad, aad_len, n, f);

	if (rc != 0)
		return rc;
	if ((n != 0 && EVP_CipherUpdate(a->ctx, out, &got, in, (int)n) != 1) ||
	    EVP_CipherFinal_ex(a->ctx, out + n, &got) != 1 ||
	    EVP_CIPHER_CTX_ctrl(
		a->ctx, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG, out + n) != 1) {
		a->direction = -1;
		return crypto_alg_fault(f, "AES-256-GCM");
	}
	return 0;
}

int
crypto_aead_open(struct crypto_aead *a, const unsigned char nonce[CRYPTO_NONCE],
    const void *aad, size_t aad_len, const unsigned char *in, size_t n,
    unsigned char *out, struct fault *f)
{
	unsigned char tag[CRYPTO_TAG];
	int got = 0;
	int rc;

	if (n < CRYPTO_TAG)
		return fault_set(f, FAULT_CORRUPT,
		    "fails authentication: too short for its tag");
	n -= CRYPTO_TAG;
	memcpy(tag, in + n, sizeof(tag));
	rc = begin(a, 0, nonce, aad, aad_len, n, f);
	if (rc != 0)
		return rc;
	if ((n != 0 && EVP_CipherUpdate(a->ctx, out, &got, in, (int)n) != 1) ||
	    EVP_CIPHER_CTX_ctrl(
		a->ctx, EVP_CTRL_AEAD_SET_TAG, CRYPTO_TAG, tag) != 1) {
		a->direction = -1;
		secret_wipe(out, n);
		return crypto_alg_fault(f, "AES-256-GCM");
	}
	if (EVP_CipherFinal_ex(a->ctx, tag, &got) != 1) {
		ERR_clear_error();
		secret_wipe(out, n);
		return fault_set(f, FAULT_CORRUPT, "fails authentication");
	}
	return 0;
}
