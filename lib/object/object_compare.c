#include <string.h>

#include "object_core.h"
#include "secret.h"
#include "text.h"

void
object_digest(struct object_digest *d, const void *content, size_t len)
{
	crypto_xxh(content, len, d->xxh);
	d->length = len;
}

/* Length and trailer: is it whole, and made by somebody with the secret? The
 * MAC covers the whole header. */
static int
check_trailer(const struct object_core *c, const struct keyring_key *mac,
    const unsigned char trailer[OBJECT_TRAILER], uint64_t object_len,
    struct fault *f)
{
	unsigned char hash[CRYPTO_SHA256], want[OBJECT_TRAILER];
	int rc = crypto_sha256(c->bytes, c->len, hash, f);

	if (rc == 0)
		rc = object_core_trailer(
		    mac->trailer_key, hash, object_len, want, f);
	if (rc == 0 && !secret_equal(want, trailer, sizeof(want)))
		rc = fault_set(f, FAULT_CORRUPT,
		    "fails authentication (damaged, or not made with this "
		    "key's secret)");
	return rc;
}

static bool
is_recipient(const struct object_core *c)
{
	for (unsigned i = 0; i < c->stanzas; i++)
		if (memcmp(object_core_stanza(c, i) + STANZA_KEY_ID,
			c->bytes + AT_KEY_ID, KEYRING_ID) == 0)
			return true;
	return false;
}

/* The header of the stored object, once all of it but the content is proven;
 * *mac: whose secret its fingerprint was made with. */
static int
look(struct object_core *c, const struct object_id *expect,
    const struct keyring *keys, const void *head, size_t head_len,
    const unsigned char trailer[OBJECT_TRAILER], uint64_t object_len,
    struct keyring_key *clear, const struct keyring_key **mac, struct fault *f)
{
	static const unsigned char none[CRYPTO_SHA256];
	char id[2 * KEYRING_ID + 1];
	int rc = object_core_parse(c, expect, keys, head, head_len, f);

	if (rc != 0)
		return rc;
	if (bytes_get_u64(trailer) != object_len)
		return fault_set(f, FAULT_CORRUPT,
		    "has %llu bytes, and its trailer tells another length",
		    (unsigned long long)object_len);
	rc = object_core_mac_key(c, keys, clear, mac, f);
	if (rc != 0)
		return rc;
	/* Whoever seals is one of those he seals for. */
	if (*mac == NULL && !is_recipient(c))
		return fault_set(
		    f, FAULT_CORRUPT, "names a key that it is not sealed for");
	if (*mac == NULL) {
		text_hex(c->bytes + AT_KEY_ID, KEYRING_ID, id);
		return fault_set(f, FAULT_KEY,
		    "was made with the secret of key %s: give the key file "
		    "that holds it",
		    id);
	}
	rc = check_trailer(c, *mac, trailer, object_len, f);
	if (rc == 0 &&
	    memcmp(c->bytes + AT_FINGERPRINT, none, sizeof(none)) == 0)
		rc = fault_set(
		    f, FAULT_CORRUPT, "has no fingerprint to be recognised by");
	return rc;
}

int
object_compare(const struct object_id *expect, const struct keyring *keys,
    const struct object_digest *digest, const void *head, size_t head_len,
    const unsigned char trailer[OBJECT_TRAILER], uint64_t object_len,
    bool *same, struct fault *f)
{
	unsigned char want[CRYPTO_SHA256];
	const struct keyring_key *mac = NULL;
	struct keyring_key clear;
	struct object_core c;
	int rc = look(&c, expect, keys, head, head_len, trailer, object_len,
	    &clear, &mac, f);

	if (rc == 0)
		rc = object_core_fingerprint(
		    mac, c.bytes + AT_BINDING, digest, want, f);
	if (rc == 0)
		*same =
		    secret_equal(want, c.bytes + AT_FINGERPRINT, sizeof(want));
	return rc == 0 ? 0 : fault_prefix(f, "%s", expect->name);
}

int
object_compare_twin(const struct object_id *expect, const struct keyring *keys,
    const void *own, size_t own_len, const void *head, size_t head_len,
    const unsigned char trailer[OBJECT_TRAILER], uint64_t object_len,
    bool *same, struct fault *f)
{
	const struct keyring_key *mac = NULL;
	struct keyring_key clear;
	struct object_core c, mine;
	int rc = look(&c, expect, keys, head, head_len, trailer, object_len,
	    &clear, &mac, f);

	if (rc == 0)
		rc = object_core_parse(&mine, expect, keys, own, own_len, f);
	if (rc == 0 && memcmp(c.bytes + AT_KEY_ID, mine.bytes + AT_KEY_ID,
			   KEYRING_ID) != 0)
		rc = fault_set(f, FAULT_KEY,
		    "was made with another key's secret, so the contents "
		    "cannot be compared");
	if (rc == 0)
		*same = secret_equal(c.bytes + AT_FINGERPRINT,
		    mine.bytes + AT_FINGERPRINT, CRYPTO_SHA256);
	return rc == 0 ? 0 : fault_prefix(f, "%s", expect->name);
}
