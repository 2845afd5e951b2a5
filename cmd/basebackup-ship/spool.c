#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ship.h"

static int
try_folder(const char *dir)
{
	char path[4096];
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int n;

	if (fd >= 0)
		return fd;
	n = snprintf(path, sizeof path, "%s/.basebackup.XXXXXX", dir);
	if (n < 0 || (size_t)n >= sizeof path)
		return -1;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

int
spool_open(const char *dir, int *fd, struct fault *f)
{
	const char *temp = getenv("TMPDIR");

	if (temp == NULL || temp[0] != '/')
		temp = "/tmp";
	*fd = try_folder(dir);
	if (*fd < 0)
		*fd = try_folder(temp);
	return *fd >= 0 ? 0
			: fault_errno(f, errno, "temporary file in %s or %s",
			      dir, temp);
}
