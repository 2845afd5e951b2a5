#include "gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "catalog.h"
#include "crew.h"

#define DAY_US (86400 * INT64_C(1000000))

int
gather_unreadable(const struct gather *g, const char *what, struct fault *f)
{
	struct fault why = *f;

	if (g->eye == NULL ||
	    (why.code != FAULT_CORRUPT && why.code != FAULT_KEY &&
		why.code != FAULT_FOREIGN && why.code != FAULT_SYSTEM))
		return (int)why.code;
	fault_clear(f);
	return g->eye->unreadable(g->eye->ctx, what, &why);
}

struct retain_policy
gather_policy(const struct conf_cluster *c)
{
	struct retain_policy p;

	repo_policy(c, &p);
	return p;
}

static struct deadline
request_deadline(const struct gather *g)
{
	return deadline_in_ms(repo_conf(g->repo)->store_deadline_ms);
}

/* ---- WAL ---- */

static int
add_timeline(
    struct gather *g, uint32_t timeline, bool has_history, struct fault *f)
{
	struct gather_timeline *t = g->timelines;
	void *grown;
	size_t i = g->n_timelines;

	while (i > 0 && t[i - 1].timeline >= timeline)
		i--;
	if (i < g->n_timelines && t[i].timeline == timeline) {
		t[i].has_history = t[i].has_history || has_history;
		return 0;
	}
	grown = reallocarray(t, g->n_timelines + 1, sizeof *t);
	if (grown == NULL)
		return fault_nomem(f);
	g->timelines = t = grown;
	memmove(&t[i + 1], &t[i], (g->n_timelines - i) * sizeof *t);
	t[i] = (struct gather_timeline){timeline, has_history};
	g->n_timelines++;
	return 0;
}

static int
take_wal(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct gather *g = ctx;
	struct walname n;
	int rc;

	if (!gather_wal_name(g, e->key, &n)) {
		g->strange++;
		return 0;
	}
	if (g->eye != NULL && (rc = g->eye->object(g->eye->ctx, e, f)) != 0)
		return rc;
	rc = add_timeline(g, n.timeline, n.kind == WALNAME_HISTORY, f);
	if (rc == 0 && n.kind == WALNAME_SEGMENT)
		rc = gather_wal_add(g, &n, e->modified_us, f);
	return rc;
}

/* ---- backups ---- */

/* "20261122T020000Z-…" */
static int
id_time(const char *id, int64_t *us, struct fault *f)
{
	char iso[24];

	snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", id, id + 4,
	    id + 6, id + 9, id + 11, id + 13);
	if (clock_parse(iso, us, NULL, f) != 0)
		return fault_prefix(f, "backup %s", id);
	return 0;
}

struct base_listing {
	struct gather *g;
	size_t prefix_len;
};

static int
take_base(void *ctx, const struct store_entry *e, struct fault *f)
{
	const struct base_listing *l = ctx;
	struct gather *g = l->g;
	const char *name = e->key + l->prefix_len, *slash = strchr(name, '/');
	struct gather_folder *d =
	    g->n_folders > 0 ? &g->folders[g->n_folders - 1] : NULL;
	struct fault ignored = FAULT_INIT;
	char id[LAYOUT_ID] = "";
	int rc;

	if (slash != NULL && (size_t)(slash - name) < sizeof id)
		memcpy(id, name, (size_t)(slash - name));
	if (slash == NULL || layout_check_id(id, &ignored) != 0) {
		g->strange++;
		return 0;
	}
	if (d == NULL || strcmp(d->id, id) != 0) {
		void *grown = reallocarray(
		    g->folders, g->n_folders + 1, sizeof *g->folders);

		if (grown == NULL)
			return fault_nomem(f);
		g->folders = grown;
		d = &g->folders[g->n_folders++];
		memset(d, 0, sizeof *d);
		memcpy(d->id, id, sizeof id);
		if (id_time(id, &d->start_us, f) != 0)
			return (int)f->code;
		d->last_us = d->start_us;
	}
	if (g->eye != NULL && (rc = g->eye->object(g->eye->ctx, e, f)) != 0)
		return rc;
	d->objects++;
	d->bytes += e->size;
	if (strcmp(slash, "/head") == 0)
		d->has_head = true;
	if (e->modified_us == CLOCK_NONE)
		d->last_us = INT64_MAX;
	else if (e->modified_us > d->last_us)
		d->last_us = e->modified_us;
	return 0;
}

static int
by_time(const void *a, const void *b)
{
	const struct head *x = a, *y = b;

	if (x->stop_us != y->stop_us)
		return x->stop_us < y->stop_us ? -1 : 1;
	return strcmp(x->id, y->id);
}

static int
head_unreadable(struct gather *g, const char *id, struct fault *f)
{
	char key[LAYOUT_KEY];
	struct fault other = FAULT_INIT;

	if (layout_base(repo_cluster(g->repo), repo_system_id(g->repo), id,
		"head", key, &other) != 0)
		return (int)f->code;
	return gather_unreadable(g, key, f);
}

/* Heads are read side by side: there may be thousands. */
#define HEADS_AT_ONCE 16

struct look {
	struct head head;
	struct fault fault;
	bool done;
};

struct looking {
	struct gather *g;
	struct look *look; /* as folders */
};

static void
look(void *ctx, size_t k, struct repo *own)
{
	const struct looking *l = ctx;
	struct deadline d = request_deadline(l->g);

	if (!l->g->folders[k].has_head)
		return;
	l->look[k].done = catalog_head(own, l->g->index, l->g->folders[k].id,
			      &l->look[k].head, &d, &l->look[k].fault) == 0;
}

/* The head takes its place, or why not is told. */
static int
take_head(
    struct gather *g, struct gather_folder *d, struct look *x, struct fault *f)
{
	if (x->done) {
		g->heads[g->n_heads++] = x->head;
		x->done = false;
		return 0;
	}
	*f = x->fault;
	/* Somebody prunes as well. */
	if (f->code == FAULT_ABSENT && g->eye != NULL) {
		d->has_head = false;
		fault_clear(f);
		return 0;
	}
	if (f->code == FAULT_ABSENT)
		fault_recode(f, FAULT_AGAIN);
	fault_prefix(f, "backup %s", d->id);
	return head_unreadable(g, d->id, f);
}

static int
read_heads(struct gather *g, struct fault *f)
{
	struct looking l = {g, calloc(g->n_folders + 1, sizeof *l.look)};
	struct crew *c = NULL;
	int rc = 0;

	g->heads = calloc(g->n_folders + 1, sizeof *g->heads);
	if (g->heads == NULL || l.look == NULL)
		rc = fault_nomem(f);
	if (rc == 0)
		rc = crew_new(&c, g->repo, HEADS_AT_ONCE, f);
	if (rc == 0)
		rc = crew_run(c, g->n_folders, look, &l, f);
	for (size_t i = 0; rc == 0 && i < g->n_folders; i++)
		if (g->folders[i].has_head)
			rc = take_head(g, &g->folders[i], &l.look[i], f);
	for (size_t i = 0; l.look != NULL && i < g->n_folders; i++)
		if (l.look[i].done)
			head_free(&l.look[i].head);
	crew_free(c);
	free(l.look);
	if (rc == 0 && g->n_heads > 1)
		qsort(g->heads, g->n_heads, sizeof *g->heads, by_time);
	return rc;
}

static int
describe_backups(struct gather *g, struct fault *f)
{
	int rc = 0;

	g->backups = calloc(g->n_heads + 1, sizeof *g->backups);
	g->needs = calloc(g->n_heads + 1, sizeof *g->needs);
	if (g->backups == NULL || g->needs == NULL)
		return fault_nomem(f);
	/* Without backups no WAL is pruned; this size takes every name. */
	g->in.segment_size = WALNAME_SEGMENT_MIN;
	for (size_t i = 0; rc == 0 && i < g->n_heads; i++) {
		const struct head *h = &g->heads[i];

		if (i > 0 && h->segment_size != g->in.segment_size)
			return fault_set(f, FAULT_CONFIG,
			    "backups %s and %s have other WAL segment sizes: "
			    "names of segments are ambiguous; nothing is "
			    "pruned",
			    g->heads[0].id, h->id);
		g->in.segment_size = h->segment_size;
		g->backups[i] = (struct retain_backup){.id = h->id,
		    .readable = true,
		    .full = strcmp(h->type, "full") == 0,
		    .class = retain_class_of(h->retention_class),
		    .start_us = h->start_us,
		    .stop_us = h->stop_us,
		    .timeline = h->timeline,
		    .start_lsn = h->start_lsn,
		    .stop_lsn = h->stop_lsn};
		rc = add_timeline(g, h->timeline, false, f);
		if (rc == 0 && !g->backups[i].full)
			rc = gather_need_read(g, i, f);
	}
	return rc;
}

static int
judge_folders(struct gather *g, int64_t clock_us, struct fault *f)
{
	g->in.running_us = CLOCK_NONE;
	for (size_t i = 0; i < g->n_folders; i++) {
		struct gather_folder *d = &g->folders[i];

		if (d->has_head)
			continue;
		if (d->start_us > clock_us + RETAIN_TOLERANCE_US &&
		    g->eye == NULL)
			return fault_set(f, FAULT_CONFIG,
			    "backup %s has begun in the future: set the clocks "
			    "right first; nothing is pruned",
			    d->id);
		d->running = d->last_us > clock_us - DAY_US;
		if (d->running && (g->in.running_us == CLOCK_NONE ||
				      d->start_us < g->in.running_us))
			g->in.running_us = d->start_us;
	}
	return 0;
}

static int
read_base(struct gather *g, struct fault *f)
{
	struct base_listing l = {g, 0};
	struct deadline d = deadline_never();
	char prefix[LAYOUT_KEY];
	int rc;

	if ((rc = layout_base_prefix(repo_cluster(g->repo),
		 repo_system_id(g->repo), prefix, f)) != 0)
		return rc;
	l.prefix_len = strlen(prefix);
	if ((rc = store_list(
		 g->store, prefix, false, NULL, take_base, &l, &d, f)) != 0 ||
	    (rc = read_heads(g, f)) != 0)
		return rc;
	return describe_backups(g, f);
}

/* ---- timelines ---- */

/* One whose history cannot be read stands alone. */
static int
read_path(struct gather *g, const struct gather_timeline *t, struct fault *f)
{
	struct buf text = BUF_INIT(HISTORY_FILE_MAX);
	struct deadline d = request_deadline(g);
	struct history *path = &g->paths[g->n_paths];
	struct walname n = {.kind = WALNAME_HISTORY, .timeline = t->timeline};
	char name[WALNAME_SIZE], key[LAYOUT_KEY];
	int rc = 0;

	walname_format_history(t->timeline, name);
	if (t->has_history)
		rc = archive_read(g->repo, name, &text, &d, f);
	if (rc == FAULT_ABSENT)
		rc = fault_recode(f, FAULT_AGAIN);
	if (rc == 0)
		rc = history_parse(path, t->timeline,
		    t->has_history ? (const char *)text.data : NULL, text.len,
		    f);
	if (rc != 0)
		fault_prefix(f, "%s", name);
	if (rc != 0 &&
	    layout_wal(repo_cluster(g->repo), repo_system_id(g->repo), name, &n,
		key, f) == 0 &&
	    (rc = gather_unreadable(g, key, f)) == 0)
		rc = history_parse(path, t->timeline, NULL, 0, f);
	if (rc == 0)
		g->n_paths++;
	buf_free(&text);
	return rc;
}

static int
read_paths(struct gather *g, struct fault *f)
{
	int rc = 0;

	g->paths = calloc(g->n_timelines + 1, sizeof *g->paths);
	if (g->paths == NULL)
		return fault_nomem(f);
	for (size_t i = 0; rc == 0 && i < g->n_timelines; i++)
		rc = read_path(g, &g->timelines[i], f);
	return rc;
}

/* ---- all ---- */

static int
read_wal(struct gather *g, struct fault *f)
{
	struct deadline d = deadline_never();
	char prefix[LAYOUT_KEY];
	int rc = layout_wal_prefix(
	    repo_cluster(g->repo), repo_system_id(g->repo), prefix, f);

	return rc != 0 ? rc
		       : store_list(
			     g->store, prefix, false, NULL, take_wal, g, &d, f);
}

static int
read_holds(struct gather *g, struct fault *f)
{
	struct deadline d = deadline_never();
	char prefix[LAYOUT_KEY];
	int rc = layout_hold_prefix(
	    repo_cluster(g->repo), repo_system_id(g->repo), prefix, f);

	if (rc == 0 && hold_read(g->repo, g->index, &g->holds, &d, f) != 0)
		rc = gather_unreadable(g, prefix, f);
	return rc;
}

int
gather_read(struct gather *g, struct repo *r, size_t index, int64_t now_us,
    const struct gather_eye *eye, struct fault *f)
{
	int64_t clock_us = clock_now_us();
	bool base_first = eye != NULL && eye->base_first;
	int rc;

	memset(g, 0, sizeof *g);
	g->repo = r;
	g->index = index;
	g->eye = eye;
	if ((rc = repo_store(r, index, &g->store, f)) != 0 ||
	    (rc = read_holds(g, f)) != 0 ||
	    (rc = base_first ? read_base(g, f) : read_wal(g, f)) != 0 ||
	    (rc = base_first ? read_wal(g, f) : read_base(g, f)) != 0 ||
	    (rc = judge_folders(g, clock_us, f)) != 0 ||
	    (rc = gather_wal_number(g, f)) != 0 || (rc = read_paths(g, f)) != 0)
		return rc;
	g->in.backups = g->backups;
	g->in.n_backups = g->n_heads;
	g->in.wal = g->wal;
	g->in.n_wal = g->n_wal;
	g->in.paths = g->paths;
	g->in.n_paths = g->n_paths;
	g->in.now_us = now_us;
	g->in.clock_us = clock_us;
	if ((rc = gather_hold_prepare(g, f)) != 0)
		return rc;
	g->in.holds = g->held;
	g->in.n_holds = g->n_held;
	return 0;
}

void
gather_free(struct gather *g)
{
	for (size_t i = 0; i < g->n_heads; i++)
		head_free(&g->heads[i]);
	for (size_t i = 0; g->needs != NULL && i < g->n_heads; i++)
		free(g->needs[i]);
	for (size_t i = 0; i < g->n_paths; i++)
		history_free(&g->paths[i]);
	for (size_t i = 0; i < g->n_held; i++)
		free((void *)(uintptr_t)g->held[i].bounds);
	free(g->heads);
	free(g->needs);
	free(g->backups);
	free(g->folders);
	free(g->timelines);
	free(g->paths);
	free(g->wal);
	free(g->held);
	hold_free(&g->holds);
	memset(g, 0, sizeof *g);
}

const struct gather_folder *
gather_find(const struct gather *g, const char *id)
{
	for (size_t i = 0; i < g->n_folders; i++)
		if (strcmp(g->folders[i].id, id) == 0)
			return &g->folders[i];
	return NULL;
}

size_t
gather_backup(const struct gather *g, const char *id)
{
	size_t i;

	for (i = 0; i < g->n_heads; i++)
		if (strcmp(g->heads[i].id, id) == 0)
			break;
	return i;
}
