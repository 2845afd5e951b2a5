#include "unit.h"

#include "object.h"
#include "walmeta.h"

/* Everything at its largest: the most that a segment can say of itself. */
static void
fullest(struct walmeta *m)
{
	memset(m, 0xa5, sizeof(*m));
	memset(m->version, 'v', sizeof(m->version) - 1);
	m->version[sizeof(m->version) - 1] = '\0';
	m->segment_size = WALNAME_SEGMENT_MAX;
	m->summary.first_commit_us = CLOCK_NONE;
	m->summary.n_points = WAL_POINTS + 92;
	m->n_pushes = 0;
	m->summary.switched = true;
	memset(&m->summary.joint, 0, sizeof(m->summary.joint));
	m->summary.joint.head = m->summary.joint.tail = true;
	m->summary.joint.overwrites = m->summary.joint.owes = true;
	m->summary.joint.carried = 0xa1a2a3a4;
	m->summary.joint.carried_crc = 0xb1b2b3b4;
	m->summary.joint.first = 0xc1c2c3c4c5c6c7c8;
	m->summary.joint.first_prev = 0xd1d2d3d4d5d6d7d8;
	m->summary.joint.last = 0xe1e2e3e4e5e6e7e8;
	m->summary.joint.whole = 0xf1f2f3f4f5f6f7f8;
	m->summary.joint.left = 0x91929394;
	m->summary.joint.owed = 0x81828384;
	for (size_t i = 0; i < WAL_POINTS; i++) {
		memset(m->summary.points[i].name, 'p', WAL_POINT_NAME - 1);
		m->summary.points[i].name[WAL_POINT_NAME - 1] = '\0';
	}
}

static void
encode(const struct walmeta *m, struct buf *out)
{
	struct fault f = FAULT_INIT;

	buf_init(out, OBJECT_META_MAX);
	assert_int_equal(walmeta_encode(m, out, &f), 0);
}

static void
the_fullest_meta_fits_and_comes_back_whole(void **state)
{
	struct walmeta m, got;
	struct fault f = FAULT_INIT;
	struct buf b;

	(void)state;
	fullest(&m);
	encode(&m, &b);
	assert_true(b.len <= OBJECT_META_MAX);
	assert_int_equal(walmeta_decode(b.data, b.len, &got, &f), 0);
	assert_int_equal(got.size, m.size);
	assert_int_equal(got.pushed_us, m.pushed_us);
	assert_string_equal(got.version, m.version);
	assert_int_equal(got.magic, m.magic);
	assert_int_equal(got.timeline, m.timeline);
	assert_int_equal(got.address, m.address);
	assert_int_equal(got.segment_size, m.segment_size);
	assert_int_equal(got.summary.end_lsn, m.summary.end_lsn);
	assert_true(got.summary.first_commit_us == CLOCK_NONE);
	assert_int_equal(got.summary.last_commit_us, m.summary.last_commit_us);
	assert_int_equal(got.summary.commits, m.summary.commits);
	assert_int_equal(got.summary.xid_first, m.summary.xid_first);
	assert_int_equal(got.summary.xid_last, m.summary.xid_last);
	assert_int_equal(got.summary.xid_min, m.summary.xid_min);
	assert_int_equal(got.summary.xid_max, m.summary.xid_max);
	assert_int_equal(got.summary.n_points, WAL_POINTS + 92);
	assert_true(got.summary.switched);
	assert_memory_equal(
	    &got.summary.joint, &m.summary.joint, sizeof(m.summary.joint));
	for (size_t i = 0; i < WAL_POINTS; i++) {
		assert_string_equal(
		    got.summary.points[i].name, m.summary.points[i].name);
		assert_int_equal(
		    got.summary.points[i].lsn, m.summary.points[i].lsn);
		assert_int_equal(
		    got.summary.points[i].time_us, m.summary.points[i].time_us);
	}
	buf_free(&b);
}

static void
a_small_file_has_no_wal_part(void **state)
{
	struct walmeta m, got;
	struct fault f = FAULT_INIT;
	struct buf b;

	(void)state;
	memset(&m, 0, sizeof(m));
	m.size = 41;
	encode(&m, &b);
	assert_int_equal(b.len, 162);
	assert_int_equal(walmeta_decode(b.data, b.len, &got, &f), 0);
	assert_int_equal(got.size, 41);
	assert_int_equal(got.segment_size, 0);
	buf_free(&b);
}

static void
what_a_newer_version_appends_is_passed_over(void **state)
{
	struct walmeta m, got;
	struct fault f = FAULT_INIT;
	struct buf b, longer;

	(void)state;
	fullest(&m);
	encode(&m, &b);
	buf_init(&longer, OBJECT_META_MAX);
	/* a longer fixed part, and bytes after the points */
	assert_int_equal(buf_put(&longer, b.data, 162, &f), 0);
	bytes_set_u16(longer.data + 2, 162 + 8);
	assert_int_equal(buf_put_u64(&longer, UINT64_MAX, &f), 0);
	assert_int_equal(buf_put(&longer, b.data + 162, b.len - 162, &f), 0);
	assert_int_equal(buf_put_str(&longer, "more", &f), 0);
	assert_int_equal(walmeta_decode(longer.data, longer.len, &got, &f), 0);
	assert_string_equal(
	    got.summary.points[7].name, m.summary.points[7].name);
	buf_free(&b);
	buf_free(&longer);
}

/* Pushed before segments told of their edges. */
static void
an_older_meta_has_no_edges(void **state)
{
	struct walmeta m, got;
	struct fault f = FAULT_INIT;
	struct buf b, older;

	(void)state;
	fullest(&m);
	encode(&m, &b);
	buf_init(&older, OBJECT_META_MAX);
	assert_int_equal(buf_put(&older, b.data, 114, &f), 0);
	bytes_set_u16(older.data + 2, 114);
	assert_int_equal(buf_put(&older, b.data + 162, b.len - 162, &f), 0);
	assert_int_equal(walmeta_decode(older.data, older.len, &got, &f), 0);
	assert_string_equal(
	    got.summary.points[7].name, m.summary.points[7].name);
	assert_false(got.summary.joint.head);
	assert_false(got.summary.joint.tail);
	assert_int_equal(got.summary.joint.first, 0);
	buf_free(&b);
	buf_free(&older);
}

static void
all_pushes(struct walmeta_push p[WALMETA_PUSHES])
{
	memset(p, 0, WALMETA_PUSHES * sizeof *p);
	for (uint32_t i = 0; i < WALMETA_PUSHES; i++)
		p[i] = (struct walmeta_push){3, 1, i, WALMETA_DRAINED, 2, 1, 3,
		    WALMETA_UNKNOWN, 1795312800000000 + (int64_t)i};
}

static void
as_many_pushes_as_an_object_tells_of_fit_behind_the_fullest_meta(void **state)
{
	struct walmeta_push p[WALMETA_PUSHES];
	struct walmeta m, got;
	struct fault f = FAULT_INIT;
	struct buf b;

	(void)state;
	fullest(&m);
	encode(&m, &b);
	all_pushes(p);
	assert_int_equal(walmeta_encode_pushes(p, WALMETA_PUSHES, &b, &f), 0);
	assert_true(b.len <= OBJECT_META_MAX);
	assert_int_equal(walmeta_decode(b.data, b.len, &got, &f), 0);
	assert_int_equal(got.n_pushes, WALMETA_PUSHES);
	assert_memory_equal(got.pushes, p, sizeof p);
	assert_string_equal(
	    got.summary.points[7].name, m.summary.points[7].name);
	buf_free(&b);
}

/* A section of another kind, pushes of a greater length, and what is no push:
 * this segment's own part is as good as ever. */
static void
sections_that_are_not_known_are_passed_over(void **state)
{
	struct walmeta_push p[WALMETA_PUSHES];
	unsigned char one[WALMETA_PUSH];
	struct walmeta m, got;
	struct fault f = FAULT_INIT;
	struct buf b;

	(void)state;
	memset(&m, 0, sizeof m);
	m.size = 41;
	all_pushes(p);
	encode(&m, &b);
	assert_int_equal(buf_put_u16(&b, 77, &f), 0);
	assert_int_equal(buf_put_u16(&b, 3, &f), 0);
	assert_int_equal(buf_put(&b, "abc", 3, &f), 0);
	assert_int_equal(buf_put_u16(&b, 1, &f), 0);
	assert_int_equal(buf_put_u16(&b, 4 + 3 * (WALMETA_PUSH + 2), &f), 0);
	assert_int_equal(buf_put_u16(&b, 3, &f), 0);
	assert_int_equal(buf_put_u16(&b, WALMETA_PUSH + 2, &f), 0);
	for (size_t i = 0; i < 3; i++) {
		walmeta_put_push(&p[i], one);
		if (i == 1)
			memset(one, 0, sizeof one); /* in no repository */
		assert_int_equal(buf_put(&b, one, sizeof one, &f), 0);
		assert_int_equal(buf_put(&b, "..", 2, &f), 0);
	}
	assert_int_equal(walmeta_decode(b.data, b.len, &got, &f), 0);
	assert_int_equal(got.n_pushes, 2);
	assert_memory_equal(&got.pushes[0], &p[0], sizeof *p);
	assert_memory_equal(&got.pushes[1], &p[2], sizeof *p);
	for (size_t n = 162; n < b.len; n++) {
		unsigned char *cut = malloc(n); /* for ASan and valgrind */

		assert_non_null(cut);
		memcpy(cut, b.data, n);
		assert_int_equal(walmeta_decode(cut, n, &got, &f), 0);
		assert_int_equal(got.size, 41);
		assert_int_equal(got.n_pushes, 0);
		free(cut);
	}
	buf_free(&b);
}

static void
a_cut_or_senseless_meta_is_corrupt(void **state)
{
	struct walmeta m, got;
	struct fault f = FAULT_INIT;
	struct buf b;

	(void)state;
	fullest(&m);
	encode(&m, &b);
	for (size_t n = 0; n < b.len; n++) {
		unsigned char *cut = malloc(n + 1); /* for ASan and valgrind */

		assert_non_null(cut);
		memcpy(cut, b.data, n);
		assert_int_equal(
		    walmeta_decode(cut, n, &got, &f), FAULT_CORRUPT);
		free(cut);
	}
	bytes_set_u16(b.data, 2); /* a version to come */
	assert_int_equal(
	    walmeta_decode(b.data, b.len, &got, &f), FAULT_CORRUPT);
	bytes_set_u16(b.data, 1);
	bytes_set_u16(b.data + 112, WAL_POINTS + 1);
	assert_int_equal(
	    walmeta_decode(b.data, b.len, &got, &f), FAULT_CORRUPT);
	bytes_set_u16(b.data + 112, WAL_POINTS);
	bytes_set_u32(b.data + 60, 12345); /* no segment size */
	assert_int_equal(
	    walmeta_decode(b.data, b.len, &got, &f), FAULT_CORRUPT);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_fullest_meta_fits_and_comes_back_whole),
	    cmocka_unit_test(a_small_file_has_no_wal_part),
	    cmocka_unit_test(what_a_newer_version_appends_is_passed_over),
	    cmocka_unit_test(an_older_meta_has_no_edges),
	    cmocka_unit_test(
		as_many_pushes_as_an_object_tells_of_fit_behind_the_fullest_meta),
	    cmocka_unit_test(sections_that_are_not_known_are_passed_over),
	    cmocka_unit_test(a_cut_or_senseless_meta_is_corrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
