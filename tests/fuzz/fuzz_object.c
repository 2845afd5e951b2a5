/*
 * Objects from outside. The first byte chooses:
 *
 *	even	the rest is an object as it stands: header, reader in pieces,
 *		comparison; with encryption off and with a key
 *	odd	the rest is a plan: content is sealed, changed as the plan says
 *		and read in pieces; changed objects must never be accepted
 */
#include <stdlib.h>
#include <string.h>

#include "object.h"

static const char key_text[] =
    "pitrkit-key-1\n"
    "id = 3cb8d0b8136b3fb5\n"
    "private = dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n"
    "secret = AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

static const struct object_id id = {"main", 1, OBJECT_WAL, "name"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* In pieces of step bytes. */
static int
read_in_pieces(const struct keyring *keys, const unsigned char *p, size_t n,
    size_t step, struct buf *out)
{
	struct fault f = FAULT_INIT;
	struct object_reader *r;
	int rc = 0;

	must(object_reader_new(&r, &id, keys, buf_sink, out, &f) == 0);
	while (n > 0 && rc == 0) {
		const size_t take = n < step ? n : step;

		rc = object_reader_feed(r, p, take, &f);
		p += take;
		n -= take;
	}
	if (rc == 0)
		rc = object_reader_end(r, &f);
	must(rc == (int)f.code);
	must(rc != 0 || object_reader_content(r) == out->len);
	object_reader_free(r);
	return rc;
}

static void
as_it_stands(
    const struct keyring *keys, const unsigned char *p, size_t n, size_t step)
{
	const struct object_digest d = {{0}, n};
	struct buf out = BUF_INIT(8 << 20);
	struct object_opener *o = NULL;
	struct fault f = FAULT_INIT;
	bool same;
	size_t len, at;
	static unsigned char room[OBJECT_CHUNK_MAX];

	if (object_header_length(p, n, &at, &f) == 0 &&
	    object_open_header(&o, &id, keys, p, n, &f) == 0) {
		must(at <= n);
		(void)object_open_chunk(
		    o, 0, p + at, n - at, room, sizeof(room), &len, &f);
	}
	object_opener_free(o);
	(void)read_in_pieces(keys, p, n, step, &out);
	if (n >= OBJECT_TRAILER)
		(void)object_compare(
		    &id, keys, &d, p, n, p + n - OBJECT_TRAILER, n, &same, &f);
	buf_free(&out);
}

/* Content, and how the object is changed before it is read. */
static void
by_plan(
    const struct keyring *keys, const unsigned char *p, size_t n, size_t step)
{
	struct object_params params = {
	    id, keys, CODEC_ZSTD, 1, "meta", 4, NULL};
	struct buf object = BUF_INIT(8 << 20), out = BUF_INIT(8 << 20);
	struct object_digest d;
	struct object_sealer *s;
	struct fault f = FAULT_INIT;
	size_t chunk, at, len;
	bool changed, same = false;
	unsigned how;

	if (n < 8)
		return;
	chunk = 1 + p[0] * 3U;
	params.codec = (p[1] & 1) != 0 ? CODEC_ZSTD : CODEC_NONE;
	how = p[1] >> 1;
	at = bytes_get_u32(p + 4);
	object_digest(&d, p + 8, n - 8);
	params.digest = &d;
	must(object_seal_begin(&s, &params, buf_sink, &object, &f) == 0);
	for (size_t i = 8; i < n; i += len) {
		len = n - i < chunk ? n - i : chunk;
		must(object_seal_chunk(s, p + i, len, NULL, &f) == 0);
	}
	must(object_seal_end(s, NULL, &f) == 0);
	object_seal_free(s);

	must(object_compare(&id, keys, &d, object.data, object.len,
		 object.data + object.len - OBJECT_TRAILER, object.len, &same,
		 &f) == 0 &&
	     same);
	changed = how % 4 != 0;
	if (how % 4 == 1) {
		object.data[at % object.len] ^= p[2] == 0 ? 1 : p[2];
	} else if (how % 4 == 2) {
		object.len = at % object.len;
	} else if (how % 4 == 3) {
		must(buf_put(&object, p + 2, 1 + at % (n - 2), &f) == 0);
	}
	if (read_in_pieces(keys, object.data, object.len, step, &out) == 0) {
		must(!changed);
		must(out.len == n - 8);
		must(out.len == 0 || memcmp(out.data, p + 8, n - 8) == 0);
	} else {
		must(changed);
	}
	buf_free(&object);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct keyring *keys;
	struct fault f = FAULT_INIT;

	if (keys == NULL)
		must(keyring_parse(&keys, "key", key_text, sizeof(key_text) - 1,
			 &f) == 0);
	if (size < 2)
		return 0;
	if ((data[0] & 1) == 0) {
		as_it_stands(NULL, data + 2, size - 2, data[1] + 1U);
		as_it_stands(keys, data + 2, size - 2, data[1] + 1U);
	} else {
		by_plan((data[0] & 2) != 0 ? keys : NULL, data + 2, size - 2,
		    data[1] + 1U);
	}
	return 0;
}
