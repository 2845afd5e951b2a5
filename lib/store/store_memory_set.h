#ifndef STORE_MEMORY_SET_H
#define STORE_MEMORY_SET_H

#include <pthread.h>

#include "store_memory.h"
#include "store_ops.h"

/* The objects of a memory store; only store_memory*.c include this. */

#define PLANS 8

struct store_memory_object {
	char *key;
	unsigned char *data;
	size_t len;
	int64_t modified_us;
};

/* What all clones share. */
struct store_memory_set {
	pthread_mutex_t lock;
	unsigned users;
	struct store_memory_object *objects; /* in order of keys */
	size_t n;
	size_t cap;
	struct store_memory_plan plans[PLANS];
	size_t n_plans;
	unsigned counts[STORE_MEMORY_OPS];
};

struct store_memory {
	struct store base;
	struct store_memory_set *set;
};

/* The set of s, locked, until _set_give. All others are called in between. */
struct store_memory_set *store_memory_set_take(const struct store *s);
void store_memory_set_give(struct store_memory_set *m);

/* The first object whose key is at or after key. */
size_t store_memory_set_position(
    const struct store_memory_set *m, const char *key);
struct store_memory_object *store_memory_set_find(
    const struct store_memory_set *m, const char *key);
int store_memory_set_insert(struct store_memory_set *m, const char *key,
    const void *data, size_t len, struct fault *f);
void store_memory_set_erase(
    struct store_memory_set *m, struct store_memory_object *o);
/* Count the call. The plan that says it fails, or NULL. */
const struct store_memory_plan *store_memory_set_planned(
    struct store_memory_set *m, enum store_memory_op op, const char *key);

#endif
