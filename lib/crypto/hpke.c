#include "hpke.h"
#include "hpke_core.h"
#include "secret.h"

/* The one cipher of a context; sequence number 0, so the nonce is the base
 * nonce itself. Wipes the context. */
static int
schedule(const unsigned char shared[CRYPTO_KEY], const struct hpke_psk *psk,
    const void *info, size_t info_len, struct crypto_aead **aead,
    unsigned char nonce[CRYPTO_NONCE], struct fault *f)
{
	struct hpke_core_context context;
	int rc = hpke_core_schedule(HPKE_CORE_AES_256_GCM, shared, info,
	    info_len, psk->psk, psk->id, psk->id_len, &context, f);

	if (rc == 0)
		rc = crypto_aead_new(aead, context.key, f);
	if (rc == 0)
		for (size_t i = 0; i < CRYPTO_NONCE; i++)
			nonce[i] = context.base_nonce[i];
	secret_wipe(&context, sizeof(context));
	return rc;
}

int
hpke_seal(const unsigned char public_key[CRYPTO_KEY],
    const struct hpke_psk *psk, const void *info, size_t info_len,
    const void *aad, size_t aad_len, const unsigned char *in, size_t n,
    unsigned char enc[HPKE_ENC], unsigned char *out, struct fault *f)
{
	unsigned char ephemeral[CRYPTO_KEY], shared[CRYPTO_KEY];
	unsigned char nonce[CRYPTO_NONCE];
	struct crypto_aead *aead = NULL;
	int rc = crypto_random(ephemeral, sizeof(ephemeral), f);

	if (rc == 0)
		rc = hpke_core_encap(ephemeral, public_key, enc, shared, f);
	if (rc == 0)
		rc = schedule(shared, psk, info, info_len, &aead, nonce, f);
	if (rc == 0)
		rc = crypto_aead_seal(aead, nonce, aad, aad_len, in, n, out, f);
	crypto_aead_free(aead);
	secret_wipe(ephemeral, sizeof(ephemeral));
	secret_wipe(shared, sizeof(shared));
	return rc;
}

int
hpke_open(const unsigned char private_key[CRYPTO_KEY],
    const struct hpke_psk *psk, const void *info, size_t info_len,
    const void *aad, size_t aad_len, const unsigned char enc[HPKE_ENC],
    const unsigned char *in, size_t n, unsigned char *out, struct fault *f)
{
	unsigned char shared[CRYPTO_KEY], nonce[CRYPTO_NONCE];
	struct crypto_aead *aead = NULL;
	int rc = hpke_core_decap(enc, private_key, shared, f);

	if (rc == 0)
		rc = schedule(shared, psk, info, info_len, &aead, nonce, f);
	if (rc == 0)
		rc = crypto_aead_open(aead, nonce, aad, aad_len, in, n, out, f);
	crypto_aead_free(aead);
	secret_wipe(shared, sizeof(shared));
	return rc;
}
