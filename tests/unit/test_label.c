#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "label.h"

#define START "START WAL LOCATION: 0/6000028 (file 000000010000000000000006)\n"
#define CHECKPOINT "CHECKPOINT LOCATION: 0/6000060\n"
#define REST                                                                   \
	"BACKUP METHOD: streamed\nBACKUP FROM: primary\n"                      \
	"START TIME: 2026-11-22 08:17:58 UTC\n"                                \
	"LABEL: pg_basebackup base backup\nSTART TIMELINE: 1\n"

static struct label l;

static int
parse(const char *text)
{
	struct fault f = FAULT_INIT;

	return (label_parse(text, strlen(text), &l, &f));
}

static void
a_label_is_read(void **state)
{
	(void)state;
	assert_int_equal(parse(START CHECKPOINT REST), 0);
	assert_int_equal(l.start_lsn, 0x6000028);
	assert_int_equal(l.checkpoint_lsn, 0x6000060);
	assert_string_equal(l.start_wal, "000000010000000000000006");
	assert_string_equal(l.from, "primary");
	assert_string_equal(l.start_time, "2026-11-22 08:17:58 UTC");
	assert_string_equal(l.text, "pg_basebackup base backup");
	assert_int_equal(l.timeline, 1);
	assert_int_equal(l.incremental_lsn, 0);
}

static void
an_incremental_label_is_read(void **state)
{
	(void)state;
	assert_int_equal(
	    parse(START CHECKPOINT REST "INCREMENTAL FROM LSN: 1/2000028\n"
					"INCREMENTAL FROM TLI: 3\n"),
	    0);
	assert_int_equal(l.incremental_lsn, 0x102000028);
	assert_int_equal(l.incremental_timeline, 3);
}

static void
a_backup_file_is_read_too(void **state)
{
	(void)state;
	assert_int_equal(
	    parse(START "STOP WAL LOCATION: 0/6000100 (file "
			"000000010000000000000006)\n" CHECKPOINT REST
			"STOP TIME: 2026-11-22 08:17:58 UTC\n"
			"STOP TIMELINE: 1\n"),
	    0);
	assert_int_equal(l.timeline, 1);
}

static void
the_locations_are_required_and_enough(void **state)
{
	(void)state;
	assert_int_equal(parse(START CHECKPOINT), 0);
	assert_int_equal(l.timeline, 0);
	assert_string_equal(l.from, "");
	assert_int_equal(parse(START REST), FAULT_CORRUPT);
	assert_int_equal(parse(CHECKPOINT REST), FAULT_CORRUPT);
	assert_int_equal(parse(""), FAULT_CORRUPT);
}

static void
malformed_lines_are_corrupt(void **state)
{
	static const char *const bad[] = {
	    "START WAL LOCATION: 0/6000028\n" CHECKPOINT,
	    "START WAL LOCATION: 0/60000281111 (file "
	    "000000010000000000000006)\n" CHECKPOINT,
	    "START WAL LOCATION: 0/6000028 (file "
	    "00000001.history)\n" CHECKPOINT,
	    "START WAL LOCATION: 0/6000028 (file "
	    "00000001000000000000000g)\n" CHECKPOINT,
	    "START WAL LOCATION: 0/6000028 (file "
	    "000000010000000000000006\n" CHECKPOINT,
	    START "CHECKPOINT LOCATION: here\n",
	    START CHECKPOINT "BACKUP FROM: elsewhere\n",
	    START CHECKPOINT "START TIMELINE: x\n",
	    START CHECKPOINT "START TIMELINE: 2\n",
	    START START CHECKPOINT,
	    START CHECKPOINT REST "START TIMELINE: 1\n",
	    START CHECKPOINT "INCREMENTAL FROM LSN: -\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (parse(bad[i]) != FAULT_CORRUPT)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void
long_labels_are_cut_between_characters(void **state)
{
	char text[2000] = START CHECKPOINT "LABEL: ";
	size_t n;

	(void)state;
	for (int i = 0; i < 500; i++)
		strcat(text, "\xc3\xa4");
	assert_int_equal(parse(text), 0);
	n = strlen(l.text);
	assert_int_equal(n, 254);
	assert_int_equal((unsigned char)l.text[n - 1], 0xA4);
}

static void
limits_hold(void **state)
{
	static char text[LABEL_MAX + 2];
	struct fault f = FAULT_INIT;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(
	    label_parse(text, LABEL_MAX + 1, &l, &f), FAULT_CORRUPT);
	assert_int_equal(label_parse(START "\0" CHECKPOINT,
			     sizeof(START CHECKPOINT), &l, &f),
	    FAULT_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_label_is_read),
	    cmocka_unit_test(an_incremental_label_is_read),
	    cmocka_unit_test(a_backup_file_is_read_too),
	    cmocka_unit_test(the_locations_are_required_and_enough),
	    cmocka_unit_test(malformed_lines_are_corrupt),
	    cmocka_unit_test(long_labels_are_cut_between_characters),
	    cmocka_unit_test(limits_hold),
	};

	return (cmocka_run_group_tests_name("label", tests, NULL, NULL));
}
