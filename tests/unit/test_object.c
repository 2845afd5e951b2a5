/* The sealed object: what went in comes out, and nothing else ever does. */
#include "object_world.h"

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
	    cmocka_unit_test(two_objects_are_told_to_have_the_same_content),
	    cmocka_unit_test(meta_is_there_before_the_content),
	    cmocka_unit_test(newer_versions_and_other_files_are_told_apart),
	    cmocka_unit_test(opening_respects_the_limit_of_its_buffer),
	};

	return cmocka_run_group_tests_name("object", tests, setup, teardown);
}
