#include <string.h>

#include "hpke_core.h"
#include "secret.h"

#define KEM_X25519_HKDF_SHA256 0x0020
#define KDF_HKDF_SHA256 0x0001
#define MODE_PSK 0x01

/* Which of the two suite ids a label is for (4.1 and 5.1). */
struct suite {
	unsigned char id[10];
	size_t len;
};

static const struct suite kem_suite = {
    {'K', 'E', 'M', 0, KEM_X25519_HKDF_SHA256}, 5};

static struct suite
hpke_suite(int aead_id)
{
	const struct suite s = {
	    {'H', 'P', 'K', 'E', 0, KEM_X25519_HKDF_SHA256, 0, KDF_HKDF_SHA256,
		0, (unsigned char)aead_id},
	    10};

	return s;
}

/* Longest: the prefix, a label, and info or a key schedule context. */
#define LABELED_MAX (2 + 7 + 10 + 16 + HPKE_CORE_INFO_MAX)

/* "HPKE-v1" | suite_id | label | data; returns the length. */
static size_t
labeled(unsigned char *out, const struct suite *suite, const char *label,
    const void *data, size_t n)
{
	size_t len = 0;

	memcpy(out, "HPKE-v1", 7);
	len += 7;
	memcpy(out + len, suite->id, suite->len);
	len += suite->len;
	memcpy(out + len, label, strlen(label));
	len += strlen(label);
	if (n != 0)
		memcpy(out + len, data, n);
	return len + n;
}

/* salt: 32 bytes, or NULL for none. n is at most HPKE_CORE_INFO_MAX. */
static int
labeled_extract(const struct suite *suite, const unsigned char *salt,
    const char *label, const void *ikm, size_t n,
    unsigned char prk[CRYPTO_SHA256], struct fault *f)
{
	unsigned char in[LABELED_MAX];
	const size_t len = labeled(in, suite, label, ikm, n);
	const int rc = crypto_hkdf_extract(
	    salt, salt == NULL ? 0 : CRYPTO_SHA256, in, len, prk, f);

	secret_wipe(in, sizeof(in));
	return rc;
}

static int
labeled_expand(const struct suite *suite,
    const unsigned char prk[CRYPTO_SHA256], const char *label, const void *info,
    size_t n, unsigned char *out, size_t out_len, struct fault *f)
{
	unsigned char in[LABELED_MAX];
	size_t len;

	in[0] = (unsigned char)(out_len >> 8);
	in[1] = (unsigned char)out_len;
	len = 2 + labeled(in + 2, suite, label, info, n);
	return crypto_hkdf_expand(prk, in, len, out, out_len, f);
}

/* 4.1 ExtractAndExpand(), of the exchange between key and peer. */
static int
exchange(const unsigned char key[CRYPTO_KEY],
    const unsigned char peer[CRYPTO_KEY], const unsigned char enc[CRYPTO_KEY],
    const unsigned char public_key[CRYPTO_KEY],
    unsigned char shared[CRYPTO_KEY], struct fault *f)
{
	unsigned char dh[CRYPTO_KEY], prk[CRYPTO_SHA256];
	unsigned char context[2 * CRYPTO_KEY];
	int rc;

	memcpy(context, enc, CRYPTO_KEY);
	memcpy(context + CRYPTO_KEY, public_key, CRYPTO_KEY);
	rc = crypto_x25519(key, peer, dh, f);
	if (rc == 0)
		rc = labeled_extract(
		    &kem_suite, NULL, "eae_prk", dh, sizeof(dh), prk, f);
	if (rc == 0)
		rc = labeled_expand(&kem_suite, prk, "shared_secret", context,
		    sizeof(context), shared, CRYPTO_KEY, f);
	secret_wipe(dh, sizeof(dh));
	secret_wipe(prk, sizeof(prk));
	return rc;
}

int
hpke_core_encap(const unsigned char ephemeral[CRYPTO_KEY],
    const unsigned char public_key[CRYPTO_KEY], unsigned char enc[CRYPTO_KEY],
    unsigned char shared[CRYPTO_KEY], struct fault *f)
{
	int rc = crypto_x25519_public(ephemeral, enc, f);

	if (rc == 0)
		rc =
		    exchange(ephemeral, public_key, enc, public_key, shared, f);
	return rc;
}

int
hpke_core_decap(const unsigned char enc[CRYPTO_KEY],
    const unsigned char private_key[CRYPTO_KEY],
    unsigned char shared[CRYPTO_KEY], struct fault *f)
{
	unsigned char public_key[CRYPTO_KEY];
	int rc = crypto_x25519_public(private_key, public_key, f);

	if (rc == 0)
		rc = exchange(private_key, enc, enc, public_key, shared, f);
	return rc;
}

int
hpke_core_schedule(int aead_id, const unsigned char shared[CRYPTO_KEY],
    const void *info, size_t info_len, const unsigned char psk[CRYPTO_KEY],
    const void *psk_id, size_t psk_id_len, struct hpke_core_context *out,
    struct fault *f)
{
	const struct suite suite = hpke_suite(aead_id);
	const size_t key_len = aead_id == HPKE_CORE_AES_128_GCM ? 16 : 32;
	unsigned char context[1 + 2 * CRYPTO_SHA256];
	unsigned char secret[CRYPTO_SHA256];
	int rc;

	if (info_len > HPKE_CORE_INFO_MAX || psk_id_len > HPKE_CORE_INFO_MAX ||
	    psk_id_len == 0)
		return fault_set(f, FAULT_SYSTEM,
		    "HPKE: %zu bytes of info, %zu bytes of PSK id", info_len,
		    psk_id_len);
	context[0] = MODE_PSK;
	rc = labeled_extract(
	    &suite, NULL, "psk_id_hash", psk_id, psk_id_len, context + 1, f);
	if (rc == 0)
		rc = labeled_extract(&suite, NULL, "info_hash", info, info_len,
		    context + 1 + CRYPTO_SHA256, f);
	if (rc == 0)
		rc = labeled_extract(
		    &suite, shared, "secret", psk, CRYPTO_KEY, secret, f);
	if (rc == 0)
		rc = labeled_expand(&suite, secret, "key", context,
		    sizeof(context), out->key, key_len, f);
	if (rc == 0)
		rc = labeled_expand(&suite, secret, "base_nonce", context,
		    sizeof(context), out->base_nonce, CRYPTO_NONCE, f);
	secret_wipe(secret, sizeof(secret));
	if (rc != 0)
		secret_wipe(out, sizeof(*out));
	return rc;
}
