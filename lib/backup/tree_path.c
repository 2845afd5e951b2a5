#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "text.h"
#include "tree_core.h"
#include "unpacker.h"

int
tree_path_locate(const struct tree *t, const char *path, int *fd,
    const char **rest, struct fault *f)
{
	char digits[11] = "";
	const char *name;
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
	for (k = 0; k < t->n; k++) {
		size_t n = strlen(t->place[k].prefix);

		if (strncmp(path, t->place[k].prefix, n) != 0 ||
		    (path[n] != '/' && path[n] != '\0'))
			continue;
		*fd = t->place[k].fd;
		*rest = path[n] == '/' ? path + n + 1 : ".";
		return path[n] == '/' && t->place[k].is_space
			   ? manifest_path_in_space(path, *rest, f)
			   : 0;
	}
	if (strncmp(path, TREE_SPACES, strlen(TREE_SPACES)) != 0)
		return 0;
	/* It lies in the data directory (in place). */
	name = path + strlen(TREE_SPACES);
	len = strcspn(name, "/");
	if (len < sizeof digits)
		memcpy(digits, name, len);
	if (text_u32(digits, &oid) != 0)
		return fault_set(f, FAULT_CORRUPT,
		    "the manifest names '%s', which no tablespace is called",
		    path);
	return 0;
}

/* One folder after the other, none of them through a link. */
static int
open_by_steps(int fd, const char *path, int flags, mode_t mode)
{
	char name[NAME_MAX + 1];
	const char *slash;
	int at = fd;
	int e, next = 0;

	while (next >= 0 && (slash = strchr(path, '/')) != NULL) {
		size_t n = (size_t)(slash - path);

		errno = ENAMETOOLONG;
		next = -1;
		if (n <= NAME_MAX) {
			memcpy(name, path, n);
			name[n] = '\0';
			next = openat(at, name,
			    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		}
		e = errno;
		if (at != fd)
			close(at);
		errno = e;
		at = next;
		path = slash + 1;
	}
	if (next < 0)
		return -1;
	next = openat(at, path, flags | O_CLOEXEC | O_NOFOLLOW, mode);
	e = errno;
	if (at != fd)
		close(at);
	errno = e;
	return next;
}

int
tree_path_open(int fd, const char *path, int flags, mode_t mode)
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
	/* Before Linux 5.6, or where a filter forbids it. */
	if (rc < 0 && (errno == ENOSYS || errno == EPERM))
		rc = open_by_steps(fd, path, flags, mode);
	return (int)rc;
}

int
tree_path_parent(const struct tree *t, const char *path, int *fd,
    const char **name, struct fault *f)
{
	char folder[MANIFEST_PATH] = ".";
	const char *rest;
	const char *slash;
	int below;
	int rc;

	rc = tree_path_locate(t, path, &below, &rest, f);
	if (rc != 0)
		return rc;
	slash = strrchr(rest, '/');
	*name = slash == NULL ? rest : slash + 1;
	if (slash != NULL)
		snprintf(
		    folder, sizeof folder, "%.*s", (int)(slash - rest), rest);
	*fd = tree_path_open(below, folder, O_PATH | O_DIRECTORY, 0);
	if (*fd < 0)
		return fault_errno(f, errno, "%s/%s", t->root, path);
	return 0;
}
