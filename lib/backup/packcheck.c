#include "packcheck.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "manifest_source.h"
#include "text.h"

#define SPACES "pg_tblspc/"

/* Packs, and backups they belong to, between two looks. */
#define PACKS_MAX (128U << 10)
#define IDS_MAX 1024
#define NUMBER_8 99999999U /* names up to it sort as their numbers do */

struct expected {
	uint64_t size;
	uint32_t number;
	uint16_t id; /* index in ids */
	bool seen;
};

struct check {
	struct repo *repo; /* its own: the manifest still comes in by another */
	size_t index;
	const struct head *head;
	const struct deadline *deadline;
	packcheck_fn told;
	void *ctx;
	struct expected *packs;
	size_t n;
	char (*ids)[LAYOUT_ID];
	uint16_t n_ids;
	/* while one backup's folder is listed: */
	struct expected *from;
	size_t n_from;
	size_t left;
	/* found so far: */
	uint64_t bad;
	char first[LAYOUT_KEY];
	char classes[PACKCHECK_CLASSES];
};

static int
by_number(const void *a, const void *b)
{
	const struct expected *x = a;
	const struct expected *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static void
judge(struct check *c, const struct expected *p, uint64_t size)
{
	char what[16];
	char name[LAYOUT_KEY];

	if (size == p->size)
		return;
	layout_pack(p->number, what);
	snprintf(name, sizeof name, "%s/%s", c->ids[p->id], what);
	if (c->bad++ == 0)
		memcpy(c->first, name, sizeof name);
	if (c->told != NULL)
		c->told(c->ctx, name, p->size, size);
}

static void
note_class(struct check *c, const char *class)
{
	size_t n = class != NULL ? strlen(class) : 0;
	size_t used = strlen(c->classes);
	const char *at = c->classes;

	if (n == 0 || n + 2 > sizeof c->classes - used)
		return;
	for (; *at != '\0'; at += strcspn(at, " "), at += *at == ' ')
		if (strncmp(at, class, n) == 0 &&
		    (at[n] == ' ' || at[n] == '\0'))
			return;
	snprintf(c->classes + used, sizeof c->classes - used, "%s%s",
	    used > 0 ? " " : "", class);
}

/* One object of the folder. */
static int
take_object(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct check *c = ctx;
	const char *pack = strstr(e->key, "/pack/");
	struct expected *p;
	struct expected key = {.id = c->from->id};

	(void)f;
	if (pack == NULL || !layout_is_pack(pack + 1, &key.number))
		return 0;
	p = bsearch(&key, c->from, c->n_from, sizeof key, by_number);
	if (p == NULL || p->seen)
		return 0;
	p->seen = true;
	note_class(c, e->storage_class);
	judge(c, p, e->size);
	return --c->left == 0 ? -1 : 0; /* -1: enough */
}

/* The packs of one backup, from the first to the last that is wanted. */
static int
list_folder(struct check *c, struct fault *f)
{
	struct deadline step =
	    deadline_step(c->deadline, repo_conf(c->repo)->store_deadline_ms);
	char prefix[LAYOUT_KEY];
	char after[LAYOUT_KEY];
	char what[16];
	struct store *s;
	size_t k;
	int rc;

	layout_pack(c->from->number == 0 ? 0 : c->from->number - 1, what);
	rc = layout_base(repo_cluster(c->repo), repo_system_id(c->repo),
	    c->ids[c->from->id], "pack/", prefix, f);
	if (rc == 0)
		rc = layout_base(repo_cluster(c->repo), repo_system_id(c->repo),
		    c->ids[c->from->id], what, after, f);
	if (rc == 0)
		rc = repo_store(c->repo, c->index, &s, f);
	c->left = c->n_from;
	if (rc == 0)
		rc = store_list(s, prefix, false,
		    c->from->number == 0 ||
			    c->from[c->n_from - 1].number > NUMBER_8
			? NULL
			: after,
		    take_object, c, &step, f);
	if (rc != 0 && rc != -1)
		return rc;
	for (k = 0; c->left > 0 && k < c->n_from; k++)
		if (!c->from[k].seen)
			judge(c, &c->from[k], UINT64_MAX);
	return 0;
}

/* Two sections of a manifest may name the same pack. */
static int
drop_twins(struct check *c, struct fault *f)
{
	size_t n = 0;
	size_t k;

	for (k = 0; k < c->n; k++) {
		struct expected *p = &c->packs[k];

		if (n > 0 && by_number(&c->packs[n - 1], p) == 0) {
			if (c->packs[n - 1].size == p->size)
				continue;
			return fault_set(f, FAULT_CORRUPT,
			    "the manifest names pack %" PRIu32
			    " of backup %s with two sizes",
			    p->number, c->ids[p->id]);
		}
		c->packs[n++] = *p;
	}
	c->n = n;
	return 0;
}

/* Look for all that was collected. */
static int
look(struct check *c, struct fault *f)
{
	size_t k = 0;
	int rc;

	if (c->n > 0)
		qsort(c->packs, c->n, sizeof *c->packs, by_number);
	rc = drop_twins(c, f);
	while (rc == 0 && k < c->n) {
		c->from = &c->packs[k];
		while (k < c->n && c->packs[k].id == c->from->id)
			k++;
		c->n_from = (size_t)(&c->packs[k] - c->from);
		rc = list_folder(c, f);
	}
	c->n = 0;
	c->n_ids = 0;
	return rc;
}

/* "ID/pack/NNNNNNNN", to the letter. */
static int
parse_name(
    const char *name, char id[LAYOUT_ID], uint32_t *number, struct fault *f)
{
	size_t len = strcspn(name, "/");

	if (len < LAYOUT_ID && name[len] == '/' &&
	    layout_is_pack(name + len + 1, number)) {
		memcpy(id, name, len);
		id[len] = '\0';
		return layout_check_id(id, f);
	}
	return fault_set(f, FAULT_CORRUPT, "\"%s\" names no pack", name);
}

/* Most packs are of the same backup as the one before. */
static uint16_t
find_id(struct check *c, const char *id)
{
	uint16_t k = c->n_ids;

	while (k > 0)
		if (strcmp(c->ids[--k], id) == 0)
			return k;
	memcpy(c->ids[c->n_ids], id, LAYOUT_ID);
	return c->n_ids++;
}

/* Nothing outside of what is restored is to be written to. */
static int
check_path(const struct check *c, const char *path, struct fault *f)
{
	char digits[11] = "";
	uint32_t oid;
	size_t len;

	if (!text_prefix(path, SPACES))
		return 0;
	len = strcspn(path + strlen(SPACES), "/");
	if (path[strlen(SPACES) + len] == '\0')
		return 0;
	if (len < sizeof digits)
		memcpy(digits, path + strlen(SPACES), len);
	for (size_t i = 0;
	     text_u32(digits, &oid) == 0 && i < c->head->n_tablespaces; i++)
		if (c->head->tablespaces[i].oid == oid)
			return manifest_path_in_space(
			    path, path + strlen(SPACES) + len + 1, f);
	return 0;
}

static int
take_entry(void *ctx, const struct manifest_entry *e, struct fault *f)
{
	return check_path(ctx, e->path, f);
}

static int
check_pieces(
    const struct check *c, const struct manifest_pack *p, struct fault *f)
{
	const char *last = NULL;
	int rc = 0;

	for (uint32_t k = 0; k < p->n_extents; k++)
		for (uint32_t j = 0; rc == 0 && j < p->extents[k].n_pieces;
		     j++) {
			const char *path = p->extents[k].pieces[j].path;

			if (path != last)
				rc = check_path(c, path, f);
			last = path;
		}
	return rc;
}

static int
take_pack(void *ctx, const struct manifest_pack *p, struct fault *f)
{
	struct check *c = ctx;
	char id[LAYOUT_ID] = "";
	uint32_t number;
	int rc = parse_name(p->name, id, &number, f);

	if (rc == 0)
		rc = check_pieces(c, p, f);
	if (rc == 0 && (c->n == PACKS_MAX || c->n_ids == IDS_MAX))
		rc = look(c, f);
	if (rc != 0)
		return rc;
	c->packs[c->n++] = (struct expected){
	    .size = p->size, .number = number, .id = find_id(c, id)};
	return 0;
}

static int
read_manifest(struct repo *r, size_t i, const struct head *h, struct check *c,
    struct fault *f)
{
	static const struct manifest_events ev = {take_entry, take_pack};
	struct deadline step =
	    deadline_step(c->deadline, repo_conf(r)->store_deadline_ms);
	struct manifest_totals totals = {0};
	int rc = manifest_source_read(r, i, h->id, &ev, c, &totals, &step, f);

	if (rc == 0 && (totals.bytes != h->totals.bytes ||
			   totals.packs != h->totals.packs))
		rc = fault_set(f, FAULT_CORRUPT, "not the one of its head");
	/* The head was written after it. */
	if (rc == FAULT_ABSENT)
		rc = fault_recode(f, FAULT_CORRUPT);
	if (rc != 0)
		fault_prefix(f, "manifest of backup %s", h->id);
	if (rc == FAULT_CORRUPT || rc == FAULT_KEY) {
		const struct fault why = *f;

		fault_set(f, why.code, "%s; choose another backup", why.text);
	}
	return rc;
}

int
packcheck_run(struct repo *r, size_t i, const struct head *h, packcheck_fn told,
    void *ctx, char classes[PACKCHECK_CLASSES], const struct deadline *d,
    struct fault *f)
{
	struct check c = {
	    .index = i, .head = h, .deadline = d, .told = told, .ctx = ctx};
	int rc = repo_clone(&c.repo, r, f);

	c.packs = calloc(PACKS_MAX, sizeof *c.packs);
	c.ids = calloc(IDS_MAX, sizeof *c.ids);
	if (rc == 0 && (c.packs == NULL || c.ids == NULL))
		rc = fault_nomem(f);
	if (rc == 0)
		rc = read_manifest(r, i, h, &c, f);
	if (rc == 0)
		rc = look(&c, f);
	if (rc == 0 && c.bad > 0)
		rc = fault_set(f, FAULT_CORRUPT,
		    "backup %s is not whole in repository %s: %" PRIu64
		    " of its packs are missing or cut, %s is the first; choose "
		    "another backup",
		    h->id, repo_conf(r)->repos[i]->name, c.bad, c.first);
	if (rc == 0)
		memcpy(classes, c.classes, sizeof c.classes);
	free(c.packs);
	free(c.ids);
	repo_free(c.repo);
	return rc;
}
