#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int
fdio_open_read(const char *path, int *fd, struct fault *f)
{
	int r, e;

	do
		r = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (r < 0 && errno == EINTR);
	if (r < 0) {
		e = errno;
		fault_errno(f, e, "%s", path);
		/* Only ENOENT proves absence: ENOTDIR or EACCES do not. */
		return e == ENOENT ? fault_recode(f, FAULT_ABSENT)
				   : FAULT_SYSTEM;
	}
	*fd = r;
	return 0;
}

int
fdio_size(int fd, const char *path, uint64_t *size, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fault_errno(f, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return fault_set(
		    f, FAULT_SYSTEM, "%s: not a regular file", path);
	*size = (uint64_t)st.st_size;
	return 0;
}

int
fdio_read(int fd, const char *path, void *data, size_t n, size_t *got,
    struct fault *f)
{
	unsigned char *p = data;
	size_t done = 0;
	ssize_t r;

	while (done < n) {
		r = read(fd, p + done, n - done);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return fault_errno(f, errno, "%s: read", path);
		if (r == 0)
			break;
		done += (size_t)r;
	}
	*got = done;
	return 0;
}

static int
too_far(const char *path, size_t n, uint64_t offset, struct fault *f)
{
	if (offset > INT64_MAX || n > (uint64_t)INT64_MAX - offset)
		return fault_errno(f, EOVERFLOW, "%s", path);
	return 0;
}

int
fdio_pread(int fd, const char *path, void *data, size_t n, uint64_t offset,
    size_t *got, struct fault *f)
{
	unsigned char *p = data;
	size_t done = 0;
	ssize_t r;

	if (too_far(path, n, offset, f) != 0)
		return FAULT_SYSTEM;
	while (done < n) {
		r = pread(fd, p + done, n - done, (off_t)(offset + done));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return fault_errno(f, errno, "%s: read", path);
		if (r == 0)
			break;
		done += (size_t)r;
	}
	*got = done;
	return 0;
}

/* A write of nothing would go on for ever: it counts as an I/O error. */
int
fdio_write(
    int fd, const char *path, const void *data, size_t n, struct fault *f)
{
	const unsigned char *p = data;
	ssize_t r;

	while (n > 0) {
		r = write(fd, p, n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return fault_errno(
			    f, r < 0 ? errno : EIO, "%s: write", path);
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

int
fdio_pwrite(int fd, const char *path, const void *data, size_t n,
    uint64_t offset, struct fault *f)
{
	const unsigned char *p = data;
	ssize_t r;

	if (too_far(path, n, offset, f) != 0)
		return FAULT_SYSTEM;
	while (n > 0) {
		r = pwrite(fd, p, n, (off_t)offset);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return fault_errno(
			    f, r < 0 ? errno : EIO, "%s: write", path);
		p += r;
		n -= (size_t)r;
		offset += (uint64_t)r;
	}
	return 0;
}

/* After a failed fsync the kernel may have dropped the pages and a second one
 * succeed: so there is no second one, whatever the error. */
int
fdio_sync(int fd, const char *path, struct fault *f)
{
	if (fsync(fd) != 0)
		return fault_errno(f, errno, "%s: fsync", path);
	return 0;
}

/* On Linux the descriptor is gone even after EINTR. */
int
fdio_close(int fd, const char *path, struct fault *f)
{
	if (close(fd) != 0 && errno != EINTR)
		return fault_errno(f, errno, "%s: close", path);
	return 0;
}
