#ifndef STORE_FILE_FAULTS_H
#define STORE_FILE_FAULTS_H

/*
 * System calls that fail as a test wants. Each has a plan: let skip calls go
 * well, then fail times of them with error; 0: never. calls records what was
 * done, one letter each, as far as it matters for what is on disk:
 * w write, d fdatasync, s fsync of a file, S of a folder, l link, r rename,
 * m mkdir. kill_in ends the process before so many of these calls, and of those
 * that open something, are made.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct faults_plan {
	int error;
	int skip;
	int times;
};

static struct {
	struct faults_plan write, fsync, fdatasync, link, rename, pread;
	struct faults_plan openat;  /* of folders and objects */
	struct faults_plan tmpfile; /* O_TMPFILE */
	size_t short_write;         /* never more at once; 0: as asked */
	int link_anyway;            /* carry it out, then fail */
	int mkdir_lost;             /* so many folders go as they come */
	int kill_in;                /* 0: not at all */
	int record;
	char calls[256];
} faults;

static int
faults_due(struct faults_plan *p)
{
	if (p->times == 0)
		return 0;
	if (p->skip > 0) {
		p->skip--;
		return 0;
	}
	p->times--;
	errno = p->error;
	return 1;
}

static void
faults_step(void)
{
	if (faults.kill_in > 0 && --faults.kill_in == 0)
		raise(SIGKILL);
}

static void
faults_note(char c)
{
	size_t n = strlen(faults.calls);

	faults_step();
	if (faults.record && n + 1 < sizeof(faults.calls)) {
		faults.calls[n] = c;
		faults.calls[n + 1] = '\0';
	}
}

static void
faults_clear(void)
{
	memset(&faults, 0, sizeof(faults));
}

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	if (fd <= 2)
		return __real_write(fd, p, n);
	faults_note('w');
	if (faults_due(&faults.write))
		return -1;
	if (faults.short_write && n > faults.short_write)
		n = faults.short_write;
	return __real_write(fd, p, n);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int
__wrap_fsync(int fd)
{
	struct stat st;

	faults_note(fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? 'S' : 's');
	return faults_due(&faults.fsync) ? -1 : __real_fsync(fd);
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int
__wrap_fdatasync(int fd)
{
	faults_note('d');
	return faults_due(&faults.fdatasync) ? -1 : __real_fdatasync(fd);
}

int __real_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags);
int
__wrap_linkat(int a, const char *from, int b, const char *to, int flags)
{
	faults_note('l');
	if (faults_due(&faults.link)) {
		int e = errno;

		if (faults.link_anyway)
			__real_linkat(a, from, b, to, flags);
		errno = e;
		return -1;
	}
	return __real_linkat(a, from, b, to, flags);
}

int __real_renameat2(
    int a, const char *from, int b, const char *to, unsigned flags);
int __wrap_renameat2(
    int a, const char *from, int b, const char *to, unsigned flags);
int
__wrap_renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
	faults_note('r');
	return faults_due(&faults.rename)
		   ? -1
		   : __real_renameat2(a, from, b, to, flags);
}

int __real_mkdirat(int at, const char *path, mode_t mode);
int __wrap_mkdirat(int at, const char *path, mode_t mode);
int
__wrap_mkdirat(int at, const char *path, mode_t mode)
{
	int rc = __real_mkdirat(at, path, mode);

	faults_note('m');
	if (rc == 0 && faults.mkdir_lost > 0) {
		faults.mkdir_lost--;
		unlinkat(at, path, AT_REMOVEDIR);
	}
	return rc;
}

int __real_openat(int at, const char *path, int flags, ...);
int __wrap_openat(int at, const char *path, int flags, ...);
int
__wrap_openat(int at, const char *path, int flags, ...)
{
	mode_t mode = 0;
	int temp = (flags & O_TMPFILE) == O_TMPFILE;

	if (temp || (flags & O_CREAT)) {
		va_list ap;

		va_start(ap, flags);
		mode = (mode_t)va_arg(ap, int);
		va_end(ap);
	}
	faults_step();
	if (temp ? faults_due(&faults.tmpfile)
		 : !(flags & O_CREAT) && faults_due(&faults.openat))
		return -1;
	return __real_openat(at, path, flags, mode);
}

ssize_t __real_pread(int fd, void *p, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t at);
ssize_t
__wrap_pread(int fd, void *p, size_t n, off_t at)
{
	return faults_due(&faults.pread) ? -1 : __real_pread(fd, p, n, at);
}

#endif
