#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
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
 * other pieces came first. It is writable for as long as opening takes. The
 * caller has the lock. */
static int
open_read_only(int below, const char *rest, int flags, mode_t mode)
{
	int probe, fd = -1, e;

	probe = tree_path_open(below, rest, O_RDONLY | O_NONBLOCK, 0);
	if (probe >= 0 && fchmod(probe, mode | 0600) == 0) {
		fd = tree_path_open(below, rest, flags & ~O_CREAT, 0);
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
	errno = e;
	return fd;
}

/* In a new tree: whoever comes first creates the file. */
static int
open_new(struct tree *t, int below, const char *rest, mode_t mode)
{
	int flags = O_WRONLY | O_CREAT;
	int fd = tree_path_open(below, rest, flags, mode);

	if (fd < 0 && errno == EACCES && (mode & 0200) == 0) {
		pthread_mutex_lock(&t->lock);
		fd = open_read_only(below, rest, flags, mode);
		pthread_mutex_unlock(&t->lock);
	}
	return fd;
}

/* Is it a file, and under this name only? A second name may be a copy that
 * somebody keeps of the whole directory. */
static bool
is_own_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1;
}

/* What is there and no file of its own makes way. The caller has the lock. */
static int
open_anew(
    struct tree *t, const char *path, mode_t mode, int *out, struct fault *f)
{
	const char *name;
	int fd;
	int rc = tree_path_parent(t, path, &fd, &name, f);

	if (rc != 0)
		return rc;
	rc = tree_sweep_remove(fd, name, f);
	if (rc == 0) {
		*out = openat(fd, name,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (*out < 0)
			rc = fault_errno(f, errno, "%s/%s", t->root, path);
	}
	close(fd);
	return rc;
}

static int
fit(const struct tree *t, int fd, const struct manifest_piece *p,
    struct fault *f)
{
	mode_t mode = p->mode & 0777;
	struct stat st;

	if (fstat(fd, &st) != 0 ||
	    ((uint64_t)st.st_size != p->file_size &&
		ftruncate(fd, (off_t)p->file_size) != 0) ||
	    ((st.st_mode & 07777) != mode && fchmod(fd, mode) != 0))
		return fault_errno(f, errno, "%s/%s", t->root, p->path);
	return 0;
}

/* In a tree that was there: the file with the size and the mode it must have.
 * Under the lock, so that all threads mean the same file. */
static int
open_existing(struct tree *t, int below, const char *rest,
    const struct manifest_piece *p, int *out, struct fault *f)
{
	int flags = O_RDWR | O_CREAT | O_NONBLOCK | O_NOCTTY;
	mode_t mode = p->mode & 0777;
	int fd;
	int rc = 0;

	pthread_mutex_lock(&t->lock);
	fd = tree_path_open(below, rest, flags, mode);
	if (fd < 0 && errno == EACCES)
		fd = open_read_only(below, rest, flags, mode);
	if (fd < 0 && (errno == EACCES || errno == ENOENT || errno == EROFS))
		rc = fault_errno(f, errno, "%s/%s", t->root, p->path);
	else if (fd < 0 || !is_own_file(fd)) {
		if (fd >= 0)
			close(fd);
		fd = -1;
		rc = open_anew(t, p->path, mode, &fd, f);
	}
	if (rc == 0)
		rc = fit(t, fd, p, f);
	pthread_mutex_unlock(&t->lock);
	if (rc == 0)
		*out = fd;
	else if (fd >= 0)
		close(fd);
	return rc;
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
	w->direct = false;
	snprintf(w->path, sizeof w->path, "%s", p->path);
	if (t->existing)
		return open_existing(t, fd, rest, p, &w->fd, f);
	w->fd = open_new(t, fd, rest, p->mode & 0777);
	if (w->fd < 0)
		return fault_errno(f, errno, "%s/%s", t->root, p->path);
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

int
tree_file_holds(struct tree *t, struct tree_file *w,
    const struct manifest_piece *p, unsigned char *buffer, bool *holds,
    struct fault *f)
{
	struct fault unread = FAULT_INIT;
	unsigned char xxh[MANIFEST_XXH];
	ssize_t n = -1;
	size_t got = 0;
	int rc = switch_to(t, w, p, f);

	if (rc != 0)
		return rc;
	if (fits_direct(t, p, buffer) && set_direct(t, w, true))
		n = pread(w->fd, buffer, p->length, (off_t)p->file_offset);
	if (n == (ssize_t)p->length)
		got = p->length;
	else if (!set_direct(t, w, false))
		return fault_errno(f, errno, "%s/%s", t->root, p->path);
	/* What cannot be read is not there: it is written again. */
	else if (fdio_pread(w->fd, p->path, buffer, p->length, p->file_offset,
		     &got, &unread) != 0)
		got = 0;
	*holds = false;
	if (got == p->length) {
		crypto_xxh(buffer, got, xxh);
		*holds = memcmp(xxh, p->xxh, sizeof xxh) == 0;
	}
	return 0;
}
