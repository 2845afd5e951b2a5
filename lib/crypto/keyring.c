#include <stdlib.h>
#include <string.h>

#include "keyring_core.h"
#include "secret.h"
#include "text.h"

/* Room for all keys from the start, in memory that is kept out of dumps and
 * swap: growing would leave copies behind. */
struct keyring {
	struct secret memory;
	struct keyring_key *keys; /* lie in memory */
	size_t count;
	size_t recipients;
};

int
keyring_new(struct keyring **out, struct fault *f)
{
	const size_t size = KEYRING_MAX * sizeof(struct keyring_key);
	struct keyring *k = calloc(1, sizeof(*k));
	void *zeros = calloc(1, size);

	if (k == NULL || zeros == NULL ||
	    secret_copy(&k->memory, zeros, size, f) != 0) {
		free(zeros);
		free(k);
		return fault_nomem(f);
	}
	free(zeros);
	k->keys = (struct keyring_key *)(void *)k->memory.data;
	*out = k;
	return 0;
}

void
keyring_free(struct keyring *k)
{
	if (k == NULL)
		return;
	secret_free(&k->memory);
	free(k);
}

_Static_assert(KEYRING_MAX * sizeof(struct keyring_key) <= SECRET_MAX,
    "all keys fit into one secret");

int
keyring_add(struct keyring *k, struct keyring_key *key, struct fault *f)
{
	char id[2 * KEYRING_ID + 1];
	int rc;

	if (keyring_find(k, key->id) != NULL) {
		text_hex(key->id, KEYRING_ID, id);
		return fault_set(f, FAULT_CONFIG,
		    "key %s comes twice; each key may stand in one block of "
		    "one file",
		    id);
	}
	if (k->count == KEYRING_MAX)
		return fault_set(
		    f, FAULT_CONFIG, "more than %d keys", KEYRING_MAX);
	if (key->recipient && k->recipients == KEYRING_RECIPIENTS)
		return fault_set(f, FAULT_CONFIG, "more than %d key files",
		    KEYRING_RECIPIENTS);
	rc = keyring_derive(key, f);
	if (rc != 0)
		return rc;
	k->keys[k->count++] = *key;
	k->recipients += key->recipient;
	return 0;
}

bool
keyring_can_open(const struct keyring *k)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->keys[i].has_private)
			return true;
	return false;
}

size_t
keyring_count(const struct keyring *k)
{
	return k->count;
}

const struct keyring_key *
keyring_at(const struct keyring *k, size_t i)
{
	return &k->keys[i];
}

const struct keyring_key *
keyring_find(const struct keyring *k, const unsigned char id[KEYRING_ID])
{
	for (size_t i = 0; i < k->count; i++)
		if (memcmp(k->keys[i].id, id, KEYRING_ID) == 0)
			return &k->keys[i];
	return NULL;
}

int
keyring_derive(struct keyring_key *key, struct fault *f)
{
	static const char salt[] = "pitrkit-1";
	const struct {
		const char *info;
		unsigned char *out;
	} parts[] = {
	    {"psk", key->psk},
	    {"fingerprint", key->fingerprint_key},
	    {"trailer", key->trailer_key},
	};
	unsigned char prk[CRYPTO_SHA256];
	int rc = crypto_hkdf_extract(
	    salt, sizeof(salt) - 1, key->secret, sizeof(key->secret), prk, f);

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) && rc == 0; i++)
		rc = crypto_hkdf_expand(prk, parts[i].info,
		    strlen(parts[i].info), parts[i].out, CRYPTO_KEY, f);
	secret_wipe(prk, sizeof(prk));
	return rc;
}

int
keyring_identify(struct keyring_key *key, struct fault *f)
{
	static const char label[] = "pitrkit-key-id-1";
	unsigned char in[sizeof(label) - 1 + CRYPTO_KEY];
	unsigned char hash[CRYPTO_SHA256];
	int rc;

	memcpy(in, label, sizeof(label) - 1);
	memcpy(in + sizeof(label) - 1, key->public_key, CRYPTO_KEY);
	rc = crypto_sha256(in, sizeof(in), hash, f);
	if (rc == 0)
		memcpy(key->id, hash, KEYRING_ID);
	return rc;
}
