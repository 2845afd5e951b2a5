/* Files with a system that interrupts, gives little and fails. */

#include "fdio_world.h"

static void
interrupts_and_short_transfers_lose_nothing(void **state)
{
	char *path = in_dir("short");
	char out[1000], back[1000];
	uint64_t size;
	size_t got, i;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	sys.most = 7;
	sys.interrupts = 5;
	assert_int_equal(fdio_write(fd, path, out, 500, &f), 0);
	sys.interrupts = 5;
	assert_int_equal(fdio_pwrite(fd, path, out + 500, 500, 500, &f), 0);
	sys.interrupts = 5;
	assert_int_equal(fdio_pread(fd, path, back, 900, 100, &got, &f), 0);
	assert_int_equal(got, 900);
	assert_memory_equal(back, out + 100, 900);
	assert_int_equal(fdio_pread(fd, path, back, 900, 400, &got, &f), 0);
	assert_int_equal(got, 600);
	assert_int_equal(fdio_close(fd, path, &f), 0);
	assert_int_equal(fdio_open_read(path, &fd, &f), 0);
	assert_int_equal(fdio_size(fd, path, &size, &f), 0);
	assert_int_equal(size, 1000);
	sys.interrupts = 5;
	assert_int_equal(fdio_read(fd, path, back, 1000, &got, &f), 0);
	assert_int_equal(got, 1000);
	assert_memory_equal(back, out, 1000);
	assert_int_equal(fdio_close(fd, path, &f), 0);
	free(path);
}

static void
a_full_disk_is_told_with_the_path(void **state)
{
	char *path = in_dir("full");
	char out[100] = {0};
	size_t got;
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	(void)state;
	sys.most = 10;
	sys.fail = ENOSPC;
	sys.spare = 3;
	assert_int_equal(fdio_write(fd, path, out, 100, &f), FAULT_SYSTEM);
	assert_non_null(strstr(f.text, path));
	assert_non_null(strstr(f.text, "No space left"));
	sys.fail = EIO;
	sys.spare = 0;
	assert_int_equal(fdio_pwrite(fd, path, out, 100, 0, &f), FAULT_SYSTEM);
	assert_int_equal(fdio_read(fd, path, out, 100, &got, &f), FAULT_SYSTEM);
	assert_non_null(strstr(f.text, "Input/output error"));
	assert_int_equal(
	    fdio_pread(fd, path, out, 10, 0, &got, &f), FAULT_SYSTEM);
	sys.fail = 0;
	sys.zero = 1;
	assert_int_equal(fdio_write(fd, path, out, 100, &f), FAULT_SYSTEM);
	assert_int_equal(fdio_pwrite(fd, path, out, 100, 0, &f), FAULT_SYSTEM);
	sys.zero = 0;
	assert_int_equal(
	    fdio_pwrite(fd, path, out, 2, INT64_MAX - 1, &f), FAULT_SYSTEM);
	assert_int_equal(
	    fdio_pread(fd, path, out, 2, UINT64_MAX, &got, &f), FAULT_SYSTEM);
	close(fd);
	free(path);
}

static void
a_failed_fsync_is_not_tried_again(void **state)
{
	char *path = in_dir("sync");
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	(void)state;
	sys.fsync_errno = EIO;
	assert_int_equal(fdio_sync(fd, path, &f), FAULT_SYSTEM);
	assert_int_equal(sys.fsyncs, 1);
	sys.fsync_errno = EINTR;
	assert_int_equal(fdio_sync(fd, path, &f), FAULT_SYSTEM);
	assert_int_equal(sys.fsyncs, 2);
	sys.close_errno = EIO;
	assert_int_equal(fdio_close(fd, path, &f), FAULT_SYSTEM);
	fd = open(path, O_RDONLY);
	sys.close_errno = EINTR;
	assert_int_equal(fdio_close(fd, path, &f), 0);
	sys.close_errno = 0;
	free(path);
}

static void
only_enoent_is_absence(void **state)
{
	char *file = in_dir("plain"), *below = in_dir("plain/x");
	char *none = in_dir("none");
	unsigned char *data;
	size_t len;
	int fd = open(file, O_RDWR | O_CREAT, 0600);

	(void)state;
	close(fd);
	assert_int_equal(fdio_open_read(none, &fd, &f), FAULT_ABSENT);
	assert_int_equal(fdio_slurp(none, 9, &data, &len, &f), FAULT_ABSENT);
	assert_int_equal(fdio_open_read(below, &fd, &f), FAULT_SYSTEM);
	assert_int_equal(fdio_mkdirs(below, 0700, &f), FAULT_SYSTEM);
	assert_int_equal(fdio_mkdirs(file, 0700, &f), FAULT_SYSTEM);
	free(file);
	free(below);
	free(none);
}

static void
slurp_has_a_limit(void **state)
{
	char *path = in_dir("slurp");
	unsigned char *data = NULL;
	size_t len;
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	(void)state;
	assert_int_equal(fdio_write(fd, path, "0123456789", 10, &f), 0);
	close(fd);
	assert_int_equal(fdio_slurp(path, 9, &data, &len, &f), FAULT_CORRUPT);
	assert_null(data);
	sys.most = 3;
	assert_int_equal(fdio_slurp(path, 10, &data, &len, &f), 0);
	sys.most = 0;
	assert_int_equal(len, 10);
	assert_string_equal((char *)data, "0123456789");
	free(data);
	/* Files without a size. */
	assert_int_equal(
	    fdio_slurp("/proc/self/maps", 1 << 24, &data, &len, &f), 0);
	assert_true(len > 100);
	free(data);
	assert_int_equal(
	    fdio_slurp("/dev/zero", 5000, &data, &len, &f), FAULT_CORRUPT);
	free(path);
}

static void
folders_are_made_and_synced(void **state)
{
	char *path = in_dir("a//b/c/");
	struct stat st;

	(void)state;
	assert_int_equal(fdio_mkdirs(path, 0750, &f), 0);
	assert_int_equal(sys.fsyncs, 3);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(fdio_mkdirs(path, 0750, &f), 0);
	assert_int_equal(fdio_mkdirs("/", 0750, &f), 0);
	assert_int_equal(sys.fsyncs, 3);
	assert_int_equal(fdio_mkdirs("", 0750, &f), FAULT_SYSTEM);
	assert_int_equal(fdio_sync_parent("/", &f), 0);
	assert_int_equal(fdio_sync_parent("x", &f), 0);
	assert_int_equal(fdio_sync_parent(path, &f), 0);
	free(path);
	path = fdio_join("/", "x");
	assert_string_equal(path, "/x");
	free(path);
	path = fdio_join("a//", "b");
	assert_string_equal(path, "a/b");
	free(path);
}

static void
a_lock_keeps_others_out(void **state)
{
	char *path = in_dir("lock");
	int fd = -1, again = -1, status;
	pid_t pid;

	(void)state;
	assert_int_equal(lock_take(path, &fd, &f), 0);
	pid = fork();
	if (pid == 0)
		_exit(lock_take(path, &again, &f));
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), FAULT_EXISTS);
	lock_release(fd);
	assert_int_equal(lock_take(path, &fd, &f), 0);
	lock_release(fd);
	lock_release(-1);
	assert_int_equal(lock_take("/nowhere/x", &fd, &f), FAULT_SYSTEM);
	assert_int_equal(lock_take_folder(path, &fd, &f), FAULT_SYSTEM);
	assert_int_equal(lock_take_folder("/nowhere", &fd, &f), FAULT_ABSENT);
	assert_int_equal(lock_take_folder(dir, &fd, &f), 0);
	assert_int_equal(lock_take_folder(dir, &again, &f), FAULT_EXISTS);
	lock_release(fd);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(interrupts_and_short_transfers_lose_nothing),
	    T(a_full_disk_is_told_with_the_path),
	    T(a_failed_fsync_is_not_tried_again),
	    T(only_enoent_is_absence),
	    T(slurp_has_a_limit),
	    T(folders_are_made_and_synced),
	    T(a_lock_keeps_others_out),
	};

	return cmocka_run_group_tests_name("fdio", tests, begin, end);
}
