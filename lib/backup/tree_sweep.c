#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree_core.h"

/* What an existing tree holds and the backup does not. */

struct sweep {
	const struct pathset *keep;
	char
	    path[MANIFEST_PATH + 256]; /* of the folder, as manifests have it */
};

/* The folder; -1 when it is none, or a link to one. */
static DIR *
open_folder(int parent, const char *name)
{
	int fd = openat(
	    parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && d == NULL)
		close(fd); /* out of memory */
	return d;
}

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int
tree_sweep_remove(int fd, const char *name, struct fault *f)
{
	const struct dirent *e;
	DIR *d;
	int rc = 0;

	if (is_dots(name))
		return fault_set(f, FAULT_CORRUPT,
		    "the manifest names a folder where there is none");
	if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return fault_errno(f, errno, "%s", name);
	d = open_folder(fd, name);
	if (d == NULL)
		return fault_errno(f, errno, "%s", name);
	while (rc == 0 && (e = readdir(d)) != NULL)
		if (!is_dots(e->d_name))
			rc = tree_sweep_remove(dirfd(d), e->d_name, f);
	closedir(d);
	if (rc == 0 && unlinkat(fd, name, AT_REMOVEDIR) != 0)
		rc = fault_errno(f, errno, "%s", name);
	return rc;
}

/* Beside the server's folder in a tablespace's may stand those of others, and
 * at the top of a file system what belongs to it. */
static bool
spared(const struct tree_place *place, const char *name)
{
	return (place != NULL && place->is_space) ||
	       strcmp(name, "lost+found") == 0;
}

/* s->path holds its first len bytes when this returns. place: whose top d is;
 * top: or the root's. */
static int
sweep_folder(struct sweep *s, DIR *d, size_t len, bool top,
    const struct tree_place *place, struct fault *f)
{
	const struct dirent *e;
	int rc = 0;

	while (rc == 0 && (errno = 0, e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name) + (len > 0);
		DIR *below;

		if (is_dots(e->d_name))
			continue;
		if (len + n < MANIFEST_PATH)
			sprintf(s->path + len, "%s%s", len > 0 ? "/" : "",
			    e->d_name);
		if (len + n >= MANIFEST_PATH ||
		    !pathset_has(s->keep, s->path)) {
			if (!top || !spared(place, e->d_name))
				rc = tree_sweep_remove(dirfd(d), e->d_name, f);
		} else if (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN) {
			;
		} else if ((below = open_folder(dirfd(d), e->d_name)) != NULL) {
			rc = sweep_folder(s, below, len + n, false, NULL, f);
			closedir(below);
		} else if (errno != ENOTDIR && errno != ELOOP) {
			rc = fault_errno(f, errno, "%s", s->path);
		}
		s->path[len] = '\0';
	}
	if (rc == 0 && errno != 0)
		rc = fault_errno(f, errno, "%s", s->path);
	return rc;
}

static int
sweep_top(struct sweep *s, int fd, const struct tree_place *place,
    const char *dir, struct fault *f)
{
	DIR *d = open_folder(fd, ".");
	int rc;

	if (d == NULL)
		return fault_errno(f, errno, "%s", dir);
	strcpy(s->path, place == NULL ? "" : place->prefix);
	rc = sweep_folder(s, d, strlen(s->path), true, place, f);
	closedir(d);
	if (rc != 0)
		fault_prefix(f, "%s", dir);
	return rc;
}

int
tree_sweep(struct tree *t, const struct pathset *keep, struct fault *f)
{
	struct sweep *s = calloc(1, sizeof *s);
	int rc;

	if (s == NULL)
		return fault_nomem(f);
	s->keep = keep;
	rc = sweep_top(s, t->fd, NULL, t->root, f);
	for (size_t k = 0; rc == 0 && k < t->n; k++)
		rc = sweep_top(
		    s, t->place[k].fd, &t->place[k], t->place[k].dir, f);
	free(s);
	return rc;
}
