#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdio.h"
#include "room.h"

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

/* A restore that was killed while it made its mark leaves the mark's temporary
 * file and nothing else: that is as good as nothing. */
static bool
is_empty(DIR *d)
{
	static const char temp[] = "." PLACE_MARK ".";
	const struct dirent *e;

	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 &&
		    strncmp(e->d_name, temp, sizeof temp - 1) != 0)
			return false;
	return true;
}

/* Is dir what an unfinished restore left of a data directory? */
static bool
is_remains(const char *dir)
{
	return has(dir, PLACE_MARK) && !has(dir, "global/pg_control");
}

/* The data directory that the mark in dir names: its second line. NULL when
 * there is no mark, or none that says. */
static char *
marked_root(const char *dir)
{
	struct fault ignored = FAULT_INIT;
	char *path = fdio_join(dir, PLACE_MARK);
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

/* May this folder be restored into? */
static int
check_folder(const char *dir, bool tablespace, struct fault *f)
{
	DIR *d = opendir(dir);
	char *root;
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
		for (j = 0; j < k; j++)
			if (map[j].oid == map[k].oid)
				return fault_set(f, FAULT_CONFIG,
				    "--tablespace %u is given twice",
				    map[k].oid);
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

/* Is a the same folder as b, or inside of it? */
static bool
within(const char *a, const char *b)
{
	size_t n = strlen(b);

	if (strncmp(a, b, n) != 0)
		return false;
	return a[n] == '\0' || a[n] == '/' || b[n - 1] == '/';
}

/* Folders inside each other would be emptied or filled by one another. */
static int
check_apart(const struct place *p, struct fault *f)
{
	size_t k;
	size_t j;

	for (k = 0; k < p->n_spaces; k++) {
		for (j = 0; j <= k; j++) {
			const char *a = p->spaces[k].dir;
			const char *b = j < k ? p->spaces[j].dir : p->root;

			if (within(a, b) || within(b, a))
				return fault_set(f, FAULT_CONFIG,
				    "tablespace %u cannot go to %s, %s goes to "
				    "%s: give --tablespace %u=DIR",
				    p->spaces[k].oid, a,
				    j < k ? "another tablespace"
					  : "the data directory",
				    b, p->spaces[k].oid);
		}
	}
	return 0;
}

static int
plan_spaces(struct place *p, const struct place_map *map, size_t n_map,
    const struct head *h, struct fault *f)
{
	size_t k;
	size_t j;
	int rc = 0;

	p->n_spaces = 0;
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
		rc = check_folder(p->spaces[k].dir, true, f);
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
	int rc;

	memset(p, 0, sizeof *p);
	p->root = absolute(target_dir);
	rc = p->root == NULL ? fault_nomem(f) : check_maps(map, n_map, h, f);
	if (rc == 0)
		rc = check_folder(p->root, false, f);
	if (rc == 0)
		rc = plan_spaces(p, map, n_map, h, f);
	if (rc == 0)
		rc = check_apart(p, f);
	if (rc == 0)
		rc = room_check(p, h, f);
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
	for (k = 0; k < p->n_locks; k++)
		close(p->locks[k]);
	free(p->locks);
	free(p->spaces);
	free(p->root);
	memset(p, 0, sizeof *p);
}

/* Remove what is in the folder "name" below parent; links are removed, never
 * followed. keep: one name at the top that stays. */
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

/* Two restores into one folder would take each other's files for remains. */
static int
lock_folder(struct place *p, const char *dir, int *fd, struct fault *f)
{
	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return fault_errno(f, errno, "%s", dir);
	p->locks[p->n_locks++] = *fd;
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return fault_errno(f, errno, "%s", dir);
	return fault_set(f, FAULT_CONFIG,
	    "%s: another restore is at work there, or the directory is given "
	    "twice",
	    dir);
}

static int
set_mark(
    const struct place *p, const char *dir, const char *id, struct fault *f)
{
	struct fdio_atomic a = {-1, NULL, NULL};
	char *mark = fdio_join(dir, PLACE_MARK);
	char text[MARK_MAX];
	int n;
	int rc;

	if (mark == NULL)
		return fault_nomem(f);
	n = snprintf(text, sizeof text,
	    "restore of backup %s, not finished, into\n%s\n", id, p->root);
	if ((size_t)n >= sizeof text)
		rc = fault_set(f, FAULT_CONFIG, "%s is too long", p->root);
	else
		rc = fdio_atomic_begin(&a, mark, 0600, f);
	if (rc == 0) {
		rc = fdio_write(a.fd, mark, text, (size_t)n, f);
		if (rc == 0)
			rc = fdio_atomic_publish(&a, 1, f);
		if (rc != 0)
			fdio_atomic_abort(&a);
	}
	free(mark);
	return rc;
}

/* One folder: made, locked, marked, emptied. The mark is set before anything
 * else and stays while the rest goes, so that remains are always told from
 * data. */
static int
prepare_folder(struct place *p, const char *dir, bool tablespace,
    const char *id, struct fault *f)
{
	int fd;
	int rc;

	rc = fdio_mkdirs(dir, 0700, f);
	if (rc == 0)
		rc = lock_folder(p, dir, &fd, f);
	if (rc == 0)
		rc = check_folder(dir, tablespace, f);
	if (rc == 0)
		rc = set_mark(p, dir, id, f);
	if (rc == 0) {
		rc = empty_folder(fd, ".", PLACE_MARK, f);
		if (rc != 0)
			fault_prefix(f, "cannot empty %s", dir);
	}
	/* PostgreSQL insists on 0700 or 0750. */
	if (rc == 0 && fchmod(fd, 0700) != 0)
		rc = fault_errno(f, errno, "%s", dir);
	return rc;
}

int
place_prepare(struct place *p, const struct head *h, struct fault *f)
{
	size_t k;
	int rc;

	p->locks = calloc(p->n_spaces + 1, sizeof *p->locks);
	if (p->locks == NULL)
		return fault_nomem(f);
	rc = prepare_folder(p, p->root, false, h->id, f);
	for (k = 0; rc == 0 && k < p->n_spaces; k++)
		rc = prepare_folder(p, p->spaces[k].dir, true, h->id, f);
	return rc;
}

int
place_modes(const struct place *p, struct fault *f)
{
	char *global = fdio_join(p->root, "global");
	struct stat st;
	size_t k;
	int rc = 0;

	if (global == NULL)
		return fault_nomem(f);
	if (stat(global, &st) != 0)
		rc = fault_errno(f, errno, "%s", global);
	for (k = 0; rc == 0 && (st.st_mode & 0050) != 0 && k < p->n_locks; k++)
		if (fchmod(p->locks[k], 0750) != 0)
			rc = fault_errno(f, errno, "%s", p->root);
	free(global);
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
