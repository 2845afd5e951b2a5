#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "walname.h"

#define MB (1U << 20)

static void
the_four_forms_are_read(void **state)
{
	struct fault f = FAULT_INIT;
	struct walname n;

	(void)state;
	assert_int_equal(walname_parse("0000000A0000000100000FFE", &n, &f), 0);
	assert_int_equal(n.kind, WALNAME_SEGMENT);
	assert_int_equal(n.timeline, 10);
	assert_int_equal(n.log, 1);
	assert_int_equal(n.seg, 0xFFE);
	assert_int_equal(walname_parse("00000010.history", &n, &f), 0);
	assert_int_equal(n.kind, WALNAME_HISTORY);
	assert_int_equal(n.timeline, 16);
	assert_int_equal(
	    walname_parse("000000010000000000000002.00000028.backup", &n, &f),
	    0);
	assert_int_equal(n.kind, WALNAME_LABEL);
	assert_int_equal(n.offset, 0x28);
	assert_int_equal(
	    walname_parse("000000010000000000000013.partial", &n, &f), 0);
	assert_int_equal(n.kind, WALNAME_PARTIAL);
	assert_int_equal(n.seg, 0x13);
}

static void
anything_else_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    ".",
	    "000000000000000100000001",
	    "00000000.history",
	    "0000000100000000000000aB",
	    "00000001000000000000000",
	    "0000000100000000000000011",
	    "000000010000000000000001.",
	    "000000010000000000000001.partial2",
	    "000000010000000000000001.Partial",
	    "000000010000000000000001.partial.partial",
	    "000000010000000000000001.0000028.backup",
	    "000000010000000000000001.00000028.backup ",
	    "000000010000000000000001.00000028",
	    "00000001.histor",
	    "00000001.history.gz",
	    "00000001000000000000000G",
	    " 00000010000000000000001",
	    "+0000001000000000000000A",
	    "../00000001.history",
	    "000000010000000000000001/",
	    "000000010000000000000001\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct fault f = FAULT_INIT;
		struct walname n;

		if (walname_parse(bad[i], &n, &f) != FAULT_FOREIGN)
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void
names_and_positions_convert_for_every_segment_size(void **state)
{
	static const uint64_t lsn[] = {0, 1, 0xFFFFFF, 0x1000000, 0x1000001,
	    0xFFFFFFFF, 0x100000000, 0x16B374D848, UINT64_C(1) << 63,
	    UINT64_MAX};

	(void)state;
	for (uint32_t size = MB; size <= 1024 * MB; size *= 2) {
		for (size_t i = 0; i < sizeof(lsn) / sizeof(*lsn); i++) {
			struct fault f = FAULT_INIT;
			uint64_t segno = walname_segno_of(lsn[i], size), back;
			char name[WALNAME_SIZE];
			struct walname n;

			walname_format(7, segno, size, name);
			assert_int_equal(walname_parse(name, &n, &f), 0);
			assert_int_equal(n.timeline, 7);
			assert_int_equal(n.log, lsn[i] >> 32);
			assert_int_equal(n.seg, (uint32_t)lsn[i] / size);
			assert_int_equal(walname_segno(&n, size, &back, &f), 0);
			assert_int_equal(back, segno);
			assert_true(walname_lsn(segno, size) <= lsn[i]);
			assert_true(lsn[i] - walname_lsn(segno, size) < size);
		}
	}
}

static void
a_segment_beyond_its_log_is_refused(void **state)
{
	struct fault f = FAULT_INIT;
	struct walname n = {WALNAME_SEGMENT, 1, 2, 255, 0};
	uint64_t segno;

	(void)state;
	assert_int_equal(walname_segno(&n, 16 * MB, &segno, &f), 0);
	assert_int_equal(segno, 2 * 256 + 255);
	n.seg = 256;
	assert_int_equal(walname_segno(&n, 16 * MB, &segno, &f), FAULT_FOREIGN);
	assert_int_equal(walname_segno(&n, 8 * MB, &segno, &f), 0);
	assert_int_equal(walname_segno(&n, 0, &segno, &f), FAULT_FOREIGN);
	assert_int_equal(walname_segno(&n, 3 * MB, &segno, &f), FAULT_FOREIGN);
}

static void
segment_sizes_are_powers_of_two_from_1_mb_to_1_gb(void **state)
{
	(void)state;
	assert_true(walname_segment_size_ok(MB));
	assert_true(walname_segment_size_ok(1024 * (uint64_t)MB));
	assert_false(walname_segment_size_ok(MB / 2));
	assert_false(walname_segment_size_ok(2048 * (uint64_t)MB));
	assert_false(walname_segment_size_ok(3 * MB));
	assert_false(walname_segment_size_ok((UINT64_C(1) << 32) + 16 * MB));
	assert_false(walname_segment_size_ok(0));
}

static void
a_backup_stops_in_the_segment_before_its_end(void **state)
{
	(void)state;
	assert_int_equal(walname_segno_before(0x3000000, 16 * MB), 2);
	assert_int_equal(walname_segno_before(0x3000001, 16 * MB), 3);
	assert_int_equal(walname_segno_before(0, 16 * MB), 0);
}

static void
history_names(void **state)
{
	char name[WALNAME_SIZE];

	(void)state;
	walname_format_history(0xABC, name);
	assert_string_equal(name, "00000ABC.history");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_four_forms_are_read),
	    cmocka_unit_test(anything_else_is_refused),
	    cmocka_unit_test(
		names_and_positions_convert_for_every_segment_size),
	    cmocka_unit_test(a_segment_beyond_its_log_is_refused),
	    cmocka_unit_test(segment_sizes_are_powers_of_two_from_1_mb_to_1_gb),
	    cmocka_unit_test(a_backup_stops_in_the_segment_before_its_end),
	    cmocka_unit_test(history_names),
	};

	return (cmocka_run_group_tests_name("walname", tests, NULL, NULL));
}
