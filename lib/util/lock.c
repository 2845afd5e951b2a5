#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static int
lock_open(const char *path, int flags, int *fd, struct fault *f)
{
	int p, r;

	do
		p = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	while (p < 0 && errno == EINTR);
	if (p < 0 && errno == ENOENT && (flags & O_CREAT) == 0)
		return fault_set(f, FAULT_ABSENT, "%s: is not there", path);
	if (p < 0)
		return fault_errno(f, errno, "%s", path);
	do
		r = flock(p, LOCK_EX | LOCK_NB);
	while (r != 0 && errno == EINTR);
	if (r != 0) {
		r = errno == EWOULDBLOCK
			? fault_set(f, FAULT_EXISTS,
			      "%s: locked by another process", path)
			: fault_errno(f, errno, "%s: lock", path);
		close(p);
		return r;
	}
	*fd = p;
	return 0;
}

/* The file stays when the lock is released: removing it would let two
 * processes each hold a lock on a file of that name. */
int
lock_take(const char *path, int *fd, struct fault *f)
{
	return lock_open(path, O_RDWR | O_CREAT, fd, f);
}

int
lock_take_folder(const char *path, int *fd, struct fault *f)
{
	return lock_open(path, O_RDONLY | O_DIRECTORY, fd, f);
}

void
lock_release(int fd)
{
	if (fd >= 0)
		close(fd);
}
