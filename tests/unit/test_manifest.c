#include "manifest_world.h"

static const struct manifest_piece pieces1[] = {
    {"base/1/1259", 0600, 1700000000000000, 1500000, 0, 0, 1048576, {1, 2, 3}}};
static const struct manifest_piece pieces2[] = {
    {"base/1/1259", 0600, 1700000000000000, 1500000, 1048576, 0, 451424, {4}},
    {"PG_VERSION", 0640, -5, 3, 0, 451424, 3, {5}},
    {"pg_tblspc/16384/PG_15_202209061/5/16385", 0600, 0, 8192, 0, 451427, 8192,
	{[15] = 6}}};
static const struct manifest_extent extents[] = {
    {{120, 400000, 0, 1048576}, pieces1, 1},
    {{400120, 300000, 1, 459619}, pieces2, 3}};
static const struct manifest_pack pack = {
    "20261122T020000Z-full-1a2b3c4d/pack/00000001", 700200, extents, 2};

static void
write_sample(struct manifest_totals *t, struct fault *f)
{
	const struct manifest_entry d = {'D', "base", NULL, 0700, 7};
	const struct manifest_entry d1 = {'D', "base/1", NULL, 0700, 8};
	const struct manifest_entry e = {'F', "base/1/3430", NULL, 0600, 9};
	const struct manifest_entry l = {'L', "log", "/var/log/pg", 0777, 0};
	struct manifest_writer *w;

	assert_int_equal(manifest_writer_new(&w, NULL, f), 0);
	assert_int_equal(manifest_put_entry(w, &d, f), 0);
	assert_int_equal(manifest_put_entry(w, &d1, f), 0);
	assert_int_equal(manifest_put_entry(w, &e, f), 0);
	assert_int_equal(manifest_put_entry(w, &l, f), 0);
	assert_int_equal(manifest_put_pack(w, &pack, f), 0);
	assert_int_equal(manifest_writer_end(w, t, f), 0);
	manifest_writer_free(w);
}

static void
what_is_written_is_read_whatever_the_steps(void **state)
{
	static const char expect[] =
	    "D base 700 7 -\nD base/1 700 8 -\nF base/1/3430 600 9 -\n"
	    "L log 777 0 /var/log/pg\n"
	    "P 20261122T020000Z-full-1a2b3c4d/pack/00000001 700200\n"
	    " E 120 400000 0 1048576\n"
	    "  base/1/1259 600 1700000000000000 1500000: 0 0 1048576 1 0\n"
	    " E 400120 300000 1 459619\n"
	    "  base/1/1259 600 1700000000000000 1500000: 1048576 0 451424 4 0\n"
	    "  PG_VERSION 640 -5 3: 0 451424 3 5 0\n"
	    "  pg_tblspc/16384/PG_15_202209061/5/16385 600 0 8192: 0 451427 "
	    "8192 0 6\n";
	static const size_t steps[] = {1, 2, 3, 5, 7, 64, 1000, 1U << 20};
	struct manifest_totals w, r;
	struct fault f = FAULT_INIT;

	(void)state;
	write_sample(&w, &f);
	assert_int_equal(w.files, 4);
	assert_int_equal(w.folders, 2);
	assert_int_equal(w.links, 1);
	assert_int_equal(w.bytes, 1500000 + 3 + 8192);
	assert_int_equal(w.packs, 1);
	assert_int_equal(w.extents, 2);
	assert_int_equal(w.pieces, 4);
	assert_int_equal(w.stored, 700200);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		struct told t = {BUF_INIT(65536)};

		assert_int_equal(
		    read_all(content.data, content.len, steps[i], &t, &r, &f),
		    0);
		assert_int_equal(buf_terminate(&t.text, &f), 0);
		assert_string_equal((char *)t.text.data, expect);
		assert_memory_equal(&w, &r, sizeof w);
		buf_free(&t.text);
	}
}

static void
a_manifest_that_was_cut_anywhere_is_corrupt(void **state)
{
	struct manifest_totals t;
	struct fault f = FAULT_INIT;

	(void)state;
	write_sample(&t, &f);
	for (size_t n = 0; n < content.len; n++) {
		struct told told = {BUF_INIT(65536)};

		assert_int_equal(
		    read_all(content.data, n, 1U << 20, &told, &t, &f),
		    FAULT_CORRUPT);
		buf_free(&told.text);
	}
}

/* No flipped bit may make the reader run wild; most are found. What passes can
 * only be a value that no rule is about (modes, times, letters of a name). */
static void
flipped_bits_never_pass_as_other_sizes(void **state)
{
	struct manifest_totals t, good;
	struct fault f = FAULT_INIT;
	size_t passed = 0;

	(void)state;
	write_sample(&good, &f);
	for (size_t i = 0; i < content.len * 8; i++) {
		struct told told = {BUF_INIT(65536)};

		content.data[i / 8] ^= (unsigned char)(1U << (i % 8));
		if (read_all(content.data, content.len, 1U << 20, &told, &t,
			&f) == 0) {
			passed++;
			assert_int_equal(t.bytes, good.bytes);
			assert_int_equal(t.files, good.files);
			assert_int_equal(t.pieces, good.pieces);
		}
		content.data[i / 8] ^= (unsigned char)(1U << (i % 8));
		buf_free(&told.text);
	}
	assert_true(passed > 0);
}

static void
bytes_after_the_end_are_corrupt(void **state)
{
	struct manifest_totals t;
	struct fault f = FAULT_INIT;
	struct told told = {BUF_INIT(65536)};

	(void)state;
	write_sample(&t, &f);
	assert_int_equal(buf_put_u8(&content, 0, &f), 0);
	assert_int_equal(
	    read_all(content.data, content.len, 1U << 20, &told, &t, &f),
	    FAULT_CORRUPT);
	buf_free(&told.text);
}

static void
chunks_are_full_and_never_larger_than_usual(void **state)
{
	struct manifest_writer *w;
	struct manifest_totals t, r;
	struct told told = {BUF_INIT(32U << 20)};
	struct fault f = FAULT_INIT;
	char path[64];

	(void)state;
	assert_int_equal(manifest_writer_new(&w, NULL, &f), 0);
	for (int i = 0; i < 100000; i++) {
		const struct manifest_entry e = {'F', path, NULL, 0600, i};

		snprintf(path, sizeof path, "base/5/%d", i);
		assert_int_equal(manifest_put_entry(w, &e, &f), 0);
	}
	assert_int_equal(manifest_writer_end(w, &t, &f), 0);
	manifest_writer_free(w);
	assert_int_equal(largest, OBJECT_CHUNK);
	assert_true(content.len > 2 * OBJECT_CHUNK);
	assert_int_equal(
	    read_all(content.data, content.len, 4096, &told, &r, &f), 0);
	assert_int_equal(r.files, 100000);
	buf_free(&told.text);
}

static void
files_that_are_not_complete_cannot_be_ended(void **state)
{
	const struct manifest_extent half[] = {
	    {{120, 400000, 0, 1048576}, pieces1, 1}};
	const struct manifest_pack p = {"I/p", 700200, half, 1};
	struct manifest_writer *w;
	struct manifest_totals t;
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(manifest_writer_new(&w, NULL, &f), 0);
	assert_int_equal(manifest_put_pack(w, &p, &f), 0);
	assert_int_equal(manifest_writer_end(w, &t, &f), FAULT_SYSTEM);
	manifest_writer_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_is_written_is_read_whatever_the_steps),
	    T(a_manifest_that_was_cut_anywhere_is_corrupt),
	    T(flipped_bits_never_pass_as_other_sizes),
	    T(bytes_after_the_end_are_corrupt),
	    T(chunks_are_full_and_never_larger_than_usual),
	    T(files_that_are_not_complete_cannot_be_ended),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
