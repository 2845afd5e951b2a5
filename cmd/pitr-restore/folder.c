#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdio.h"

#define MARK_MAX 8192

/* "DIR/NAME" exists, as whatever. */
static bool
has(const char *dir, const char *name)
{
	char path[4096];
	struct stat st;

	if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >=
	    sizeof path)
		return true; /* in doubt it is in the way */
	return lstat(path, &st) == 0 || errno != ENOENT;
}

/* What a restore leaves that was killed while it made its mark. */
static bool
is_temporary(const char *name)
{
	static const char temp[] = "." FOLDER_MARK ".";

	return strncmp(name, temp, sizeof temp - 1) == 0;
}

/* The next name in d; NULL at its end. */
static const char *
next_name(DIR *d)
{
	const struct dirent *e;

	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return e->d_name;
	return NULL;
}

/* A mark's temporary file and nothing else is as good as nothing. */
static bool
is_empty(DIR *d)
{
	const char *e;

	while ((e = next_name(d)) != NULL)
		if (!is_temporary(e))
			return false;
	return true;
}

static void
remove_temporary(const char *dir)
{
	const char *e;
	DIR *d = opendir(dir);

	while (d != NULL && (e = next_name(d)) != NULL)
		if (is_temporary(e))
			(void)unlinkat(dirfd(d), e, 0);
	if (d != NULL)
		closedir(d);
}

/* Is dir what an unfinished restore left of a data directory? */
static bool
is_remains(const char *dir)
{
	return has(dir, FOLDER_MARK) && !has(dir, "global/pg_control");
}

/* The data directory that the mark in dir names: its second line. NULL when
 * there is no mark, or none that says. */
static char *
marked_root(const char *dir)
{
	struct fault ignored = FAULT_INIT;
	char *path = fdio_join(dir, FOLDER_MARK);
	unsigned char *text = NULL;
	char *root = NULL;
	char *line;
	size_t len;

	if (path != NULL &&
	    fdio_slurp(path, MARK_MAX, &text, &len, &ignored) == 0 &&
	    (line = strchr((char *)text, '\n')) != NULL && line[1] == '/') {
		line++;
		line[strcspn(line, "\n")] = '\0';
		root = strdup(line);
	}
	free(text);
	free(path);
	return root;
}

bool
folder_is_marked(const char *dir)
{
	return has(dir, FOLDER_MARK);
}

int
folder_is_empty(const char *dir, bool *empty, struct fault *f)
{
	DIR *d = opendir(dir);

	if (d == NULL && errno != ENOENT)
		return fault_set(
		    f, FAULT_CONFIG, "%s: %s", dir, strerror(errno));
	*empty = d == NULL || is_empty(d);
	if (d != NULL)
		closedir(d);
	return 0;
}

int
folder_check(const char *dir, bool tablespace, struct fault *f)
{
	char *root;
	bool empty;
	int rc = folder_is_empty(dir, &empty, f);

	if (rc != 0 || empty)
		return rc;
	if (has(dir, "postmaster.pid"))
		return fault_set(f, FAULT_CONFIG,
		    "%s holds a postmaster.pid: a server may be running there; "
		    "stop it and restore into another directory",
		    dir);
	root = tablespace ? marked_root(dir) : strdup(dir);
	empty = root != NULL && is_remains(root);
	free(root);
	if (empty)
		return 0;
	return fault_set(f, FAULT_CONFIG,
	    "%s is not empty: choose another directory, or move away what is "
	    "in it",
	    dir);
}

/* The folder "name" below parent, never by way of a link. */
static int
open_folder(int parent, const char *name, DIR **out, struct fault *f)
{
	int fd = openat(
	    parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d == NULL) {
		int rc = fault_errno(f, errno, "%s", name);

		if (fd >= 0)
			close(fd);
		return rc;
	}
	*out = d;
	return 0;
}

/* Remove what is in the folder "name" below parent; links are removed, never
 * followed. keep: one name at the top that stays. */
static int
empty_folder(int parent, const char *name, const char *keep, struct fault *f)
{
	const char *e;
	DIR *d;
	int rc = open_folder(parent, name, &d, f);

	if (rc != 0)
		return rc;
	while (rc == 0 && (e = next_name(d)) != NULL) {
		if (keep != NULL && strcmp(e, keep) == 0)
			continue;
		if (unlinkat(dirfd(d), e, 0) == 0)
			continue;
		if (errno != EISDIR && errno != EPERM) {
			rc = fault_errno(f, errno, "%s", e);
			break;
		}
		rc = empty_folder(dirfd(d), e, NULL, f);
		if (rc == 0 && unlinkat(dirfd(d), e, AT_REMOVEDIR) != 0)
			rc = fault_errno(f, errno, "%s", e);
	}
	closedir(d);
	return rc;
}

static int
sum_blocks(int parent, const char *name, uint64_t *bytes, struct fault *f)
{
	const char *e;
	struct stat st;
	DIR *d;
	int rc = open_folder(parent, name, &d, f);

	if (rc != 0)
		return rc;
	while (rc == 0 && (e = next_name(d)) != NULL) {
		if (fstatat(dirfd(d), e, &st, AT_SYMLINK_NOFOLLOW) != 0)
			rc = fault_errno(f, errno, "%s", e);
		else if (S_ISDIR(st.st_mode))
			rc = sum_blocks(dirfd(d), e, bytes, f);
		else if (st.st_nlink == 1)
			*bytes += (uint64_t)st.st_blocks * 512;
	}
	closedir(d);
	return rc;
}

int
folder_blocks(const char *dir, uint64_t *bytes, struct fault *f)
{
	uint64_t sum = 0;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0 && errno != ENOENT)
		return fault_errno(f, errno, "%s", dir);
	rc = fd < 0 ? 0 : sum_blocks(fd, ".", &sum, f);
	if (fd >= 0)
		close(fd);
	if (rc != 0)
		return fault_prefix(f, "%s", dir);
	*bytes = sum;
	return 0;
}

/* Two restores into one folder would take each other's files for remains. */
int
folder_claim(const char *dir, int *lock, struct fault *f)
{
	int fd;
	int rc = fdio_mkdirs(dir, 0700, f);

	if (rc != 0)
		return rc;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(f, errno, "%s", dir);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*lock = fd;
		return 0;
	}
	if (errno != EWOULDBLOCK)
		rc = fault_errno(f, errno, "%s", dir);
	else
		rc = fault_set(f, FAULT_CONFIG,
		    "%s: another restore is at work there, or the directory "
		    "is given twice",
		    dir);
	close(fd);
	return rc;
}

int
folder_mark(const char *dir, const char *root, const char *id, struct fault *f)
{
	char *mark = fdio_join(dir, FOLDER_MARK);
	char text[MARK_MAX];
	int n;
	int rc;

	if (mark == NULL)
		return fault_nomem(f);
	remove_temporary(dir);
	n = snprintf(text, sizeof text,
	    "restore of backup %s, not finished, into\n%s\n", id, root);
	if ((size_t)n >= sizeof text)
		rc = fault_set(f, FAULT_CONFIG, "%s is too long", root);
	else
		rc = fdio_atomic_put(mark, 0600, text, (size_t)n, 1, f);
	free(mark);
	return rc;
}

int
folder_empty(const char *dir, int lock, struct fault *f)
{
	int rc = empty_folder(lock, ".", FOLDER_MARK, f);

	if (rc != 0)
		fault_prefix(f, "cannot empty %s", dir);
	return rc;
}

int
folder_unmark(const char *dir, struct fault *f)
{
	char *mark = fdio_join(dir, FOLDER_MARK);
	int rc = 0;

	if (mark == NULL)
		return fault_nomem(f);
	if (unlink(mark) != 0 && errno != ENOENT)
		rc = fault_errno(f, errno, "%s", mark);
	if (rc == 0)
		rc = fdio_sync_dir(dir, f);
	free(mark);
	return rc;
}
