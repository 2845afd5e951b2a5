#include "catalog.h"

#include <stdlib.h>
#include <string.h>

#include "crew.h"

/* Requests side by side, and so the most heads in memory that are not parsed
 * yet. */
#define READERS 16

/* One backup's folder in one repository, and its head when it was read. */
struct folder {
	char id[LAYOUT_ID];
	size_t repo;
	struct head head;
	struct fault fault; /* NONE: there is a head */
};

struct folders {
	struct folder *v;
	size_t n;
	size_t cap;
	size_t repo; /* being listed */
	const struct deadline *deadline;
};

/* "…/base/ID/" -> ID. A folder with another name is none of ours. */
static int
take_id(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct folders *t = ctx;
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
	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 64 : 2 * t->cap;
		void *grown = reallocarray(t->v, cap, sizeof *t->v);

		if (grown == NULL)
			return fault_nomem(f);
		t->v = grown;
		t->cap = cap;
	}
	memset(&t->v[t->n], 0, sizeof *t->v);
	memcpy(t->v[t->n].id, id, sizeof id);
	t->v[t->n++].repo = t->repo;
	return 0;
}

static int
list_folders(struct repo *r, struct folders *t, struct fault *f)
{
	char prefix[LAYOUT_KEY];
	int rc;

	rc = layout_base_prefix(repo_cluster(r), repo_system_id(r), prefix, f);
	for (t->repo = 0; rc == 0 && t->repo < repo_count(r); t->repo++) {
		struct deadline step =
		    deadline_step(t->deadline, repo_conf(r)->store_deadline_ms);
		struct store *s;

		rc = repo_store(r, t->repo, &s, f);
		if (rc == 0)
			rc = store_list(
			    s, prefix, true, NULL, take_id, t, &step, f);
	}
	return rc;
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
catalog_find(struct repo *r, size_t *i, const char *id, struct head *out,
    const struct deadline *d, struct fault *f)
{
	struct fault first = FAULT_INIT;
	size_t k;

	fault_set(&first, FAULT_ABSENT, "backup %s is in no repository", id);
	for (k = *i; k < repo_count(r); k++) {
		fault_clear(f);
		if (catalog_head(r, k, id, out, d, f) == 0) {
			*i = k;
			return 0;
		}
		if (first.code == FAULT_ABSENT)
			first = *f;
	}
	*f = first;
	return (int)f->code;
}

static void
read_head(void *ctx, size_t k, struct repo *own)
{
	struct folders *t = ctx;
	struct folder *b = &t->v[k];

	catalog_head(own, b->repo, b->id, &b->head, t->deadline, &b->fault);
}

/* Of one backup's folders the best comes first. */
static int
by_id(const void *a, const void *b)
{
	const struct folder *x = a;
	const struct folder *y = b;
	int order = strcmp(x->id, y->id);

	if (order == 0)
		order = (x->fault.code != FAULT_NONE) -
			(y->fault.code != FAULT_NONE);
	/* That it is not finished in one says less than a damaged head. */
	if (order == 0)
		order = (x->fault.code == FAULT_ABSENT) -
			(y->fault.code == FAULT_ABSENT);
	return order != 0 ? order : (x->repo > y->repo) - (x->repo < y->repo);
}

static int
by_time(const void *a, const void *b)
{
	const struct head *x = &((const struct catalog_backup *)a)->head;
	const struct head *y = &((const struct catalog_backup *)b)->head;

	if (x->stop_us != y->stop_us)
		return x->stop_us < y->stop_us ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* Each backup once; heads that go into the catalogue leave the folders. */
static int
collect(struct folders *t, struct catalog *c, struct fault *f)
{
	size_t k;

	qsort(t->v, t->n, sizeof *t->v, by_id);
	c->backups = calloc(t->n, sizeof *c->backups);
	if (c->backups == NULL)
		return fault_nomem(f);
	for (k = 0; k < t->n; k++) {
		struct folder *b = &t->v[k];

		if (k > 0 && strcmp(b->id, b[-1].id) == 0)
			continue;
		if (b->fault.code == FAULT_ABSENT) {
			c->unfinished++;
			continue;
		}
		if (b->fault.code != FAULT_NONE) {
			*f = b->fault;
			return fault_prefix(f, "backup %s", b->id);
		}
		c->backups[c->n].repo = b->repo;
		c->backups[c->n++].head = b->head;
		memset(&b->head, 0, sizeof b->head);
	}
	qsort(c->backups, c->n, sizeof *c->backups, by_time);
	return 0;
}

int
catalog_read(struct repo *r, struct catalog *out, const struct deadline *d,
    struct fault *f)
{
	struct folders t = {.deadline = d};
	struct catalog c = {NULL, 0, 0};
	struct crew *crew = NULL;
	size_t k;
	int rc;

	rc = list_folders(r, &t, f);
	if (rc == 0 && t.n > 0)
		rc = crew_new(&crew, r, READERS, f);
	if (rc == 0 && t.n > 0)
		rc = crew_run(crew, t.n, read_head, &t, f);
	if (rc == 0 && t.n > 0)
		rc = collect(&t, &c, f);
	crew_free(crew);
	for (k = 0; k < t.n; k++)
		head_free(&t.v[k].head);
	free(t.v);
	if (rc != 0) {
		catalog_free(&c);
		return rc;
	}
	*out = c;
	return 0;
}

void
catalog_free(struct catalog *c)
{
	size_t k;

	for (k = 0; k < c->n; k++)
		head_free(&c->backups[k].head);
	free(c->backups);
	c->backups = NULL;
	c->n = 0;
}
