/* How far a segment goes: what damages it, and what ends it as it should. */

#include "wal_walk_world.h"

static void
a_full_segment_is_walked_to_its_end(void **state)
{
	uint32_t n;

	(void)state;
	begin(0);
	n = fill(SIZE);
	assert_int_equal(walk(), 0);
	assert_int_equal(s.commits, n);
	assert_true(s.full);
	assert_false(s.switched);
	assert_int_equal(s.first_commit_us, Y2000);
	assert_int_equal(s.last_commit_us, Y2000 + 1000 * (int64_t)(n - 1));
	assert_int_equal(s.xid_first, 100);
	assert_int_equal(s.xid_last, 100 + n - 1);
}

static void
other_page_sizes_are_walked(void **state)
{
	(void)state;
	for (size_t page = 1024; page <= 65536; page *= 2) {
		uint32_t n;

		walmake_begin(&m, segment, SIZE, page, 5000);
		n = fill(SIZE);
		assert_int_equal(walk(), 0);
		assert_int_equal(s.commits, n);
		assert_true(s.full);
	}
}

static void
a_zero_tail_ends_the_records(void **state)
{
	uint32_t n;

	(void)state;
	begin(0);
	n = fill(SIZE / 2);
	assert_int_equal(walk(), 0);
	assert_int_equal(s.commits, n);
	assert_false(s.full);
	assert_int_equal(s.end_lsn, m.base + m.at);
}

static void
an_older_segments_tail_ends_the_records(void **state)
{
	static unsigned char old[SIZE];
	uint32_t n;

	(void)state;
	begin(0);
	m.base -= 2 * SIZE;
	fill(SIZE);
	memcpy(old, segment, SIZE);
	begin(0);
	n = fill(SIZE / 2);
	/* byte-exact, as a walreceiver writes into a recycled file */
	memcpy(segment + m.at, old + m.at, SIZE - m.at);
	assert_int_equal(walk(), 0);
	assert_int_equal(s.commits, n);
	assert_int_equal(s.end_lsn, m.base + m.at);
}

static void
an_older_record_at_just_the_right_place_is_not_taken(void **state)
{
	struct walmake kept;

	(void)state;
	begin(0);
	walmake_end(&m, 0x00, 50, 5);
	kept = m;
	m.previous = m.base - 4096;
	walmake_end(&m, 0x00, 51, 6);
	assert_int_equal(walk(), 0);
	assert_int_equal(s.commits, 1);
	assert_int_equal(s.end_lsn, m.base + kept.at);
}

static void
any_flipped_byte_before_the_last_page_is_found(void **state)
{
	size_t missed = 0;

	(void)state;
	begin(3000);
	fill(SIZE);
	/* What is left over from the segment before has its CRC there. */
	for (size_t at = 3072; at < SIZE - 2 * PAGE; at += 501) {
		segment[at] ^= 0x10;
		if (walk() != FAULT_CORRUPT)
			missed++;
		segment[at] ^= 0x10;
	}
	assert_int_equal(walk(), 0);
	/* Only padding and header bits that say nothing may change. */
	assert_true(missed < 40);
}

static void
damage_is_told_with_its_lsn(void **state)
{
	size_t start;

	(void)state;
	begin(0);
	walmake_filler(&m, 100);
	start = walmake_filler(&m, 100);
	fill(SIZE);
	segment[start + 60] ^= 1;
	assert_int_equal(walk(), FAULT_CORRUPT);
	assert_int_equal(f.code, FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "0/5000"));
	/* The same in a .partial: its end is where its records end. */
	assert_int_equal(walk_as(WALNAME_PARTIAL), 0);
	assert_int_equal(s.end_lsn, m.base + start);
}

static void
a_page_of_zeros_in_the_middle_is_damage(void **state)
{
	(void)state;
	begin(0);
	fill(SIZE);
	memset(segment + 20 * PAGE, 0, PAGE);
	assert_int_equal(walk(), FAULT_CORRUPT);
}

/* A standby holds the beginning of a record that its primary never finished
 * before the timeline changed: whole pages of it, then nothing. */
static void
a_record_torn_at_the_end_is_no_damage(void **state)
{
	uint32_t n;
	size_t end;

	(void)state;
	for (size_t torn = 1; torn < 40000; torn += 631) {
		begin(0);
		n = fill(SIZE / 2);
		end = m.at;
		walmake_filler(&m, 60000);
		memset(segment + end + torn, 0, SIZE - end - torn);
		assert_int_equal(walk(), 0);
		assert_int_equal(s.commits, n);
		assert_int_equal(s.end_lsn, m.base + end);
		/* and with an old file's bytes behind it */
		memset(segment + end + torn, 0xA7, SIZE - end - torn);
		assert_int_equal(walk(), 0);
		assert_int_equal(s.commits, n);
	}
}

/* A file of the parent timeline recycled under the number it had: its pages
 * have the right addresses but an older timeline. */
static void
pages_of_an_older_timeline_behind_the_end_are_no_damage(void **state)
{
	uint32_t n;

	(void)state;
	begin(0);
	m.timeline = 2;
	fill(SIZE);
	m.at = 0;
	m.previous = 0;
	m.timeline = 3;
	n = fill(SIZE / 2);
	assert_int_equal(walk(), 0);
	assert_int_equal(s.commits, n);
}

static void
the_timeline_may_rise_between_pages(void **state)
{
	uint32_t n;

	(void)state;
	begin(0);
	m.timeline = 1;
	n = fill(SIZE / 3);
	m.timeline = 3;
	n += fill(SIZE);
	assert_int_equal(walk(), 0);
	assert_int_equal(s.commits, n);
	assert_true(s.full);
	/* broken before the switch: what comes later proves it */
	segment[4 * PAGE + 100] ^= 1;
	assert_int_equal(walk(), FAULT_CORRUPT);
}

static void
a_timeline_above_the_name_is_not_walked(void **state)
{
	(void)state;
	begin(0);
	m.timeline = 4;
	fill(SIZE);
	assert_int_equal(walk(), FAULT_FOREIGN);
}

static void
a_switch_ends_the_segment_whatever_follows(void **state)
{
	size_t end;

	(void)state;
	begin(0);
	walmake_end(&m, 0x00, 7, 1);
	walmake_record(&m, 0, 0x40, 0, NULL, 0);
	end = m.at;
	m.at = 10 * PAGE;
	fill(SIZE);
	assert_int_equal(walk(), 0);
	assert_true(s.switched);
	assert_true(s.full);
	assert_int_equal(s.commits, 1);
	assert_int_equal(s.end_lsn, m.base + end);
}

static void
a_record_longer_than_the_segment_fills_it(void **state)
{
	(void)state;
	begin(3 * SIZE);
	assert_int_equal(walk(), 0);
	assert_true(s.full);
	assert_int_equal(s.end_lsn, m.base);
	segment[30 * PAGE + 16] ^= 1; /* remaining length */
	assert_int_equal(walk(), FAULT_CORRUPT);
}

/* Every remainder, so that its end meets page ends in all ways. */
static void
a_record_may_end_anywhere(void **state)
{
	(void)state;
	for (size_t left = 1; left < 3 * PAGE; left += 8) {
		begin(left);
		walmake_end(&m, 0x00, 7, 1);
		walmake_filler(&m, left);
		walmake_end(&m, 0x00, 8, 2);
		assert_int_equal(walk(), 0);
		assert_int_equal(s.commits, 2);
		assert_int_equal(s.end_lsn, m.base + m.at);
	}
}

static void
a_record_may_end_with_the_segment(void **state)
{
	(void)state;
	begin(0);
	fill(SIZE - 4 * PAGE);
	while (m.at % PAGE != 0)
		m.at % PAGE + 32 > PAGE || PAGE - m.at % PAGE > 280
		    ? walmake_filler(&m, 0)
		    : walmake_filler(&m, PAGE - m.at % PAGE - 26);
	/* four pages less their headers, less record and data header */
	walmake_filler(&m, (SIZE - m.at) / PAGE * (PAGE - 24) - 24 - 5);
	assert_int_equal(m.at, SIZE);
	assert_int_equal(walk(), 0);
	assert_true(s.full);
	assert_int_equal(s.end_lsn, m.base + SIZE);
}

static void
a_record_given_up_after_a_crash_is_passed_over(void **state)
{
	size_t page;

	(void)state;
	begin(0);
	walmake_end(&m, 0x00, 7, 1);
	uint64_t last = m.previous;
	walmake_filler(&m, 30000);
	page = 2 * PAGE; /* the crash came here */
	memset(segment + page, 0, SIZE - page);
	m.at = page;
	m.flags = 8;
	m.previous = last;
	walmake_record(&m, 0, 0xD0, 0, "\xff\x00", 2);
	walmake_end(&m, 0x00, 8, 2);
	fill(SIZE);
	assert_int_equal(walk(), 0);
	assert_true(s.full);
	assert_int_equal(s.xid_first, 7);
	assert_true(s.commits > 2);
	segment[page + 100] ^= 1;
	assert_int_equal(walk(), FAULT_CORRUPT);
}

static void
the_same_at_the_beginning_of_a_segment(void **state)
{
	(void)state;
	begin(0);
	m.flags = 8;
	walmake_record(&m, 0, 0xD0, 0, "\xff\x00", 2);
	walmake_end(&m, 0x00, 8, 2);
	assert_int_equal(walk(), 0);
	assert_int_equal(s.commits, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_full_segment_is_walked_to_its_end),
	    cmocka_unit_test(other_page_sizes_are_walked),
	    cmocka_unit_test(a_zero_tail_ends_the_records),
	    cmocka_unit_test(an_older_segments_tail_ends_the_records),
	    cmocka_unit_test(
		an_older_record_at_just_the_right_place_is_not_taken),
	    cmocka_unit_test(any_flipped_byte_before_the_last_page_is_found),
	    cmocka_unit_test(damage_is_told_with_its_lsn),
	    cmocka_unit_test(a_page_of_zeros_in_the_middle_is_damage),
	    cmocka_unit_test(a_record_torn_at_the_end_is_no_damage),
	    cmocka_unit_test(
		pages_of_an_older_timeline_behind_the_end_are_no_damage),
	    cmocka_unit_test(the_timeline_may_rise_between_pages),
	    cmocka_unit_test(a_timeline_above_the_name_is_not_walked),
	    cmocka_unit_test(a_switch_ends_the_segment_whatever_follows),
	    cmocka_unit_test(a_record_longer_than_the_segment_fills_it),
	    cmocka_unit_test(a_record_may_end_anywhere),
	    cmocka_unit_test(a_record_may_end_with_the_segment),
	    cmocka_unit_test(a_record_given_up_after_a_crash_is_passed_over),
	    cmocka_unit_test(the_same_at_the_beginning_of_a_segment),
	};

	return cmocka_run_group_tests_name("wal_walk", tests, NULL, NULL);
}
