#include "room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

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

int
room_check(const struct place *p, const struct head *h, struct fault *f)
{
	size_t k;
	int rc;

	rc = check_room(p, p->root, h, f);
	for (k = 0; rc == 0 && k < p->n_spaces; k++)
		rc = check_room(p, p->spaces[k].dir, h, f);
	return rc;
}
