#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fdio.h"
#include "text.h"
#include "unpacker.h"

#define SPACE_FOLDER "pg_tblspc/"

struct place {
	uint32_t oid;
	char *dir;
	int fd;
};

struct tree {
	char *root;
	int fd;
	struct place *space;
	size_t n;
	pthread_mutex_t lock; /* a file's mode is not what it will be */
};

static int
open_dir(const char *path, int *fd, struct fault *f)
{
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return fault_errno(f, errno, "%s", path);
	return 0;
}

int
tree_new(struct tree **out, const char *root, const struct tree_space *spaces,
    size_t n, struct fault *f)
{
	struct tree *t = calloc(1, sizeof *t);
	size_t k;
	int rc = 0;

	if (t == NULL)
		return fault_nomem(f);
	t->fd = -1;
	pthread_mutex_init(&t->lock, NULL);
	t->root = strdup(root);
	t->space = calloc(n == 0 ? 1 : n, sizeof *t->space);
	if (t->root == NULL || t->space == NULL)
		rc = fault_nomem(f);
	if (rc == 0)
		rc = open_dir(root, &t->fd, f);
	for (k = 0; rc == 0 && k < n; k++) {
		struct place *p = &t->space[k];

		p->fd = -1;
		t->n = k + 1;
		p->oid = spaces[k].oid;
		p->dir = strdup(spaces[k].dir);
		rc = p->dir == NULL ? fault_nomem(f)
				    : open_dir(p->dir, &p->fd, f);
	}
	if (rc != 0) {
		tree_free(t);
		return rc;
	}
	*out = t;
	return 0;
}

void
tree_free(struct tree *t)
{
	size_t k;

	if (t == NULL)
		return;
	for (k = 0; t->space != NULL && k < t->n; k++) {
		if (t->space[k].fd >= 0)
			close(t->space[k].fd);
		free(t->space[k].dir);
	}
	if (t->fd >= 0)
		close(t->fd);
	pthread_mutex_destroy(&t->lock);
	free(t->space);
	free(t->root);
	free(t);
}

/* The folder a path is below, and the rest of the path. A tablespace that was
 * not announced is CORRUPT: its files would land inside the data directory.
 * Nothing is ever made as pg_control: with it a tree could be started before it
 * is whole. */
static int
locate(const struct tree *t, const char *path, int *fd, const char **rest,
    struct fault *f)
{
	const char *p;
	char digits[11];
	uint32_t oid;
	size_t len;
	size_t k;

	*fd = t->fd;
	*rest = path;
	if (!manifest_path_ok(path, strlen(path)))
		return fault_set(
		    f, FAULT_CORRUPT, "the manifest names a path '%s'", path);
	if (strcmp(path, "global/pg_control") == 0)
		*rest = UNPACKER_CONTROL;
	if (strncmp(path, SPACE_FOLDER, strlen(SPACE_FOLDER)) != 0)
		return 0;
	p = path + strlen(SPACE_FOLDER);
	len = strcspn(p, "/");
	if (len < sizeof digits) {
		memcpy(digits, p, len);
		digits[len] = '\0';
		for (k = 0; text_u32(digits, &oid) == 0 && k < t->n; k++) {
			if (t->space[k].oid != oid)
				continue;
			*fd = t->space[k].fd;
			*rest = p[len] == '/' ? p + len + 1 : ".";
			return 0;
		}
	}
	return fault_set(f, FAULT_CORRUPT,
	    "the manifest names '%s' but the backup has no such tablespace",
	    path);
}

/* open below fd, without leaving it and without following any link. */
static int
open_below(int fd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
	    .flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
	    .mode = (flags & O_CREAT) != 0 ? mode : 0,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long rc;

	do
		rc = syscall(SYS_openat2, fd, path, &how, sizeof how);
	while (rc < 0 && (errno == EINTR || errno == EAGAIN));
	/* Before Linux 5.6, or where a filter forbids it: the tree is new and
	 * ours, and holds no links before tree_link, which comes last. */
	if (rc < 0 && (errno == ENOSYS || errno == EPERM))
		rc = openat(fd, path, flags | O_CLOEXEC | O_NOFOLLOW, mode);
	return (int)rc;
}

/* The folder in which path is made, and its name there; the caller closes
 * *fd. */
static int
open_parent(const struct tree *t, const char *path, int *fd, const char **name,
    struct fault *f)
{
	char folder[MANIFEST_PATH] = ".";
	const char *rest;
	const char *slash;
	int below;
	int rc;

	rc = locate(t, path, &below, &rest, f);
	if (rc != 0)
		return rc;
	slash = strrchr(rest, '/');
	*name = slash == NULL ? rest : slash + 1;
	if (slash != NULL)
		snprintf(
		    folder, sizeof folder, "%.*s", (int)(slash - rest), rest);
	*fd = open_below(below, folder, O_PATH | O_DIRECTORY, 0);
	if (*fd < 0)
		return fault_errno(f, errno, "%s/%s", t->root, path);
	return 0;
}

int
tree_folder(struct tree *t, const char *path, uint32_t mode, struct fault *f)
{
	const char *name;
	int fd;
	int rc;

	rc = open_parent(t, path, &fd, &name, f);
	if (rc != 0)
		return rc;
	/* The owner must be able to write into it while we restore. A
	 * tablespace's own folder is there. */
	if (strcmp(name, ".") != 0 &&
	    mkdirat(fd, name, (mode & 0777) | 0700) != 0 && errno != EEXIST)
		rc = fault_errno(f, errno, "%s/%s", t->root, path);
	close(fd);
	return rc;
}

int
tree_empty_file(
    struct tree *t, const char *path, uint32_t mode, struct fault *f)
{
	const char *rest;
	int fd;
	int file;
	int rc;

	rc = locate(t, path, &fd, &rest, f);
	if (rc != 0)
		return rc;
	file = open_below(fd, rest, O_WRONLY | O_CREAT | O_TRUNC, mode & 0777);
	if (file < 0)
		return fault_errno(f, errno, "%s/%s", t->root, path);
	return fdio_close(file, path, f);
}

int
tree_link(struct tree *t, const char *path, const char *target, struct fault *f)
{
	const char *name;
	int fd;
	int rc;

	rc = open_parent(t, path, &fd, &name, f);
	if (rc != 0)
		return rc;
	if (symlinkat(target, fd, name) != 0)
		rc = fault_errno(f, errno, "%s/%s", t->root, path);
	close(fd);
	return rc;
}

int
tree_space_links(struct tree *t, struct fault *f)
{
	char path[64];
	size_t k;

	for (k = 0; k < t->n; k++) {
		snprintf(path, sizeof path, SPACE_FOLDER "%u", t->space[k].oid);
		if (symlinkat(t->space[k].dir, t->fd, path) != 0)
			return fault_errno(f, errno, "%s/%s", t->root, path);
	}
	return 0;
}

int
tree_sync(struct tree *t, struct fault *f)
{
	size_t k;

	if (syncfs(t->fd) != 0)
		return fault_errno(f, errno, "cannot sync %s", t->root);
	for (k = 0; k < t->n; k++)
		if (syncfs(t->space[k].fd) != 0)
			return fault_errno(
			    f, errno, "cannot sync %s", t->space[k].dir);
	return 0;
}

int
tree_file_close(struct tree_file *w, struct fault *f)
{
	int fd = w->fd;

	if (fd < 0)
		return 0;
	w->fd = -1;
	return fdio_close(fd, w->path, f);
}

/* A file that even its owner must not write, and that is there already: its
 * other pieces came first. It is writable for as long as opening takes. */
static int
open_read_only(struct tree *t, int below, const char *rest, mode_t mode)
{
	int probe, fd = -1, e;

	pthread_mutex_lock(&t->lock);
	probe = open_below(below, rest, O_RDONLY, 0);
	if (probe >= 0 && fchmod(probe, mode | 0200) == 0) {
		fd = open_below(below, rest, O_WRONLY, 0);
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
	rc = tree_file_close(w, f);
	if (rc != 0)
		return rc;
	rc = locate(t, p->path, &fd, &rest, f);
	if (rc != 0)
		return rc;
	w->fd = open_below(fd, rest, O_WRONLY | O_CREAT, p->mode & 0777);
	if (w->fd < 0 && errno == EACCES && (p->mode & 0200) == 0)
		w->fd = open_read_only(t, fd, rest, p->mode & 0777);
	if (w->fd < 0)
		return fault_errno(f, errno, "%s/%s", t->root, p->path);
	snprintf(w->path, sizeof w->path, "%s", p->path);
	return 0;
}

int
tree_write(struct tree *t, struct tree_file *w, const struct manifest_piece *p,
    const unsigned char *content, struct fault *f)
{
	int rc = switch_to(t, w, p, f);

	if (rc != 0)
		return rc;
	return fdio_pwrite(
	    w->fd, p->path, content, p->length, p->file_offset, f);
}
