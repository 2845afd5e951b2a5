#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of NAME as much as leaves room for the rest in the 255 bytes of a name. */
static char *
temp_name(const char *path)
{
	const char *base = strrchr(path, '/');
	uint64_t random;
	char *temp;

	base = base != NULL ? base + 1 : path;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
		errno = EIO;
		return NULL;
	}
	if (asprintf(&temp, "%.*s.%.200s.%ld.%016llx.tmp", (int)(base - path),
		path, base, (long)getpid(), (unsigned long long)random) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	return temp;
}

/* mode is meant as it stands, whatever the umask. */
int
fdio_atomic_begin(
    struct fdio_atomic *a, const char *path, mode_t mode, struct fault *f)
{
	int e;

	a->fd = -1;
	a->temp = NULL;
	a->path = strdup(path);
	if (a->path == NULL)
		return fault_nomem(f);
	a->temp = temp_name(path);
	if (a->temp == NULL)
		goto fail;
	do
		a->fd = open(a->temp,
		    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	while (a->fd < 0 && errno == EINTR);
	if (a->fd >= 0 && fchmod(a->fd, mode) == 0)
		return 0;
fail:
	e = errno;
	fault_errno(f, e, "%s: create", path);
	/* Not ours: fdio_atomic_abort must not remove it. */
	if (a->fd < 0) {
		free(a->temp);
		a->temp = NULL;
	}
	fdio_atomic_abort(a);
	return FAULT_SYSTEM;
}

/* Data first, name after: the other way round a crash could leave the name on
 * an empty file. */
static int
finish(struct fdio_atomic *a, int sync, struct fault *f)
{
	int r = 0, fd = a->fd;

	if (fd < 0)
		return fault_errno(f, EBADF, "%s", a->path);
	if (sync)
		r = fdio_sync(fd, a->path, f);
	if (r != 0)
		return r;
	a->fd = -1;
	return fdio_close(fd, a->path, f);
}

static void
forget(struct fdio_atomic *a)
{
	free(a->temp);
	free(a->path);
	a->temp = NULL;
	a->path = NULL;
	a->fd = -1;
}

static int
published(struct fdio_atomic *a, int sync, struct fault *f)
{
	int r = sync ? fdio_sync_parent(a->path, f) : 0;

	if (r == 0)
		forget(a);
	return r;
}

int
fdio_atomic_publish(struct fdio_atomic *a, int sync, struct fault *f)
{
	int r = finish(a, sync, f);

	if (r != 0)
		return r;
	if (rename(a->temp, a->path) != 0)
		return fault_errno(f, errno, "%s: rename", a->path);
	return published(a, sync, f);
}

/* NFS answers EEXIST when its reply was lost and it was asked again: then the
 * name is ours already. */
static int
same_file(const char *a, const char *b)
{
	struct stat x, y;

	return lstat(a, &x) == 0 && lstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

int
fdio_atomic_publish_new(struct fdio_atomic *a, int sync, struct fault *f)
{
	int r = finish(a, sync, f);

	if (r != 0)
		return r;
	r = link(a->temp, a->path);
	/* File systems without hard links. */
	if (r != 0 && (errno == EPERM || errno == EOPNOTSUPP ||
			  errno == ENOSYS || errno == EMLINK))
		r = renameat2(
		    AT_FDCWD, a->temp, AT_FDCWD, a->path, RENAME_NOREPLACE);
	if (r != 0 && errno == EEXIST) {
		if (!same_file(a->temp, a->path)) {
			fault_errno(f, EEXIST, "%s", a->path);
			return fault_recode(f, FAULT_EXISTS);
		}
		r = 0;
	}
	if (r != 0)
		return fault_errno(f, errno, "%s: link", a->path);
	if (unlink(a->temp) != 0 && errno != ENOENT)
		return fault_errno(f, errno, "%s: unlink", a->temp);
	return published(a, sync, f);
}

void
fdio_atomic_abort(struct fdio_atomic *a)
{
	if (a->fd >= 0)
		close(a->fd);
	if (a->temp != NULL)
		unlink(a->temp);
	forget(a);
}

int
fdio_atomic_put(const char *path, mode_t mode, const void *data, size_t n,
    int sync, struct fault *f)
{
	struct fdio_atomic a;
	int r = fdio_atomic_begin(&a, path, mode, f);

	if (r != 0)
		return r;
	r = fdio_write(a.fd, path, data, n, f);
	if (r == 0)
		r = fdio_atomic_publish(&a, sync, f);
	if (r != 0)
		fdio_atomic_abort(&a);
	return r;
}
