/* What a command prints: documents, progress, and onto a full disk. */

#include "cli_world.h"

static int
onto_a_full_disk(int argc, char **argv)
{
	dup2(open("/dev/full", O_WRONLY), 1);
	return plain(argc, argv);
}

static int
results_onto_a_full_disk(int argc, char **argv)
{
	struct fault f = FAULT_INIT;
	int r = onto_a_full_disk(argc, argv);

	return r == 0 ? cli_end(0, &f) : r;
}

static int
a_document(bool indent, int rc)
{
	struct fault f = FAULT_INIT;
	struct json *j;

	log_init("tool", 0);
	if (json_new(&j, &f) != 0 || json_put_i64(j, "n", 1, &f) != 0 ||
	    cli_json_print(j, indent, &f) != 0)
		abort();
	json_free(j);
	if (rc != 0)
		rc = fault_set(&f, (enum fault_code)rc, "no answer");
	return cli_end(rc, &f);
}

static int
on_one_line(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return a_document(false, 0);
}

static int
indented(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return a_document(true, 0);
}

/* The message goes to the same place. */
static int
and_a_fault(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	dup2(1, 2);
	return a_document(false, FAULT_AGAIN);
}

static void
documents_are_printed_before_what_went_wrong(void **state)
{
	struct outcome o;

	(void)state;
	run(on_one_line, "", &o);
	assert_int_equal(o.status, 0);
	assert_string_equal(o.out, "{\"n\":1}\n");
	run(indented, "", &o);
	assert_int_equal(o.status, 0);
	assert_string_equal(o.out, "{\n  \"n\": 1\n}\n");
	run(and_a_fault, "", &o);
	assert_int_equal(o.status, 4);
	assert_string_equal(o.out, "{\"n\":1}\ntool: no answer\n");
}

static void
lost_output_is_a_failure(void **state)
{
	struct outcome o;

	(void)state;
	run(onto_a_full_disk, "-h", &o);
	assert_int_equal(o.status, 1);
	run(results_onto_a_full_disk, "x", &o);
	assert_int_equal(o.status, 1);
	assert_string_equal(
	    o.err, "tool: standard output: No space left on device\n");
}

static void
the_progress_line_fits_and_tells(void **state)
{
	const uint64_t gb = 1ULL << 30;
	char s[256];
	unsigned columns;

	(void)state;
	progress_format(s, sizeof(s), "copy", gb, 4 * gb, 10000, 80);
	assert_non_null(strstr(s, "copy ["));
	assert_non_null(strstr(s, "1.0 GB / 4.0 GB"));
	assert_non_null(strstr(s, " 25%"));
	assert_non_null(strstr(s, "102 MB/s"));
	assert_non_null(strstr(s, "30.0 s left"));
	progress_format(s, sizeof(s), "copy", gb, 0, 10000, 80);
	assert_string_equal(s, "copy 1.0 GB  102 MB/s");
	progress_format(s, sizeof(s), "copy", 0, gb, 0, 80);
	assert_non_null(strstr(s, "? left"));
	progress_format(s, sizeof(s), "copy", 5 * gb, gb, 1000, 80);
	assert_non_null(strstr(s, "100%"));
	progress_format(
	    s, sizeof(s), "copy", UINT64_MAX, UINT64_MAX, INT64_MAX, 200);
	for (columns = 2; columns < 200; columns++) {
		progress_format(
		    s, sizeof(s), "copy", gb, 4 * gb, 10000, columns);
		assert_true(strlen(s) < columns);
	}
}

static int
copying(int argc, char **argv)
{
	struct fault f = FAULT_INIT;
	struct progress *p;

	(void)argc;
	(void)argv;
	if (progress_start(&p, "copy", 10, true, &f) != 0 || p != NULL)
		return 1;
	progress_add(p, 5);
	progress_total(p, 5);
	progress_end(p);
	return 0;
}

static void
without_a_terminal_there_is_no_progress(void **state)
{
	struct outcome o;

	(void)state;
	run(copying, "", &o);
	assert_int_equal(o.status, 0);
	assert_string_equal(o.err, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(documents_are_printed_before_what_went_wrong),
	    cmocka_unit_test(lost_output_is_a_failure),
	    cmocka_unit_test(the_progress_line_fits_and_tells),
	    cmocka_unit_test(without_a_terminal_there_is_no_progress),
	};

	return cmocka_run_group_tests_name("cli_output", tests, NULL, NULL);
}
