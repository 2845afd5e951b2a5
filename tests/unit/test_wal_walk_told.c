/* What a walk tells of the transactions and points in a segment. */

#include "wal_walk_world.h"

static void
times_are_the_oldest_and_the_newest(void **state)
{
	(void)state;
	begin(0);
	walmake_end(&m, 0x00, 11, 500);
	walmake_end(&m, 0x20, 13, 900); /* abort */
	walmake_end(&m, 0x00, 10, 400);
	walmake_end(&m, 0x10, 99, 9999); /* prepare: ends nothing */
	walmake_end(&m, 0x50, 98, 9999); /* assignment */
	assert_int_equal(walk(), 0);
	assert_int_equal(s.commits, 3);
	assert_int_equal(s.first_commit_us, Y2000 + 400);
	assert_int_equal(s.last_commit_us, Y2000 + 900);
	assert_int_equal(s.xid_first, 11);
	assert_int_equal(s.xid_last, 10);
	assert_int_equal(s.xid_min, 10);
	assert_int_equal(s.xid_max, 13);
}

static void
no_commit_no_time(void **state)
{
	(void)state;
	begin(0);
	walmake_filler(&m, 10);
	assert_int_equal(walk(), 0);
	assert_int_equal(s.commits, 0);
	assert_true(s.first_commit_us == CLOCK_NONE);
	assert_true(s.last_commit_us == CLOCK_NONE);
	assert_int_equal(s.xid_first, 0);
}

static void
xids_that_go_round_cover_all(void **state)
{
	(void)state;
	begin(0);
	walmake_end(&m, 0x00, UINT32_MAX - 1, 1);
	walmake_end(&m, 0x00, 5, 2);
	assert_int_equal(walk(), 0);
	assert_int_equal(s.xid_first, UINT32_MAX - 1);
	assert_int_equal(s.xid_last, 5);
	assert_int_equal(s.xid_min, 3);
	assert_int_equal(s.xid_max, UINT32_MAX);
}

/* A commit of a prepared transaction with every part there can be, padded so
 * that it also crosses a page. */
static void
prepared_transactions_are_told_by_their_own_xid(void **state)
{
	const struct {
		uint16_t magic;
		size_t item; /* dropped statistics */
	} row[] = {{0xD10D, 0}, {0xD110, 12}, {0xD116, 12}, {0xD118, 16},
	    {0xD1FF, 16}};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		for (size_t pad = 0; pad < 8400; pad += 600) {
			unsigned char d[400] = {0};
			size_t n = 0;

			bytes_set_u64(d, 77);
			bytes_set_u32(d + 8, row[i].item == 0 ? 0x1F : 0x11F);
			n = 12 + 8;              /* database */
			bytes_set_u32(d + n, 3); /* subtransactions */
			n += 4 + 3 * 4;
			bytes_set_u32(d + n, 2); /* relations */
			n += 4 + 2 * 12;
			if (row[i].item != 0) {
				bytes_set_u32(d + n, 2);
				n += 4 + 2 * row[i].item;
			}
			bytes_set_u32(d + n, 5); /* invalidations */
			n += 4 + 5 * 16;
			bytes_set_u32(d + n, 4711);
			n += 4;
			walmake_begin(&m, segment, SIZE, PAGE, 0);
			m.magic = row[i].magic;
			walmake_filler(&m, pad);
			walmake_main(&m, 1, 0xB0, 0, d, n);
			assert_int_equal(walk(), 0);
			assert_int_equal(s.commits, 1);
			assert_int_equal(s.xid_first, 4711);
			assert_int_equal(s.last_commit_us, Y2000 + 77);
		}
	}
}

static void
block_references_are_stepped_over(void **state)
{
	unsigned char b[200] = {0};
	size_t n = 0;

	(void)state;
	b[n++] = 253; /* origin */
	n += 2;
	b[n++] = 252; /* top-level xid */
	n += 4;
	b[n++] = 0; /* block 0, with a compressed image and 3 bytes */
	b[n++] = 0x30;
	b[n++] = 3;
	n++;
	b[n] = 10; /* image length, hole, compressed */
	b[n + 4] = 0x01 | 0x04;
	n += 5 + 2 + 12 + 4;
	b[n++] = 1; /* block 1, same relation, 5 bytes */
	b[n++] = 0xA0;
	b[n++] = 5;
	n += 1 + 4;
	b[n++] = 255;
	b[n++] = 8;
	n += 10 + 3 + 5;
	bytes_set_u64(b + n, 123);
	n += 8;
	begin(0);
	walmake_record(&m, 1, 0x00, 42, b, n);
	/* One that is not laid out so: no time, and no refusal. */
	walmake_record(&m, 1, 0x00, 43, b, n - 1);
	walmake_record(&m, 1, 0x00, 43, "\x80", 1);
	walmake_record(&m, 1, 0x00, 43, NULL, 0);
	assert_int_equal(walk(), 0);
	assert_int_equal(s.commits, 1);
	assert_int_equal(s.last_commit_us, Y2000 + 123);
	assert_int_equal(s.end_lsn, m.base + m.at);
}

static void
restore_points_are_told(void **state)
{
	(void)state;
	begin(0);
	for (unsigned i = 0; i < WAL_POINTS + 3; i++) {
		unsigned char d[72] = {0};

		bytes_set_u64(d, 1000 + i);
		snprintf((char *)d + 8, 64, "point %u", i);
		if (i == 2)
			memset(d + 8, 'x', 64); /* no NUL */
		walmake_main(&m, 0, 0x70, 0, d, sizeof(d));
	}
	assert_int_equal(walk(), 0);
	assert_int_equal(s.n_points, WAL_POINTS + 3);
	assert_string_equal(s.points[1].name, "point 1");
	assert_int_equal(s.points[1].time_us, Y2000 + 1001);
	assert_int_equal(s.points[0].lsn, m.base + 40);
	assert_int_equal(strlen(s.points[2].name), WAL_POINT_NAME - 1);
}

static void
times_beyond_all_bounds_are_left_out(void **state)
{
	(void)state;
	begin(0);
	walmake_end(&m, 0x00, 3, INT64_MAX);
	assert_int_equal(walk(), 0);
	assert_int_equal(s.commits, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(times_are_the_oldest_and_the_newest),
	    cmocka_unit_test(no_commit_no_time),
	    cmocka_unit_test(xids_that_go_round_cover_all),
	    cmocka_unit_test(prepared_transactions_are_told_by_their_own_xid),
	    cmocka_unit_test(block_references_are_stepped_over),
	    cmocka_unit_test(restore_points_are_told),
	    cmocka_unit_test(times_beyond_all_bounds_are_left_out),
	};

	return cmocka_run_group_tests_name("wal_walk_told", tests, NULL, NULL);
}
