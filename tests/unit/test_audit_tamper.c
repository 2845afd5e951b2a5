/* The audit trail: a chain in which nothing can be changed unseen. */
#include "audit_world.h"

#include <unistd.h>

static void
move(const char *from, const char *to)
{
	assert_int_equal(rename(from, to), 0);
}

static void
a_removed_record_is_found(void **state)
{
	char path[256];

	(void)state;
	write_many(6);
	path_of(1, path);
	assert_int_equal(unlink(path), 0);
	path_of(3, path);
	assert_int_equal(unlink(path), 0);
	path_of(4, path);
	assert_int_equal(unlink(path), 0);
	check(2);
	assert_int_equal(seen.finding[0].flaw, AUDIT_MISSING);
	assert_int_equal(seen.finding[0].first, 1);
	assert_int_equal(seen.finding[0].last, 1);
	assert_int_equal(seen.finding[1].flaw, AUDIT_MISSING);
	assert_int_equal(seen.finding[1].first, 3);
	assert_int_equal(seen.finding[1].last, 4);
}

static void
altered_bytes_are_found(void **state)
{
	struct fault f = FAULT_INIT;
	unsigned char *text;
	char path[256];
	size_t len;

	(void)state;
	write_many(3);
	path_of(2, path);
	assert_int_equal(fdio_slurp(path, 1 << 20, &text, &len, &f), 0);
	/* Each single one is test_object's. */
	for (size_t k = 0; k < len; k += 7) {
		text[k] ^= 1;
		assert_int_equal(unlink(path), 0);
		write_file(path, (const char *)text, len);
		check(1);
		assert_int_equal(seen.finding[0].flaw, AUDIT_UNREADABLE);
		assert_int_equal(seen.finding[0].first, 2);
		text[k] ^= 1;
	}
	for (size_t k = 0; k < len; k += 97) {
		assert_int_equal(unlink(path), 0);
		write_file(path, (const char *)text, k);
		check(1);
		assert_int_equal(seen.finding[0].flaw, AUDIT_UNREADABLE);
	}
	free(text);
}

static void
swapped_records_are_found(void **state)
{
	char one[256], two[256], aside[256];

	(void)state;
	write_many(4);
	path_of(2, one);
	path_of(3, two);
	snprintf(aside, sizeof aside, "%s/aside", dir);
	move(one, aside);
	move(two, one);
	move(aside, two);
	check(2);
	assert_int_equal(seen.finding[0].flaw, AUDIT_UNREADABLE);
	assert_int_equal(seen.finding[0].first, 2);
	assert_int_equal(seen.finding[1].flaw, AUDIT_UNREADABLE);
	assert_int_equal(seen.finding[1].first, 3);
}

/* Who has the keys can seal what he likes; not so that it fits. */
static void
put_forged(const char *writer, unsigned number, const char *as_writer,
    unsigned as_number, const char *previous, const char *began)
{
	char text[1024], name[128], key[LAYOUT_KEY];
	struct fault f = FAULT_INIT;

	snprintf(text, sizeof text,
	    "{\"format\":1,\"writer\":\"%s\",\"sequence\":%u,"
	    "\"previous\":\"%s\",\"began\":\"%s\",\"at_us\":1,\"at\":\"\","
	    "\"host\":\"h\",\"user\":\"u\",\"program\":\"p\","
	    "\"version\":\"1\",\"pid\":1,"
	    "\"operation\":\"20261122T093000Z-5e6f7a8b\","
	    "\"action\":\"forged\",\"phase\":\"done\",\"object\":\"\","
	    "\"objects\":null,\"bytes\":null,\"stored\":null,"
	    "\"checksum\":\"\",\"reason\":\"\",\"approved_by\":\"\","
	    "\"details\":[],\"duration_ms\":null,\"status\":0,"
	    "\"message\":\"\"}",
	    as_writer, as_number, previous, began);
	snprintf(name, sizeof name, "%s/%012u", writer, number);
	snprintf(key, sizeof key, "main/%" PRIu64 "/audit/%s", SYSTEM, name);
	assert_int_equal(repo_put_object(repo, 0, key, OBJECT_AUDIT, name, text,
			     strlen(text), &never, &f),
	    0);
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define ONES "1111111111111111111111111111111111111111111111111111111111111111"

static void
a_record_that_was_written_anew_is_found(void **state)
{
	struct audit_head head;
	char path[256];

	(void)state;
	write_many(4);
	check(0);
	head = seen.head[0];
	path_of(2, path);
	assert_int_equal(unlink(path), 0);
	put_forged(head.writer, 2, head.writer, 2, ONES, "");
	check(2);
	assert_int_equal(seen.finding[0].flaw, AUDIT_BROKEN);
	assert_int_equal(seen.finding[0].last, 2);
	assert_int_equal(seen.finding[1].flaw, AUDIT_BROKEN);
	assert_int_equal(seen.finding[1].last, 3);
	/* The last one has nobody behind it; but its hash was known. */
	path_of(4, path);
	assert_int_equal(unlink(path), 0);
	put_forged(head.writer, 4, head.writer, 4, ONES, "");
	assert_int_equal(check_with(&head, 1, true), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].flaw, AUDIT_CUT);
}

static void
authentic_nonsense_and_strange_names_are_found(void **state)
{
	char path[256];

	(void)state;
	put_forged("a-00000001", 1, "a-00000002", 1, ZEROS, "x");
	put_forged("b-00000001", 1, "b-00000001", 2, ONES, "");
	put_forged("c-00000001", 1, "c-00000001", 1, ONES, "x");
	put_forged("d-00000001", 1, "d-00000001", 1, ZEROS, "");
	check(4);
	for (size_t k = 0; k < 4; k++)
		assert_int_equal(seen.finding[k].flaw, AUDIT_MALFORMED);
	assert_int_equal(seen.heads, 4);
	snprintf(path, sizeof path, "%s/repo/main/%" PRIu64 "/audit/note", dir,
	    SYSTEM);
	write_file(path, "x", 1);
	snprintf(path, sizeof path,
	    "%s/repo/main/%" PRIu64 "/audit/d-00000001/1", dir, SYSTEM);
	write_file(path, "x", 1);
	check(6);
	assert_int_equal(seen.finding[4].flaw, AUDIT_STRAY);
	assert_int_equal(seen.finding[5].flaw, AUDIT_STRAY);
}

static void
an_object_without_end_is_not_read_into_memory(void **state)
{
	static char huge[1 << 20];
	char path[256];

	(void)state;
	write_many(2);
	path_of(2, path);
	assert_int_equal(unlink(path), 0);
	write_file(path, huge, sizeof huge);
	check(1);
	assert_int_equal(seen.finding[0].flaw, AUDIT_UNREADABLE);
}

static void
a_cut_end_is_found_by_whoever_knew_it(void **state)
{
	char command[600];
	struct audit_head known[2];
	char path[512];

	(void)state;
	write_many(4);
	state_path(path);
	assert_int_equal(unlink(path), 0);
	write_many(3);
	check(0);
	assert_int_equal(seen.heads, 2);
	memcpy(known, seen.head, sizeof known);
	write_many(1);
	assert_int_equal(check_with(known, 2, false), 0);
	assert_int_equal(seen.n, 0);
	path_of((unsigned)known[0].sequence, path);
	assert_int_equal(check_with(known, 2, true), 0);
	assert_int_equal(seen.n, 0);
	/* What came behind the heads. */
	assert_int_equal(seen.records, 1);
	check(0);
	assert_int_equal(unlink(path), 0);
	for (int since = 0; since < 2; since++) {
		assert_int_equal(check_with(known, 2, since), 0);
		assert_in_range(seen.n, 1, 2);
		assert_int_equal(seen.finding[seen.n - 1].flaw, AUDIT_CUT);
		assert_int_equal(
		    seen.finding[seen.n - 1].first, known[0].sequence);
	}
	/* All of a writer. */
	*strrchr(path, '/') = '\0';
	snprintf(command, sizeof(command), "rm -rf %s", path);
	assert_int_equal(system(command), 0);
	assert_int_equal(check_with(known, 2, true), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].flaw, AUDIT_CUT);
}

static void
a_cut_end_shows_when_its_writer_goes_on(void **state)
{
	char path[256];

	(void)state;
	write_many(3);
	path_of(3, path);
	assert_int_equal(unlink(path), 0);
	check(0);
	write_many(1);
	check(1);
	assert_int_equal(seen.finding[0].flaw, AUDIT_MISSING);
	assert_int_equal(seen.finding[0].first, 3);
}

static int
stop_here(void *ctx, const struct audit_record *r, struct fault *f)
{
	(void)ctx;
	(void)r;
	return fault_set(f, FAULT_AGAIN, "stopped");
}

static void
a_check_ends_where_the_caller_says(void **state)
{
	const struct audit_check c = {.record = stop_here};
	struct fault f = FAULT_INIT;

	(void)state;
	write_many(2);
	assert_int_equal(audit_check(repo, 0, &c, &never, &f), FAULT_AGAIN);
	assert_string_equal(f.text, "stopped");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_removed_record_is_found),
	    T(altered_bytes_are_found),
	    T(swapped_records_are_found),
	    T(a_record_that_was_written_anew_is_found),
	    T(authentic_nonsense_and_strange_names_are_found),
	    T(an_object_without_end_is_not_read_into_memory),
	    T(a_cut_end_is_found_by_whoever_knew_it),
	    T(a_cut_end_shows_when_its_writer_goes_on),
	    T(a_check_ends_where_the_caller_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
