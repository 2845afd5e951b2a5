#include "manifest_world.h"

/* What a manifest that opens may say all the same. */

/* One pack with one piece, changed by each case, between 'P' and 'E'. */
static int
read_hostile(struct manifest_piece q, struct object_extent w, uint64_t size)
{
	struct manifest_extent e = {w, &q, 1};
	struct manifest_pack p = {"ID/pack/00000001", size, &e, 1};
	struct manifest_writer *mw;
	struct manifest_totals t;
	struct told told = {BUF_INIT(65536)};
	struct fault f = FAULT_INIT;
	int rc;

	buf_clear(&content);
	assert_int_equal(manifest_writer_new(&mw, NULL, &f), 0);
	rc = manifest_put_pack(mw, &p, &f);
	if (rc == 0)
		(void)manifest_writer_end(mw, &t, &f);
	manifest_writer_free(mw);
	if (rc == 0)
		rc = read_all(
		    content.data, content.len, 1U << 20, &told, &t, &f);
	buf_free(&told.text);
	return rc;
}

static void
pieces_and_extents_out_of_bounds_are_corrupt(void **state)
{
	const struct manifest_piece q = {"x", 0600, 0, 100, 0, 0, 100, {0}};
	const struct object_extent w = {200, 90, 0, 100};
	struct manifest_piece p;
	struct object_extent e;

	(void)state;
	assert_int_equal(read_hostile(q, w, 400), 0);
	assert_int_equal(read_hostile(q, w, 290), 0);
	assert_int_equal(read_hostile(q, w, 289), FAULT_CORRUPT);
	p = q, p.length = 0;
	assert_int_equal(read_hostile(p, w, 400), FAULT_CORRUPT);
	p = q, p.length = 101;
	assert_int_equal(read_hostile(p, w, 400), FAULT_CORRUPT);
	p = q, p.file_offset = 1;
	assert_int_equal(read_hostile(p, w, 400), FAULT_CORRUPT);
	p = q, p.file_offset = UINT64_MAX;
	assert_int_equal(read_hostile(p, w, 400), FAULT_CORRUPT);
	p = q, p.file_size = 200, p.file_offset = 100, p.extent_offset = 1;
	assert_int_equal(read_hostile(p, w, 400), FAULT_CORRUPT);
	p = q, p.extent_offset = UINT32_MAX;
	assert_int_equal(read_hostile(p, w, 400), FAULT_CORRUPT);
	p = q, p.file_size = 101; /* the rest of the file never comes */
	assert_int_equal(read_hostile(p, w, 400), FAULT_CORRUPT);
	e = w, e.offset = UINT64_MAX - 10;
	assert_int_equal(read_hostile(q, e, 400), FAULT_CORRUPT);
	e = w, e.stored = 0;
	assert_int_equal(read_hostile(q, e, 400), FAULT_CORRUPT);
	e = w, e.length = OBJECT_CHUNK_MAX + 1;
	assert_int_equal(read_hostile(q, e, 400), FAULT_CORRUPT);
	p = q, p.path = "../x";
	assert_int_equal(read_hostile(p, w, 400), FAULT_CONFIG);
}

/* A manifest of that pack alone. */
static void
is_corrupt(const struct manifest_pack *p)
{
	struct manifest_writer *w;
	struct manifest_totals t;
	struct told told = {BUF_INIT(65536)};
	struct fault f = FAULT_INIT;

	buf_clear(&content);
	assert_int_equal(manifest_writer_new(&w, NULL, &f), 0);
	assert_int_equal(manifest_put_pack(w, p, &f), 0);
	assert_int_equal(manifest_writer_end(w, &t, &f), 0);
	manifest_writer_free(w);
	assert_int_equal(
	    read_all(content.data, content.len, 1U << 20, &told, &t, &f),
	    FAULT_CORRUPT);
	buf_free(&told.text);
}

static void
extents_out_of_order_and_overlapping_pieces_are_corrupt(void **state)
{
	const struct manifest_piece a = {"x", 0600, 0, 10, 0, 0, 10, {0}};
	const struct manifest_piece c = {"v", 0600, 0, 10, 0, 0, 10, {0}};
	const struct manifest_piece b[] = {
	    {"y", 0600, 0, 6, 0, 0, 6, {0}}, {"z", 0600, 0, 6, 0, 5, 6, {0}}};
	const struct manifest_extent swapped[] = {
	    {{100, 20, 1, 10}, &a, 1}, {{50, 20, 2, 10}, &c, 1}};
	const struct manifest_extent same[] = {
	    {{50, 20, 1, 10}, &a, 1}, {{100, 20, 1, 10}, &c, 1}};
	const struct manifest_extent overlap[] = {{{50, 20, 1, 11}, b, 2}};
	const struct manifest_pack packs[] = {{"I/p", 200, swapped, 2},
	    {"I/p", 200, same, 2}, {"I/p", 200, overlap, 1}};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		is_corrupt(&packs[i]);
}

/* The sums are right. */
static void
pieces_that_leave_holes_are_corrupt(void **state)
{
	static const struct manifest_piece gap[] = {
	    {"x", 0600, 0, 8, 0, 0, 4, {0}}, {"x", 0600, 0, 8, 3, 4, 4, {0}}};
	static const struct manifest_piece wrap[] = {
	    {"x", 0600, 0, UINT64_MAX / 2 + 1, 0, 0, 4, {0}},
	    {"y", 0600, 0, UINT64_MAX / 2 + 9, 0, 4, 4, {0}}};
	static const struct manifest_piece *const rows[] = {gap, wrap};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct manifest_extent e = {{50, 20, 1, 8}, rows[i], 2};
		const struct manifest_pack p = {"I/p", 200, &e, 1};

		is_corrupt(&p);
	}
}

/* A record says how much it holds; memory must follow its bytes, not that. */
static void
counts_that_a_record_cannot_hold_are_corrupt(void **state)
{
	static const unsigned char files[] = {'P', 16, 0, 0, 0, 1, 0, 'x', 0, 1,
	    0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
	static const unsigned char pieces[] = {'P', 24, 0, 0, 0, 1, 0, 'x', 0,
	    1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff};
	static const unsigned char huge[] = {'D', 1, 0, 128, 0};
	static const unsigned char type[] = {'Z', 0, 0, 0, 0};
	static const unsigned char nothing[] = {'D', 0, 0, 0, 0};
	struct manifest_totals t;
	struct told told = {BUF_INIT(65536)};
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(
	    read_all(files, sizeof files, 99, &told, &t, &f), FAULT_CORRUPT);
	assert_int_equal(
	    read_all(pieces, sizeof pieces, 99, &told, &t, &f), FAULT_CORRUPT);
	assert_int_equal(
	    read_all(huge, sizeof huge, 99, &told, &t, &f), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "too long"));
	assert_int_equal(
	    read_all(type, sizeof type, 99, &told, &t, &f), FAULT_CORRUPT);
	assert_int_equal(read_all(nothing, sizeof nothing, 99, &told, &t, &f),
	    FAULT_CORRUPT);
	buf_free(&told.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(pieces_and_extents_out_of_bounds_are_corrupt),
	    T(extents_out_of_order_and_overlapping_pieces_are_corrupt),
	    T(pieces_that_leave_holes_are_corrupt),
	    T(counts_that_a_record_cannot_hold_are_corrupt),
	};

	return cmocka_run_group_tests_name(
	    "manifest, hostile", tests, NULL, NULL);
}
