#include <stdlib.h>
#include <string.h>

#include "hpke.h"
#include "object_core.h"
#include "object_hand.h"
#include "secret.h"

struct object_sealer {
	sink_fn sink;
	void *ctx;
	struct object_hand *hand;
	struct crypto_aead *aead;
	enum codec_kind codec;
	int level;
	bool secret; /* the content is a key */
	bool over;   /* ended, or a step failed: nothing more goes out */
	uint32_t index;
	uint64_t content;
	uint64_t size;
	unsigned char header_hash[CRYPTO_SHA256];
	unsigned char trailer_key[CRYPTO_KEY];
	unsigned char *scratch; /* a stored chunk */
	size_t cap;
};

static int
check_params(const struct object_params *p, struct fault *f)
{
	if (p->id.cluster == NULL || p->id.cluster[0] == '\0' ||
	    p->id.name == NULL || p->id.name[0] == '\0' || p->id.kind < 1 ||
	    (int)p->id.kind > 255)
		return fault_set(f, FAULT_CONFIG,
		    "an object needs a cluster, a kind and a name");
	if (p->meta_len > OBJECT_META_MAX)
		return fault_set(f, FAULT_CONFIG,
		    "meta of %zu bytes, at most %d fit", p->meta_len,
		    OBJECT_META_MAX);
	return 0;
}

/* One for each recipient, or the clear one; the fixed part of the header is
 * complete. */
static int
put_stanzas(unsigned char *header, const struct keyring *keys,
    const unsigned char object_key[CRYPTO_KEY], struct fault *f)
{
	unsigned char info[OBJECT_CORE_INFO];
	unsigned char *s = header + OBJECT_CORE_FIXED;
	int rc = 0;

	if (keys == NULL) {
		memcpy(s + STANZA_WRAPPED, object_key, CRYPTO_KEY);
		return 0;
	}
	object_core_wrap_info(header + AT_BINDING, info);
	for (size_t i = 0; i < keyring_count(keys) && rc == 0; i++) {
		const struct keyring_key *k = keyring_at(keys, i);
		const struct hpke_psk psk = {k->psk, k->id, KEYRING_ID};

		if (!k->recipient)
			continue;
		s[STANZA_TYPE] = STANZA_X25519;
		memcpy(s + STANZA_KEY_ID, k->id, KEYRING_ID);
		rc = hpke_seal(k->public_key, &psk, info, sizeof(info), header,
		    OBJECT_CORE_FIXED, object_key, CRYPTO_KEY, s + STANZA_ENC,
		    s + STANZA_WRAPPED, f);
		s += OBJECT_CORE_STANZA;
	}
	return rc;
}

static unsigned
count_stanzas(const struct keyring *keys)
{
	unsigned n = 0;

	if (keys == NULL)
		return 1;
	for (size_t i = 0; i < keyring_count(keys); i++)
		n += keyring_at(keys, i)->recipient;
	return n;
}

/* The header's fixed part; header is zeroed. */
static int
put_fixed(unsigned char *header, const struct object_params *p,
    enum codec_kind codec, const struct keyring_key *mac, size_t len,
    struct fault *f)
{
	int rc;

	memcpy(header + AT_MAGIC, object_core_magic, sizeof(object_core_magic));
	bytes_set_u16(header + AT_VERSION, OBJECT_CORE_VERSION);
	header[AT_KIND] = (unsigned char)p->id.kind;
	header[AT_CODEC] = (unsigned char)codec;
	bytes_set_u32(header + AT_HEADER_LEN, (uint32_t)len);
	bytes_set_u32(header + AT_CHUNK_LIMIT, OBJECT_CHUNK_MAX);
	bytes_set_u16(header + AT_STANZAS, (uint16_t)count_stanzas(p->keys));
	bytes_set_u16(header + AT_META_LEN, (uint16_t)p->meta_len);
	memcpy(header + AT_KEY_ID, mac->id, KEYRING_ID);
	rc = object_core_binding(&p->id, header + AT_BINDING, f);
	if (rc == 0 && p->digest != NULL)
		rc = object_core_fingerprint(mac, header + AT_BINDING,
		    p->digest, header + AT_FINGERPRINT, f);
	return rc;
}

static int
put_meta(unsigned char *header, size_t at, const struct object_params *p,
    const unsigned char object_key[CRYPTO_KEY], struct fault *f)
{
	static const unsigned char nonce[CRYPTO_NONCE];
	unsigned char hash[CRYPTO_SHA256], key[CRYPTO_KEY];
	struct crypto_aead *aead = NULL;
	int rc = crypto_sha256(header, at, hash, f);

	if (rc == 0)
		rc = object_core_derive(
		    object_key, OBJECT_CORE_META_LABEL, hash, key, f);
	if (rc == 0)
		rc = crypto_aead_new(&aead, key, f);
	if (rc == 0)
		rc = crypto_aead_seal(
		    aead, nonce, NULL, 0, p->meta, p->meta_len, header + at, f);
	crypto_aead_free(aead);
	secret_wipe(key, sizeof(key));
	return rc;
}

/* The whole header, and the keys for what follows it. */
static int
make_header(struct object_sealer *s, const struct object_params *p,
    const struct keyring_key *mac, unsigned char *header, size_t len,
    struct fault *f)
{
	unsigned char object_key[CRYPTO_KEY], key[CRYPTO_KEY];
	int rc = crypto_random(object_key, sizeof(object_key), f);

	if (rc == 0)
		rc = put_fixed(header, p, s->codec, mac, len, f);
	if (rc == 0)
		rc = put_stanzas(header, p->keys, object_key, f);
	if (rc == 0)
		rc = put_meta(
		    header, len - p->meta_len - CRYPTO_TAG, p, object_key, f);
	if (rc == 0)
		rc = crypto_sha256(header, len, s->header_hash, f);
	if (rc == 0)
		rc = object_core_derive(object_key, OBJECT_CORE_PAYLOAD_LABEL,
		    s->header_hash, key, f);
	if (rc == 0)
		rc = crypto_aead_new(&s->aead, key, f);
	memcpy(s->trailer_key, mac->trailer_key, CRYPTO_KEY);
	secret_wipe(object_key, sizeof(object_key));
	secret_wipe(key, sizeof(key));
	return rc;
}

static int
emit(struct object_sealer *s, const unsigned char *data, size_t n,
    struct fault *f)
{
	const int rc = s->sink(s->ctx, data, n, f);

	if (rc == 0)
		s->size += n;
	return rc;
}

int
object_sealer_hand(
    const struct object_sealer *s, struct object_hand **out, struct fault *f)
{
	return object_hand_new(out, s->codec, s->level, s->aead, f);
}

int
object_seal_begin(struct object_sealer **out, const struct object_params *p,
    sink_fn sink, void *ctx, struct fault *f)
{
	unsigned char header[OBJECT_HEADER_MAX] = {0};
	struct keyring_key clear;
	const struct keyring_key *mac = &clear;
	struct object_sealer *s;
	size_t len;
	int rc = check_params(p, f);

	if (rc != 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return fault_nomem(f);
	s->sink = sink;
	s->ctx = ctx;
	s->secret = p->id.kind == OBJECT_KEY;
	s->codec = s->secret ? CODEC_NONE : p->codec;
	s->level = p->level;
	memset(&clear, 0, sizeof(clear));
	if (p->keys != NULL)
		mac = keyring_at(p->keys, 0);
	else
		rc = keyring_derive(&clear, f);
	len = OBJECT_CORE_FIXED +
	      (size_t)count_stanzas(p->keys) * OBJECT_CORE_STANZA +
	      p->meta_len + CRYPTO_TAG;
	if (rc == 0)
		rc = make_header(s, p, mac, header, len, f);
	if (rc == 0)
		rc = object_sealer_hand(s, &s->hand, f);
	if (rc == 0)
		rc = emit(s, header, len, f);
	if (rc != 0) {
		object_seal_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void
object_seal_free(struct object_sealer *s)
{
	if (s == NULL)
		return;
	object_hand_free(s->hand);
	crypto_aead_free(s->aead);
	if (s->secret && s->scratch != NULL)
		secret_wipe(s->scratch, s->cap);
	free(s->scratch);
	secret_wipe(s, sizeof(*s));
	free(s);
}

/* Room for a chunk of len bytes; what stood there is of no use any more. */
static int
make_room(struct object_sealer *s, size_t len, struct fault *f)
{
	const size_t need = object_hand_bound(s->hand, len);

	if (need <= s->cap)
		return 0;
	if (s->secret && s->scratch != NULL)
		secret_wipe(s->scratch, s->cap);
	free(s->scratch);
	s->cap = 0;
	s->scratch = malloc(need);
	if (s->scratch == NULL)
		return fault_nomem(f);
	s->cap = need;
	return 0;
}

int
object_sealer_put(struct object_sealer *s, const unsigned char *stored,
    size_t n, size_t len, struct object_extent *e, struct fault *f)
{
	int rc;

	if (e != NULL)
		*e = (struct object_extent){
		    s->size, (uint32_t)n, s->index, (uint32_t)len};
	rc = emit(s, stored, n, f);
	s->index++;
	s->content += len;
	s->over = rc != 0;
	return rc;
}

static int
is_over(struct fault *f)
{
	return fault_set(f, FAULT_SYSTEM,
	    "this object was ended, or could not be written further");
}

int
object_sealer_check(
    const struct object_sealer *s, size_t chunks, size_t len, struct fault *f)
{
	if (s->over)
		return is_over(f);
	if (len == 0 || len > OBJECT_CHUNK_MAX ||
	    chunks > UINT32_MAX - s->index)
		return fault_set(f, FAULT_SYSTEM,
		    "a chunk of %zu bytes after %u others", len, s->index);
	return 0;
}

uint32_t
object_sealer_index(const struct object_sealer *s)
{
	return s->index;
}

void
object_sealer_fail(struct object_sealer *s)
{
	s->over = true;
}

int
object_seal_chunk(struct object_sealer *s, const void *content, size_t len,
    struct object_extent *e, struct fault *f)
{
	size_t n = 0;
	int rc = object_sealer_check(s, 1, len, f);

	if (rc != 0)
		return rc;
	if ((rc = make_room(s, len, f)) == 0)
		rc = object_hand_seal(
		    s->hand, s->index, content, len, s->scratch, s->cap, &n, f);
	if (rc == 0)
		rc = object_sealer_put(s, s->scratch, n, len, e, f);
	s->over = rc != 0;
	return rc;
}

int
object_seal_end(struct object_sealer *s, uint64_t *size, struct fault *f)
{
	unsigned char last[OBJECT_CORE_END_STORED + OBJECT_TRAILER];
	unsigned char nonce[CRYPTO_NONCE];
	int rc;

	if (s->over)
		return is_over(f);
	s->over = true;
	bytes_set_u32(
	    last, OBJECT_CORE_END | (OBJECT_CORE_END_PLAIN + CRYPTO_TAG));
	bytes_set_u64(last + 4, s->content);
	bytes_set_u32(last + 12, s->index);
	object_core_nonce(s->index, true, nonce);
	rc = crypto_aead_seal(s->aead, nonce, NULL, 0, last + 4,
	    OBJECT_CORE_END_PLAIN, last + 4, f);
	if (rc == 0)
		rc = object_core_trailer(s->trailer_key, s->header_hash,
		    s->size + sizeof(last), last + OBJECT_CORE_END_STORED, f);
	if (rc == 0)
		rc = emit(s, last, sizeof(last), f);
	if (rc == 0 && size != NULL)
		*size = s->size;
	return rc;
}

int
object_seal_all(const struct object_params *p, const void *content, size_t len,
    struct buf *out, struct fault *f)
{
	struct object_sealer *s = NULL;
	int rc = object_seal_begin(&s, p, buf_sink, out, f);

	if (rc == 0)
		rc = object_seal_content(s, content, len, 1, f);
	if (rc == 0)
		rc = object_seal_end(s, NULL, f);
	object_seal_free(s);
	return rc;
}
