#include <stdlib.h>

#include "crypto.h"
#include "crypto_alg.h"

struct crypto_hash {
	EVP_MD_CTX *ctx;
};

int
crypto_hash_new(struct crypto_hash **out, struct fault *f)
{
	const struct crypto_alg *alg = crypto_alg_get(f);
	struct crypto_hash *h;

	if (alg == NULL)
		return (int)f->code;
	h = malloc(sizeof(*h));
	if (h == NULL)
		return fault_nomem(f);
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL ||
	    EVP_DigestInit_ex2(h->ctx, alg->sha256, NULL) != 1) {
		crypto_hash_free(h);
		return crypto_alg_fault(f, "SHA-256");
	}
	*out = h;
	return 0;
}

int
crypto_hash_update(
    struct crypto_hash *h, const void *p, size_t n, struct fault *f)
{
	if (EVP_DigestUpdate(h->ctx, p, n) != 1)
		return crypto_alg_fault(f, "SHA-256");
	return 0;
}

int
crypto_hash_final(
    struct crypto_hash *h, unsigned char out[CRYPTO_SHA256], struct fault *f)
{
	if (EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		return crypto_alg_fault(f, "SHA-256");
	return 0;
}

void
crypto_hash_free(struct crypto_hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}
