#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "crypto.h"
#include "crypto_alg.h"
#include "secret.h"

int
crypto_random(void *p, size_t n, struct fault *f)
{
	if (RAND_bytes_ex(NULL, p, n, 0) != 1)
		return crypto_alg_fault(f, "random bytes");
	return 0;
}

int
crypto_sha256(
    const void *p, size_t n, unsigned char out[CRYPTO_SHA256], struct fault *f)
{
	const struct crypto_alg *alg = crypto_alg_get(f);

	if (alg == NULL)
		return (int)f->code;
	if (EVP_Digest(p, n, out, NULL, alg->sha256, NULL) != 1)
		return crypto_alg_fault(f, "SHA-256");
	return 0;
}

/* Not kept like the others: a system in FIPS mode does without MD5 until a
 * store really asks for Content-MD5. */
int
crypto_md5(const void *p, size_t n, unsigned char out[16], struct fault *f)
{
	EVP_MD *md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	int ok;

	if (md5 == NULL)
		return crypto_alg_fault(f, "MD5");
	ok = EVP_Digest(p, n, out, NULL, md5, NULL);
	EVP_MD_free(md5);
	if (ok != 1)
		return crypto_alg_fault(f, "MD5");
	return 0;
}

int
crypto_hmac(const void *key, size_t key_len, const void *p, size_t n,
    unsigned char out[CRYPTO_SHA256], struct fault *f)
{
	static char digest[] = "SHA2-256";
	static const unsigned char empty[1];
	const struct crypto_alg *alg = crypto_alg_get(f);
	EVP_MAC_CTX *ctx;
	size_t len = 0;
	int ok;

	if (alg == NULL)
		return (int)f->code;
	ctx = EVP_MAC_CTX_new(alg->hmac);
	if (ctx == NULL)
		return fault_nomem(f);
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(
		OSSL_MAC_PARAM_DIGEST, digest, sizeof(digest) - 1),
	    OSSL_PARAM_construct_end(),
	};
	/* A NULL key means "the same as before" to OpenSSL. */
	ok = EVP_MAC_init(ctx, key == NULL ? empty : key, key_len, params) ==
		 1 &&
	     EVP_MAC_update(ctx, p, n) == 1 &&
	     EVP_MAC_final(ctx, out, &len, CRYPTO_SHA256) == 1 &&
	     len == CRYPTO_SHA256;
	EVP_MAC_CTX_free(ctx);
	return ok ? 0 : crypto_alg_fault(f, "HMAC-SHA-256");
}

/* An empty salt stands for 32 zero bytes (RFC 5869, 2.2); HMAC pads its key
 * with zeros, so both are the same to it. */
int
crypto_hkdf_extract(const void *salt, size_t salt_len, const void *ikm,
    size_t ikm_len, unsigned char prk[CRYPTO_SHA256], struct fault *f)
{
	return crypto_hmac(salt, salt_len, ikm, ikm_len, prk, f);
}

#define HKDF_INFO_MAX 512

int
crypto_hkdf_expand(const unsigned char prk[CRYPTO_SHA256], const void *info,
    size_t info_len, unsigned char *out, size_t out_len, struct fault *f)
{
	/* T(i) = HMAC(PRK, T(i-1) | info | i) */
	unsigned char in[CRYPTO_SHA256 + HKDF_INFO_MAX + 1];
	unsigned char t[CRYPTO_SHA256] = {0};
	size_t done = 0, head = 0, n;
	unsigned char i = 1;
	int rc = 0;

	if (info_len > HKDF_INFO_MAX || out_len > 255 * CRYPTO_SHA256)
		return fault_set(f, FAULT_SYSTEM,
		    "HKDF: %zu bytes from %zu bytes of info is too much",
		    out_len, info_len);
	while (done < out_len) {
		memcpy(in, t, head);
		if (info_len != 0)
			memcpy(in + head, info, info_len);
		in[head + info_len] = i++;
		rc = crypto_hmac(
		    prk, CRYPTO_SHA256, in, head + info_len + 1, t, f);
		if (rc != 0)
			break;
		n = out_len - done < sizeof(t) ? out_len - done : sizeof(t);
		memcpy(out + done, t, n);
		done += n;
		head = sizeof(t);
	}
	secret_wipe(in, sizeof(in));
	secret_wipe(t, sizeof(t));
	if (rc != 0)
		secret_wipe(out, out_len);
	return rc;
}
