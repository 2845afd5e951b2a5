#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store_file.h"

/*
 * What puts left that were killed, where the file system has no files without a
 * name. They keep a folder from going with the last of its objects, so they are
 * looked for when objects are deleted from it.
 */

#define SWEEP_SECONDS (24 * 60 * 60)
#define SWEEP_DIGITS 16

static bool
sweep_name(const char *name)
{
	const size_t n = sizeof(STORE_FILE_TEMP) - 1;

	return strncmp(name, STORE_FILE_TEMP, n) == 0 &&
	       strlen(name) == n + SWEEP_DIGITS &&
	       strspn(name + n, "0123456789abcdef") == SWEEP_DIGITS;
}

/* Ours, nobody has written to it for a day, and who wrote it is no more: its
 * lock tells, which a host that is still writing holds over the network, too.
 * Were it wrong, a put would fail and be done again. */
static void
sweep_one(int dir, const char *name)
{
	int fd =
	    openat(dir, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() &&
	    st.st_mtime < time(NULL) - SWEEP_SECONDS &&
	    (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK))
		(void)unlinkat(dir, name, 0);
	close(fd);
}

void
store_file_sweep(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *e;

	if (d == NULL) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((e = readdir(d)) != NULL)
		if (sweep_name(e->d_name))
			sweep_one(dir, e->d_name);
	closedir(d);
}
