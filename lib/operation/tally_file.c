#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdio.h"
#include "tally.h"

/* The file of a tally. The lock is on itself: who has it makes sure that the
 * name is still its own, as another may have removed it. */

#define TURNS 3

/* The names of a cluster's tallies begin so. */
static int
prefix(const struct repo *r, char **out, struct fault *f)
{
	return asprintf(out, "%s-%" PRIu64 ".fetched-", repo_cluster(r),
		   repo_system_id(r)) < 0
		   ? fault_nomem(f)
		   : 0;
}

static int
path_of(const struct repo *r, const char *home, char **path, struct fault *f)
{
	struct stat st;
	char *start;
	int rc, n;

	if (stat(home, &st) != 0)
		return fault_errno(f, errno, "%s", home);
	if ((rc = prefix(r, &start, f)) != 0)
		return rc;
	n = asprintf(path, "%s/%s%llx-%llx", repo_conf(r)->spool_dir, start,
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	free(start);
	return n < 0 ? fault_nomem(f) : 0;
}

static bool
is_named(int fd, const char *path)
{
	struct stat own, there;

	return fstat(fd, &own) == 0 && lstat(path, &there) == 0 &&
	       own.st_dev == there.st_dev && own.st_ino == there.st_ino;
}

/* With its lock. */
static int
open_locked(const char *path, int flags, int *fd, struct fault *f)
{
	for (int k = 0; k < TURNS; k++) {
		int p = fdio_open_own(path, flags);

		if (p < 0)
			return fault_errno(f, errno, "%s", path);
		if (flock(p, LOCK_EX | LOCK_NB) == 0 && is_named(p, path)) {
			*fd = p;
			return 0;
		}
		close(p);
	}
	return fault_set(f, FAULT_EXISTS, "%s: another process counts", path);
}

static bool
read_slot(int fd, const char *path, struct tally *t)
{
	struct fault ignored = FAULT_INIT;
	unsigned char slot[TALLY_SIZE];
	size_t got = 0;

	return fdio_pread(fd, path, slot, sizeof slot, 0, &got, &ignored) ==
		   0 &&
	       tally_decode(slot, got, t) == 0;
}

int
tally_open(struct tally_file *x, const struct repo *r, const char *home,
    struct tally *t, bool *found, struct fault *f)
{
	char *path;
	int fd, rc = path_of(r, home, &path, f);

	if (rc != 0)
		return rc;
	/* Were it root's, PostgreSQL's user could not work in it. */
	if (geteuid() != 0)
		(void)mkdir(repo_conf(r)->spool_dir, 0700);
	if ((rc = open_locked(path, O_RDWR | O_CREAT, &fd, f)) != 0) {
		free(path);
		return rc;
	}
	x->path = path;
	x->fd = fd;
	*found = read_slot(fd, path, t);
	return 0;
}

void
tally_save(const struct tally_file *x, const struct tally *t)
{
	struct fault ignored = FAULT_INIT;
	unsigned char slot[TALLY_SIZE];

	if (x->fd < 0)
		return;
	tally_encode(t, slot);
	(void)fdio_pwrite(x->fd, x->path, slot, sizeof slot, 0, &ignored);
}

void
tally_remove(struct tally_file *x)
{
	if (x->fd >= 0)
		(void)unlink(x->path);
}

void
tally_close(struct tally_file *x)
{
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
	free(x->path);
	x->path = NULL;
}

/* ---- what others left ---- */

static bool
home_stands(const struct tally *t)
{
	struct stat st;

	return stat(t->home, &st) == 0 && st.st_dev == t->device &&
	       st.st_ino == t->inode;
}

/* false: it is none of these. */
static bool
take_stray(const char *path, int64_t now_us,
    void (*fn)(void *ctx, const struct tally *t), void *ctx)
{
	struct fault ignored = FAULT_INIT;
	struct tally t;
	bool whole, stray;
	int fd;

	if (open_locked(path, O_RDWR, &fd, &ignored) != 0)
		return false;
	whole = read_slot(fd, path, &t);
	stray = !whole || !home_stands(&t) || tally_is_over(&t, now_us);
	if (stray && whole && t.segments > 0)
		fn(ctx, &t);
	if (stray)
		(void)unlink(path);
	close(fd);
	return stray;
}

void
tally_strays(const struct repo *r, int64_t now_us,
    void (*fn)(void *ctx, const struct tally *t), void *ctx)
{
	struct fault ignored = FAULT_INIT;
	const char *spool = repo_conf(r)->spool_dir;
	char *start = NULL, *path;
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	if (prefix(r, &start, &ignored) != 0)
		return;
	d = opendir(spool);
	while (d != NULL && n < TALLY_STRAYS && (e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, start, strlen(start)) != 0 ||
		    (path = fdio_join(spool, e->d_name)) == NULL)
			continue;
		n += take_stray(path, now_us, fn, ctx);
		free(path);
	}
	if (d != NULL)
		closedir(d);
	free(start);
}
