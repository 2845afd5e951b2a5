#include "recent.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

bool
recent_is(const char *path, int seconds)
{
	time_t now = time(NULL);
	struct stat st;

	return lstat(path, &st) == 0 && st.st_mtime <= now &&
	       now - st.st_mtime < seconds;
}

void
recent_set(const char *path, bool now)
{
	int fd;

	if (!now) {
		(void)unlink(path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	(void)futimens(fd, NULL);
	close(fd);
}
