#include <stdlib.h>
#include <string.h>

#include "store_memory_set.h"
#include "text.h"

static int
as_planned(const struct store_memory_plan *p, const char *key, struct fault *f)
{
	return fault_set(f, p->code, "memory:%s: as the test wants it", key);
}

static int
late(const struct deadline *d, const char *key, struct fault *f)
{
	if (!deadline_passed(d))
		return 0;
	return fault_set(
	    f, FAULT_AGAIN, "memory:%s: the time allowed is over", key);
}

static int
put(struct store *s, const char *key, const void *data, size_t len,
    const struct deadline *d, struct fault *f)
{
	struct store_memory_set *m = store_memory_set_take(s);
	const struct store_memory_plan *p =
	    store_memory_set_planned(m, STORE_MEMORY_PUT, key);
	int rc = late(d, key, f);

	if (rc == 0 && p && !p->after)
		rc = as_planned(p, key, f);
	if (rc == 0 && store_memory_set_find(m, key))
		rc = fault_set(
		    f, FAULT_EXISTS, "memory:%s: the name is taken", key);
	if (rc == 0)
		rc = store_memory_set_insert(m, key, data, len, f);
	if (rc == 0 && p)
		rc = as_planned(p, key, f);
	store_memory_set_give(m);
	return rc;
}

/* info, and a copy of [offset, offset + *length), which is cut at the end. */
static int
copy_range(const struct store_memory_set *m, const char *key, uint64_t offset,
    uint64_t *length, unsigned char **data, struct store_info *info,
    struct fault *f)
{
	const struct store_memory_object *o = store_memory_set_find(m, key);

	if (!o)
		return fault_set(
		    f, FAULT_ABSENT, "memory:%s: there is no such object", key);
	info->size = o->len;
	info->modified_us = o->modified_us;
	if (!data)
		return 0;
	if (offset > 0 && offset >= o->len)
		return fault_set(f, FAULT_CORRUPT,
		    "memory:%s: has %zu bytes, fewer than expected", key,
		    o->len);
	if (*length > o->len - offset)
		*length = o->len - offset;
	*data = malloc(*length ? (size_t)*length : 1);
	if (!*data)
		return fault_nomem(f);
	memcpy(*data, o->data + offset, (size_t)*length);
	return 0;
}

static int
get(struct store *s, const char *key, uint64_t offset, uint64_t length,
    sink_fn sink, void *ctx, struct store_info *info, const struct deadline *d,
    struct fault *f)
{
	struct store_memory_set *m = store_memory_set_take(s);
	const struct store_memory_plan *p =
	    store_memory_set_planned(m, STORE_MEMORY_GET, key);
	struct store_memory_plan plan = {.code = FAULT_NONE};
	unsigned char *data = NULL;
	int rc = late(d, key, f);

	if (p)
		plan = *p;
	if (rc == 0 && p && p->deliver == 0)
		rc = as_planned(p, key, f);
	if (rc == 0)
		rc = copy_range(m, key, offset, &length, &data, info, f);
	store_memory_set_give(m);
	if (plan.code && length > plan.deliver)
		length = plan.deliver;
	/* In pieces, as from a network. */
	for (uint64_t at = 0; rc == 0 && at < length;) {
		uint64_t n = length - at < 65521 ? length - at : 65521;

		rc = sink(ctx, data + at, (size_t)n, f);
		at += n;
	}
	if (rc == 0 && plan.code)
		rc = as_planned(&plan, key, f);
	free(data);
	return rc;
}

static int
stat_object(struct store *s, const char *key, struct store_info *info,
    const struct deadline *d, struct fault *f)
{
	struct store_memory_set *m = store_memory_set_take(s);
	const struct store_memory_plan *p =
	    store_memory_set_planned(m, STORE_MEMORY_STAT, key);
	int rc = late(d, key, f);

	if (rc == 0 && p)
		rc = as_planned(p, key, f);
	if (rc == 0)
		rc = copy_range(m, key, 0, NULL, NULL, info, f);
	store_memory_set_give(m);
	return rc;
}

static int
remove_keys(struct store *s, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *f)
{
	for (size_t i = 0; i < n; i++) {
		struct fault result = FAULT_INIT;
		const struct store_memory_plan *p;
		struct store_memory_object *o;
		struct store_memory_set *m;
		int rc = late(d, keys[i], f);

		if (rc)
			return rc;
		m = store_memory_set_take(s);
		p = store_memory_set_planned(m, STORE_MEMORY_DELETE, keys[i]);
		o = store_memory_set_find(m, keys[i]);
		if (o && (!p || p->after))
			store_memory_set_erase(m, o);
		if (p)
			as_planned(p, keys[i], &result);
		store_memory_set_give(m);
		cb(ctx, i, &result);
	}
	return 0;
}

/* The next entry after last into key, which is one byte longer than a key so
 * that a folder's '/' fits. False: there is none. */
static bool
next_entry(const struct store_memory_set *m, const char *prefix, bool shallow,
    const char *last, char *key, struct store_entry *e)
{
	size_t len = strlen(prefix);
	size_t i = store_memory_set_position(
	    m, strcmp(last, prefix) > 0 ? last : prefix);

	for (; i < m->n && text_prefix(m->objects[i].key, prefix); i++) {
		const struct store_memory_object *o = &m->objects[i];
		const char *slash = shallow ? strchr(o->key + len, '/') : NULL;
		size_t n =
		    slash ? (size_t)(slash - o->key) + 1 : strlen(o->key);

		/* Not "at most the first n bytes": last itself may go on. */
		memcpy(key, o->key, n);
		key[n] = '\0';
		if (strcmp(key, last) <= 0)
			continue;
		e->key = key;
		e->is_folder = slash != NULL;
		e->size = slash ? 0 : o->len;
		e->modified_us = slash ? CLOCK_NONE : o->modified_us;
		return true;
	}
	return false;
}

/* Without the lock while cb runs: it may use the store. */
static int
list(struct store *s, const char *prefix, bool shallow, const char *start_after,
    store_list_fn cb, void *ctx, const struct deadline *d, struct fault *f)
{
	char key[STORE_KEY_MAX + 2];
	char *last = strdup(start_after ? start_after : "");
	struct store_memory_plan plan = {.code = FAULT_NONE};
	const struct store_memory_plan *p;
	struct store_memory_set *m = store_memory_set_take(s);
	int rc = last ? 0 : fault_nomem(f);

	p = store_memory_set_planned(m, STORE_MEMORY_LIST, prefix);
	if (p)
		plan = *p;
	store_memory_set_give(m);
	for (uint64_t i = 0; rc == 0; i++) {
		struct store_entry e = {0};
		bool more;

		rc = late(d, prefix, f);
		if (rc == 0 && plan.code && i >= plan.deliver)
			rc = as_planned(&plan, prefix, f);
		if (rc)
			break;
		m = store_memory_set_take(s);
		more = next_entry(m, prefix, shallow, last, key, &e);
		store_memory_set_give(m);
		if (!more)
			break;
		rc = cb(ctx, &e, f);
		free(last);
		last = strdup(key);
		if (!last && rc == 0)
			rc = fault_nomem(f);
	}
	free(last);
	return rc;
}

static void
free_store(struct store *base)
{
	struct store_memory *s = (struct store_memory *)base;
	struct store_memory_set *m = s->set;
	bool last = false;

	if (m) {
		store_memory_set_take(base);
		last = --m->users == 0;
		store_memory_set_give(m);
	}
	if (last) {
		while (m->n > 0)
			store_memory_set_erase(m, &m->objects[m->n - 1]);
		free(m->objects);
		pthread_mutex_destroy(&m->lock);
		free(m);
	}
	free(s);
}

static int clone_store(
    struct store **out, const struct store *s, struct fault *f);

static const struct store_ops ops = {
    .clone = clone_store,
    .free = free_store,
    .put = put,
    .get = get,
    .stat = stat_object,
    .list = list,
    .remove = remove_keys,
};

static struct store_memory *
make(void)
{
	struct store_memory *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->base.ops = &ops;
	s->base.name = strdup("memory");
	s->base.url = strdup("memory:");
	if (s->base.name && s->base.url)
		return s;
	store_free(&s->base);
	return NULL;
}

static int
clone_store(struct store **out, const struct store *base, struct fault *f)
{
	struct store_memory *s = make();
	struct store_memory_set *m;

	if (!s)
		return fault_nomem(f);
	m = store_memory_set_take(base);
	m->users++;
	store_memory_set_give(m);
	s->set = m;
	*out = &s->base;
	return 0;
}

int
store_open_memory(struct store **out, struct fault *f)
{
	struct store_memory *s = make();
	struct store_memory_set *m = calloc(1, sizeof(*m));

	if (!s || !m) {
		store_free(s ? &s->base : NULL);
		free(m);
		return fault_nomem(f);
	}
	pthread_mutex_init(&m->lock, NULL);
	m->users = 1;
	s->set = m;
	*out = &s->base;
	return 0;
}
