/*
 * LD_PRELOAD: below the directory DISKFULL is room for DISKFULL_BYTES; write(2)
 * and pwrite(2) say ENOSPC for what would be more. It stands for a file system
 * of that size, which takes rights that a test does not have everywhere.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static off_t used;

static int
add(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)path;
	(void)at;
	if (type == FTW_F)
		used += st->st_size;
	return 0;
}

/* A file that has no name yet is not found by its folder. */
static off_t
unnamed(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0 ? st.st_size : 0;
}

static bool
has_room(int fd, size_t n)
{
	const char *dir = getenv("DISKFULL"), *most = getenv("DISKFULL_BYTES");
	char link[64], path[4096];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (dir != NULL && most != NULL && len > (ssize_t)strlen(dir) &&
	    strncmp(path, dir, strlen(dir)) == 0 && path[strlen(dir)] == '/') {
		used = unnamed(fd);
		(void)nftw(dir, add, 16, FTW_PHYS);
		if (used + (off_t)n > atoll(most)) {
			errno = ENOSPC;
			return false;
		}
	}
	return true;
}

ssize_t
write(int fd, const void *data, size_t n)
{
	ssize_t (*real)(int, const void *, size_t);

	*(void **)&real = dlsym(RTLD_NEXT, "write");
	return has_room(fd, n) ? real(fd, data, n) : -1;
}

ssize_t
pwrite(int fd, const void *data, size_t n, off_t at)
{
	ssize_t (*real)(int, const void *, size_t, off_t);

	*(void **)&real = dlsym(RTLD_NEXT, "pwrite");
	return has_room(fd, n) ? real(fd, data, n, at) : -1;
}
