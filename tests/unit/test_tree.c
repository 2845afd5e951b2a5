/*
 * How a tree's files reach the disk: past the page cache where that can be, and
 * whole whatever the kernel or the file system says to it.
 */

#include "tree_world.h"

/* The next write or sync fails, and it is told so. */
static void
fails(const char *name, const char *told)
{
	struct fault f = FAULT_INIT;

	assert_int_equal(write_file(name, 2 * MIB, MIB, &f), FAULT_SYSTEM);
	assert_non_null(strstr(f.text, told));
}

static void
large_pieces_go_past_the_page_cache(void **state)
{
	(void)state;
	begin();
	/* The last piece has no even length. */
	comes_back("a", 2 * MIB - 5, MIB);
	assert_int_equal(n_direct, 1);
	assert_int_equal(n_buffered, 1);
	comes_back("small", 8192, 8192);
	assert_int_equal(n_direct, 1);
	assert_int_equal(n_syncfs, 2);
	assert_int_equal(n_fdatasync, 0);
}

static void
a_file_system_that_cannot_gets_all_through_the_cache(void **state)
{
	(void)state;
	begin();
	direct_errno = EINVAL;
	comes_back("a", 2 * MIB, MIB / 2);
	assert_int_equal(n_direct, 1); /* it is not asked again */
	assert_int_equal(n_buffered, 4);
}

static void
a_short_write_past_the_cache_is_completed(void **state)
{
	(void)state;
	begin();
	direct_max = 8192;
	comes_back("a", 2 * MIB, MIB);
	assert_int_equal(n_direct, 2);
}

static void
what_cannot_be_written_is_told(void **state)
{
	(void)state;
	begin();
	direct_errno = write_errno = EIO;
	fails("a", "a: write");
	direct_errno = write_errno = 0;
	syncfs_errno = EIO;
	fails("b", "cannot sync");
}

static void
missing_room_is_told_before_a_large_file_is_written(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	begin();
	reserve_errno = ENOSPC;
	assert_int_equal(write_file("a", 2 * MIB, MIB, &f), FAULT_SYSTEM);
	assert_int_equal(n_direct + n_buffered, 0);
	/* But where room cannot be reserved, it is not needed. */
	reserve_errno = EOPNOTSUPP;
	fault_clear(&f);
	assert_int_equal(write_file("b", 2 * MIB, MIB, &f), 0);
	check_file("b", 2 * MIB);
}

/* There syncfs says nothing of what could not be written. */
static void
before_linux_5_8_each_file_is_synced(void **state)
{
	static const char *const old[] = {
	    "5.7.19", "4.18.0-553.el8", "3.10.0", "x"};
	static const char *const new[] = {
	    "5.8.0", "5.10.0-30-amd64", "6.1", "10"};
	struct fault f = FAULT_INIT;

	(void)state;
	for (size_t k = 0; k < sizeof old / sizeof old[0]; k++) {
		release = old[k];
		n_fdatasync = 0;
		begin();
		assert_int_equal(write_file("a", MIB, MIB, &f), 0);
		assert_int_equal(n_fdatasync, 1);
		fdatasync_errno = EIO;
		assert_int_equal(write_file("a", MIB, MIB, &f), FAULT_SYSTEM);
		assert_non_null(strstr(f.text, "sync"));
		fault_clear(&f);
		fdatasync_errno = 0;
		tree_free(tree);
	}
	for (size_t k = 0; k < sizeof new / sizeof new[0]; k++) {
		release = new[k];
		n_fdatasync = 0;
		begin();
		assert_int_equal(write_file("a", MIB, MIB, &f), 0);
		assert_int_equal(n_fdatasync, 0);
		tree_free(tree);
	}
	tree = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(large_pieces_go_past_the_page_cache),
	    TEST(a_file_system_that_cannot_gets_all_through_the_cache),
	    TEST(a_short_write_past_the_cache_is_completed),
	    TEST(what_cannot_be_written_is_told),
	    TEST(missing_room_is_told_before_a_large_file_is_written),
	    TEST(before_linux_5_8_each_file_is_synced),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
