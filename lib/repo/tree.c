#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "fdio.h"
#include "tree_core.h"

static int
open_dir(const char *path, int *fd, struct fault *f)
{
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return fault_errno(f, errno, "%s", path);
	return 0;
}

/* Does syncfs report what could not be written since the folder was opened? */
static bool
syncfs_tells(void)
{
	struct utsname u;
	unsigned long major, minor = 0;
	char *end;

	if (uname(&u) != 0)
		return false;
	major = strtoul(u.release, &end, 10);
	if (*end == '.')
		minor = strtoul(end + 1, NULL, 10);
	return major > 5 || (major == 5 && minor >= 8);
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
	t->sync_files = !syncfs_tells();
	atomic_init(&t->no_direct, false);
	pthread_mutex_init(&t->lock, NULL);
	t->root = strdup(root);
	t->space = calloc(n == 0 ? 1 : n, sizeof *t->space);
	if (t->root == NULL || t->space == NULL)
		rc = fault_nomem(f);
	if (rc == 0)
		rc = open_dir(root, &t->fd, f);
	for (k = 0; rc == 0 && k < n; k++) {
		struct tree_place *p = &t->space[k];

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

int
tree_folder(struct tree *t, const char *path, uint32_t mode, struct fault *f)
{
	const char *name;
	int fd;
	int rc;

	rc = tree_path_parent(t, path, &fd, &name, f);
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

	rc = tree_path_locate(t, path, &fd, &rest, f);
	if (rc != 0)
		return rc;
	file =
	    tree_path_open(fd, rest, O_WRONLY | O_CREAT | O_TRUNC, mode & 0777);
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

	rc = tree_path_parent(t, path, &fd, &name, f);
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
		snprintf(path, sizeof path, TREE_SPACES "%u", t->space[k].oid);
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
