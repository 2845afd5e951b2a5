#include "delta.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"
#include "fdio.h"
#include "folder.h"
#include "log.h"
#include "text.h"

#define PATH_SIZE 4096
#define CONTROL "global/pg_control"

static int
join(char path[PATH_SIZE], const char *dir, const char *name, struct fault *f)
{
	if ((size_t)snprintf(path, PATH_SIZE, "%s/%s", dir, name) >= PATH_SIZE)
		return fault_set(f, FAULT_CONFIG, "%s: too long a path", dir);
	return 0;
}

static bool
is_same(const char *a, const char *b)
{
	struct stat x, y;

	return a != NULL && b != NULL && stat(a, &x) == 0 && stat(b, &y) == 0 &&
	       x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int
check_no_server(const char *root, struct fault *f)
{
	char path[PATH_SIZE];
	struct stat st;
	int rc = join(path, root, "postmaster.pid", f);

	if (rc == 0 && (lstat(path, &st) == 0 || errno != ENOENT))
		rc = fault_set(f, FAULT_CONFIG,
		    "%s holds a postmaster.pid: a server may be running there; "
		    "stop it (only if there is none, remove the file)",
		    root);
	return rc;
}

/* ABSENT when there is no such file. */
static int
read_id(const char *root, const char *name, uint64_t *id, struct fault *f)
{
	unsigned char *data = NULL;
	char path[PATH_SIZE];
	size_t len;
	int rc = join(path, root, name, f);

	if (rc == 0)
		rc = fdio_slurp(path, CONTROL_SIZE, &data, &len, f);
	if (rc == 0)
		rc = control_system_id(data, len, id, f);
	free(data);
	return rc;
}

/* Is root this cluster's, whole or left by an unfinished run? */
static int
check_cluster(const char *root, const struct head *h, struct fault *f)
{
	uint64_t id = 0;
	int rc = read_id(root, CONTROL, &id, f);

	if (rc == FAULT_ABSENT && folder_is_marked(root)) {
		rc = read_id(root, DELTA_CONTROL, &id, f);
		if (rc == FAULT_ABSENT) { /* what another restore left */
			fault_clear(f);
			return 0;
		}
	}
	if (rc != 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s: its global/pg_control does not tell whose data "
		    "directory it is: --delta needs one of the same cluster",
		    root);
	if (id != h->system_id)
		return fault_set(f, FAULT_CONFIG,
		    "%s is the data directory of another cluster (system id "
		    "%llu, the backup's is %llu): restore into another "
		    "directory",
		    root, (unsigned long long)id,
		    (unsigned long long)h->system_id);
	return 0;
}

/* Both as realpath(3) says. */
static bool
overlap(const char *a, const char *b)
{
	return fdio_lies_in(a, b) || fdio_lies_in(b, a);
}

/* WAL may lie on another disk, behind a link. */
static int
find_wal(struct delta *d, const char *root, struct fault *f)
{
	char path[PATH_SIZE];
	char real[PATH_MAX], own[PATH_MAX];
	struct stat st;
	int rc = join(path, root, "pg_wal", f);

	if (rc != 0 || lstat(path, &st) != 0 || !S_ISLNK(st.st_mode))
		return rc;
	if (!d->own)
		return fault_set(f, FAULT_CONFIG,
		    "%s is a link, and %s is not the settings' pgdata: it may "
		    "lead to another server's WAL; remove the link if not",
		    path, root);
	/* All that is there and not in the backup goes. */
	if (realpath(path, real) == NULL || stat(real, &st) != 0 ||
	    !S_ISDIR(st.st_mode) || realpath(root, own) == NULL ||
	    overlap(real, own))
		return fault_set(f, FAULT_CONFIG,
		    "%s does not lead to a directory apart from %s: remove the "
		    "link",
		    path, root);
	d->wal = strdup(real);
	return d->wal == NULL ? fault_nomem(f) : 0;
}

/* Tablespaces that came after the backup. */
static void
tell_others(const char *root, const struct head *h)
{
	const struct dirent *e;
	char path[PATH_SIZE];
	char there[PATH_SIZE];
	struct fault ignored = FAULT_INIT;
	DIR *dir;

	if (join(path, root, "pg_tblspc", &ignored) != 0 ||
	    (dir = opendir(path)) == NULL)
		return;
	while ((e = readdir(dir)) != NULL) {
		uint32_t oid;
		size_t k;
		ssize_t n;

		if (text_u32(e->d_name, &oid) != 0)
			continue;
		for (k = 0; k < h->n_tablespaces; k++)
			if (h->tablespaces[k].oid == oid)
				break;
		n = readlinkat(dirfd(dir), e->d_name, there, sizeof there - 1);
		if (k == h->n_tablespaces && n > 0)
			log_line(0,
			    "tablespace %u is not in the backup: what is in "
			    "%.*s stays there",
			    oid, (int)n, there);
	}
	closedir(dir);
}

int
delta_check(const char *root, const char *pgdata, const struct head *h,
    bool told, struct delta *out, bool *there, struct fault *f)
{
	struct delta d = {.own = is_same(root, pgdata)};
	int rc = folder_is_empty(root, there, f);

	*there = !*there;
	if (rc == 0 && !d.own && pgdata != NULL &&
	    (d.original = strdup(pgdata)) == NULL)
		rc = fault_nomem(f);
	if (rc == 0 && *there) {
		rc = check_no_server(root, f);
		if (rc == 0)
			rc = check_cluster(root, h, f);
		if (rc == 0)
			rc = find_wal(&d, root, f);
		if (rc == 0 && told)
			tell_others(root, h);
	}
	if (rc != 0) {
		delta_free(&d);
		return rc;
	}
	*out = d;
	return 0;
}

void
delta_free(struct delta *d)
{
	free(d->wal);
	free(d->original);
	memset(d, 0, sizeof *d);
}

/* What the link DIR/pg_tblspc/OID says; NULL when there is none. */
static char *
space_link(const char *dir, uint32_t oid)
{
	struct fault ignored = FAULT_INIT;
	char path[PATH_SIZE];
	char to[PATH_SIZE];
	char name[32];
	ssize_t n;

	snprintf(name, sizeof name, "pg_tblspc/%u", oid);
	if (dir == NULL || join(path, dir, name, &ignored) != 0)
		return NULL;
	n = readlink(path, to, sizeof to - 1);
	if (n <= 0 || to[0] != '/')
		return NULL;
	to[n] = '\0';
	return strdup(to);
}

char *
delta_space(const struct delta *d, const char *root, uint32_t oid)
{
	return d->own ? space_link(root, oid) : NULL;
}

int
delta_check_space(const struct delta *d, const char *root, uint32_t oid,
    const char *dir, bool named, bool *there, struct fault *f)
{
	char *mine = space_link(root, oid);
	char *theirs = space_link(d->original, oid);
	char real[PATH_MAX];
	int rc = 0;

	*there = is_same(mine, dir);
	if (d->wal != NULL && realpath(dir, real) != NULL &&
	    overlap(d->wal, real))
		rc = fault_set(f, FAULT_CONFIG,
		    "tablespace %u: %s and the folder that %s/pg_wal leads to "
		    "(%s) are not apart",
		    oid, dir, root, d->wal);
	else if (is_same(theirs, dir))
		rc = fault_set(f, FAULT_CONFIG,
		    "tablespace %u: %s is in use by %s: give --tablespace "
		    "%u=DIR",
		    oid, dir, d->original, oid);
	else if (*there && !d->own && !named)
		rc = fault_set(f, FAULT_CONFIG,
		    "tablespace %u: %s leads to %s, but is not the settings' "
		    "pgdata: give --tablespace %u=DIR to say that it is its "
		    "own",
		    oid, root, dir, oid);
	free(mine);
	free(theirs);
	return rc;
}

int
delta_begin(const char *root, struct fault *f)
{
	char from[PATH_SIZE];
	char to[PATH_SIZE];
	int rc;

	if ((rc = join(from, root, CONTROL, f)) != 0 ||
	    (rc = join(to, root, DELTA_CONTROL, f)) != 0)
		return rc;
	if (rename(from, to) != 0)
		return errno == ENOENT ? 0 : fault_errno(f, errno, "%s", from);
	rc = fdio_sync_parent(to, f);
	if (rc == 0)
		rc = check_no_server(root, f);
	/* It was started after we looked: nothing has been changed yet. */
	if (rc != 0 && rename(to, from) == 0) {
		struct fault ignored = FAULT_INIT;

		(void)fdio_sync_parent(from, &ignored);
		(void)folder_unmark(root, &ignored);
	}
	return rc;
}

int
delta_end(const char *root, struct fault *f)
{
	char path[PATH_SIZE];
	int rc = join(path, root, DELTA_CONTROL, f);

	if (rc == 0 && unlink(path) != 0 && errno != ENOENT)
		rc = fault_errno(f, errno, "%s", path);
	return rc == 0 ? fdio_sync_parent(path, f) : rc;
}
