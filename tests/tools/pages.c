/*
 * pages DIR COUNT
 *
 * Makes the directory DIR and in it COUNT files of a page (8192 bytes), named
 * like relations, by the plainest calls there are, and syncs the file system
 * once: what of a restore of small files is the file system's own work.
 *
 * Exit status: 0 made, 1 not, 2 wrong usage.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 8192
#define COUNT_MAX 100000000L

static void
make_page(int dir, long number, const char *page)
{
	char name[24];
	int fd;

	snprintf(name, sizeof name, "%ld", 1000000000L + number);
	fd = openat(
	    dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)0600);
	if (fd < 0)
		err(1, "%s", name);
	if (write(fd, page, PAGE) != PAGE || close(fd) != 0)
		err(1, "%s: write", name);
}

int
main(int argc, char **argv)
{
	char page[PAGE];
	char *end;
	long count;
	int dir;

	if (argc != 3)
		errx(2, "usage: pages DIR COUNT");
	errno = 0;
	count = strtol(argv[2], &end, 10);
	if (errno != 0 || *end != '\0' || end == argv[2] || count < 0 ||
	    count > COUNT_MAX)
		errx(2, "%s: not a number of files", argv[2]);
	memset(page, 'p', sizeof page);
	if (mkdir(argv[1], 0700) != 0)
		err(1, "%s", argv[1]);
	dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		err(1, "%s", argv[1]);
	for (long k = 0; k < count; k++)
		make_page(dir, k, page);
	if (syncfs(dir) != 0)
		err(1, "%s: sync", argv[1]);
	close(dir);
	return 0;
}
