#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdio.h"
#include "tree_core.h"

/* Large pieces go past the page cache: into it a restore writes faster than
 * the disk, until the kernel makes it wait for longer than the disk takes, and
 * what it holds is copied once more. From this size on, and aligned so: */
#define DIRECT_MIN (64U << 10)

int
tree_file_close(struct tree *t, struct tree_file *w, struct fault *f)
{
	int fd = w->fd;

	if (fd < 0)
		return 0;
	w->fd = -1;
	if (t->sync_files && fdatasync(fd) != 0) {
		int e = errno;

		close(fd);
		return fault_errno(f, e, "%s/%s: sync", t->root, w->path);
	}
	return fdio_close(fd, w->path, f);
}

/* A file that even its owner must not write, and that is there already: its
 * other pieces came first. It is writable for as long as opening takes. */
static int
open_read_only(struct tree *t, int below, const char *rest, mode_t mode)
{
	int probe, fd = -1, e;

	pthread_mutex_lock(&t->lock);
	probe = tree_path_open(below, rest, O_RDONLY, 0);
	if (probe >= 0 && fchmod(probe, mode | 0200) == 0) {
		fd = tree_path_open(below, rest, O_WRONLY, 0);
		e = errno;
		if (fchmod(probe, mode) != 0 && fd >= 0) {
			e = errno;
			close(fd);
			fd = -1;
		}
		errno = e;
	}
	e = errno;
	if (probe >= 0)
		close(probe);
	pthread_mutex_unlock(&t->lock);
	errno = e;
	return fd;
}

/* Room for all of a file that is written piece by piece: in one stretch, and
 * missing now rather than later. */
static int
reserve(struct tree *t, int fd, const struct manifest_piece *p, struct fault *f)
{
	struct stat st;
	int rc;

	if (p->file_size == p->length)
		return 0;
	if (fstat(fd, &st) != 0)
		return fault_errno(f, errno, "%s/%s", t->root, p->path);
	if ((uint64_t)st.st_size >= p->file_size)
		return 0;
	do
		rc = fallocate(fd, 0, 0, (off_t)p->file_size);
	while (rc != 0 && errno == EINTR);
	if (rc != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
		return fault_errno(f, errno, "%s/%s", t->root, p->path);
	return 0;
}

/* Make w the file of this piece. Pieces of one file may be written by several
 * threads, so whoever comes first creates it. */
static int
switch_to(struct tree *t, struct tree_file *w, const struct manifest_piece *p,
    struct fault *f)
{
	const char *rest;
	int fd;
	int rc;

	if (w->fd >= 0 && strcmp(w->path, p->path) == 0)
		return 0;
	rc = tree_file_close(t, w, f);
	if (rc != 0)
		return rc;
	rc = tree_path_locate(t, p->path, &fd, &rest, f);
	if (rc != 0)
		return rc;
	w->fd = tree_path_open(fd, rest, O_WRONLY | O_CREAT, p->mode & 0777);
	if (w->fd < 0 && errno == EACCES && (p->mode & 0200) == 0)
		w->fd = open_read_only(t, fd, rest, p->mode & 0777);
	if (w->fd < 0)
		return fault_errno(f, errno, "%s/%s", t->root, p->path);
	w->direct = false;
	snprintf(w->path, sizeof w->path, "%s", p->path);
	return reserve(t, w->fd, p, f);
}

/* Set or clear O_DIRECT; false when it cannot be had. */
static bool
set_direct(struct tree *t, struct tree_file *w, bool on)
{
	int flags;

	if (w->direct == on)
		return true;
	flags = fcntl(w->fd, F_GETFL);
	flags = on ? flags | O_DIRECT : flags & ~O_DIRECT;
	if (fcntl(w->fd, F_SETFL, flags) == 0)
		w->direct = on;
	else if (on)
		atomic_store(&t->no_direct, true);
	return w->direct == on;
}

static bool
fits_direct(const struct tree *t, const struct manifest_piece *p,
    const unsigned char *content)
{
	return !atomic_load(&t->no_direct) && p->length >= DIRECT_MIN &&
	       p->length % TREE_ALIGN == 0 &&
	       p->file_offset % TREE_ALIGN == 0 &&
	       (uintptr_t)content % TREE_ALIGN == 0;
}

int
tree_file_write(struct tree *t, struct tree_file *w,
    const struct manifest_piece *p, const unsigned char *content,
    struct fault *f)
{
	int rc = switch_to(t, w, p, f);

	if (rc != 0)
		return rc;
	if (fits_direct(t, p, content) && set_direct(t, w, true)) {
		ssize_t n =
		    pwrite(w->fd, content, p->length, (off_t)p->file_offset);

		if (n == (ssize_t)p->length)
			return 0;
		/* Cut short, interrupted, or other alignment is asked for: the
		 * other way says what is wrong, if anything is. */
		if (n < 0 && errno == EINVAL)
			atomic_store(&t->no_direct, true);
	}
	if (!set_direct(t, w, false))
		return fault_errno(f, errno, "%s/%s", t->root, p->path);
	return fdio_pwrite(
	    w->fd, p->path, content, p->length, p->file_offset, f);
}
