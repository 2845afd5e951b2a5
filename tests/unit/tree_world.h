#ifndef TREE_WORLD_H
#define TREE_WORLD_H

/* A tree of files, with a kernel and a file system that can do little. */

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

static inline int
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

static inline int
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

static inline void
begin(void)
{
	struct fault f = FAULT_INIT;

	assert_int_equal(tree_new(&tree, dir, NULL, 0, NULL, &f), 0);
}

/* content as the file "name", in steps, from its end to its beginning. */
static inline int
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

static inline void
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
static inline void
comes_back(const char *name, uint32_t size, uint32_t step)
{
	struct fault f = FAULT_INIT;

	assert_int_equal(write_file(name, size, step, &f), 0);
	check_file(name, size);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
