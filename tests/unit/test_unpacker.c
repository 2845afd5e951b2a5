/*
 * Restoring from manifests and packs made by hand: what is wanted comes, and
 * nothing is written, and no link followed, outside of the tree.
 */

#include "unpacker_world.h"

static void
a_tree_is_made_as_the_manifest_says(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 3, false);
	entry('D', "base", NULL);
	entry('D', "global", NULL);
	entry('F', "base/empty", NULL);
	entry('D', "pg_tblspc", NULL);
	entry('D', "pg_tblspc/16384", NULL);
	entry('D', "pg_tblspc/16384/PG_15", NULL);
	/* A tablespace in place: allow_in_place_tablespaces. */
	entry('D', "pg_tblspc/999", NULL);
	entry('F', "pg_tblspc/999/empty", NULL);
	file_of(&p, "base/file", 0, 3, 1);
	file_of(&p, "pg_tblspc/16384/PG_15/file", 1, 1, 1);
	file_of(&p, "global/pg_control", 2, 1, 1);
	assert_int_equal(unpack(2, &f), 0);
	assert_string_equal(letters(root, "base/file"), "abc");
	assert_string_equal(letters(space, "PG_15/file"), "b");
	assert_string_equal(letters(root, "pg_tblspc/16384/PG_15/file"), "b");
	assert_string_equal(letters(root, "pg_tblspc/999/empty"), "");
	assert_true(exists(root, "base/empty"));
	/* The caller names it. */
	assert_false(exists(root, "global/pg_control"));
	assert_string_equal(letters(root, UNPACKER_CONTROL), "c");
}

static void
only_the_wanted_extents_are_read(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;
	int k;

	(void)state;
	/* Gaps of 1 MiB: two requests, the second without the header. */
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 8, true);
	file_of(&p, "first", 0, 1, 1);
	file_of(&p, "odd", 1, 3, 3);
	file_of(&p, "last", 7, 1, 1);
	for (k = 0; k < 12; k++) {
		char name[16];

		snprintf(name, sizeof name, "many%d", k);
		file_of(&p, name, (uint32_t)k % 8, 1, 1);
	}
	assert_int_equal(unpack(16, &f), 0);
	for (k = 0; k < 3; k++) {
		static const char *const same[] = {"many1", "many4", "last"};

		assert_memory_equal(first_bytes(root, "odd", k),
		    first_bytes(root, same[k], 0), 16);
	}
}

static void
paths_that_lead_out_are_refused(void **state)
{
	static const char *const paths[] = {"../out", "base/../../out", "..",
	    "/tmp/test-unpacker-out", "a//b", "./a", ".", "", "a/",
	    "pg_tblspc/16384/../../out", "pg_tblspc/99999999999/x",
	    "pg_tblspc/16384x/x", "pg_tblspc/16384/authorized_keys",
	    "pg_tblspc/16384/PG_/x", "pg_tblspc/16384/PG_15.d/x"};
	struct fault f = FAULT_INIT;
	struct pack p;
	size_t k;
	char type;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 1, false);
	for (k = 0; k < 4 * sizeof paths / sizeof paths[0]; k++) {
		const char *path = paths[k / 4];

		type = "DFLP"[k % 4];
		start_again();
		if (type == 'P')
			file_of(&p, path, 0, 1, 1);
		else
			entry(type, path, "/etc");
		assert_int_equal(unpack(1, &f), FAULT_CORRUPT);
		assert_false(exists(dir, "out"));
		assert_false(exists("/tmp", "test-unpacker-out"));
		assert_false(exists(space, "authorized_keys"));
	}
}

static void
no_link_is_ever_followed(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 1, false);
	/* The manifest's own come after everything else. */
	entry('L', "evil", dir);
	file_of(&p, "evil/out", 0, 1, 1);
	assert_int_not_equal(unpack(1, &f), 0);
	assert_false(exists(dir, "out"));
}

static void
no_planted_link_is_followed(void **state)
{
	static const char types[] = "DFLP";
	struct fault f = FAULT_INIT;
	struct pack p;
	char path[128];
	size_t k;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 1, false);
	snprintf(path, sizeof path, "%s/evil", root);
	assert_int_equal(symlink(dir, path), 0);
	for (k = 0; k < 4; k++) {
		start_again();
		if (types[k] == 'P')
			file_of(&p, "evil/out", 0, 1, 1);
		else
			entry(types[k], "evil/out", "/etc");
		assert_int_not_equal(unpack(1, &f), 0);
		assert_false(exists(dir, "out"));
	}
}

static void
nothing_is_named_pg_control(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	entry('D', "global", NULL);
	entry('F', "global/pg_control", NULL);
	assert_int_equal(unpack(1, &f), 0);
	assert_false(exists(root, "global/pg_control"));
}

/* Several workers write it, and only the first of them makes it. Root may
 * write whatever the mode says, so this is somebody else's restore. */
static void
a_large_read_only_file_is_restored(void **state)
{
	struct fault f = FAULT_INIT;
	char command[160], path[256];
	struct stat st;
	struct pack p[4];
	int rc;

	(void)state;
	snprintf(command, sizeof command, "chown -R 65534:65534 '%s'", dir);
	file_mode = 0400;
	for (unsigned k = 0; k < 4; k++) {
		char name[LAYOUT_KEY];

		snprintf(name, sizeof name, A "/pack/%08u", k + 1);
		make_pack(&p[k], name, name, 8, true);
		snprintf(path, sizeof path, "other%u", k);
		part_of(&p[k], "large", 32, 8 * k, 0, 8, 1);
		file_of(&p[k], path, 0, 1, 1);
	}
	if (geteuid() == 0) {
		assert_int_equal(system(command), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	rc = unpack(4, &f);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	if (rc != 0)
		fail_msg("%s", f.text);
	snprintf(path, sizeof path, "%s/large", root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(st.st_size, 32 * MIB);
}

static int
overwrite(const char *name, const char *text)
{
	char path[256];
	FILE *out;

	snprintf(path, sizeof path, "%s/%s", root, name);
	out = fopen(path, "r+");
	if (out == NULL)
		out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	return fclose(out);
}

static void
only_extents_that_differ_are_fetched(void **state)
{
	static const struct tree_existing there;
	struct unpacker_params params = {
	    .id = A, .jobs = 3, .root = root, .existing = &there};
	struct unpacker_result res;
	struct fault f = FAULT_INIT;
	char path[256];
	struct pack p, q;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 3, true);
	make_pack(&q, A "/pack/00000002", A "/pack/00000002", 3, false);
	file_of(&p, "noise", 0, 3, 1);
	file_of(&q, "letters", 0, 3, 1);
	assert_int_equal(unpack(1, &f), 0);
	/* One pack is not asked for at all: it is gone. */
	snprintf(path, sizeof path,
	    "%s/repo/main/7000000000000000000/base/" A "/pack/00000001", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(overwrite("letters", "X"), 0);
	assert_int_equal(overwrite("more", "X"), 0);
	assert_string_equal(letters(root, "letters"), "Xbc");
	if (unpacker_run(repo, &head, &params, &res, NULL, NULL, &f) != 0)
		fail_msg("%s", f.text);
	assert_string_equal(letters(root, "letters"), "abc");
	assert_false(exists(root, "more"));
	assert_int_equal(res.written, MIB);
	assert_int_equal(res.kept, 5 * MIB);
	/* Without it nothing heals. */
	assert_int_equal(overwrite("noise", "X"), 0);
	assert_int_equal(
	    unpacker_run(repo, &head, &params, &res, NULL, NULL, &f),
	    FAULT_CORRUPT);
}

static void
nothing_goes_by_a_manifest_that_is_not_the_heads(void **state)
{
	static const struct tree_existing there;
	struct unpacker_params params = {
	    .id = A, .jobs = 1, .root = root, .existing = &there};
	struct fault f = FAULT_INIT;
	struct pack p;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 1, false);
	file_of(&p, "file", 0, 1, 1);
	assert_int_equal(unpack(1, &f), 0);
	assert_int_equal(overwrite("more", "X"), 0);
	head.totals.bytes++;
	assert_int_equal(
	    unpacker_run(repo, &head, &params, NULL, NULL, NULL, &f),
	    FAULT_CORRUPT);
	assert_true(exists(root, "more"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_tree_is_made_as_the_manifest_says),
	    TEST(only_the_wanted_extents_are_read),
	    TEST(paths_that_lead_out_are_refused),
	    TEST(no_link_is_ever_followed),
	    TEST(no_planted_link_is_followed),
	    TEST(nothing_is_named_pg_control),
	    TEST(a_large_read_only_file_is_restored),
	    TEST(only_extents_that_differ_are_fetched),
	    TEST(nothing_goes_by_a_manifest_that_is_not_the_heads),
	};

	return cmocka_run_group_tests_name("unpacker", tests, NULL, NULL);
}
