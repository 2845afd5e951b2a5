#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fdio.h"
#include "text.h"

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

static bool
is_empty(DIR *d)
{
	const struct dirent *e;

	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return false;
	return true;
}

/* May this folder be restored into? */
static int
check_folder(const char *dir, struct fault *f)
{
	DIR *d = opendir(dir);
	bool empty;

	if (d == NULL && errno == ENOENT)
		return 0;
	if (d == NULL)
		return fault_set(
		    f, FAULT_CONFIG, "%s: %s", dir, strerror(errno));
	empty = is_empty(d);
	closedir(d);
	if (empty)
		return 0;
	if (has(dir, "postmaster.pid"))
		return fault_set(f, FAULT_CONFIG,
		    "%s holds a postmaster.pid: a server may be running there; "
		    "stop it and restore into another directory",
		    dir);
	if (has(dir, PLACE_MARK) && !has(dir, "global/pg_control"))
		return 0;
	return fault_set(f, FAULT_CONFIG,
	    "%s is not empty: choose another directory, or move away what is "
	    "in it",
	    dir);
}

/* Absolute, without trailing slashes; the path need not exist. */
static char *
absolute(const char *path)
{
	char *cwd;
	char *full;
	size_t n;

	if (path[0] == '/') {
		full = strdup(path);
	} else {
		cwd = getcwd(NULL, 0);
		full = cwd == NULL ? NULL : fdio_join(cwd, path);
		free(cwd);
	}
	if (full == NULL)
		return NULL;
	for (n = strlen(full); n > 1 && full[n - 1] == '/'; n--)
		full[n - 1] = '\0';
	return full;
}

static int
check_maps(const struct place_map *map, size_t n_map, const struct head *h,
    struct fault *f)
{
	size_t k;
	size_t j;

	for (k = 0; k < n_map; k++) {
		for (j = 0; j < h->n_tablespaces; j++)
			if (h->tablespaces[j].oid == map[k].oid)
				break;
		if (j == h->n_tablespaces)
			return fault_set(f, FAULT_CONFIG,
			    "--tablespace %u: backup %s has no such tablespace",
			    map[k].oid, h->id);
	}
	return 0;
}

/* The nearest folder above path that exists, for its file system. */
static int
file_system(const char *path, struct statvfs *vfs, dev_t *dev, struct fault *f)
{
	char *p = strdup(path);
	struct stat st;
	char *slash;
	int rc = 0;

	if (p == NULL)
		return fault_nomem(f);
	while (stat(p, &st) != 0 && errno == ENOENT &&
	       (slash = strrchr(p, '/')) != NULL && slash != p)
		*slash = '\0';
	if (stat(p, &st) != 0 && stat("/", &st) != 0)
		rc = fault_errno(f, errno, "%s", path);
	else if (statvfs(p, vfs) != 0 && statvfs("/", vfs) != 0)
		rc = fault_errno(f, errno, "%s", path);
	*dev = st.st_dev;
	free(p);
	return rc;
}

/* Room for everything that goes to the file system of dir. */
static int
check_room(const struct place *p, const char *dir, const struct head *h,
    struct fault *f)
{
	struct statvfs vfs;
	struct statvfs other;
	uint64_t need = h->totals.bytes;
	uint64_t room;
	char want[16];
	char have[16];
	dev_t here;
	dev_t there;
	size_t k;
	int rc;

	rc = file_system(dir, &vfs, &here, f);
	if (rc == 0)
		rc = file_system(p->root, &other, &there, f);
	if (rc != 0)
		return rc;
	/* Of the whole, what goes elsewhere does not count here. */
	if (there != here)
		need = 0;
	for (k = 0; k < p->n_spaces; k++) {
		uint64_t size = h->tablespaces[k].size;

		rc = file_system(p->spaces[k].dir, &other, &there, f);
		if (rc != 0)
			return rc;
		if (size == UINT64_MAX)
			size = 0;
		if (there == here && need < h->totals.bytes)
			need += size;
		else if (there != here && need > size)
			need -= size;
	}
	room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	if (room >= need)
		return 0;
	text_human_size(need, want);
	text_human_size(room, have);
	return fault_set(f, FAULT_CONFIG,
	    "%s: the restore needs %s there and only %s is free", dir, want,
	    have);
}

static int
plan_spaces(struct place *p, const struct place_map *map, size_t n_map,
    const struct head *h, struct fault *f)
{
	size_t k;
	size_t j;
	int rc = 0;

	p->spaces = calloc(h->n_tablespaces + 1, sizeof *p->spaces);
	if (p->spaces == NULL)
		return fault_nomem(f);
	for (k = 0; rc == 0 && k < h->n_tablespaces; k++) {
		const char *dir = h->tablespaces[k].path;

		for (j = 0; j < n_map; j++)
			if (map[j].oid == h->tablespaces[k].oid)
				dir = map[j].dir;
		p->spaces[k].oid = h->tablespaces[k].oid;
		p->spaces[k].dir = absolute(dir);
		p->n_spaces = k + 1;
		if (p->spaces[k].dir == NULL)
			return fault_nomem(f);
		rc = check_folder(p->spaces[k].dir, f);
		if (rc != 0)
			fault_prefix(f,
			    "tablespace %u (give --tablespace %u=DIR to put it "
			    "elsewhere)",
			    p->spaces[k].oid, p->spaces[k].oid);
	}
	return rc;
}

int
place_plan(struct place *p, const char *target_dir, const struct place_map *map,
    size_t n_map, const struct head *h, struct fault *f)
{
	size_t k;
	int rc;

	memset(p, 0, sizeof *p);
	p->root = absolute(target_dir);
	rc = p->root == NULL ? fault_nomem(f) : check_maps(map, n_map, h, f);
	if (rc == 0)
		rc = check_folder(p->root, f);
	if (rc == 0)
		rc = plan_spaces(p, map, n_map, h, f);
	if (rc == 0)
		rc = check_room(p, p->root, h, f);
	for (k = 0; rc == 0 && k < p->n_spaces; k++)
		rc = check_room(p, p->spaces[k].dir, h, f);
	if (rc != 0)
		place_free(p);
	return rc;
}

void
place_free(struct place *p)
{
	size_t k;

	for (k = 0; k < p->n_spaces; k++)
		free((void *)(uintptr_t)p->spaces[k].dir);
	free(p->spaces);
	free(p->root);
	memset(p, 0, sizeof *p);
}

/* Remove what is in the folder; links are removed, never followed. keep: one
 * name at the top that stays. */
static int
empty_folder(int parent, const char *name, const char *keep, struct fault *f)
{
	const struct dirent *e;
	DIR *d;
	int fd;
	int rc = 0;

	fd = openat(
	    parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (d == NULL) {
		rc = fault_errno(f, errno, "%s", name);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 ||
		    (keep != NULL && strcmp(e->d_name, keep) == 0))
			continue;
		if (unlinkat(fd, e->d_name, 0) == 0)
			continue;
		if (errno != EISDIR && errno != EPERM) {
			rc = fault_errno(f, errno, "%s", e->d_name);
			break;
		}
		rc = empty_folder(fd, e->d_name, NULL, f);
		if (rc == 0 && unlinkat(fd, e->d_name, AT_REMOVEDIR) != 0)
			rc = fault_errno(f, errno, "%s", e->d_name);
	}
	closedir(d);
	return rc;
}

/* One folder: made, marked, emptied. The mark is set before anything else and
 * stays while the rest goes, so that remains are always told from data. */
static int
prepare_folder(const char *dir, const char *id, struct fault *f)
{
	struct fdio_atomic a;
	char *mark;
	char text[LAYOUT_ID + 64];
	int n;
	int rc;

	rc = fdio_mkdirs(dir, 0700, f);
	if (rc == 0)
		rc = check_folder(dir, f);
	if (rc != 0)
		return rc;
	mark = fdio_join(dir, PLACE_MARK);
	if (mark == NULL)
		return fault_nomem(f);
	n = snprintf(
	    text, sizeof text, "restore of backup %s, not finished\n", id);
	rc = fdio_atomic_begin(&a, mark, 0600, f);
	if (rc == 0) {
		rc = fdio_write(a.fd, mark, text, (size_t)n, f);
		if (rc == 0)
			rc = fdio_atomic_publish(&a, 1, f);
		if (rc != 0)
			fdio_atomic_abort(&a);
	}
	if (rc == 0) {
		rc = empty_folder(AT_FDCWD, dir, PLACE_MARK, f);
		if (rc != 0)
			fault_prefix(f, "cannot empty %s", dir);
	}
	/* PostgreSQL insists on 0700 or 0750. */
	if (rc == 0 && chmod(dir, 0700) != 0)
		rc = fault_errno(f, errno, "%s", dir);
	free(mark);
	return rc;
}

int
place_prepare(const struct place *p, const struct head *h, struct fault *f)
{
	size_t k;
	int rc;

	rc = prepare_folder(p->root, h->id, f);
	for (k = 0; rc == 0 && k < p->n_spaces; k++)
		rc = prepare_folder(p->spaces[k].dir, h->id, f);
	return rc;
}

static int
unmark(const char *dir, struct fault *f)
{
	char *mark = fdio_join(dir, PLACE_MARK);
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

int
place_finish(const struct place *p, struct fault *f)
{
	size_t k;
	int rc = 0;

	for (k = 0; rc == 0 && k < p->n_spaces; k++)
		rc = unmark(p->spaces[k].dir, f);
	if (rc == 0)
		rc = unmark(p->root, f);
	return rc;
}
