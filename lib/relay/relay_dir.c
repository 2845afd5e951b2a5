#include "relay_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_TRIES 20

/* Everything in a directory that we made; it holds files only. */
static void
dir_empty(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *e;

	if (d == NULL) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(fd, e->d_name, 0);
	closedir(d);
}

int
relay_dir_make(struct relay_dir *d, struct fault *f)
{
	d->fd = -1;
	if (mkdir(RELAY_DIR, 0700) != 0 && errno != EEXIST)
		return fault_errno(f, errno, "%s: mkdir", RELAY_DIR);
	strcpy(d->path, RELAY_DIR "/XXXXXX");
	if (mkdtemp(d->path) == NULL)
		return fault_errno(f, errno, "%s: mkdir", RELAY_DIR);
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d->fd < 0 || flock(d->fd, LOCK_EX | LOCK_NB) != 0) {
		fault_errno(f, errno, "%s: lock", d->path);
		relay_dir_remove(d);
		return FAULT_SYSTEM;
	}
	return 0;
}

void
relay_dir_remove(struct relay_dir *d)
{
	/* Threads may be about to put a file into it. */
	for (int i = 0; i < DIR_TRIES; i++) {
		if (d->fd >= 0)
			dir_empty(d->fd);
		if (rmdir(d->path) == 0 || errno != ENOTEMPTY)
			break;
	}
	(void)rmdir(RELAY_DIR); /* unless another one is in there */
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

static void
dir_clean_one(int parent, const char *name)
{
	int fd = openat(
	    parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		dir_empty(fd);
		(void)unlinkat(parent, name, AT_REMOVEDIR);
	}
	close(fd);
}

void
relay_dir_clean(void)
{
	DIR *d = opendir(RELAY_DIR);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			dir_clean_one(dirfd(d), e->d_name);
	closedir(d);
	(void)rmdir(RELAY_DIR);
}
