#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "store_memory_set.h"

struct store_memory_set *
store_memory_set_take(const struct store *s)
{
	struct store_memory_set *m = ((const struct store_memory *)s)->set;

	pthread_mutex_lock(&m->lock);
	return m;
}

void
store_memory_set_give(struct store_memory_set *m)
{
	pthread_mutex_unlock(&m->lock);
}

size_t
store_memory_set_position(const struct store_memory_set *m, const char *key)
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(m->objects[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct store_memory_object *
store_memory_set_find(const struct store_memory_set *m, const char *key)
{
	size_t i = store_memory_set_position(m, key);

	return i < m->n && strcmp(m->objects[i].key, key) == 0 ? &m->objects[i]
							       : NULL;
}

int
store_memory_set_insert(struct store_memory_set *m, const char *key,
    const void *data, size_t len, struct fault *f)
{
	size_t i = store_memory_set_position(m, key);
	struct store_memory_object o = {
	    .len = len, .modified_us = clock_now_us()};

	if (m->n == m->cap) {
		size_t cap = m->cap ? 2 * m->cap : 64;
		struct store_memory_object *more =
		    reallocarray(m->objects, cap, sizeof(*more));

		if (!more)
			return fault_nomem(f);
		m->objects = more;
		m->cap = cap;
	}
	o.key = strdup(key);
	o.data = malloc(len ? len : 1);
	if (!o.key || !o.data) {
		free(o.key);
		free(o.data);
		return fault_nomem(f);
	}
	if (len)
		memcpy(o.data, data, len);
	memmove(&m->objects[i + 1], &m->objects[i],
	    (m->n - i) * sizeof(*m->objects));
	m->objects[i] = o;
	m->n++;
	return 0;
}

void
store_memory_set_erase(
    struct store_memory_set *m, struct store_memory_object *o)
{
	size_t i = (size_t)(o - m->objects);

	free(o->key);
	free(o->data);
	m->n--;
	memmove(o, o + 1, (m->n - i) * sizeof(*o));
}

const struct store_memory_plan *
store_memory_set_planned(
    struct store_memory_set *m, enum store_memory_op op, const char *key)
{
	m->counts[op]++;
	for (size_t i = 0; i < m->n_plans; i++) {
		struct store_memory_plan *p = &m->plans[i];

		if (p->op != op || p->times == 0 ||
		    (p->key && !strstr(key, p->key)))
			continue;
		if (p->skip > 0) {
			p->skip--;
			continue;
		}
		if (p->times != UINT_MAX)
			p->times--;
		return p;
	}
	return NULL;
}

/* ---- for tests ---- */

int
store_memory_plan(struct store *s, const struct store_memory_plan *p)
{
	struct store_memory_set *m = store_memory_set_take(s);
	int rc = m->n_plans < PLANS ? 0 : -1;

	if (rc == 0)
		m->plans[m->n_plans++] = *p;
	store_memory_set_give(m);
	return rc;
}

void
store_memory_forget(struct store *s)
{
	struct store_memory_set *m = store_memory_set_take(s);

	m->n_plans = 0;
	memset(m->counts, 0, sizeof(m->counts));
	store_memory_set_give(m);
}

unsigned
store_memory_count(const struct store *s, enum store_memory_op op)
{
	struct store_memory_set *m = store_memory_set_take(s);
	unsigned n = m->counts[op];

	store_memory_set_give(m);
	return n;
}

int
store_memory_flip(
    struct store *s, const char *key, uint64_t offset, unsigned char mask)
{
	struct store_memory_set *m = store_memory_set_take(s);
	struct store_memory_object *o = store_memory_set_find(m, key);
	int rc = o && offset < o->len ? 0 : -1;

	if (rc == 0)
		o->data[offset] ^= mask;
	store_memory_set_give(m);
	return rc;
}

int
store_memory_resize(struct store *s, const char *key, size_t len)
{
	struct store_memory_set *m = store_memory_set_take(s);
	struct store_memory_object *o = store_memory_set_find(m, key);
	unsigned char *data = o ? realloc(o->data, len ? len : 1) : NULL;

	if (data) {
		o->data = data;
		if (len > o->len)
			memset(data + o->len, 0, len - o->len);
		o->len = len;
	}
	store_memory_set_give(m);
	return data ? 0 : -1;
}

int
store_memory_replace(
    struct store *s, const char *key, const void *data, size_t len)
{
	struct store_memory_set *m = store_memory_set_take(s);
	struct store_memory_object *o = store_memory_set_find(m, key);
	struct fault ignored;
	int rc;

	if (o)
		store_memory_set_erase(m, o);
	rc = store_memory_set_insert(m, key, data, len, &ignored) == 0 ? 0 : -1;
	store_memory_set_give(m);
	return rc;
}

int
store_memory_drop(struct store *s, const char *key)
{
	struct store_memory_set *m = store_memory_set_take(s);
	struct store_memory_object *o = store_memory_set_find(m, key);

	if (o)
		store_memory_set_erase(m, o);
	store_memory_set_give(m);
	return o ? 0 : -1;
}

size_t
store_memory_objects(const struct store *s)
{
	struct store_memory_set *m = store_memory_set_take(s);
	size_t n = m->n;

	store_memory_set_give(m);
	return n;
}
