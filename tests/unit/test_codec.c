/* One block, one frame, and no more bytes than were allowed. */
#include "unit.h"

#include "codec.h"

static struct fault f;
static unsigned char plain[100000], packed[200000], back[200000];

static size_t
encode(enum codec_kind kind, int level, size_t n)
{
	struct codec_encoder *e;
	size_t len;

	assert_int_equal(codec_encoder_new(&e, kind, level, &f), 0);
	assert_true(codec_bound(kind, n) <= sizeof(packed));
	assert_int_equal(
	    codec_encode(e, plain, n, packed, codec_bound(kind, n), &len, &f),
	    0);
	codec_encoder_free(e);
	return len;
}

static int
decode(enum codec_kind kind, const unsigned char *src, size_t n, size_t cap,
    size_t *len)
{
	struct codec_decoder *d;
	int r;

	assert_int_equal(codec_decoder_new(&d, kind, &f), 0);
	*len = 77;
	r = codec_decode(d, src, n, back, cap, len, &f);
	codec_decoder_free(d);
	return r;
}

static void
what_goes_in_comes_out(void **state)
{
	static const size_t sizes[] = {0, 1, 100, 65536, 100000};
	static const int levels[] = {1, 3, 19};
	size_t i, j, n, len;

	(void)state;
	for (i = 0; i < 5; i++)
		for (j = 0; j < 4; j++) {
			enum codec_kind k = j < 3 ? CODEC_ZSTD : CODEC_NONE;

			n = encode(k, j < 3 ? levels[j] : 0, sizes[i]);
			assert_int_equal(
			    decode(k, packed, n, sizes[i], &len), 0);
			assert_int_equal(len, sizes[i]);
			assert_memory_equal(back, plain, len);
		}
	codec_encoder_free(NULL);
	codec_decoder_free(NULL);
}

static void
a_context_serves_many_blocks(void **state)
{
	struct codec_encoder *e;
	struct codec_decoder *d;
	size_t i, n, len;

	(void)state;
	assert_int_equal(codec_encoder_new(&e, CODEC_ZSTD, 1, &f), 0);
	assert_int_equal(codec_decoder_new(&d, CODEC_ZSTD, &f), 0);
	for (i = 0; i < 50; i++) {
		assert_int_equal(codec_encode(e, plain, 1000 * i, packed,
				     sizeof(packed), &n, &f),
		    0);
		/* A failure in between leaves nothing behind. */
		assert_int_equal(codec_decode(d, packed, n - 1, back,
				     sizeof(back), &len, &f),
		    FAULT_CORRUPT);
		assert_int_equal(
		    codec_decode(d, packed, n, back, sizeof(back), &len, &f),
		    0);
		assert_int_equal(len, 1000 * i);
		assert_memory_equal(back, plain, len);
	}
	codec_encoder_free(e);
	codec_decoder_free(d);
}

/* Rows of 100 bytes, the first of which are numbers below so many, the others
 * the same in all rows. */
static void
fill_rows(size_t numbers, uint32_t below)
{
	uint32_t x = 54321;

	for (size_t i = 0; i < sizeof(plain); i++) {
		x = x * 1103515245 + 12345;
		plain[i] =
		    i % 100 < numbers ? (unsigned char)((x >> 16) % below) : 7;
	}
}

/* Of the same content, one after another; each must come back. */
static void
encode_thrice(size_t len[3])
{
	struct codec_encoder *e;
	size_t n;

	assert_int_equal(codec_encoder_new(&e, CODEC_ZSTD, 1, &f), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(codec_encode(e, plain, sizeof(plain), packed,
				     sizeof(packed), &len[i], &f),
		    0);
		memset(back, 0, sizeof(back));
		assert_int_equal(
		    decode(CODEC_ZSTD, packed, len[i], sizeof(back), &n), 0);
		assert_memory_equal(back, plain, sizeof(plain));
	}
	codec_encoder_free(e);
}

static void
what_repeats_much_is_packed_less(void **state)
{
	size_t len[3];

	(void)state;
	fill_rows(5, 200); /* numbers that cannot be packed well */
	encode_thrice(len);
	assert_true(len[0] < sizeof(plain) / 8);
	assert_true(len[1] > len[0] && len[1] <= len[0] + len[0] / 4);
	assert_int_equal(len[2], len[1]);
}

static void
what_packs_well_is_packed_again(void **state)
{
	size_t len[3];

	(void)state;
	fill_rows(7, 12); /* half a byte is enough for a number */
	encode_thrice(len);
	assert_true(len[0] < sizeof(plain) / 8);
	assert_true(len[1] > len[0] + len[0] / 4);
	assert_int_equal(len[2], len[0]);
}

static void
what_repeats_little_is_always_packed(void **state)
{
	size_t len[3];

	(void)state;
	fill_rows(50, 200);
	encode_thrice(len);
	assert_true(len[0] > sizeof(plain) / 8);
	assert_int_equal(len[1], len[0]);
	assert_int_equal(len[2], len[0]);
}

static void
more_than_allowed_is_refused(void **state)
{
	size_t n = encode(CODEC_ZSTD, 1, 50000), len;

	(void)state;
	back[49999] = 0xee;
	assert_int_equal(
	    decode(CODEC_ZSTD, packed, n, 49999, &len), FAULT_CORRUPT);
	assert_int_equal(back[49999], 0xee);
	assert_int_equal(len, 77);
	assert_int_equal(
	    decode(CODEC_NONE, packed, n, n - 1, &len), FAULT_CORRUPT);
}

static void
only_one_whole_frame_is_taken(void **state)
{
	/* A frame of the user's own of four bytes; no magic; not zstd at all.
	 */
	static const unsigned char own[] = {
	    0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
	size_t n = encode(CODEC_ZSTD, 1, 3000), i, len;

	(void)state;
	for (i = 0; i < n; i++)
		assert_int_equal(
		    decode(CODEC_ZSTD, packed, i, 100000, &len), FAULT_CORRUPT);
	memcpy(packed + n, packed, n);
	assert_int_equal(
	    decode(CODEC_ZSTD, packed, 2 * n, 100000, &len), FAULT_CORRUPT);
	assert_int_equal(
	    decode(CODEC_ZSTD, packed, n + 1, 100000, &len), FAULT_CORRUPT);
	memcpy(packed + n, own, sizeof(own));
	assert_int_equal(
	    decode(CODEC_ZSTD, packed, n + sizeof(own), 100000, &len),
	    FAULT_CORRUPT);
	assert_int_equal(
	    decode(CODEC_ZSTD, own, sizeof(own), 100000, &len), FAULT_CORRUPT);
}

static void
a_frame_without_its_size_is_refused(void **state)
{
	/* Empty content, one raw block, no content size (RFC 8878, 3.1.1). */
	static const unsigned char frame[] = {
	    0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x01, 0x00, 0x00};
	size_t len;

	(void)state;
	assert_int_equal(
	    decode(CODEC_ZSTD, frame, sizeof(frame), 10, &len), FAULT_CORRUPT);
}

static void
no_touched_frame_overruns(void **state)
{
	size_t n = encode(CODEC_ZSTD, 3, 3000), i, len;
	int bit;

	(void)state;
	memset(back, 0xee, sizeof(back));
	for (i = 0; i < n; i++)
		for (bit = 0; bit < 8; bit++) {
			packed[i] ^= (unsigned char)(1 << bit);
			if (decode(CODEC_ZSTD, packed, n, 3000, &len) == 0)
				assert_true(len <= 3000);
			packed[i] ^= (unsigned char)(1 << bit);
			assert_int_equal(back[3000], 0xee);
		}
}

static void
unknown_kinds_are_refused(void **state)
{
	struct codec_encoder *e = NULL;
	struct codec_decoder *d = NULL;

	(void)state;
	assert_int_equal(
	    codec_encoder_new(&e, (enum codec_kind)2, 1, &f), FAULT_CORRUPT);
	assert_int_equal(
	    codec_decoder_new(&d, (enum codec_kind)2, &f), FAULT_CORRUPT);
	assert_null(e);
	assert_null(d);
}

static int
begin(void **state)
{
	uint32_t x = 12345;
	size_t i;

	(void)state;
	/* Neither random nor empty. */
	for (i = 0; i < sizeof(plain); i++) {
		x = x * 1103515245 + 12345;
		plain[i] = (unsigned char)(x >> 28);
	}
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_goes_in_comes_out),
	    cmocka_unit_test(a_context_serves_many_blocks),
	    cmocka_unit_test(what_repeats_much_is_packed_less),
	    cmocka_unit_test(what_packs_well_is_packed_again),
	    cmocka_unit_test(what_repeats_little_is_always_packed),
	    cmocka_unit_test(more_than_allowed_is_refused),
	    cmocka_unit_test(only_one_whole_frame_is_taken),
	    cmocka_unit_test(a_frame_without_its_size_is_refused),
	    cmocka_unit_test(no_touched_frame_overruns),
	    cmocka_unit_test(unknown_kinds_are_refused),
	};

	return cmocka_run_group_tests_name("codec", tests, begin, NULL);
}
