/*
 * How a tree's files reach the disk: past the page cache where that can be, and
 * whole whatever the kernel or the file system says to it.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "crypto.h"
#include "tree.h"

#define MIB (1U << 20)

static char dir[64];
static struct tree *tree;
static unsigned char *content; /* 2 MiB, aligned */

/* What the kernel does, for one test. */
static const char *release;
static int direct_errno; /* of writes past the page cache */
static int write_errno;  /* of the others */
static size_t direct_max = SIZE_MAX;
static int reserve_errno;
static int fdatasync_errno;
static int syncfs_errno;
static int openat2_errno;
static unsigned n_direct, n_buffered, n_fdatasync, n_syncfs;

int __real_fallocate(int fd, int mode, off_t offset, off_t len);
int __real_fdatasync(int fd);
ssize_t __real_pwrite(int fd, const void *data, size_t n, off_t at);
int __real_syncfs(int fd);
int __real_uname(struct utsname *u);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len);
int __wrap_fdatasync(int fd);
ssize_t __wrap_pwrite(int fd, const void *data, size_t n, off_t at);
int __wrap_syncfs(int fd);
int __wrap_uname(struct utsname *u);
long __real_syscall(long n, ...);
long __wrap_syscall(long n, ...);

int
__wrap_fallocate(int fd, int mode, off_t offset, off_t len)
{
	errno = reserve_errno;
	return reserve_errno != 0 ? -1
				  : __real_fallocate(fd, mode, offset, len);
}

int
__wrap_fdatasync(int fd)
{
	n_fdatasync++;
	errno = fdatasync_errno;
	return fdatasync_errno != 0 ? -1 : __real_fdatasync(fd);
}

ssize_t
__wrap_pwrite(int fd, const void *data, size_t n, off_t at)
{
	bool direct = (fcntl(fd, F_GETFL) & O_DIRECT) != 0;
	int e = direct ? direct_errno : write_errno;

	if (direct)
		n_direct++;
	else
		n_buffered++;
	if (direct && n > direct_max)
		n = direct_max;
	errno = e;
	return e != 0 ? -1 : __real_pwrite(fd, data, n, at);
}

int
__wrap_syncfs(int fd)
{
	n_syncfs++;
	errno = syncfs_errno;
	return syncfs_errno != 0 ? -1 : __real_syncfs(fd);
}

int
__wrap_uname(struct utsname *u)
{
	int rc = __real_uname(u);

	if (release != NULL)
		snprintf(u->release, sizeof u->release, "%s", release);
	return rc;
}

long
__wrap_syscall(long n, ...)
{
	va_list args;
	long fd, path, how, size;

	va_start(args, n);
	fd = va_arg(args, long);
	path = va_arg(args, long);
	how = va_arg(args, long);
	size = va_arg(args, long);
	va_end(args);
	errno = openat2_errno;
	return n == SYS_openat2 && openat2_errno != 0
		   ? -1
		   : __real_syscall(n, fd, path, how, size);
}

static int
setup(void **state)
{
	(void)state;
	release = NULL;
	direct_errno = write_errno = reserve_errno = 0;
	fdatasync_errno = syncfs_errno = openat2_errno = 0;
	direct_max = SIZE_MAX;
	n_direct = n_buffered = n_fdatasync = n_syncfs = 0;
	/* Not below /tmp, which may be in memory and know no O_DIRECT. */
	strcpy(dir, "/var/tmp/test-tree.XXXXXX");
	content = aligned_alloc(TREE_ALIGN, 2 * MIB);
	if (content == NULL || mkdtemp(dir) == NULL)
		return -1;
	for (size_t k = 0; k < 2 * MIB; k++)
		content[k] = (unsigned char)(k * 31 + (k >> 12));
	return 0;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	tree_free(tree);
	tree = NULL;
	free(content);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

static void
begin(void)
{
	struct fault f = FAULT_INIT;

	assert_int_equal(tree_new(&tree, dir, NULL, 0, NULL, &f), 0);
}

/* content as the file "name", in steps, from its end to its beginning. */
static int
write_file(const char *name, uint32_t size, uint32_t step, struct fault *f)
{
	struct manifest_piece p = {
	    .path = name, .mode = 0600, .file_size = size};
	struct tree_file w = TREE_FILE_INIT;
	uint32_t at;
	int rc = 0;

	for (at = (size - 1) / step * step; rc == 0; at -= step) {
		p.file_offset = at;
		p.length = size - at < step ? size - at : step;
		rc = tree_file_write(tree, &w, &p, content + at, f);
		if (at == 0)
			break;
	}
	if (rc == 0)
		rc = tree_file_close(tree, &w, f);
	if (w.fd >= 0)
		close(w.fd);
	if (rc == 0)
		rc = tree_sync(tree, f);
	return rc;
}

static void
check_file(const char *name, size_t size)
{
	unsigned char *data = malloc(size + 1);
	char path[128];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_non_null(data);
	assert_int_equal(read(fd, data, size + 1), size);
	assert_memory_equal(data, content, size);
	free(data);
	close(fd);
}

/* Written in such steps, it is there. */
static void
comes_back(const char *name, uint32_t size, uint32_t step)
{
	struct fault f = FAULT_INIT;

	assert_int_equal(write_file(name, size, step, &f), 0);
	check_file(name, size);
}

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

/* ---- a tree that was there ---- */

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
	    TEST(only_the_very_bytes_count_as_held),
	    TEST(what_has_a_second_name_is_not_written_to),
	    TEST(what_is_no_file_makes_way),
	    TEST(no_folder_is_reached_through_a_link),
	    TEST(what_is_not_named_goes),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
