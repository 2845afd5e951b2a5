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

static int
add_place(struct tree *t, const char *prefix, bool is_space, const char *dir,
    struct fault *f)
{
	struct tree_place *p = &t->place[t->n++];

	p->fd = -1;
	p->is_space = is_space;
	snprintf(p->prefix, sizeof p->prefix, "%s", prefix);
	p->dir = strdup(dir);
	return p->dir == NULL ? fault_nomem(f) : open_dir(p->dir, &p->fd, f);
}

int
tree_new(struct tree **out, const char *root, const struct tree_space *spaces,
    size_t n, const struct tree_existing *existing, struct fault *f)
{
	struct tree *t = calloc(1, sizeof *t);
	char prefix[24];
	size_t k;
	int rc = 0;

	if (t == NULL)
		return fault_nomem(f);
	t->fd = -1;
	t->sync_files = !syncfs_tells();
	atomic_init(&t->no_direct, false);
	pthread_mutex_init(&t->lock, NULL);
	t->root = strdup(root);
	t->existing = existing != NULL;
	t->place = calloc(n + 1, sizeof *t->place);
	if (t->root == NULL || t->place == NULL)
		rc = fault_nomem(f);
	if (rc == 0)
		rc = open_dir(root, &t->fd, f);
	for (k = 0; rc == 0 && k < n; k++) {
		snprintf(
		    prefix, sizeof prefix, TREE_SPACES "%u", spaces[k].oid);
		rc = add_place(t, prefix, true, spaces[k].dir, f);
	}
	if (rc == 0 && existing != NULL && existing->wal != NULL)
		rc = add_place(t, "pg_wal", false, existing->wal, f);
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
	for (k = 0; k < t->n; k++) {
		if (t->place[k].fd >= 0)
			close(t->place[k].fd);
		free(t->place[k].dir);
	}
	if (t->fd >= 0)
		close(t->fd);
	pthread_mutex_destroy(&t->lock);
	free(t->place);
	free(t->root);
	free(t);
}

/* What stands where a folder is to be: nothing, or the folder itself. */
static int
clear_for_folder(
    const struct tree *t, int fd, const char *name, struct fault *f)
{
	struct stat st;

	if (!t->existing || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    S_ISDIR(st.st_mode))
		return 0;
	return tree_sweep_remove(fd, name, f);
}

int
tree_folder(struct tree *t, const char *path, uint32_t mode, struct fault *f)
{
	const char *name;
	mode_t m = (mode & 0777) | 0700; /* we must be able to write into it */
	int fd;
	int rc;

	rc = tree_path_parent(t, path, &fd, &name, f);
	if (rc != 0)
		return rc;
	/* A tablespace's own folder is there. */
	if (strcmp(name, ".") != 0) {
		rc = clear_for_folder(t, fd, name, f);
		if (rc == 0 && mkdirat(fd, name, m) != 0 &&
		    (errno != EEXIST ||
			(t->existing && fchmodat(fd, name, m, 0) != 0)))
			rc = fault_errno(f, errno, "%s/%s", t->root, path);
	}
	close(fd);
	return rc;
}

/* The folder of path, which the caller closes; what had its name is gone. */
static int
clear_place(struct tree *t, const char *path, int *folder, const char **name,
    struct fault *f)
{
	int rc = tree_path_parent(t, path, folder, name, f);

	if (rc != 0 || !t->existing)
		return rc;
	rc = tree_sweep_remove(*folder, *name, f);
	if (rc != 0)
		close(*folder);
	return rc;
}

int
tree_empty_file(
    struct tree *t, const char *path, uint32_t mode, struct fault *f)
{
	const char *name;
	int folder, file;
	int rc = clear_place(t, path, &folder, &name, f);

	if (rc != 0)
		return rc;
	file = openat(folder, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode & 0777);
	rc = file < 0 ? fault_errno(f, errno, "%s/%s", t->root, path)
		      : fdio_close(file, path, f);
	close(folder);
	return rc;
}

int
tree_link(struct tree *t, const char *path, const char *target, struct fault *f)
{
	const char *name;
	int folder;
	int rc = clear_place(t, path, &folder, &name, f);

	if (rc != 0)
		return rc;
	if (symlinkat(target, folder, name) != 0)
		rc = fault_errno(f, errno, "%s/%s", t->root, path);
	close(folder);
	return rc;
}

/* spaces: pg_tblspc. A link that is right stays: it says whose the folder
 * is. */
static int
space_link(const struct tree *t, const struct tree_place *p, int spaces,
    struct fault *f)
{
	const char *name = p->prefix + strlen(TREE_SPACES);
	char there[4096];
	ssize_t n =
	    t->existing ? readlinkat(spaces, name, there, sizeof there) : -1;
	int rc = 0;

	if (n == (ssize_t)strlen(p->dir) &&
	    memcmp(there, p->dir, (size_t)n) == 0)
		return 0;
	if (t->existing)
		rc = tree_sweep_remove(spaces, name, f);
	if (rc == 0 && symlinkat(p->dir, spaces, name) != 0)
		rc = fault_errno(f, errno, "%s/%s", t->root, p->prefix);
	return rc;
}

int
tree_space_links(struct tree *t, struct fault *f)
{
	size_t k;
	int fd;
	int rc = 0;

	for (k = 0; rc == 0 && k < t->n; k++) {
		if (!t->place[k].is_space)
			continue;
		fd = tree_path_open(
		    t->fd, "pg_tblspc", O_RDONLY | O_DIRECTORY, 0);
		if (fd < 0)
			return fault_errno(
			    f, errno, "%s/%s", t->root, "pg_tblspc");
		rc = space_link(t, &t->place[k], fd, f);
		close(fd);
	}
	return rc;
}

int
tree_sync(struct tree *t, struct fault *f)
{
	size_t k;

	if (syncfs(t->fd) != 0)
		return fault_errno(f, errno, "cannot sync %s", t->root);
	for (k = 0; k < t->n; k++)
		if (syncfs(t->place[k].fd) != 0)
			return fault_errno(
			    f, errno, "cannot sync %s", t->place[k].dir);
	return 0;
}
