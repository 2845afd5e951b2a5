#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "manifest.h"

/* The manifest's content without the sealing: chunks are laid end to end. */

static struct buf content;
static size_t largest;

int __wrap_object_seal_chunk(struct object_sealer *s, const void *data,
    size_t len, struct object_extent *e, struct fault *f);

int
__wrap_object_seal_chunk(struct object_sealer *s, const void *data, size_t len,
    struct object_extent *e, struct fault *f)
{
	(void)s;
	(void)e;
	if (len > largest)
		largest = len;
	return buf_put(&content, data, len, f);
}

static int
setup(void **state)
{
	(void)state;
	buf_init(&content, 64U << 20);
	largest = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_free(&content);
	return 0;
}

/* What a reader was told, as text. */
struct told {
	struct buf text;
};

static int
on_entry(void *ctx, const struct manifest_entry *e, struct fault *f)
{
	struct told *t = ctx;

	return buf_printf(&t->text, f, "%c %s %o %lld %s\n", e->type, e->path,
	    e->mode, (long long)e->mtime_us, e->type == 'L' ? e->link : "-");
}

static int
on_pack(void *ctx, const struct manifest_pack *p, struct fault *f)
{
	struct told *t = ctx;
	int rc = buf_printf(
	    &t->text, f, "P %s %llu\n", p->name, (unsigned long long)p->size);

	for (uint32_t i = 0; rc == 0 && i < p->n_extents; i++) {
		const struct manifest_extent *e = &p->extents[i];

		rc = buf_printf(&t->text, f, " E %llu %u %u %u\n",
		    (unsigned long long)e->where.offset, e->where.stored,
		    e->where.index, e->where.length);
		for (uint32_t j = 0; rc == 0 && j < e->n_pieces; j++) {
			const struct manifest_piece *q = &e->pieces[j];

			rc = buf_printf(&t->text, f,
			    "  %s %o %lld %llu: %llu %u %u %d %d\n", q->path,
			    q->mode, (long long)q->mtime_us,
			    (unsigned long long)q->file_size,
			    (unsigned long long)q->file_offset,
			    q->extent_offset, q->length, q->xxh[0], q->xxh[15]);
		}
	}
	return rc;
}

static const struct manifest_events events = {on_entry, on_pack};

/* Feed content in steps; the fault's code, and what was told. */
static int
read_all(const void *data, size_t len, size_t step, struct told *t,
    struct manifest_totals *totals, struct fault *f)
{
	struct manifest_reader *r;
	const unsigned char *p = data;
	int rc;

	assert_int_equal(manifest_reader_new(&r, &events, t, f), 0);
	for (rc = 0; rc == 0 && len > 0;) {
		size_t n = len < step ? len : step;

		rc = manifest_reader_feed(r, p, n, f);
		p += n;
		len -= n;
	}
	if (rc == 0)
		rc = manifest_reader_end(r, totals, f);
	manifest_reader_free(r);
	return rc;
}

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
only_paths_that_stay_below_the_root_are_taken(void **state)
{
	static const char *const good[] = {"a", "base/1", "..a", "a..", "...",
	    "a/b/c.d", ".x", "pg_tblspc/1/x"};
	static const char *const bad[] = {"", "/", "/etc", "a/", "a//b", ".",
	    "..", "../a", "a/..", "a/../b", "./a", "a/./b"};
	char longest[MANIFEST_PATH + 1];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(manifest_path_ok(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(manifest_path_ok(bad[i], strlen(bad[i])));
	assert_false(manifest_path_ok("a\0b", 3));
	memset(longest, 'a', sizeof longest);
	assert_true(manifest_path_ok(longest, MANIFEST_PATH - 1));
	assert_false(manifest_path_ok(longest, MANIFEST_PATH));
}

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

/* ---- a path that comes twice ---- */

/* One file: without content, or whole in an extent of its own. */
static int
put_file(
    struct manifest_writer *w, const char *path, uint32_t size, struct fault *f)
{
	const struct manifest_entry e = {'F', path, NULL, 0600, 1};
	const struct manifest_piece q = {path, 0600, 1, size, 0, 0, size, {0}};
	const struct manifest_extent x = {{50, 20, 1, size}, &q, 1};
	const struct manifest_pack p = {"I/p", 200, &x, 1};

	return size == 0 ? manifest_put_entry(w, &e, f)
			 : manifest_put_pack(w, &p, f);
}

static void
a_path_that_comes_twice_is_not_written(void **state)
{
	static const uint32_t sizes[][2] = {
	    {0, 0}, {0, 5}, {5, 0}, {5, 5}, {5, 6}};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct manifest_writer *w;
		struct fault f = FAULT_INIT;

		buf_clear(&content);
		assert_int_equal(manifest_writer_new(&w, NULL, &f), 0);
		assert_int_equal(put_file(w, "base/x", sizes[i][0], &f), 0);
		assert_int_equal(put_file(w, "base/y", sizes[i][1], &f), 0);
		assert_int_equal(
		    put_file(w, "base/x", sizes[i][1], &f), FAULT_SYSTEM);
		assert_non_null(strstr(f.text, "base/x: came twice"));
		manifest_writer_free(w);
	}
}

/* PostgreSQL 16 does that with the folder of a tablespace in place. */
static void
a_folder_may_come_twice(void **state)
{
	const struct manifest_entry e = {'D', "pg_tblspc/1", NULL, 0700, 1};
	struct manifest_writer *w;
	struct manifest_totals t;
	struct told told = {BUF_INIT(65536)};
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(manifest_writer_new(&w, NULL, &f), 0);
	assert_int_equal(manifest_put_entry(w, &e, &f), 0);
	assert_int_equal(manifest_put_entry(w, &e, &f), 0);
	assert_int_equal(manifest_writer_end(w, &t, &f), 0);
	manifest_writer_free(w);
	assert_int_equal(
	    read_all(content.data, content.len, 1U << 20, &told, &t, &f), 0);
	buf_free(&told.text);
}

/* Two files whose names differ in a letter, which is then made the same. */
static void
a_path_that_comes_twice_is_corrupt(void **state)
{
	static const uint32_t sizes[][2] = {
	    {0, 0}, {0, 5}, {5, 0}, {5, 5}, {5, 6}};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct manifest_writer *w;
		struct manifest_totals t;
		struct told told = {BUF_INIT(65536)};
		struct fault f = FAULT_INIT;
		size_t at = 0;

		buf_clear(&content);
		assert_int_equal(manifest_writer_new(&w, NULL, &f), 0);
		assert_int_equal(put_file(w, "base/x", sizes[i][0], &f), 0);
		assert_int_equal(put_file(w, "base/y", sizes[i][1], &f), 0);
		assert_int_equal(manifest_writer_end(w, &t, &f), 0);
		manifest_writer_free(w);
		assert_int_equal(read_all(content.data, content.len, 1U << 20,
				     &told, &t, &f),
		    0);
		while (memcmp(content.data + at, "base/y", 6) != 0)
			at++;
		content.data[at + 5] = 'x';
		assert_int_equal(read_all(content.data, content.len, 1U << 20,
				     &told, &t, &f),
		    FAULT_CORRUPT);
		assert_non_null(strstr(f.text, "\"base/x\" is listed twice"));
		buf_free(&told.text);
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

#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_is_written_is_read_whatever_the_steps),
	    T(a_manifest_that_was_cut_anywhere_is_corrupt),
	    T(flipped_bits_never_pass_as_other_sizes),
	    T(bytes_after_the_end_are_corrupt),
	    T(only_paths_that_stay_below_the_root_are_taken),
	    T(pieces_and_extents_out_of_bounds_are_corrupt),
	    T(extents_out_of_order_and_overlapping_pieces_are_corrupt),
	    T(pieces_that_leave_holes_are_corrupt),
	    T(a_path_that_comes_twice_is_not_written),
	    T(a_path_that_comes_twice_is_corrupt),
	    T(a_folder_may_come_twice),
	    T(counts_that_a_record_cannot_hold_are_corrupt),
	    T(chunks_are_full_and_never_larger_than_usual),
	    T(files_that_are_not_complete_cannot_be_ended),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
