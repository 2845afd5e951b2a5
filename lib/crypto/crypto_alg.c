#include <pthread.h>

#include <openssl/err.h>

#include "crypto_alg.h"

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static struct crypto_alg alg;

static void
fetch(void)
{
	alg.sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	alg.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	alg.gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

const struct crypto_alg *
crypto_alg_get(struct fault *f)
{
	(void)pthread_once(&fetched, fetch);
	if (alg.sha256 == NULL || alg.hmac == NULL || alg.gcm == NULL) {
		(void)crypto_alg_fault(
		    f, "OpenSSL lacks SHA-256, HMAC or AES-256-GCM");
		return NULL;
	}
	return &alg;
}

int
crypto_alg_fault(struct fault *f, const char *what)
{
	const unsigned long e = ERR_peek_last_error();
	char reason[160] = "no reason given";

	if (e != 0)
		ERR_error_string_n(e, reason, sizeof(reason));
	ERR_clear_error();
	return fault_set(f, FAULT_SYSTEM, "%s: %s", what, reason);
}
