#ifndef STORE_MEMORY_H
#define STORE_MEMORY_H

#include "store.h"

/*
 * For tests of the layers above: make the memory store fail, damage what it
 * holds, and count what it was asked. The objects, the faults that are planned
 * and the counts are shared by all clones; any thread may call.
 */

enum store_memory_op {
	STORE_MEMORY_PUT, /* commits too */
	STORE_MEMORY_GET,
	STORE_MEMORY_STAT,
	STORE_MEMORY_LIST,
	STORE_MEMORY_DELETE, /* one for each key */
	STORE_MEMORY_OPS
};

struct store_memory_plan {
	enum store_memory_op op;
	const char *key; /* only where the key contains this; NULL: any; must
			    live as long as the store */
	unsigned skip;   /* so many go well first */
	unsigned times;  /* then so many fail; UINT_MAX: all */
	enum fault_code code;
	bool after;       /* put, delete: carry it out, then fail */
	uint64_t deliver; /* get: so many bytes first; list: entries */
};
/* At most 8 at a time; the first that fits counts. Returns -1 when full. */
int store_memory_plan(struct store *s, const struct store_memory_plan *p);
void store_memory_forget(struct store *s); /* all plans; counts are 0 again */
/* How often it was asked. */
unsigned store_memory_count(const struct store *s, enum store_memory_op op);

/* Damage: -1 when there is no such object or it is too short. */
int store_memory_flip(
    struct store *s, const char *key, uint64_t offset, unsigned char mask);
int store_memory_resize(struct store *s, const char *key, size_t len);
/* Put other bytes there, or a new object, whatever the rules say. */
int store_memory_replace(
    struct store *s, const char *key, const void *data, size_t len);
int store_memory_drop(struct store *s, const char *key);
size_t store_memory_objects(const struct store *s); /* how many there are */

#endif
