#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
fdio_open_own(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid())
		return fd;
	close(fd);
	return -1;
}

int
fdio_sync_dir(const char *path, struct fault *f)
{
	int fd, r;

	do
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return fault_errno(f, errno, "%s", path);
	r = fdio_sync(fd, path, f);
	close(fd);
	return r;
}

char *
fdio_folder(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	return n == 0 ? strdup(".") : strndup(path, n);
}

bool
fdio_lies_in(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 0 && dir[n - 1] == '/')
		n--;
	return strncmp(path, dir, n) == 0 &&
	       (path[n] == '/' || path[n] == '\0');
}

int
fdio_sync_parent(const char *path, struct fault *f)
{
	char *dir = fdio_folder(path);
	int r;

	if (dir == NULL)
		return fault_nomem(f);
	r = fdio_sync_dir(dir, f);
	free(dir);
	return r;
}

/* Old copies are wiped: the file may hold a secret. */
static int
slurp_grow(unsigned char **p, size_t *cap, size_t used, size_t limit)
{
	size_t want = *cap > limit / 2 ? limit + 1 : *cap * 2;
	unsigned char *bigger = malloc(want + 1);

	if (bigger == NULL)
		return -1;
	memcpy(bigger, *p, used);
	explicit_bzero(*p, used);
	free(*p);
	*p = bigger;
	*cap = want;
	return 0;
}

/* Reads one byte more than the limit to see whether there is one. */
static int
slurp_fd(int fd, const char *path, size_t limit, size_t hint,
    unsigned char **data, size_t *len, struct fault *f)
{
	size_t cap = hint < limit ? hint + 1 : limit + 1, used = 0, got;
	unsigned char *p = malloc(cap + 1);
	int r;

	if (p == NULL)
		return fault_nomem(f);
	for (;;) {
		r = fdio_read(fd, path, p + used, cap - used, &got, f);
		if (r != 0)
			goto fail;
		used += got;
		if (used > limit) {
			r = fault_set(f, FAULT_CORRUPT,
			    "%s: longer than %zu bytes", path, limit);
			goto fail;
		}
		if (used < cap)
			break;
		if (slurp_grow(&p, &cap, used, limit) != 0) {
			r = fault_nomem(f);
			goto fail;
		}
	}
	p[used] = '\0';
	*data = p;
	*len = used;
	return 0;
fail:
	explicit_bzero(p, used);
	free(p);
	return r;
}

int
fdio_slurp(const char *path, size_t limit, unsigned char **data, size_t *len,
    struct fault *f)
{
	size_t hint = 4095;
	struct stat st;
	int fd, r;

	if (limit > SIZE_MAX - 2)
		limit = SIZE_MAX - 2;
	r = fdio_open_read(path, &fd, f);
	if (r != 0)
		return r;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		hint = (size_t)st.st_size;
	r = slurp_fd(fd, path, limit, hint, data, len, f);
	close(fd);
	return r;
}

/* Makes the folder path[0 .. n) when it is not there, and syncs its parent.
 * One that somebody else makes at the same time is as good. */
static int
make_one(char *path, size_t n, mode_t mode, struct fault *f)
{
	char saved = path[n];
	struct stat st;
	int r = 0;

	path[n] = '\0';
	if (stat(path, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			r = fault_errno(f, ENOTDIR, "%s", path);
	} else if (errno != ENOENT)
		r = fault_errno(f, errno, "%s", path);
	else if (mkdir(path, mode) != 0 && errno != EEXIST)
		r = fault_errno(f, errno, "%s: mkdir", path);
	else
		r = fdio_sync_parent(path, f);
	path[n] = saved;
	return r;
}

int
fdio_mkdirs(const char *path, mode_t mode, struct fault *f)
{
	struct stat st;
	char *copy;
	size_t n;
	int r = 0;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	copy = strdup(path);
	if (copy == NULL)
		return fault_nomem(f);
	for (n = 1; r == 0 && copy[0] != '\0'; n++) {
		if (copy[n] != '/' && copy[n] != '\0')
			continue;
		if (copy[n - 1] != '/')
			r = make_one(copy, n, mode, f);
		if (copy[n] == '\0')
			break;
	}
	/* A file that appeared under the name in between. */
	if (r == 0 && (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
		r = fault_errno(f, ENOTDIR, "%s", path);
	free(copy);
	return r;
}

char *
fdio_join(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	char *p;

	while (na > 0 && a[na - 1] == '/')
		na--;
	if (na > SIZE_MAX - 2 - nb)
		return NULL;
	p = malloc(na + nb + 2);
	if (p == NULL)
		return NULL;
	memcpy(p, a, na);
	p[na] = '/';
	memcpy(p + na + 1, b, nb + 1);
	return p;
}
