#include <stdlib.h>
#include <string.h>

#include "hpke.h"
#include "object_core.h"
#include "secret.h"

struct object_opener {
	char *name; /* for faults */
	bool secret;
	bool has_trailer_key;
	uint32_t chunk_limit;
	size_t meta_len;
	struct codec_decoder *decoder;
	struct crypto_aead *aead;
	unsigned char header_hash[CRYPTO_SHA256];
	unsigned char trailer_key[CRYPTO_KEY];
	unsigned char *scratch; /* a chunk's frame */
	size_t cap;
	unsigned char meta[OBJECT_META_MAX];
};

/* The stanza of the first key we have the private part of. */
static int
unwrap(const struct object_core *c, const struct keyring *keys,
    unsigned char object_key[CRYPTO_KEY], struct fault *f)
{
	unsigned char info[OBJECT_CORE_INFO];
	int rc;

	if (c->clear) {
		memcpy(object_key, object_core_stanza(c, 0) + STANZA_WRAPPED,
		    CRYPTO_KEY);
		return 0;
	}
	object_core_wrap_info(c->bytes + AT_BINDING, info);
	for (unsigned i = 0; i < c->stanzas; i++) {
		const unsigned char *s = object_core_stanza(c, i);
		const struct keyring_key *k =
		    keyring_find(keys, s + STANZA_KEY_ID);

		if (k == NULL || !k->has_private)
			continue;
		const struct hpke_psk psk = {k->psk, k->id, KEYRING_ID};

		rc = hpke_open(k->private_key, &psk, info, sizeof(info),
		    c->bytes, OBJECT_CORE_FIXED, s + STANZA_ENC,
		    s + STANZA_WRAPPED, OBJECT_CORE_WRAPPED, object_key, f);
		if (rc == FAULT_CORRUPT)
			return fault_set(f, FAULT_CORRUPT,
			    "fails authentication (damaged, or not made with "
			    "this key's secret)");
		return rc;
	}
	return object_core_no_key(c, "no private key for it is here", f);
}

/* Authenticates every byte of the header. */
static int
open_meta(struct object_opener *o, const struct object_core *c,
    const unsigned char object_key[CRYPTO_KEY], struct fault *f)
{
	static const unsigned char nonce[CRYPTO_NONCE];
	const size_t at = c->len - c->meta_len - CRYPTO_TAG;
	unsigned char hash[CRYPTO_SHA256], key[CRYPTO_KEY];
	struct crypto_aead *aead = NULL;
	int rc = crypto_sha256(c->bytes, at, hash, f);

	if (rc == 0)
		rc = object_core_derive(
		    object_key, OBJECT_CORE_META_LABEL, hash, key, f);
	if (rc == 0)
		rc = crypto_aead_new(&aead, key, f);
	if (rc == 0) {
		rc = crypto_aead_open(aead, nonce, NULL, 0, c->bytes + at,
		    c->meta_len + CRYPTO_TAG, o->meta, f);
		if (rc == FAULT_CORRUPT)
			(void)fault_prefix(f, "the header");
	}
	o->meta_len = c->meta_len;
	crypto_aead_free(aead);
	secret_wipe(key, sizeof(key));
	return rc;
}

static int
open_payload(struct object_opener *o, const struct object_core *c,
    const unsigned char object_key[CRYPTO_KEY], struct fault *f)
{
	unsigned char key[CRYPTO_KEY];
	int rc = crypto_sha256(c->bytes, c->len, o->header_hash, f);

	if (rc == 0)
		rc = object_core_derive(object_key, OBJECT_CORE_PAYLOAD_LABEL,
		    o->header_hash, key, f);
	if (rc == 0)
		rc = crypto_aead_new(&o->aead, key, f);
	if (rc == 0)
		rc = codec_decoder_new(&o->decoder, c->codec, f);
	secret_wipe(key, sizeof(key));
	return rc;
}

static int
learn_trailer_key(struct object_opener *o, const struct object_core *c,
    const struct keyring *keys, struct fault *f)
{
	const struct keyring_key *mac = NULL;
	struct keyring_key clear;
	const int rc = object_core_mac_key(c, keys, &clear, &mac, f);

	if (rc == 0 && mac != NULL) {
		memcpy(o->trailer_key, mac->trailer_key, CRYPTO_KEY);
		o->has_trailer_key = true;
	}
	return rc;
}

static int
open_all_parts(struct object_opener *o, const struct object_id *expect,
    const struct keyring *keys, const void *head, size_t len, struct fault *f)
{
	unsigned char object_key[CRYPTO_KEY];
	struct object_core c;
	int rc = object_core_parse(&c, expect, keys, head, len, f);

	if (rc != 0)
		return rc;
	o->secret = expect->kind == OBJECT_KEY;
	o->chunk_limit = c.chunk_limit;
	rc = unwrap(&c, keys, object_key, f);
	if (rc == 0)
		rc = open_meta(o, &c, object_key, f);
	if (rc == 0)
		rc = open_payload(o, &c, object_key, f);
	if (rc == 0)
		rc = learn_trailer_key(o, &c, keys, f);
	secret_wipe(object_key, sizeof(object_key));
	return rc;
}

int
object_open_header(struct object_opener **out, const struct object_id *expect,
    const struct keyring *keys, const void *head, size_t len, struct fault *f)
{
	struct object_opener *o = calloc(1, sizeof(*o));
	int rc;

	if (o == NULL)
		return fault_nomem(f);
	o->name = strdup(expect->name);
	if (o->name == NULL)
		rc = fault_nomem(f);
	else
		rc = open_all_parts(o, expect, keys, head, len, f);
	if (rc != 0) {
		object_opener_free(o);
		return fault_prefix(f, "%s", expect->name);
	}
	*out = o;
	return 0;
}

void
object_opener_free(struct object_opener *o)
{
	if (o == NULL)
		return;
	codec_decoder_free(o->decoder);
	crypto_aead_free(o->aead);
	if (o->secret && o->scratch != NULL)
		secret_wipe(o->scratch, o->cap);
	free(o->scratch);
	free(o->name);
	secret_wipe(o, sizeof(*o));
	free(o);
}

const unsigned char *
object_meta(const struct object_opener *o, size_t *len)
{
	*len = o->meta_len;
	return o->meta;
}

uint32_t
object_opener_chunk_limit(const struct object_opener *o)
{
	return o->chunk_limit;
}

size_t
object_opener_stored_limit(const struct object_opener *o)
{
	return (size_t)o->chunk_limit + (o->chunk_limit >> 7) + 1024;
}

bool
object_opener_secret(const struct object_opener *o)
{
	return o->secret;
}

static int
make_room(struct object_opener *o, size_t need, struct fault *f)
{
	if (need <= o->cap)
		return 0;
	if (o->secret && o->scratch != NULL)
		secret_wipe(o->scratch, o->cap);
	free(o->scratch);
	o->cap = 0;
	o->scratch = malloc(need);
	if (o->scratch == NULL)
		return fault_nomem(f);
	o->cap = need;
	return 0;
}

static int
open_chunk(struct object_opener *o, uint32_t index, const unsigned char *stored,
    size_t stored_len, unsigned char *out, size_t cap, size_t *len,
    struct fault *f)
{
	unsigned char nonce[CRYPTO_NONCE];
	size_t n = 0;
	int rc;

	if (stored_len <= 4 + CRYPTO_TAG ||
	    stored_len > object_opener_stored_limit(o) ||
	    bytes_get_u32(stored) != stored_len - 4)
		return fault_set(f, FAULT_CORRUPT, "has a wrong length");
	rc = make_room(o, stored_len - 4 - CRYPTO_TAG, f);
	if (rc != 0)
		return rc;
	object_core_nonce(index, false, nonce);
	rc = crypto_aead_open(
	    o->aead, nonce, NULL, 0, stored + 4, stored_len - 4, o->scratch, f);
	if (rc != 0)
		return rc;
	rc = codec_decode(o->decoder, o->scratch, stored_len - 4 - CRYPTO_TAG,
	    out, cap < o->chunk_limit ? cap : o->chunk_limit, &n, f);
	if (rc != 0)
		return rc;
	if (n == 0)
		return fault_set(f, FAULT_CORRUPT, "is empty");
	*len = n;
	return 0;
}

int
object_open_chunk(struct object_opener *o, uint32_t index, const void *stored,
    size_t stored_len, unsigned char *out, size_t cap, size_t *len,
    struct fault *f)
{
	const int rc =
	    open_chunk(o, index, stored, stored_len, out, cap, len, f);

	if (rc != 0)
		return fault_prefix(f, "%s: chunk %u", o->name, index);
	return 0;
}

int
object_open_end(struct object_opener *o, const unsigned char *stored,
    uint32_t count, uint64_t content, struct fault *f)
{
	unsigned char nonce[CRYPTO_NONCE], plain[OBJECT_CORE_END_PLAIN];
	int rc;

	object_core_nonce(count, true, nonce);
	rc = crypto_aead_open(o->aead, nonce, NULL, 0, stored + 4,
	    OBJECT_CORE_END_STORED - 4, plain, f);
	if (rc != 0)
		return fault_prefix(f, "%s: end chunk", o->name);
	if (bytes_get_u64(plain) != content ||
	    bytes_get_u32(plain + 8) != count)
		return fault_set(f, FAULT_CORRUPT,
		    "%s: end chunk: counts other content", o->name);
	return 0;
}

int
object_open_trailer(struct object_opener *o,
    const unsigned char trailer[OBJECT_TRAILER], uint64_t length,
    struct fault *f)
{
	unsigned char want[OBJECT_TRAILER];
	int rc;

	if (bytes_get_u64(trailer) != length)
		return fault_set(f, FAULT_CORRUPT,
		    "%s: trailer: tells another length", o->name);
	/* Made with the secret of a key that is gone since: the end chunk,
	 * which has been opened, has the last word. */
	if (!o->has_trailer_key)
		return 0;
	rc = object_core_trailer(
	    o->trailer_key, o->header_hash, length, want, f);
	if (rc == 0 && !secret_equal(want, trailer, sizeof(want)))
		rc = fault_set(f, FAULT_CORRUPT,
		    "%s: trailer: fails authentication", o->name);
	return rc;
}
