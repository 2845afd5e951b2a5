#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto.h"
#include "crypto_alg.h"
#include "secret.h"

int
crypto_x25519_generate(unsigned char private_key[CRYPTO_KEY],
    unsigned char public_key[CRYPTO_KEY], struct fault *f)
{
	int rc = crypto_random(private_key, CRYPTO_KEY, f);

	if (rc == 0)
		rc = crypto_x25519_public(private_key, public_key, f);
	if (rc != 0)
		secret_wipe(private_key, CRYPTO_KEY);
	return rc;
}

int
crypto_x25519_public(const unsigned char private_key[CRYPTO_KEY],
    unsigned char public_key[CRYPTO_KEY], struct fault *f)
{
	size_t len = CRYPTO_KEY;
	EVP_PKEY *key;
	int ok;

	key = EVP_PKEY_new_raw_private_key_ex(
	    NULL, "X25519", NULL, private_key, CRYPTO_KEY);
	ok = key != NULL &&
	     EVP_PKEY_get_raw_public_key(key, public_key, &len) == 1 &&
	     len == CRYPTO_KEY;
	EVP_PKEY_free(key);
	return ok ? 0 : crypto_alg_fault(f, "X25519");
}

int
crypto_x25519(const unsigned char private_key[CRYPTO_KEY],
    const unsigned char public_key[CRYPTO_KEY],
    unsigned char shared[CRYPTO_KEY], struct fault *f)
{
	static const unsigned char zero[CRYPTO_KEY];
	EVP_PKEY *key, *peer;
	EVP_PKEY_CTX *ctx = NULL;
	size_t len = CRYPTO_KEY;
	int rc = 0;

	key = EVP_PKEY_new_raw_private_key_ex(
	    NULL, "X25519", NULL, private_key, CRYPTO_KEY);
	peer = EVP_PKEY_new_raw_public_key_ex(
	    NULL, "X25519", NULL, public_key, CRYPTO_KEY);
	if (key != NULL && peer != NULL)
		ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, peer) != 1) {
		rc = crypto_alg_fault(f, "X25519");
	} else if (EVP_PKEY_derive(ctx, shared, &len) != 1 ||
		   len != CRYPTO_KEY ||
		   secret_equal(shared, zero, CRYPTO_KEY)) {
		/* The only way in which the multiplication fails: OpenSSL
		 * looks for the zero result itself (RFC 7748, 6.1). */
		ERR_clear_error();
		secret_wipe(shared, CRYPTO_KEY);
		rc = fault_set(f, FAULT_CORRUPT,
		    "X25519: the public key is a point of small order");
	}
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	EVP_PKEY_free(peer);
	return rc;
}
