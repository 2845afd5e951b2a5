#include "archive_dest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "walname.h"

#define DEST_PROC 40
#define DEST_ROOM_MIN (1U << 20) /* less is not worth the call */

/* Gets its name by /proc: without that (a chroot, a container) it could get
 * none. */
static void
dest_proc(int fd, char path[DEST_PROC])
{
	snprintf(path, DEST_PROC, "/proc/self/fd/%d", fd);
}

static int
dest_unnamed(const char *path)
{
	char *folder = fdio_folder(path), proc[DEST_PROC];
	int fd;

	if (folder == NULL)
		return -1;
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	free(folder);
	if (fd < 0)
		return -1;
	dest_proc(fd, proc);
	if (access(proc, F_OK) == 0)
		return fd;
	close(fd);
	return -1;
}

int
archive_dest_begin(struct archive_dest *d, const char *path, struct fault *f)
{
	d->path = path;
	d->fd = dest_unnamed(path);
	if (d->fd >= 0)
		return 0;
	return fdio_atomic_begin(&d->named, path, 0600, f);
}

static int
dest_fd(const struct archive_dest *d)
{
	return d->fd >= 0 ? d->fd : d->named.fd;
}

/* Without it ext4 reserves block by block as it is written to, which takes as
 * long as copying the content. Its length stays that of what is written. */
void
archive_dest_expect(const struct archive_dest *d, uint64_t size)
{
	if (size >= DEST_ROOM_MIN && size <= WALNAME_SEGMENT_MAX)
		(void)fallocate(
		    dest_fd(d), FALLOC_FL_KEEP_SIZE, 0, (off_t)size);
}

int
archive_dest_write(
    void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	const struct archive_dest *d = ctx;

	return fdio_write(dest_fd(d), d->path, data, len, f);
}

/* link(2) replaces nothing: a name of its own first, if the one wanted is
 * taken. (PostgreSQL removes the old file before it asks, so mostly it is
 * not.) */
static int
dest_link(const struct archive_dest *d, struct fault *f)
{
	char from[DEST_PROC], *temp;
	int rc = 0;

	dest_proc(d->fd, from);
	if (linkat(AT_FDCWD, from, AT_FDCWD, d->path, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != EEXIST)
		return fault_errno(f, errno, "%s: link", d->path);
	if (asprintf(&temp, "%s.pitrkit-%ld", d->path, (long)getpid()) < 0)
		return fault_nomem(f);
	if (unlink(temp) != 0 && errno != ENOENT)
		rc = fault_errno(f, errno, "%s: unlink", temp);
	else if (linkat(AT_FDCWD, from, AT_FDCWD, temp, AT_SYMLINK_FOLLOW) != 0)
		rc = fault_errno(f, errno, "%s: link", temp);
	else if (rename(temp, d->path) != 0) {
		rc = fault_errno(f, errno, "%s: rename", d->path);
		unlink(temp);
	}
	free(temp);
	return rc;
}

int
archive_dest_publish(struct archive_dest *d, struct fault *f)
{
	int fd = d->fd, rc;

	if (fd < 0)
		return fdio_atomic_publish(&d->named, 0, f);
	rc = dest_link(d, f);
	if (rc != 0)
		return rc;
	/* A late EIO or ENOSPC (NFS) comes with close: then what has the name
	 * is not what was written. */
	d->fd = -1;
	rc = fdio_close(fd, d->path, f);
	if (rc != 0)
		unlink(d->path);
	return rc;
}

void
archive_dest_abort(struct archive_dest *d)
{
	if (d->fd >= 0)
		close(d->fd);
	else
		fdio_atomic_abort(&d->named);
	d->fd = -1;
}
