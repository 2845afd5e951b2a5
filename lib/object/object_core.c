#include <stdio.h>
#include <string.h>

#include "object_core.h"
#include "secret.h"
#include "text.h"

const unsigned char object_core_magic[8] = "PITRKIT\n";

int
object_header_length(
    const void *head, size_t len, size_t *header_len, struct fault *f)
{
	const unsigned char *p = head;
	uint32_t n;
	uint16_t version;

	if (len < AT_CHUNK_LIMIT)
		return fault_set(f, FAULT_CORRUPT, "ends in its header");
	if (memcmp(p, object_core_magic, sizeof(object_core_magic)) != 0)
		return fault_set(f, FAULT_CORRUPT, "is no pitrkit object");
	version = bytes_get_u16(p + AT_VERSION);
	if (version != OBJECT_CORE_VERSION)
		return fault_set(f, FAULT_CORRUPT,
		    "has format version %u; this program knows version %d",
		    version, OBJECT_CORE_VERSION);
	n = bytes_get_u32(p + AT_HEADER_LEN);
	if (n < OBJECT_CORE_HEADER_MIN || n > OBJECT_HEADER_MAX)
		return fault_set(
		    f, FAULT_CORRUPT, "says that its header has %u bytes", n);
	*header_len = n;
	return 0;
}

static bool
all_zero(const unsigned char *p, size_t n)
{
	while (n > 0 && *p == 0) {
		p++;
		n--;
	}
	return n == 0;
}

const unsigned char *
object_core_stanza(const struct object_core *c, unsigned i)
{
	return c->bytes + OBJECT_CORE_FIXED + (size_t)i * OBJECT_CORE_STANZA;
}

/* Either one clear stanza or only sealed ones, nothing that a reader would
 * not look at. Sets c->clear. */
static int
check_stanzas(struct object_core *c, struct fault *f)
{
	const unsigned char *s = object_core_stanza(c, 0);

	c->clear = s[STANZA_TYPE] == STANZA_CLEAR;
	if (c->clear) {
		if (c->stanzas != 1 || !all_zero(s, STANZA_WRAPPED) ||
		    !all_zero(s + STANZA_WRAPPED + CRYPTO_KEY, CRYPTO_TAG) ||
		    !all_zero(c->bytes + AT_KEY_ID, KEYRING_ID))
			return fault_set(
			    f, FAULT_CORRUPT, "has a malformed stanza");
		return 0;
	}
	for (unsigned i = 0; i < c->stanzas; i++) {
		s = object_core_stanza(c, i);
		if (s[STANZA_TYPE] != STANZA_X25519 || !all_zero(s + 1, 3))
			return fault_set(f, FAULT_CORRUPT,
			    "has a stanza of unknown type %u", s[STANZA_TYPE]);
	}
	return 0;
}

static int
parse_form(
    struct object_core *c, const unsigned char *p, size_t len, struct fault *f)
{
	int rc = object_header_length(p, len, &c->len, f);

	if (rc != 0)
		return rc;
	if (c->len > len)
		return fault_set(f, FAULT_CORRUPT, "ends in its header");
	c->bytes = p;
	c->codec = (enum codec_kind)p[AT_CODEC];
	c->chunk_limit = bytes_get_u32(p + AT_CHUNK_LIMIT);
	c->stanzas = bytes_get_u16(p + AT_STANZAS);
	c->meta_len = bytes_get_u16(p + AT_META_LEN);
	if (p[AT_CODEC] != CODEC_NONE && p[AT_CODEC] != CODEC_ZSTD)
		return fault_set(f, FAULT_CORRUPT, "has unknown compression %u",
		    p[AT_CODEC]);
	if (c->chunk_limit == 0 || c->chunk_limit > OBJECT_CHUNK_MAX ||
	    c->stanzas == 0 || c->stanzas > OBJECT_CORE_STANZAS ||
	    c->meta_len > OBJECT_META_MAX ||
	    c->len != OBJECT_CORE_FIXED +
			  (size_t)c->stanzas * OBJECT_CORE_STANZA +
			  c->meta_len + CRYPTO_TAG)
		return fault_set(f, FAULT_CORRUPT, "has a malformed header");
	return check_stanzas(c, f);
}

int
object_core_parse(struct object_core *c, const struct object_id *expect,
    const struct keyring *keys, const void *head, size_t len, struct fault *f)
{
	unsigned char binding[CRYPTO_SHA256];
	int rc = parse_form(c, head, len, f);

	if (rc == 0)
		rc = object_core_binding(expect, binding, f);
	if (rc != 0)
		return rc;
	if (c->bytes[AT_KIND] != expect->kind ||
	    memcmp(c->bytes + AT_BINDING, binding, sizeof(binding)) != 0)
		return fault_set(f, FAULT_CORRUPT,
		    "was made for another name, kind, cluster or system id");
	if (keys != NULL && c->clear)
		return fault_set(f, FAULT_CORRUPT,
		    "was written with encryption off; refused");
	if (keys == NULL && !c->clear)
		return object_core_no_key(
		    c, "is encrypted, and no key file is given", f);
	return 0;
}

int
object_core_no_key(
    const struct object_core *c, const char *why, struct fault *f)
{
	char ids[OBJECT_CORE_STANZAS * (2 * KEYRING_ID + 2) + 1] = "";
	size_t n = 0;

	for (unsigned i = 0; i < c->stanzas; i++) {
		if (i > 0) {
			memcpy(ids + n, ", ", 2);
			n += 2;
		}
		text_hex(object_core_stanza(c, i) + STANZA_KEY_ID, KEYRING_ID,
		    ids + n);
		n += 2 * (size_t)KEYRING_ID;
	}
	return fault_set(f, FAULT_KEY,
	    "%s: give the key file that holds the private key %s%s", why,
	    c->stanzas > 1 ? "of one of " : "", ids);
}

int
object_core_mac_key(const struct object_core *c, const struct keyring *keys,
    struct keyring_key *clear, const struct keyring_key **out, struct fault *f)
{
	int rc;

	if (!c->clear) {
		*out = keyring_find(keys, c->bytes + AT_KEY_ID);
		return 0;
	}
	memset(clear, 0, sizeof(*clear));
	rc = keyring_derive(clear, f);
	if (rc == 0)
		*out = clear;
	return rc;
}

int
object_core_binding(const struct object_id *id,
    unsigned char out[CRYPTO_SHA256], struct fault *f)
{
	static const char label[] = "pitrkit-binding-1";
	const unsigned char kind = (unsigned char)id->kind;
	struct crypto_hash *h = NULL;
	char system_id[24];
	int n, rc;

	n = snprintf(system_id, sizeof(system_id), "%llu",
	    (unsigned long long)id->system_id);
	rc = crypto_hash_new(&h, f);
	/* Each with the NUL behind it, but for the name, which is the last. */
	if (rc == 0)
		rc = crypto_hash_update(h, label, sizeof(label), f);
	if (rc == 0)
		rc = crypto_hash_update(
		    h, id->cluster, strlen(id->cluster) + 1, f);
	if (rc == 0)
		rc = crypto_hash_update(h, system_id, (size_t)n + 1, f);
	if (rc == 0)
		rc = crypto_hash_update(h, &kind, 1, f);
	if (rc == 0)
		rc = crypto_hash_update(h, "", 1, f);
	if (rc == 0)
		rc = crypto_hash_update(h, id->name, strlen(id->name), f);
	if (rc == 0)
		rc = crypto_hash_final(h, out, f);
	crypto_hash_free(h);
	return rc;
}

int
object_core_fingerprint(const struct keyring_key *key,
    const unsigned char binding[CRYPTO_SHA256], const struct object_digest *d,
    unsigned char out[CRYPTO_SHA256], struct fault *f)
{
	static const char label[] = "pitrkit-fingerprint-1";
	unsigned char in[sizeof(label) + CRYPTO_SHA256 + 8 + 16];
	unsigned char *p = in;

	memcpy(p, label, sizeof(label));
	p += sizeof(label);
	memcpy(p, binding, CRYPTO_SHA256);
	p += CRYPTO_SHA256;
	bytes_set_u64(p, d->length);
	memcpy(p + 8, d->xxh, sizeof(d->xxh));
	return crypto_hmac(
	    key->fingerprint_key, CRYPTO_KEY, in, sizeof(in), out, f);
}

void
object_core_wrap_info(const unsigned char binding[CRYPTO_SHA256],
    unsigned char out[OBJECT_CORE_INFO])
{
	static const char label[] = "pitrkit-object-1";

	memcpy(out, label, sizeof(label));
	memcpy(out + sizeof(label), binding, CRYPTO_SHA256);
}

int
object_core_derive(const unsigned char object_key[CRYPTO_KEY],
    const char *label, const unsigned char hash[CRYPTO_SHA256],
    unsigned char out[CRYPTO_KEY], struct fault *f)
{
	unsigned char info[32 + CRYPTO_SHA256];
	const size_t n = strlen(label);

	memcpy(info, label, n);
	memcpy(info + n, hash, CRYPTO_SHA256);
	return crypto_hkdf_expand(
	    object_key, info, n + CRYPTO_SHA256, out, CRYPTO_KEY, f);
}

void
object_core_nonce(uint64_t index, bool end, unsigned char out[CRYPTO_NONCE])
{
	memset(out, 0, CRYPTO_NONCE);
	bytes_set_u64(out, index);
	out[CRYPTO_NONCE - 1] = end;
}

int
object_core_trailer(const unsigned char trailer_key[CRYPTO_KEY],
    const unsigned char header_hash[CRYPTO_SHA256], uint64_t length,
    unsigned char out[OBJECT_TRAILER], struct fault *f)
{
	static const char label[] = "pitrkit-trailer-1";
	unsigned char in[sizeof(label) + CRYPTO_SHA256 + 8];

	memcpy(in, label, sizeof(label));
	memcpy(in + sizeof(label), header_hash, CRYPTO_SHA256);
	bytes_set_u64(in + sizeof(label) + CRYPTO_SHA256, length);
	bytes_set_u64(out, length);
	return crypto_hmac(trailer_key, CRYPTO_KEY, in, sizeof(in), out + 8, f);
}
