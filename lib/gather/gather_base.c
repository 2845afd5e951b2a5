#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "crew.h"
#include "gather_core.h"

#define DAY_US (86400 * INT64_C(1000000))

/* "20261122T020000Z-…" */
static bool
id_time(const char *id, int64_t *us)
{
	struct fault ignored = FAULT_INIT;
	char iso[24];

	snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", id, id + 4,
	    id + 6, id + 9, id + 11, id + 13);
	return clock_parse(iso, us, NULL, &ignored) == 0;
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
	int64_t start_us;
	int rc;

	if (slash != NULL && (size_t)(slash - name) < sizeof id)
		memcpy(id, name, (size_t)(slash - name));
	if (slash == NULL || layout_check_id(id, &ignored) != 0 ||
	    !id_time(id, &start_us)) {
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
		d->last_us = d->start_us = start_us;
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
	return gather_eye_unreadable(g, key, f);
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
	struct deadline d =
	    deadline_in_ms(repo_conf(l->g->repo)->store_deadline_ms);

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

/* Is the backup's last segment there, and of the size that its head tells? */
static bool
has_size(const struct gather *g, const struct head *h)
{
	struct fault ignored = FAULT_INIT;
	struct walmeta m;
	char name[WALNAME_SIZE];

	walname_format(h->timeline,
	    walname_segno_before(h->stop_lsn, h->segment_size), h->segment_size,
	    name);
	return gather_wal_look(g, name, &m, &ignored) == 0 &&
	       m.size == h->segment_size;
}

static uint32_t
usual_size(const struct gather *g)
{
	for (size_t i = g->n_heads; i-- > 0;)
		if (has_size(g, &g->heads[i]))
			return g->heads[i].segment_size;
	return g->heads[0].segment_size;
}

/* Names of segments do not tell of which size they are. So one backup that says
 * another must not keep the others from being looked at: left out is what does
 * not say what the newest one does whose WAL bears it out. */
static int
drop_other_sizes(struct gather *g, struct fault *f)
{
	size_t n = 0, i = 1;
	uint32_t usual;
	int rc = 0;

	while (i < g->n_heads &&
	       g->heads[i].segment_size == g->heads[0].segment_size)
		i++;
	if (i >= g->n_heads)
		return 0;
	usual = usual_size(g);
	for (i = 0; i < g->n_heads; i++) {
		struct head *h = &g->heads[i];

		if (rc == 0 && h->segment_size != usual) {
			fault_set(f, FAULT_CORRUPT,
			    "it tells of WAL segments of %u bytes, other "
			    "backups of %u: names of segments are ambiguous",
			    h->segment_size, usual);
			rc = head_unreadable(g, h->id, f);
			head_free(h);
		} else {
			g->heads[n++] = *h;
		}
	}
	g->n_heads = n;
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
		rc = gather_wal_timeline(g, h->timeline, false, f);
		if (rc == 0 && !g->backups[i].full)
			rc = gather_need_read(g, i, f);
	}
	return rc;
}

int
gather_base_judge(struct gather *g, int64_t clock_us, struct fault *f)
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
			    "right, or remove it when no host of yours made "
			    "it; nothing is pruned",
			    d->id);
		d->running = d->last_us > clock_us - DAY_US;
		if (d->running && (g->in.running_us == CLOCK_NONE ||
				      d->start_us < g->in.running_us))
			g->in.running_us = d->start_us;
	}
	return 0;
}

int
gather_base_read(struct gather *g, struct fault *f)
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
	    (rc = read_heads(g, f)) != 0 ||
	    (g->eye != NULL && (rc = drop_other_sizes(g, f)) != 0))
		return rc;
	return describe_backups(g, f);
}
