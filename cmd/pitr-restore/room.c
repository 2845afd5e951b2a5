#include "room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "folder.h"
#include "text.h"

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
	if ((stat(p, &st) != 0 && stat("/", &st) != 0) ||
	    (statvfs(p, vfs) != 0 && statvfs("/", vfs) != 0))
		rc = fault_errno(f, errno, "%s", path);
	else
		*dev = st.st_dev;
	free(p);
	return rc;
}

/* A folder that the restore fills: what it needs there, what it removes. */
struct demand {
	const char *dir;
	dev_t dev;
	uint64_t need;
	uint64_t frees;
};

static int
add_demand(struct demand *d, const char *dir, uint64_t need, struct fault *f)
{
	struct statvfs vfs;
	int rc = file_system(dir, &vfs, &d->dev, f);

	d->dir = dir;
	d->need = need;
	return rc != 0 ? rc : folder_blocks(dir, &d->frees, f);
}

/* Room for all that goes to the file system of one. */
static int
check_room(const struct demand *all, size_t n, const struct demand *one,
    struct fault *f)
{
	struct statvfs vfs;
	uint64_t need = 0;
	uint64_t room;
	char want[16];
	char have[16];
	dev_t dev;
	size_t k;
	int rc = file_system(one->dir, &vfs, &dev, f);

	if (rc != 0)
		return rc;
	room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	for (k = 0; k < n; k++) {
		if (all[k].dev != dev)
			continue;
		need += all[k].need;
		room += all[k].frees;
	}
	if (room >= need)
		return 0;
	text_human_size(need, want);
	text_human_size(room, have);
	return fault_set(f, FAULT_CONFIG,
	    "%s: the restore needs %s there and only %s is free; make room, or "
	    "choose another directory",
	    one->dir, want, have);
}

int
room_check(const struct place *p, const struct head *h, struct fault *f)
{
	struct demand *all = calloc(p->n_spaces + 1, sizeof *all);
	uint64_t rest = h->totals.bytes;
	size_t k;
	int rc = all == NULL ? fault_nomem(f) : 0;

	for (k = 0; rc == 0 && k < p->n_spaces; k++) {
		uint64_t size = h->tablespaces[k].size;

		/* Not known, or not to be believed: counted with the rest. */
		if (size > rest)
			size = 0;
		rest -= size;
		rc = add_demand(&all[k + 1], p->spaces[k].dir, size, f);
	}
	if (rc == 0)
		rc = add_demand(&all[0], p->root, rest, f);
	for (k = 0; rc == 0 && k <= p->n_spaces; k++)
		rc = check_room(all, p->n_spaces + 1, &all[k], f);
	free(all);
	return rc;
}
