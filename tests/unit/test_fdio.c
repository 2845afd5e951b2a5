/* Files with a system that interrupts, gives little and fails. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdio.h"
#include "lock.h"

/* What the system does to the next calls. */
static struct {
	int interrupts; /* this many calls answer EINTR first */
	size_t most;    /* bytes in a transfer; 0: as asked */
	int fail;       /* errno of a transfer, after spare of them */
	int spare;
	int zero; /* a write of nothing */
	int fsync_errno;
	int fsyncs;
	int close_errno;
	int link_errno;
	int link_done; /* … although it was made */
} sys;

static char dir[64];
static struct fault f;

static int
disturbed(size_t *n)
{
	if (sys.interrupts > 0) {
		sys.interrupts--;
		errno = EINTR;
		return 1;
	}
	if (sys.fail != 0 && sys.spare-- <= 0) {
		errno = sys.fail;
		return 1;
	}
	if (sys.most != 0 && *n > sys.most)
		*n = sys.most;
	return 0;
}

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __real_pread(int fd, void *p, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t at);
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_link(const char *a, const char *b);
int __wrap_link(const char *a, const char *b);
int __real_rename(const char *a, const char *b);
int __wrap_rename(const char *a, const char *b);

ssize_t
__wrap_read(int fd, void *p, size_t n)
{
	return disturbed(&n) ? -1 : __real_read(fd, p, n);
}

ssize_t
__wrap_pread(int fd, void *p, size_t n, off_t at)
{
	return disturbed(&n) ? -1 : __real_pread(fd, p, n, at);
}

ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	if (sys.zero)
		return 0;
	return disturbed(&n) ? -1 : __real_write(fd, p, n);
}

ssize_t
__wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (sys.zero)
		return 0;
	return disturbed(&n) ? -1 : __real_pwrite(fd, p, n, at);
}

int
__wrap_fsync(int fd)
{
	sys.fsyncs++;
	if (sys.fsync_errno != 0) {
		errno = sys.fsync_errno;
		sys.fsync_errno = 0; /* as Linux does: told once */
		return -1;
	}
	return __real_fsync(fd);
}

int
__wrap_close(int fd)
{
	int r = __real_close(fd);

	if (sys.close_errno != 0) {
		errno = sys.close_errno;
		return -1;
	}
	return r;
}

int
__wrap_link(const char *a, const char *b)
{
	int r = 0;

	if (sys.link_errno == 0 || sys.link_done)
		r = __real_link(a, b);
	if (sys.link_errno != 0) {
		errno = sys.link_errno;
		return -1;
	}
	return r;
}

int
__wrap_rename(const char *a, const char *b)
{
	if (sys.fail != 0) {
		errno = sys.fail;
		return -1;
	}
	return __real_rename(a, b);
}

static int
calm(void **state)
{
	(void)state;
	memset(&sys, 0, sizeof(sys));
	fault_clear(&f);
	return 0;
}

static char *
in_dir(const char *name)
{
	char *p = fdio_join(dir, name);

	assert_non_null(p);
	return p;
}

static size_t
files_in_dir(void)
{
	char command[128];
	FILE *p;
	size_t n = 0;
	int c;

	snprintf(command, sizeof(command), "ls -A %s", dir);
	p = popen(command, "r");
	assert_non_null(p);
	while ((c = getc(p)) != EOF)
		n += c == '\n';
	pclose(p);
	return n;
}

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

static int
begin(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/pitrkit-fdio.XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int
end(void **state)
{
	char command[128];

	calm(state);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

#define T(name) cmocka_unit_test_setup(name, calm)

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
	    T(a_file_appears_whole_or_not_at_all),
	    T(a_failed_publish_leaves_what_was_there),
	    T(names_are_made_without_hard_links_too),
	    T(our_own_link_is_no_conflict),
	    T(the_longest_name_has_a_temporary_one),
	    T(a_lock_keeps_others_out),
	};

	return cmocka_run_group_tests_name("fdio", tests, begin, end);
}
