/* A tree that was there: what of it stays, and what makes way. */

#include "tree_world.h"

static const struct tree_existing was_there;

static void
begin_existing(void)
{
	struct fault f = FAULT_INIT;

	assert_int_equal(tree_new(&tree, dir, NULL, 0, &was_there, &f), 0);
}

static bool
holds(const char *name, uint32_t size, uint32_t at, uint32_t n)
{
	struct manifest_piece p = {.path = name,
	    .mode = 0600,
	    .file_size = size,
	    .file_offset = at,
	    .length = n};
	unsigned char *buffer = aligned_alloc(TREE_ALIGN, 2 * MIB);
	struct tree_file w = TREE_FILE_INIT;
	struct fault f = FAULT_INIT;
	bool yes = false;

	assert_non_null(buffer);
	crypto_xxh(content + at, n, p.xxh);
	assert_int_equal(tree_file_holds(tree, &w, &p, buffer, &yes, &f), 0);
	assert_int_equal(tree_file_close(tree, &w, &f), 0);
	free(buffer);
	return yes;
}

static void
only_the_very_bytes_count_as_held(void **state)
{
	struct fault f = FAULT_INIT;
	char path[128];
	int fd;

	(void)state;
	begin_existing();
	assert_int_equal(write_file("a", 2 * MIB - 100, MIB, &f), 0);
	assert_true(holds("a", 2 * MIB - 100, 0, MIB));
	assert_true(holds("a", 2 * MIB - 100, MIB, MIB - 100));
	snprintf(path, sizeof path, "%s/a", dir);
	fd = open(path, O_RDWR);
	assert_int_equal(__real_pwrite(fd, "?", 1, MIB - 1), 1);
	close(fd);
	assert_false(holds("a", 2 * MIB - 100, 0, MIB));
	assert_true(holds("a", 2 * MIB - 100, MIB, MIB - 100));
	/* What is behind a piece goes, what is missing is not held. */
	assert_true(holds("a", MIB + 10, MIB, 10));
	fd = open(path, O_RDONLY);
	assert_int_equal(lseek(fd, 0, SEEK_END), MIB + 10);
	close(fd);
	assert_false(holds("a", 2 * MIB - 100, MIB, MIB - 100));
	assert_false(holds("none", 8192, 0, 8192));
}

static void
what_has_a_second_name_is_not_written_to(void **state)
{
	struct fault f = FAULT_INIT;
	char a[128], b[128];
	struct stat st;

	(void)state;
	begin_existing();
	assert_int_equal(write_file("a", MIB, MIB, &f), 0);
	snprintf(a, sizeof a, "%s/a", dir);
	snprintf(b, sizeof b, "%s/b", dir);
	assert_int_equal(link(a, b), 0);
	content[0] ^= 1;
	assert_int_equal(write_file("a", MIB, MIB, &f), 0);
	check_file("a", MIB);
	content[0] ^= 1;
	check_file("b", MIB);
	assert_int_equal(stat(b, &st), 0);
	assert_int_equal(st.st_nlink, 1);
}

static void
what_is_no_file_makes_way(void **state)
{
	struct fault f = FAULT_INIT;
	char path[128], outside[128];
	struct stat st;

	(void)state;
	begin_existing();
	snprintf(path, sizeof path, "%s/a", dir);
	snprintf(outside, sizeof outside, "%s/outside", dir);
	assert_int_equal(mkdir(outside, 0700), 0);
	for (int k = 0; k < 3; k++) {
		if (k == 0)
			assert_int_equal(symlink(outside, path), 0);
		else if (k == 1)
			assert_int_equal(mkfifo(path, 0600), 0);
		else
			assert_int_equal(mkdir(path, 0700), 0);
		assert_int_equal(write_file("a", 8192, 8192, &f), 0);
		check_file("a", 8192);
		assert_int_equal(lstat(path, &st), 0);
		assert_true(S_ISREG(st.st_mode));
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(symlink(outside, path), 0);
	assert_int_equal(tree_folder(tree, "a", 0700, &f), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(stat(outside, &st), 0);
}

/* Whether or not the kernel has openat2. */
static void
no_folder_is_reached_through_a_link(void **state)
{
	struct fault f = FAULT_INIT;
	char path[128], outside[128];

	(void)state;
	begin_existing();
	snprintf(outside, sizeof outside, "%s/outside", dir);
	assert_int_equal(mkdir(outside, 0700), 0);
	assert_int_equal(tree_folder(tree, "base", 0700, &f), 0);
	assert_int_equal(tree_folder(tree, "base/1", 0700, &f), 0);
	snprintf(path, sizeof path, "%s/base/link", dir);
	assert_int_equal(symlink(outside, path), 0);
	for (int k = 0; k < 3; k++) {
		openat2_errno = k == 0 ? 0 : k == 1 ? ENOSYS : EPERM;
		assert_int_equal(write_file("base/1/a", 8192, 8192, &f), 0);
		check_file("base/1/a", 8192);
		assert_int_not_equal(
		    write_file("base/link/a", 8192, 8192, &f), 0);
		assert_int_not_equal(
		    write_file("base/link/1/a", 8192, 8192, &f), 0);
		assert_int_not_equal(
		    write_file("base/none/a", 8192, 8192, &f), 0);
		assert_int_not_equal(
		    tree_folder(tree, "base/link/1", 0700, &f), 0);
		assert_int_not_equal(
		    tree_empty_file(tree, "base/link/a", 0600, &f), 0);
		assert_int_equal(rmdir(outside), 0);
		assert_int_equal(mkdir(outside, 0700), 0);
	}
}

/* Links, modes, folders in folders: only what is named stays. */
static void
what_is_not_named_goes(void **state)
{
	static const char *const names[] = {"keep", "keep/file", "keep/link"};
	char command[256];
	struct pathset *s;
	struct fault f = FAULT_INIT;

	(void)state;
	snprintf(command, sizeof command,
	    "cd '%s' && mkdir -p keep/deep/er keep/lost+found lost+found "
	    "other && touch keep/file keep/more keep/deep/er/x other/file && "
	    "ln -s ../other keep/link && ln -s other link",
	    dir);
	assert_int_equal(system(command), 0);
	begin_existing();
	assert_int_equal(pathset_new(&s, 3, &f), 0);
	for (size_t k = 0; k < 3; k++)
		assert_int_equal(pathset_add(s, names[k], &f), 0);
	assert_int_equal(tree_sweep(tree, s, &f), 0);
	pathset_free(s);
	snprintf(command, sizeof command,
	    "cd '%s' && test \"$(find . | sort | tr '\\n' ' ')\" = "
	    "'. ./keep ./keep/file ./keep/link ./lost+found '",
	    dir);
	assert_int_equal(system(command), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(only_the_very_bytes_count_as_held),
	    TEST(what_has_a_second_name_is_not_written_to),
	    TEST(what_is_no_file_makes_way),
	    TEST(no_folder_is_reached_through_a_link),
	    TEST(what_is_not_named_goes),
	};

	return cmocka_run_group_tests_name("tree_existing", tests, NULL, NULL);
}
