/*
 * LD_PRELOAD: of the calls that change something below the directory FAILCALL,
 * number FAILCALL_N says FAILCALL_ERRNO and does nothing; each is counted by a
 * byte that is added to the file FAILCALL_COUNT.  FAILCALL_LOG: which it was.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_ulong calls;

static bool
is_below(const char *path)
{
	const char *dir = getenv("FAILCALL");
	size_t n = dir == NULL ? 0 : strlen(dir);

	return n > 0 && strncmp(path, dir, n) == 0;
}

static bool
fails_at(int fd, const char *name, const char *what)
{
	const char *count = getenv("FAILCALL_COUNT"), *n = getenv("FAILCALL_N");
	const char *log = getenv("FAILCALL_LOG");
	char link[64], path[PATH_MAX] = "", line[PATH_MAX + 64];
	unsigned long number;
	ssize_t len;
	int out;

	if (name == NULL || name[0] != '/') {
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		len = readlink(fd == AT_FDCWD ? "/proc/self/cwd" : link, path,
		    sizeof path - 1);
		if (len < 0)
			return false;
		name = name == NULL ? "" : name;
	}
	snprintf(line, sizeof line, "%s %s%s%s\n", what, path,
	    path[0] != '\0' ? "/" : "", name);
	if (!is_below(strchr(line, ' ') + 1))
		return false;
	number = atomic_fetch_add(&calls, 1) + 1;
	if (count != NULL &&
	    (out = open(count, O_WRONLY | O_APPEND | O_CLOEXEC)) >= 0) {
		(void)!syscall(SYS_write, out, "x", 1);
		close(out);
	}
	if (n == NULL || number != strtoul(n, NULL, 10))
		return false;
	if (log != NULL &&
	    (out = open(log, O_WRONLY | O_APPEND | O_CLOEXEC)) >= 0) {
		(void)!syscall(SYS_write, out, line, strlen(line));
		close(out);
	}
	errno = atoi(getenv("FAILCALL_ERRNO"));
	return true;
}

#define REAL(name) *(void **)(&real) = dlsym(RTLD_NEXT, #name)
#define BY_FD(name, declared, passed, type)                                    \
	type name declared                                                     \
	{                                                                      \
		type(*real) declared;                                          \
                                                                               \
		REAL(name);                                                    \
		return fails_at(fd, NULL, #name) ? -1 : real passed;           \
	}
#define BY_NAME(name, at, path, declared, passed)                              \
	int name declared                                                      \
	{                                                                      \
		int(*real) declared;                                           \
                                                                               \
		REAL(name);                                                    \
		return fails_at(at, path, #name) ? -1 : real passed;           \
	}

BY_FD(write, (int fd, const void *p, size_t n), (fd, p, n), ssize_t)
BY_FD(
    pwrite, (int fd, const void *p, size_t n, off_t o), (fd, p, n, o), ssize_t)
BY_FD(pwrite64, (int fd, const void *p, size_t n, off_t o), (fd, p, n, o),
    ssize_t)
BY_FD(fsync, (int fd), (fd), int)
BY_FD(fdatasync, (int fd), (fd), int)
BY_FD(syncfs, (int fd), (fd), int)
BY_FD(fchmod, (int fd, mode_t m), (fd, m), int)
BY_FD(ftruncate, (int fd, off_t n), (fd, n), int)
BY_FD(ftruncate64, (int fd, off_t n), (fd, n), int)
BY_FD(fallocate, (int fd, int mode, off_t a, off_t n), (fd, mode, a, n), int)
BY_FD(fallocate64, (int fd, int mode, off_t a, off_t n), (fd, mode, a, n), int)
BY_NAME(mkdir, AT_FDCWD, p, (const char *p, mode_t m), (p, m))
BY_NAME(mkdirat, fd, p, (int fd, const char *p, mode_t m), (fd, p, m))
BY_NAME(
    fchmodat, fd, p, (int fd, const char *p, mode_t m, int f), (fd, p, m, f))
BY_NAME(unlink, AT_FDCWD, p, (const char *p), (p))
BY_NAME(unlinkat, fd, p, (int fd, const char *p, int f), (fd, p, f))
BY_NAME(symlinkat, fd, p, (const char *to, int fd, const char *p), (to, fd, p))
BY_NAME(rename, AT_FDCWD, b, (const char *a, const char *b), (a, b))
BY_NAME(renameat2, fd, b,
    (int c, const char *a, int fd, const char *b, unsigned f), (c, a, fd, b, f))
BY_NAME(linkat, fd, b, (int c, const char *a, int fd, const char *b, int f),
    (c, a, fd, b, f))

static mode_t
mode_of(int flags, va_list ap)
{
	return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(ap, mode_t) : 0;
}

#define OPENS(name)                                                            \
	int name(const char *p, int flags, ...)                                \
	{                                                                      \
		int (*real)(const char *, int, ...);                           \
		mode_t mode;                                                   \
		va_list ap;                                                    \
                                                                               \
		va_start(ap, flags);                                           \
		mode = mode_of(flags, ap);                                     \
		va_end(ap);                                                    \
		REAL(name);                                                    \
		if ((flags & O_CREAT) != 0 && fails_at(AT_FDCWD, p, #name))    \
			return -1;                                             \
		return real(p, flags, mode);                                   \
	}
#define OPENS_AT(name)                                                         \
	int name(int fd, const char *p, int flags, ...)                        \
	{                                                                      \
		int (*real)(int, const char *, int, ...);                      \
		mode_t mode;                                                   \
		va_list ap;                                                    \
                                                                               \
		va_start(ap, flags);                                           \
		mode = mode_of(flags, ap);                                     \
		va_end(ap);                                                    \
		REAL(name);                                                    \
		if ((flags & O_CREAT) != 0 && fails_at(fd, p, #name))          \
			return -1;                                             \
		return real(fd, p, flags, mode);                               \
	}
OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)

/* openat2 has no function of its own. */
long
syscall(long number, ...)
{
	long (*real)(long, ...);
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	REAL(syscall);
	if (number == SYS_openat2 &&
	    (((const struct open_how *)a[2])->flags & O_CREAT) != 0 &&
	    fails_at((int)a[0], (const char *)a[1], "openat2"))
		return -1;
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
