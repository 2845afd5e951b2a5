/*
 * Does one segment go on where the other ends? Two of one server do; those of
 * two servers with the same past do not, whatever their names and addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/walmake.h"

#define SIZE (1U << 20)
#define PAGE 8192U
#define FIRST 5
#define BODY (3U << 20)

static unsigned char segment[SIZE];
static unsigned char body[BODY];
static struct walmake m;
static struct wal_summary s;
static struct wal_joint before, after;
static struct fault f;

static struct wal_joint
walk(uint32_t segno)
{
	struct walname n = {WALNAME_SEGMENT, 3, 0, segno, 0};

	assert_int_equal(wal_walk(segment, SIZE, &n, &s, &f), 0);
	return (s.joint);
}

/* The next segment; so many bytes of the body's end come first. */
static void
next(const unsigned char *end, size_t left)
{
	uint64_t base = m.base + SIZE, previous = m.previous;

	walmake_begin(&m, segment, SIZE, PAGE, 0);
	m.base = base;
	m.previous = previous;
	if (left > 0)
		walmake_put(&m, end - left, left);
}

static void
fill(size_t until)
{
	for (uint32_t n = 0; m.at < until; n++)
		walmake_filler(&m, (n * 997U) % 2000);
}

static void
begin(void)
{
	for (size_t i = 0; i < BODY; i++)
		body[i] = (unsigned char)(i * 31 >> 3);
	walmake_begin(&m, segment, SIZE, PAGE, 0);
}

/* A segment with a record of so many bytes at its end, and the next one. */
static void
make_pair(size_t n)
{
	begin();
	fill(SIZE - 5000);
	walmake_record(&m, 10, 0, 9, body, n);
	before = walk(FIRST);
	assert_true(before.tail && before.left > 0 && before.owes);
	next(body + n, before.left);
	fill(SIZE);
	after = walk(FIRST + 1);
}

static void
fits(void)
{
	assert_int_equal(wal_joint_check(&before, &after, &f), 0);
}

static void
does_not_fit(const char *why)
{
	assert_int_equal(wal_joint_check(&before, &after, &f), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, why));
}

static void
a_record_on_both_sides_joins_them(void **state)
{
	(void)state;
	for (size_t n = 20000; n < 60000; n += 777) {
		make_pair(n);
		assert_int_equal(after.carried, before.left);
		assert_int_equal(after.first_prev, before.last);
		assert_true(before.whole < before.last);
		fits();
	}
}

static void
the_rest_of_another_record_is_found(void **state)
{
	(void)state;
	make_pair(30000);
	m.base = FIRST * (uint64_t)SIZE;
	m.previous = before.last;
	next(body + 30001, before.left);
	fill(SIZE);
	after = walk(FIRST + 1);
	assert_int_equal(after.carried, before.left);
	does_not_fit("the rest of another record");
}

static void
another_length_left_is_found(void **state)
{
	(void)state;
	make_pair(30000);
	before.left -= 8;
	does_not_fit("bytes of a record");
	before.left = 0;
	does_not_fit("of which 0 are left");
	after.carried = 0;
	fits();
	before.left = 30;
	does_not_fit("begins with 0 bytes of a record of which 30");
}

static void
another_record_before_is_found(void **state)
{
	(void)state;
	make_pair(30000);
	after.first_prev -= 8;
	does_not_fit("the one before it is at 0/5");
}

static void
a_switch_joins_them(void **state)
{
	(void)state;
	begin();
	fill(SIZE / 2);
	walmake_record(&m, 0, 0x40, 0, NULL, 0);
	before = walk(FIRST);
	assert_true(s.switched && before.tail);
	assert_int_equal(before.left, 0);
	next(NULL, 0);
	fill(SIZE);
	after = walk(FIRST + 1);
	assert_int_equal(after.carried, 0);
	fits();
	before.last -= 32;
	does_not_fit("follows one at");
}

static void
a_record_that_was_given_up_joins_them(void **state)
{
	(void)state;
	make_pair(30000);
	m.base = FIRST * (uint64_t)SIZE;
	m.previous = before.whole;
	next(NULL, 0);
	m.flags = 8;
	fill(SIZE);
	after = walk(FIRST + 1);
	assert_true(after.overwrites);
	fits();
	after.first_prev = before.last;
	does_not_fit("gives up a record that is not the one before it");
	after.first_prev = before.whole;
	before.left = 0;
	does_not_fit("gives up a record that is not the one before it");
}

static void
a_record_longer_than_a_segment_joins_three(void **state)
{
	size_t n = 2 * SIZE, left;

	(void)state;
	begin();
	fill(SIZE - 5000);
	walmake_record(&m, 10, 0, 9, body, n);
	before = walk(FIRST);
	left = before.left;
	next(body + n, left);
	after = walk(FIRST + 1);
	assert_true(after.head && after.tail);
	assert_int_equal(after.first, 0);
	assert_int_equal(after.carried, left);
	fits();
	before = after;
	assert_true(before.left > 0 && before.left < left);
	next(body + n, before.left);
	fill(SIZE);
	after = walk(FIRST + 2);
	fits();
	after.carried -= 8;
	does_not_fit("bytes of a record");
}

/* The header itself lies on both sides: its length, but not all of it. */
static void
a_header_on_both_sides_joins_them(void **state)
{
	size_t n = 1000;

	(void)state;
	begin();
	fill(SIZE - 5000);
	walmake_filler(&m, SIZE - m.at - 16 - 26 - 5);
	while (m.at < SIZE - 16)
		walmake_record(&m, 10, 0, 9, NULL, 0);
	assert_int_equal(m.at, SIZE - 16);
	walmake_record(&m, 10, 0, 9, body, n);
	before = walk(FIRST);
	assert_true(before.tail && !before.owes);
	assert_true(before.left > n);
	after = (struct wal_joint){.head = true,
	    .carried = before.left,
	    .first = m.base + SIZE + 2000,
	    .first_prev = before.last,
	    .last = m.base + SIZE + 2000};
	fits();
	after.first_prev = before.whole;
	does_not_fit("follows one at");
}

static void
what_is_not_known_fits(void **state)
{
	static const struct wal_joint none;

	(void)state;
	make_pair(30000);
	after = none;
	fits();
	make_pair(30000);
	before = none;
	fits();
	begin();
	fill(SIZE / 2);
	assert_false(walk(FIRST).tail);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_on_both_sides_joins_them),
	    cmocka_unit_test(the_rest_of_another_record_is_found),
	    cmocka_unit_test(another_length_left_is_found),
	    cmocka_unit_test(another_record_before_is_found),
	    cmocka_unit_test(a_switch_joins_them),
	    cmocka_unit_test(a_record_that_was_given_up_joins_them),
	    cmocka_unit_test(a_record_longer_than_a_segment_joins_three),
	    cmocka_unit_test(a_header_on_both_sides_joins_them),
	    cmocka_unit_test(what_is_not_known_fits),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
