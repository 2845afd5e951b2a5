#ifndef FDIO_WORLD_H
#define FDIO_WORLD_H

/* A system that interrupts, gives little and fails. */

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

static inline int
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

static inline int
calm(void **state)
{
	(void)state;
	memset(&sys, 0, sizeof(sys));
	fault_clear(&f);
	return 0;
}

static inline char *
in_dir(const char *name)
{
	char *p = fdio_join(dir, name);

	assert_non_null(p);
	return p;
}

static inline size_t
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

static inline int
begin(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/pitrkit-fdio.XXXXXX");
	return mkdtemp(dir) == NULL;
}

static inline int
end(void **state)
{
	char command[128];

	calm(state);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

#define T(name) cmocka_unit_test_setup(name, calm)

#endif
