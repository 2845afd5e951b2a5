/* Pages that are damaged, torn, or being written. */
#include "pgread_world.h"

static void
a_damaged_page_is_told(void **state)
{
	struct fault f = FAULT_INIT;
	uint64_t size;
	struct pgread_file *file;

	(void)state;
	make_file(300);
	damage(7 * PAGE + 5000);
	file = open_it(&size);
	read_it(file, size);
	assert_true(pauses >= 3);
	assert_int_equal(pgread_verdict(reader, &f), FAULT_CORRUPT);
	assert_string_equal(f.text,
	    "checksum verification failed in file base/5/1.1, block 131079");
}

static void
several_are_counted(void **state)
{
	struct fault f = FAULT_INIT;
	uint64_t size;
	struct pgread_file *file;

	(void)state;
	make_file(300);
	damage(7 * PAGE + 5000);
	damage(8 * PAGE + 5000);
	damage(200 * PAGE + 5000);
	file = open_it(&size);
	read_it(file, size);
	assert_int_equal(pgread_verdict(reader, &f), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "and for 2 more pages"));
}

/* Half of a page came from before a write of the server, half from after. */
static void
write_whole(void)
{
	unsigned char page[PAGE];

	make_page(page, 131075, START - 2);
	write_page(3 * PAGE, page, PAGE);
}

static void
a_page_that_was_being_written_is_read_again(void **state)
{
	struct fault f = FAULT_INIT;
	uint64_t size;
	struct pgread_file *file;

	(void)state;
	make_file(10);
	damage(3 * PAGE + 4096);
	meanwhile = write_whole;
	file = open_it(&size);
	read_it(file, size);
	assert_int_equal(pauses, 1);
	assert_int_equal(pgread_verdict(reader, &f), 0);
	/* what is stored is the whole one */
	assert_int_equal(
	    page_check(content + 3 * PAGE, PAGE, 131075), PAGE_GOOD);
}

static void
a_torn_page_that_replay_writes_anew_is_none(void **state)
{
	unsigned char page[PAGE];
	struct fault f = FAULT_INIT;
	uint64_t size;
	struct pgread_file *file;

	(void)state;
	make_file(10);
	make_page(page, 131075, START + 1000);
	write_page(3 * PAGE, page, PAGE / 2);
	damage(3 * PAGE + 6000);
	file = open_it(&size);
	read_it(file, size);
	assert_int_equal(pgread_verdict(reader, &f), 0);
	assert_int_equal(pgread_verdict_stop(reader, START + 1000, &f), 0);
	assert_int_equal(
	    pgread_verdict_stop(reader, START + 999, &f), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "base/5/1.1, block 131075"));
}

static void
nothing_but_relations_with_checksums_is_looked_at(void **state)
{
	struct pgtree_file t = {.path = "base/5/x", .size = 2 * PAGE};
	const struct manifest_piece p = {
	    .path = "base/5/x", .file_size = 2 * PAGE, .length = 2 * PAGE};
	struct pgread_file *file;
	struct fault f = FAULT_INIT;

	(void)state;
	make_file(2);
	damage(100);
	t.fd = open(path, O_RDONLY);
	assert_int_equal(pgread_open(reader, &t, &file, &f), 0);
	assert_int_equal(pgread_piece(reader, file, &p, content, &f), 0);
	assert_int_equal(pgread_verdict(reader, &f), 0);
	assert_int_equal(pauses, 0);
}

/* A page at the end, of which the server has written the first half. */
static void
a_page_that_is_being_added_is_none_yet(void **state)
{
	struct fault f = FAULT_INIT;
	unsigned char page[PAGE];
	uint64_t size;
	struct pgread_file *file;

	(void)state;
	make_file(3);
	make_page(page, 131075, START - 1);
	write_page(3 * PAGE, page, PAGE / 2);
	file = open_it(&size);
	read_it(file, size);
	assert_int_equal(pgread_verdict(reader, &f), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_damaged_page_is_told),
	    T(several_are_counted),
	    T(a_page_that_was_being_written_is_read_again),
	    T(a_torn_page_that_replay_writes_anew_is_none),
	    T(nothing_but_relations_with_checksums_is_looked_at),
	    T(a_page_that_is_being_added_is_none_yet),
	};

	return cmocka_run_group_tests_name("pgread_pages", tests, NULL, NULL);
}
