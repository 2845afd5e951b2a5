#ifndef PGREAD_CACHE_H
#define PGREAD_CACHE_H

#include <stdint.h>

#include "object.h"

/* Within lib/source only: leaving the kernel's cache as it was. */

#define PGREAD_CACHE_PAGES (OBJECT_CHUNK / 4096)

struct pgread_cache {
	int fd;
	uint64_t offset;
	uint32_t n; /* pages; 0: nothing is known, or all were there */
	unsigned char there[PGREAD_CACHE_PAGES];
};

/* Which pages of that stretch are cached; length at most OBJECT_CHUNK, offset
 * a multiple of it. */
void pgread_cache_look(
    struct pgread_cache *c, int fd, uint64_t offset, uint32_t length);
/* Begins to read those that are not, and does not wait. */
void pgread_cache_fetch(const struct pgread_cache *c);
/* Takes out those that were not. */
void pgread_cache_restore(const struct pgread_cache *c);

#endif
