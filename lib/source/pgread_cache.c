#include "pgread_cache.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

/* Are all n pages cached? cachestat(2), since Linux 6.5, counts them without
 * a mapping, which is most of what mincore(2) takes. false: not known. */
static bool
all_there(int fd, uint64_t offset, uint32_t length, size_t n)
{
	uint64_t range[2] = {offset, length};
	struct {
		uint64_t cached, dirty, writeback, evicted, recently;
	} counts = {0};

	return syscall(SYS_cachestat, fd, range, &counts, 0) == 0 &&
	       counts.cached >= n;
}

/* mincore(2) tells of a mapping only; the mapping itself reads nothing. */
void
pgread_cache_look(
    struct pgread_cache *c, int fd, uint64_t offset, uint32_t length)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *map;

	c->fd = fd;
	c->offset = offset;
	c->n = 0;
	if (page < 4096 || length == 0 ||
	    all_there(fd, offset, length, (length + page - 1) / page))
		return;
	map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, (off_t)offset);
	if (map == MAP_FAILED)
		return;
	if (mincore(map, length, c->there) == 0)
		c->n = (uint32_t)((length + page - 1) / page);
	(void)munmap(map, length);
}

static void
advise(const struct pgread_cache *c, int advice)
{
	off_t page = (off_t)sysconf(_SC_PAGESIZE);

	for (uint32_t i = 0, end; i < c->n; i = end) {
		end = i + 1;
		if (c->there[i] & 1)
			continue;
		while (end < c->n && !(c->there[end] & 1))
			end++;
		(void)posix_fadvise(c->fd, (off_t)c->offset + i * page,
		    (end - i) * page, advice);
	}
}

void
pgread_cache_fetch(const struct pgread_cache *c)
{
	advise(c, POSIX_FADV_WILLNEED);
}

/* What the server wrote meanwhile is dirty, and stays. */
void
pgread_cache_restore(const struct pgread_cache *c)
{
	advise(c, POSIX_FADV_DONTNEED);
}
