#include "catalog.h"

#include <stdlib.h>
#include <string.h>

struct ids {
	char (*id)[LAYOUT_ID];
	size_t n;
	size_t cap;
};

/* "…/base/ID/" -> ID. A folder with another name is none of ours. */
static int
take_id(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct ids *ids = ctx;
	char id[LAYOUT_ID];
	struct fault ignored = FAULT_INIT;
	size_t len = strlen(e->key);
	const char *p;

	if (!e->is_folder || len < 2)
		return 0;
	p = memrchr(e->key, '/', len - 1);
	p = p == NULL ? e->key : p + 1;
	len = strlen(p) - 1;
	if (len >= sizeof id)
		return 0;
	memcpy(id, p, len);
	id[len] = '\0';
	if (layout_check_id(id, &ignored) != 0)
		return 0;
	if (ids->n == ids->cap) {
		size_t cap = ids->cap == 0 ? 64 : 2 * ids->cap;
		void *grown = reallocarray(ids->id, cap, sizeof *ids->id);

		if (grown == NULL)
			return fault_nomem(f);
		ids->id = grown;
		ids->cap = cap;
	}
	memcpy(ids->id[ids->n++], id, sizeof id);
	return 0;
}

static int
by_time(const void *a, const void *b)
{
	const struct head *x = a;
	const struct head *y = b;

	if (x->stop_us != y->stop_us)
		return x->stop_us < y->stop_us ? -1 : 1;
	return strcmp(x->id, y->id);
}

int
catalog_head(struct repo *r, size_t i, const char *id, struct head *out,
    const struct deadline *d, struct fault *f)
{
	struct deadline step =
	    deadline_step(d, repo_conf(r)->store_deadline_ms);
	struct buf text = BUF_INIT(HEAD_MAX);
	char key[LAYOUT_KEY];
	char name[LAYOUT_KEY];
	int rc;

	rc = layout_check_id(id, f);
	if (rc == 0)
		rc = layout_base(
		    repo_cluster(r), repo_system_id(r), id, "head", key, f);
	if (rc == 0)
		rc = layout_base_name(id, "head", name, f);
	if (rc == 0)
		rc = repo_get_object(
		    r, i, key, OBJECT_HEAD, name, &text, &step, f);
	if (rc == 0)
		rc = head_decode(text.data, text.len, out, f);
	if (rc == 0 && strcmp(out->id, id) != 0) {
		rc = fault_set(f, FAULT_CORRUPT,
		    "the head of backup %s speaks of backup %s", id, out->id);
		head_free(out);
	} else if (rc == 0 && out->system_id != repo_system_id(r)) {
		rc = fault_set(f, FAULT_CORRUPT,
		    "the head of backup %s speaks of another cluster", id);
		head_free(out);
	}
	buf_free(&text);
	return rc;
}

int
catalog_read(struct repo *r, size_t i, struct catalog *out,
    const struct deadline *d, struct fault *f)
{
	struct deadline step =
	    deadline_step(d, repo_conf(r)->store_deadline_ms);
	struct catalog c = {NULL, 0, 0};
	struct ids ids = {NULL, 0, 0};
	char prefix[LAYOUT_KEY];
	struct store *s;
	size_t k;
	int rc;

	rc = repo_store(r, i, &s, f);
	if (rc == 0)
		rc = layout_base_prefix(
		    repo_cluster(r), repo_system_id(r), prefix, f);
	if (rc == 0)
		rc = store_list(s, prefix, true, NULL, take_id, &ids, &step, f);
	if (rc == 0 && ids.n > 0) {
		c.heads = calloc(ids.n, sizeof *c.heads);
		if (c.heads == NULL)
			rc = fault_nomem(f);
	}
	for (k = 0; rc == 0 && k < ids.n; k++) {
		rc = catalog_head(r, i, ids.id[k], &c.heads[c.n], d, f);
		if (rc == 0) {
			c.n++;
		} else if (rc == FAULT_ABSENT) {
			c.unfinished++;
			rc = 0;
		} else {
			fault_prefix(f, "backup %s", ids.id[k]);
		}
	}
	free(ids.id);
	if (rc != 0) {
		catalog_free(&c);
		return rc;
	}
	if (c.n > 1)
		qsort(c.heads, c.n, sizeof *c.heads, by_time);
	*out = c;
	return 0;
}

void
catalog_free(struct catalog *c)
{
	size_t k;

	for (k = 0; k < c->n; k++)
		head_free(&c->heads[k]);
	free(c->heads);
	c->heads = NULL;
	c->n = 0;
}
