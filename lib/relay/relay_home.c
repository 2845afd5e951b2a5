#include "relay.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first line of postmaster.pid; -1 when there is none. */
static int
home_server(uint64_t *inode, int *pid)
{
	int fd = open("postmaster.pid", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	char line[32];
	ssize_t n;
	long v;

	if (fd < 0)
		return -1;
	n = fstat(fd, &st) == 0 ? read(fd, line, sizeof(line) - 1) : -1;
	close(fd);
	if (n <= 0)
		return -1;
	line[n] = '\0';
	v = strtol(line, NULL, 10);
	if (v < 0) /* a standalone backend's, which archives nothing */
		v = -v;
	if (v <= 1 || v > 1 << 30)
		return -1;
	*inode = st.st_ino;
	*pid = (int)v;
	return 0;
}

/* When the process was started, in the kernel's own count; 0 when it has ended,
 * even if nobody has waited for it yet. */
static uint64_t
home_started(int pid)
{
	char path[32], text[1024], *p;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	/* The name may hold anything; the third field, the state, comes after
	 * its parenthesis, and the time is the 22nd. */
	p = strrchr(text, ')');
	if (p == NULL || p[1] == '\0' || strchr("ZX", p[2]) != NULL)
		return 0;
	for (int i = 2; i < 22 && p != NULL; i++)
		p = strchr(p + 1, ' ');
	return p != NULL ? strtoull(p, NULL, 10) : 0;
}

static bool
home_is(const struct relay_home *h, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == h->device &&
	       st.st_ino == h->inode;
}

int
relay_home_find(struct relay_home *h)
{
	struct stat st;

	if (getcwd(h->path, sizeof(h->path)) == NULL || stat(".", &st) != 0 ||
	    access("global/pg_control", F_OK) != 0 ||
	    home_server(&h->pid_inode, &h->pid) != 0)
		return -1;
	h->device = st.st_dev;
	h->inode = st.st_ino;
	h->pid_started = home_started(h->pid);
	return h->pid_started != 0 && relay_home_stands(h) ? 0 : -1;
}

bool
relay_home_stands(const struct relay_home *h)
{
	uint64_t inode;
	int pid;

	return home_is(h, h->path) && home_server(&inode, &pid) == 0 &&
	       inode == h->pid_inode && pid == h->pid &&
	       home_started(pid) == h->pid_started;
}
