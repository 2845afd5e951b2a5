/* The sealed object: what went in comes out, and nothing else ever does. */
#include <stdio.h>
#include <sys/stat.h>

#include "unit.h"

#include "object_core.h"
#include "secret.h"

static struct fault f;
static struct keyring *owner;     /* private key */
static struct keyring *recipient; /* its recipient part */
static struct keyring *stranger;  /* another key */
static struct keyring *rotated;   /* a newer key, the owner's as older one */

static const struct object_id wal = {"main", UINT64_C(7300000000000000001),
    OBJECT_WAL, "000000010000000000000001"};

static struct keyring *
generate(char **text)
{
	struct keyring *k = NULL;
	size_t len;

	assert_int_equal(keyring_generate(0, text, &len, &f), 0);
	assert_int_equal(keyring_parse(&k, "test", *text, len, &f), 0);
	return k;
}

static int
setup(void **state)
{
	char *a, *b, *part, both[2048];
	size_t len;

	(void)state;
	owner = generate(&a);
	stranger = generate(&b);
	assert_int_equal(keyring_recipient_text(owner, &part, &len, &f), 0);
	assert_int_equal(keyring_parse(&recipient, "part", part, len, &f), 0);
	snprintf(both, sizeof(both), "%s%s", b, a);
	assert_int_equal(
	    keyring_parse(&rotated, "both", both, strlen(both), &f), 0);
	free(a);
	free(b);
	free(part);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	keyring_free(owner);
	keyring_free(recipient);
	keyring_free(stranger);
	keyring_free(rotated);
	return 0;
}

/* Compressible, not constant. */
static unsigned char *
content_of(size_t n)
{
	unsigned char *p = malloc(n + 1);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i >> 8 ^ i * 31 % 251);
	return p;
}

static struct buf
seal_with(const struct object_params *p, const void *content, size_t n)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);

	assert_int_equal(object_seal_all(p, content, n, &b, &f), 0);
	return b;
}

/* With a fingerprint and "meta" as meta. */
static struct buf
seal(const struct object_id *id, const struct keyring *keys, const void *p,
    size_t n)
{
	struct object_digest d;
	const struct object_params params = {
	    *id, keys, CODEC_ZSTD, 1, "meta", 4, &d};

	object_digest(&d, p, n);
	return seal_with(&params, p, n);
}

static int
open_it(const struct object_id *id, const struct keyring *keys,
    const struct buf *object, const void *want, size_t n)
{
	struct buf out = BUF_INIT(SIZE_MAX / 2);
	const int rc =
	    object_open_all(id, keys, object->data, object->len, &out, &f);

	if (rc == 0) {
		assert_int_equal(out.len, n);
		if (n != 0)
			assert_memory_equal(out.data, want, n);
	}
	buf_free(&out);
	return rc;
}

static int
compare(const struct object_id *id, const struct keyring *keys,
    const struct buf *object, const void *content, size_t n, bool *same)
{
	struct object_digest d;

	object_digest(&d, content, n);
	return object_compare(id, keys, &d, object->data,
	    object->len < OBJECT_HEADER_MAX ? object->len : OBJECT_HEADER_MAX,
	    object->data + object->len - OBJECT_TRAILER, object->len, same, &f);
}

static void
every_kind_and_size_comes_back(void **state)
{
	static const size_t sizes[] = {0, 1, 2, 1000, OBJECT_CHUNK - 1,
	    OBJECT_CHUNK, OBJECT_CHUNK + 1, 3 * OBJECT_CHUNK + 7};
	struct object_id id = wal;
	unsigned char *p = content_of(4 * (size_t)OBJECT_CHUNK);

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (int clear = 0; clear < 2; clear++) {
			struct keyring *const k = clear ? NULL : owner;
			struct buf b;

			id.kind = (enum object_kind)(1 + (i + 5) % 12);
			b = seal(&id, k, p, sizes[i]);
			assert_int_equal(open_it(&id, k, &b, p, sizes[i]), 0);
			buf_free(&b);
		}
	}
	for (int kind = OBJECT_WAL; kind <= OBJECT_REPORT; kind++) {
		struct buf b;

		id.kind = (enum object_kind)kind;
		b = seal(&id, owner, p, 100);
		assert_int_equal(open_it(&id, owner, &b, p, 100), 0);
		buf_free(&b);
	}
	free(p);
}

static void
without_compression_meta_or_digest(void **state)
{
	const struct object_params plain = {
	    wal, owner, CODEC_NONE, 0, NULL, 0, NULL};
	unsigned char meta[OBJECT_META_MAX + 1] = {7};
	struct object_params big = plain;
	struct buf b, none = BUF_INIT(1 << 20);
	bool same = true;

	(void)state;
	b = seal_with(&plain, "hello", 5);
	assert_int_equal(open_it(&wal, owner, &b, "hello", 5), 0);
	assert_int_equal(
	    compare(&wal, owner, &b, "hello", 5, &same), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "no fingerprint"));
	buf_free(&b);
	big.meta = meta;
	big.meta_len = OBJECT_META_MAX;
	b = seal_with(&big, "hello", 5);
	assert_int_equal(open_it(&wal, owner, &b, "hello", 5), 0);
	buf_free(&b);
	big.meta_len = OBJECT_META_MAX + 1;
	assert_int_equal(
	    object_seal_all(&big, "x", 1, &none, &f), FAULT_CONFIG);
	big = plain;
	big.id.name = "";
	assert_int_equal(
	    object_seal_all(&big, "x", 1, &none, &f), FAULT_CONFIG);
	assert_int_equal(none.len, 0);
}

static void
it_shrinks_and_hides_its_content(void **state)
{
	unsigned char *p = content_of(OBJECT_CHUNK);
	struct buf b = seal(&wal, owner, p, OBJECT_CHUNK);
	struct buf c = seal(&wal, owner, p, OBJECT_CHUNK);

	(void)state;
	assert_true(b.len < OBJECT_CHUNK / 10);
	assert_null(memmem(b.data, b.len, p, 16));
	assert_null(memmem(b.data, b.len, wal.name, 24));
	/* A fresh key for each object: nothing but the fixed part agrees. */
	assert_int_equal(b.len, c.len);
	assert_memory_equal(b.data, c.data, OBJECT_CORE_FIXED);
	assert_memory_not_equal(b.data + b.len - 100, c.data + c.len - 100, 20);
	buf_free(&b);
	buf_free(&c);
	free(p);
}

/* Both the reader and object_compare, for all bytes of a small object. */
static void
no_flipped_byte_is_accepted(void **state)
{
	(void)state;
	for (int clear = 0; clear < 2; clear++) {
		struct keyring *const k = clear ? NULL : owner;
		struct buf b = seal(&wal, k, "some content", 12);
		const size_t header = bytes_get_u32(b.data + AT_HEADER_LEN);
		bool same = false;

		assert_int_equal(
		    compare(&wal, k, &b, "some content", 12, &same), 0);
		assert_true(same);
		for (size_t i = 0; i < b.len; i++) {
			for (int bit = 0; bit < 8; bit++) {
				int rc;

				b.data[i] ^= (unsigned char)(1 << bit);
				rc = open_it(&wal, k, &b, "", 0);
				/* Another key id in the stanza: KEY. */
				assert_true(rc == FAULT_CORRUPT ||
					    (rc == FAULT_KEY && i < header));
				rc = compare(
				    &wal, k, &b, "some content", 12, &same);
				if (i < header || i >= b.len - OBJECT_TRAILER)
					assert_true(rc == FAULT_CORRUPT ||
						    rc == FAULT_KEY);
				b.data[i] ^= (unsigned char)(1 << bit);
			}
		}
		assert_int_equal(open_it(&wal, k, &b, "some content", 12), 0);
		buf_free(&b);
	}
}

static void
no_cut_object_is_accepted(void **state)
{
	struct buf b = seal(&wal, owner, "some content", 12);
	bool same;

	(void)state;
	for (size_t n = 0; n < b.len; n++) {
		const struct buf cut = {b.data, n, n, n};

		assert_int_equal(
		    open_it(&wal, owner, &cut, "", 0), FAULT_CORRUPT);
		if (n >= OBJECT_TRAILER)
			assert_int_equal(compare(&wal, owner, &cut,
					     "some content", 12, &same),
			    FAULT_CORRUPT);
	}
	buf_free(&b);
}

static void
nothing_may_follow_the_trailer(void **state)
{
	struct buf b = seal(&wal, owner, "some content", 12);
	bool same;

	(void)state;
	assert_int_equal(buf_put_u8(&b, 0, &f), 0);
	assert_int_equal(open_it(&wal, owner, &b, "", 0), FAULT_CORRUPT);
	assert_int_equal(
	    compare(&wal, owner, &b, "some content", 12, &same), FAULT_CORRUPT);
	buf_free(&b);
}

/* Three chunks of 1000 bytes that cannot be compressed. */
static struct buf
three_chunks(struct object_extent e[3], const unsigned char *p)
{
	const struct object_params params = {
	    wal, owner, CODEC_NONE, 0, NULL, 0, NULL};
	struct buf b = BUF_INIT(1 << 20);
	struct object_sealer *s;
	uint64_t size;

	assert_int_equal(object_seal_begin(&s, &params, buf_sink, &b, &f), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(
		    object_seal_chunk(s, p + 1000 * i, 1000, &e[i], &f), 0);
		assert_int_equal(e[i].index, i);
		assert_int_equal(e[i].length, 1000);
		assert_int_equal(e[i].offset + e[i].stored, b.len);
	}
	assert_int_equal(object_seal_end(s, &size, &f), 0);
	assert_int_equal(size, b.len);
	assert_int_equal(object_seal_chunk(s, p, 1, NULL, &f), FAULT_SYSTEM);
	assert_int_equal(object_seal_end(s, NULL, &f), FAULT_SYSTEM);
	assert_int_equal(size, b.len);
	object_seal_free(s);
	return b;
}

static void
chunks_open_in_any_order_by_their_extent(void **state)
{
	static const size_t order[] = {2, 0, 1, 2};
	unsigned char *p = content_of(3000), out[1000];
	struct object_extent e[3];
	struct buf b = three_chunks(e, p);
	struct object_opener *o;
	size_t n;

	(void)state;
	assert_int_equal(
	    object_open_header(&o, &wal, owner, b.data, b.len, &f), 0);
	for (size_t i = 0; i < 4; i++) {
		const struct object_extent *x = &e[order[i]];

		assert_int_equal(
		    object_open_chunk(o, x->index, b.data + x->offset,
			x->stored, out, 1000, &n, &f),
		    0);
		assert_int_equal(n, 1000);
		assert_memory_equal(out, p + 1000 * order[i], 1000);
	}
	/* Under another index, cut, or without room: not. */
	assert_int_equal(object_open_chunk(o, 1, b.data + e[0].offset,
			     e[0].stored, out, 1000, &n, &f),
	    FAULT_CORRUPT);
	assert_int_equal(object_open_chunk(o, 0, b.data + e[0].offset,
			     e[0].stored - 1, out, 1000, &n, &f),
	    FAULT_CORRUPT);
	assert_int_equal(object_open_chunk(o, 0, b.data + e[0].offset,
			     e[0].stored, out, 999, &n, &f),
	    FAULT_CORRUPT);
	for (size_t cut = 0; cut < 21; cut++)
		assert_int_equal(object_open_chunk(o, 0, b.data + e[0].offset,
				     cut, out, 1000, &n, &f),
		    FAULT_CORRUPT);
	/* The end chunk is no chunk. */
	assert_int_equal(
	    object_open_chunk(o, 3, b.data + e[2].offset + e[2].stored,
		OBJECT_CORE_END_STORED, out, 1000, &n, &f),
	    FAULT_CORRUPT);
	object_opener_free(o);
	object_opener_free(NULL);
	buf_free(&b);
	free(p);
}

static void
chunks_cannot_be_swapped_repeated_or_left_out(void **state)
{
	unsigned char *p = content_of(3000);
	struct object_extent e[3], e2[3];
	struct buf b = three_chunks(e, p), other = three_chunks(e2, p);
	struct buf x = BUF_INIT(1 << 20);
	const size_t n = e[0].stored;
	/* Which chunks of the object in which order. */
	static const int rows[][4] = {{1, 0, 2, -1}, {0, 2, 1, -1},
	    {0, 0, 1, -1}, {0, 1, -1, -1}, {1, 2, -1, -1}, {-1, -1, -1, -1},
	    {0, 1, 2, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_clear(&x);
		buf_put(&x, b.data, e[0].offset, &f);
		for (size_t j = 0; j < 4 && rows[i][j] >= 0; j++)
			buf_put(&x, b.data + e[rows[i][j]].offset, n, &f);
		buf_put(&x, b.data + e[2].offset + n, 72, &f);
		/* With the length put right, as an attacker would. */
		bytes_set_u64(x.data + x.len - OBJECT_TRAILER, x.len);
		assert_int_equal(
		    open_it(&wal, owner, &x, "", 0), FAULT_CORRUPT);
	}
	/* From another object of the same name, content and length. */
	buf_clear(&x);
	buf_put(&x, b.data, b.len, &f);
	memcpy(x.data + e[1].offset, other.data + e2[1].offset, n);
	assert_int_equal(open_it(&wal, owner, &x, "", 0), FAULT_CORRUPT);
	/* The whole payload under the other's header. */
	memcpy(x.data, b.data, b.len);
	memcpy(x.data, other.data, e[0].offset);
	assert_int_equal(open_it(&wal, owner, &x, "", 0), FAULT_CORRUPT);
	buf_free(&x);
	buf_free(&b);
	buf_free(&other);
	free(p);
}

static void
it_opens_under_its_own_name_only(void **state)
{
	struct object_id other[5];
	struct buf b = seal(&wal, owner, "x", 1);
	bool same;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		other[i] = wal;
	other[0].name = "000000010000000000000002";
	other[1].cluster = "mail";
	other[2].system_id++;
	other[3].kind = OBJECT_PARTIAL;
	/* The border between the parts is part of it. */
	other[4].cluster = "mai";
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(
		    open_it(&other[i], owner, &b, "", 0), FAULT_CORRUPT);
		assert_non_null(strstr(f.text, "another name"));
		assert_int_equal(compare(&other[i], owner, &b, "x", 1, &same),
		    FAULT_CORRUPT);
	}
	/* Nor when its binding is put right by somebody without the key. */
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(
		    object_core_binding(&other[i], b.data + AT_BINDING, &f), 0);
		b.data[AT_KIND] = (unsigned char)other[i].kind;
		assert_int_equal(
		    open_it(&other[i], owner, &b, "", 0), FAULT_CORRUPT);
		assert_int_equal(compare(&other[i], owner, &b, "x", 1, &same),
		    FAULT_CORRUPT);
	}
	buf_free(&b);
}

static void
there_is_no_way_back_to_plaintext(void **state)
{
	struct buf b = seal(&wal, NULL, "x", 1), c = seal(&wal, owner, "x", 1);
	bool same;

	(void)state;
	assert_int_equal(open_it(&wal, owner, &b, "", 0), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "encryption off; refused"));
	assert_int_equal(
	    compare(&wal, owner, &b, "x", 1, &same), FAULT_CORRUPT);
	assert_int_equal(open_it(&wal, NULL, &c, "", 0), FAULT_KEY);
	assert_int_equal(compare(&wal, NULL, &c, "x", 1, &same), FAULT_KEY);
	/* A clear stanza in a sealed header, and a sealed one in a clear. */
	c.data[OBJECT_CORE_FIXED] = STANZA_CLEAR;
	assert_int_equal(open_it(&wal, owner, &c, "", 0), FAULT_CORRUPT);
	assert_int_equal(open_it(&wal, NULL, &c, "", 0), FAULT_CORRUPT);
	b.data[OBJECT_CORE_FIXED] = STANZA_X25519;
	assert_int_equal(open_it(&wal, NULL, &b, "", 0), FAULT_KEY);
	buf_free(&b);
	buf_free(&c);
}

static void
who_has_only_the_recipient_part_seals_and_recognises(void **state)
{
	struct buf b = seal(&wal, recipient, "content", 7);
	char id[17];
	bool same = false;

	(void)state;
	assert_int_equal(open_it(&wal, owner, &b, "content", 7), 0);
	assert_int_equal(open_it(&wal, recipient, &b, "", 0), FAULT_KEY);
	text_hex(keyring_at(owner, 0)->id, 8, id);
	assert_non_null(strstr(f.text, id));
	assert_non_null(strstr(f.text, wal.name));
	assert_int_equal(compare(&wal, recipient, &b, "content", 7, &same), 0);
	assert_true(same);
	assert_int_equal(compare(&wal, recipient, &b, "contenT", 7, &same), 0);
	assert_false(same);
	assert_int_equal(compare(&wal, recipient, &b, "conten", 6, &same), 0);
	assert_false(same);
	buf_free(&b);
}

static void
a_strangers_key_opens_and_recognises_nothing(void **state)
{
	struct buf b = seal(&wal, owner, "content", 7);
	bool same = true;

	(void)state;
	assert_int_equal(open_it(&wal, stranger, &b, "", 0), FAULT_KEY);
	assert_int_equal(
	    compare(&wal, stranger, &b, "content", 7, &same), FAULT_KEY);
	buf_free(&b);
}

static int
compare_twin(const struct keyring *keys, const struct buf *own,
    const struct buf *object, bool *same)
{
	return object_compare_twin(&wal, keys, own->data, own->len,
	    object->data, object->len,
	    object->data + object->len - OBJECT_TRAILER, object->len, same, &f);
}

/* Without the content and without a private key. */
static void
two_objects_are_told_to_have_the_same_content(void **state)
{
	struct buf a = seal(&wal, owner, "content", 7);
	struct buf b = seal(&wal, recipient, "content", 7);
	struct buf other = seal(&wal, owner, "contenT", 7);
	struct buf newer = seal(&wal, rotated, "content", 7);
	bool same = false;

	(void)state;
	assert_memory_not_equal(a.data, b.data, a.len);
	assert_int_equal(compare_twin(recipient, &a, &b, &same), 0);
	assert_true(same);
	assert_int_equal(compare_twin(recipient, &a, &other, &same), 0);
	assert_false(same);
	/* Other secrets make other fingerprints: that says nothing. */
	assert_int_equal(compare_twin(rotated, &a, &newer, &same), FAULT_KEY);
	assert_int_equal(compare_twin(stranger, &a, &b, &same), FAULT_KEY);
	b.data[b.len - 1] ^= 1;
	assert_int_equal(compare_twin(recipient, &a, &b, &same), FAULT_CORRUPT);
	buf_free(&a);
	buf_free(&b);
	buf_free(&other);
	buf_free(&newer);
}

/* The public key is no secret; the authentication secret is. */
static void
the_public_key_alone_forges_nothing(void **state)
{
	static const unsigned char guess[32] = {1};
	const struct keyring_key *o = keyring_at(owner, 0);
	struct keyring *forger = NULL;
	char id[17], pub[45], sec[45], text[512];
	struct buf b, good = seal(&wal, owner, "content", 7);
	bool same;

	(void)state;
	text_hex(o->id, 8, id);
	text_base64(o->public_key, 32, pub);
	text_base64(guess, 32, sec);
	snprintf(text, sizeof(text),
	    "pitrkit-recipient-1\nid = %s\npublic = %s\nsecret = %s\n", id, pub,
	    sec);
	assert_int_equal(
	    keyring_parse(&forger, "forger", text, strlen(text), &f), 0);
	b = seal(&wal, forger, "forged", 6);
	assert_int_equal(open_it(&wal, owner, &b, "", 0), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "this key's secret"));
	assert_int_equal(
	    compare(&wal, owner, &b, "forged", 6, &same), FAULT_CORRUPT);
	/* Nor can he confirm a content that he guesses. */
	assert_int_equal(
	    compare(&wal, forger, &good, "content", 7, &same), FAULT_CORRUPT);
	buf_free(&b);
	buf_free(&good);
	keyring_free(forger);
}

static void
after_a_rotation_old_and_new_objects_open(void **state)
{
	struct buf older = seal(&wal, owner, "old", 3);
	struct buf newer = seal(&wal, rotated, "new", 3);
	bool same = false;

	(void)state;
	assert_int_equal(open_it(&wal, rotated, &older, "old", 3), 0);
	assert_int_equal(open_it(&wal, rotated, &newer, "new", 3), 0);
	assert_int_equal(open_it(&wal, stranger, &newer, "new", 3), 0);
	/* The old key is no recipient any more. */
	assert_int_equal(open_it(&wal, owner, &newer, "", 0), FAULT_KEY);
	assert_int_equal(compare(&wal, rotated, &older, "old", 3, &same), 0);
	assert_true(same);
	buf_free(&older);
	buf_free(&newer);
}

/* Several recipients, of whom each opens; also one who does not know the
 * secret that made the trailer. */
static void
each_of_several_recipients_opens(void **state)
{
	struct keyring *many = NULL, *each[4];
	char *text[4], path[4][32], dir[] = "/tmp/object.XXXXXX";
	const char *paths[4];
	struct buf b;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < 4; i++) {
		FILE *o;

		each[i] = generate(&text[i]);
		snprintf(path[i], sizeof(path[i]), "%s/%zu", dir, i);
		o = fopen(path[i], "w");
		assert_non_null(o);
		assert_true(fputs(text[i], o) >= 0);
		assert_int_equal(fchmod(fileno(o), 0600), 0);
		assert_int_equal(fclose(o), 0);
		paths[i] = path[i];
	}
	assert_int_equal(keyring_load(&many, paths, 4, &f), 0);
	b = seal(&wal, many, "content", 7);
	assert_int_equal(bytes_get_u16(b.data + AT_STANZAS), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(open_it(&wal, each[i], &b, "content", 7), 0);
	assert_int_equal(open_it(&wal, owner, &b, "", 0), FAULT_KEY);
	assert_non_null(strstr(f.text, "one of"));
	/* Without the trailer's key its length still has to fit. */
	b.data[b.len - OBJECT_TRAILER] ^= 1;
	assert_int_equal(open_it(&wal, each[3], &b, "", 0), FAULT_CORRUPT);
	buf_free(&b);
	for (size_t i = 0; i < 4; i++) {
		keyring_free(each[i]);
		free(text[i]);
		remove(path[i]);
	}
	remove(dir);
	keyring_free(many);
}

static void
any_fragmentation_is_fine(void **state)
{
	static const size_t steps[] = {1, 2, 3, 7, 16, 100, 1031, 4096, 70000};
	unsigned char *p = content_of(3000);
	struct object_extent e[3];
	struct buf b = three_chunks(e, p);

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct buf out = BUF_INIT(1 << 20);
		struct object_reader *r;
		size_t at, n;

		assert_int_equal(
		    object_reader_new(&r, &wal, owner, buf_sink, &out, &f), 0);
		assert_null(object_reader_opener(r));
		for (at = 0; at < b.len; at += n) {
			n = b.len - at < steps[i] ? b.len - at : steps[i];
			/* A copy, so that the sanitizer sees its borders. */
			unsigned char *part = malloc(n);

			assert_non_null(part);
			memcpy(part, b.data + at, n);
			assert_int_equal(object_reader_feed(r, part, n, &f), 0);
			free(part);
			if (at + n < b.len) {
				assert_int_equal(
				    object_reader_feed(r, b.data, 0, &f), 0);
			}
		}
		assert_int_equal(object_reader_end(r, &f), 0);
		assert_int_equal(object_reader_content(r), 3000);
		assert_non_null(object_reader_opener(r));
		assert_int_equal(out.len, 3000);
		assert_memory_equal(out.data, p, 3000);
		object_reader_free(r);
		buf_free(&out);
	}
	object_reader_free(NULL);
	buf_free(&b);
	free(p);
}

static int
failing_sink(void *ctx, const unsigned char *data, size_t len, struct fault *e)
{
	int *left = ctx;

	(void)data;
	(void)len;
	if ((*left)-- > 0)
		return 0;
	return fault_set(e, FAULT_AGAIN, "the disk of the test is full");
}

static void
a_failure_stays_a_failure(void **state)
{
	const struct object_params params = {
	    wal, owner, CODEC_ZSTD, 1, NULL, 0, NULL};
	unsigned char *p = content_of(3000);
	struct object_extent e[3];
	struct buf b = three_chunks(e, p);
	struct object_reader *r;
	struct object_sealer *s = NULL;
	int left = 1;

	(void)state;
	assert_int_equal(
	    object_reader_new(&r, &wal, owner, failing_sink, &left, &f), 0);
	assert_int_equal(object_reader_feed(r, b.data, b.len, &f), FAULT_AGAIN);
	assert_string_equal(f.text, "the disk of the test is full");
	fault_clear(&f);
	assert_int_equal(object_reader_feed(r, b.data, b.len, &f), FAULT_AGAIN);
	fault_clear(&f);
	assert_int_equal(object_reader_end(r, &f), FAULT_AGAIN);
	object_reader_free(r);

	left = 0;
	assert_int_equal(
	    object_seal_begin(&s, &params, failing_sink, &left, &f),
	    FAULT_AGAIN);
	assert_null(s);
	left = 1;
	assert_int_equal(
	    object_seal_begin(&s, &params, failing_sink, &left, &f), 0);
	assert_int_equal(object_seal_chunk(s, p, 10, NULL, &f), FAULT_AGAIN);
	left = 9;
	assert_int_equal(object_seal_chunk(s, p, 10, NULL, &f), FAULT_SYSTEM);
	assert_int_equal(object_seal_end(s, NULL, &f), FAULT_SYSTEM);
	object_seal_free(s);
	object_seal_free(NULL);
	buf_free(&b);
	free(p);
}

static void
empty_and_too_large_chunks_are_not_sealed(void **state)
{
	const struct object_params params = {
	    wal, owner, CODEC_ZSTD, 1, NULL, 0, NULL};
	unsigned char *p = content_of(OBJECT_CHUNK_MAX + 1);
	struct buf b = BUF_INIT(16 << 20);
	struct object_sealer *s;

	(void)state;
	assert_int_equal(object_seal_begin(&s, &params, buf_sink, &b, &f), 0);
	assert_int_equal(object_seal_chunk(s, p, 0, NULL, &f), FAULT_SYSTEM);
	assert_int_equal(
	    object_seal_chunk(s, p, OBJECT_CHUNK_MAX + 1, NULL, &f),
	    FAULT_SYSTEM);
	/* Neither has spoilt anything. */
	assert_int_equal(
	    object_seal_chunk(s, p, OBJECT_CHUNK_MAX, NULL, &f), 0);
	assert_int_equal(object_seal_end(s, NULL, &f), 0);
	object_seal_free(s);
	assert_int_equal(open_it(&wal, owner, &b, p, OBJECT_CHUNK_MAX), 0);
	buf_free(&b);
	free(p);
}

static void
incompressible_chunks_of_any_size_fit(void **state)
{
	static unsigned char p[OBJECT_CHUNK_MAX];
	static const size_t sizes[] = {
	    1, 255, 256, 1000, 131072, 131073, OBJECT_CHUNK, OBJECT_CHUNK_MAX};
	const struct object_params params = {
	    wal, owner, CODEC_ZSTD, 1, NULL, 0, NULL};

	(void)state;
	assert_int_equal(crypto_random(p, sizeof(p), &f), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct buf b = BUF_INIT(16 << 20);
		struct object_sealer *s;
		struct object_extent e;

		assert_int_equal(
		    object_seal_begin(&s, &params, buf_sink, &b, &f), 0);
		assert_int_equal(object_seal_chunk(s, p, sizes[i], &e, &f), 0);
		assert_true(e.stored <= OBJECT_STORED_MAX);
		assert_int_equal(object_seal_end(s, NULL, &f), 0);
		object_seal_free(s);
		assert_int_equal(open_it(&wal, owner, &b, p, sizes[i]), 0);
		buf_free(&b);
	}
}

static void
meta_is_there_before_the_content(void **state)
{
	struct buf b = seal(&wal, owner, "x", 1);
	struct object_opener *o = NULL;
	const unsigned char *meta;
	size_t n, header;

	(void)state;
	assert_int_equal(object_header_length(b.data, 16, &header, &f), 0);
	assert_int_equal(
	    object_header_length(b.data, 15, &header, &f), FAULT_CORRUPT);
	assert_int_equal(
	    object_open_header(&o, &wal, owner, b.data, header, &f), 0);
	meta = object_meta(o, &n);
	assert_int_equal(n, 4);
	assert_memory_equal(meta, "meta", 4);
	object_opener_free(o);
	o = NULL;
	assert_int_equal(
	    object_open_header(&o, &wal, owner, b.data, header - 1, &f),
	    FAULT_CORRUPT);
	assert_null(o);
	buf_free(&b);
}

static void
newer_versions_and_other_files_are_told_apart(void **state)
{
	struct buf b = seal(&wal, owner, "x", 1);

	(void)state;
	b.data[AT_VERSION] = 2;
	assert_int_equal(open_it(&wal, owner, &b, "", 0), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "format version 2"));
	b.data[0] = 'p';
	assert_int_equal(open_it(&wal, owner, &b, "", 0), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "is no pitrkit object"));
	b.len = 0;
	assert_int_equal(open_it(&wal, owner, &b, "", 0), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "cut off after 0 bytes"));
	buf_free(&b);
}

/* What zstd has compressed stays in its memory: a key does not go there. */
static void
a_key_is_never_compressed(void **state)
{
	struct object_id id = {"main", 1, OBJECT_KEY, "key/0011223344556677"};
	struct buf b = seal(&id, owner, "private", 7);

	(void)state;
	assert_int_equal(b.data[AT_CODEC], CODEC_NONE);
	assert_int_equal(open_it(&id, owner, &b, "private", 7), 0);
	buf_free(&b);
}

static void
opening_respects_the_limit_of_its_buffer(void **state)
{
	struct buf b = seal(&wal, owner, "content", 7), out = BUF_INIT(6);

	(void)state;
	assert_int_equal(object_open_all(&wal, owner, b.data, b.len, &out, &f),
	    FAULT_CORRUPT);
	buf_free(&out);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_and_size_comes_back),
	    cmocka_unit_test(without_compression_meta_or_digest),
	    cmocka_unit_test(it_shrinks_and_hides_its_content),
	    cmocka_unit_test(no_flipped_byte_is_accepted),
	    cmocka_unit_test(no_cut_object_is_accepted),
	    cmocka_unit_test(nothing_may_follow_the_trailer),
	    cmocka_unit_test(chunks_open_in_any_order_by_their_extent),
	    cmocka_unit_test(chunks_cannot_be_swapped_repeated_or_left_out),
	    cmocka_unit_test(it_opens_under_its_own_name_only),
	    cmocka_unit_test(there_is_no_way_back_to_plaintext),
	    cmocka_unit_test(
		who_has_only_the_recipient_part_seals_and_recognises),
	    cmocka_unit_test(two_objects_are_told_to_have_the_same_content),
	    cmocka_unit_test(a_strangers_key_opens_and_recognises_nothing),
	    cmocka_unit_test(the_public_key_alone_forges_nothing),
	    cmocka_unit_test(after_a_rotation_old_and_new_objects_open),
	    cmocka_unit_test(each_of_several_recipients_opens),
	    cmocka_unit_test(any_fragmentation_is_fine),
	    cmocka_unit_test(a_failure_stays_a_failure),
	    cmocka_unit_test(empty_and_too_large_chunks_are_not_sealed),
	    cmocka_unit_test(incompressible_chunks_of_any_size_fit),
	    cmocka_unit_test(meta_is_there_before_the_content),
	    cmocka_unit_test(newer_versions_and_other_files_are_told_apart),
	    cmocka_unit_test(a_key_is_never_compressed),
	    cmocka_unit_test(opening_respects_the_limit_of_its_buffer),
	};

	return cmocka_run_group_tests_name("object", tests, setup, teardown);
}
