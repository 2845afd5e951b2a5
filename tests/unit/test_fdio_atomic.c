/* Files that appear whole or not at all, with such a system. */

#include "fdio_world.h"

static void
put(struct fdio_atomic *a, const char *path, const char *text)
{
	assert_int_equal(fdio_atomic_begin(a, path, 0644, &f), 0);
	assert_int_equal(fdio_write(a->fd, a->path, text, strlen(text), &f), 0);
}

static void
check(const char *path, const char *text)
{
	unsigned char *data;
	size_t len;

	assert_int_equal(fdio_slurp(path, 100, &data, &len, &f), 0);
	assert_string_equal((char *)data, text);
	free(data);
}

static void
a_file_appears_whole_or_not_at_all(void **state)
{
	char *path = in_dir("whole");
	struct fdio_atomic a;
	struct stat st;
	size_t before = files_in_dir();

	(void)state;
	put(&a, path, "one");
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(fdio_atomic_publish_new(&a, 1, &f), 0);
	fdio_atomic_abort(&a);
	assert_int_equal(sys.fsyncs, 2);
	check(path, "one");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(st.st_nlink, 1);
	put(&a, path, "two");
	assert_int_equal(fdio_atomic_publish_new(&a, 1, &f), FAULT_EXISTS);
	fdio_atomic_abort(&a);
	check(path, "one");
	put(&a, path, "three");
	assert_int_equal(fdio_atomic_publish(&a, 0, &f), 0);
	check(path, "three");
	put(&a, path, "four");
	fdio_atomic_abort(&a);
	check(path, "three");
	assert_int_equal(files_in_dir(), before + 1);
	free(path);
}

static void
a_failed_publish_leaves_what_was_there(void **state)
{
	char *path = in_dir("kept");
	struct fdio_atomic a;
	size_t before = files_in_dir();

	(void)state;
	put(&a, path, "old");
	assert_int_equal(fdio_atomic_publish(&a, 1, &f), 0);
	put(&a, path, "new");
	sys.fsync_errno = EIO;
	assert_int_equal(fdio_atomic_publish(&a, 1, &f), FAULT_SYSTEM);
	fdio_atomic_abort(&a);
	put(&a, path, "new");
	sys.close_errno = ENOSPC;
	assert_int_equal(fdio_atomic_publish(&a, 0, &f), FAULT_SYSTEM);
	sys.close_errno = 0;
	fdio_atomic_abort(&a);
	put(&a, path, "new");
	sys.fail = EACCES;
	assert_int_equal(fdio_atomic_publish(&a, 0, &f), FAULT_SYSTEM);
	assert_int_equal(
	    fdio_atomic_put(path, 0600, "new", 3, 0, &f), FAULT_SYSTEM);
	sys.fail = 0;
	fdio_atomic_abort(&a);
	check(path, "old");
	assert_int_equal(fdio_atomic_put(path, 0600, "newer", 5, 0, &f), 0);
	check(path, "newer");
	assert_int_equal(files_in_dir(), before + 1);
	assert_int_equal(
	    fdio_atomic_begin(&a, "/nowhere/x", 0600, &f), FAULT_SYSTEM);
	fdio_atomic_abort(&a);
	free(path);
}

static void
names_are_made_without_hard_links_too(void **state)
{
	char *path = in_dir("nolink");
	struct fdio_atomic a;
	size_t before = files_in_dir();

	(void)state;
	sys.link_errno = EPERM;
	put(&a, path, "one");
	assert_int_equal(fdio_atomic_publish_new(&a, 1, &f), 0);
	put(&a, path, "two");
	assert_int_equal(fdio_atomic_publish_new(&a, 1, &f), FAULT_EXISTS);
	fdio_atomic_abort(&a);
	check(path, "one");
	assert_int_equal(files_in_dir(), before + 1);
	free(path);
}

/* NFS asks again when an answer was lost, and is told that the name exists. */
static void
our_own_link_is_no_conflict(void **state)
{
	char *path = in_dir("nfs");
	struct fdio_atomic a;

	(void)state;
	sys.link_errno = EEXIST;
	sys.link_done = 1;
	put(&a, path, "one");
	assert_int_equal(fdio_atomic_publish_new(&a, 1, &f), 0);
	check(path, "one");
	free(path);
}

static void
the_longest_name_has_a_temporary_one(void **state)
{
	char name[256], *path;
	struct fdio_atomic a;

	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	path = in_dir(name);
	put(&a, path, "one");
	assert_int_equal(fdio_atomic_publish_new(&a, 0, &f), 0);
	check(path, "one");
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_file_appears_whole_or_not_at_all),
	    T(a_failed_publish_leaves_what_was_there),
	    T(names_are_made_without_hard_links_too),
	    T(our_own_link_is_no_conflict),
	    T(the_longest_name_has_a_temporary_one),
	};

	return cmocka_run_group_tests_name("fdio_atomic", tests, begin, end);
}
