#include "gather_core.h"

#include <stdlib.h>
#include <string.h>

#include "archive.h"

struct retain_policy
gather_policy(const struct conf_cluster *c)
{
	struct retain_policy p;

	repo_policy(c, &p);
	return p;
}

/* ---- timelines ---- */

/* One whose history cannot be read stands alone. */
static int
read_path(struct gather *g, const struct gather_timeline *t, struct fault *f)
{
	struct buf text = BUF_INIT(HISTORY_FILE_MAX);
	struct deadline d =
	    deadline_in_ms(repo_conf(g->repo)->store_deadline_ms);
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
	    (rc = gather_eye_unreadable(g, key, f)) == 0)
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
read_holds(struct gather *g, struct fault *f)
{
	struct deadline d = deadline_never();
	char prefix[LAYOUT_KEY];
	int rc = layout_hold_prefix(
	    repo_cluster(g->repo), repo_system_id(g->repo), prefix, f);

	if (rc == 0 && hold_read(g->repo, g->index, &g->holds, &d, f) != 0)
		rc = gather_eye_unreadable(g, prefix, f);
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
	    (rc = gather_elsewhere(g, f)) != 0 ||
	    (rc = base_first ? gather_base_read(g, f)
			     : gather_wal_read(g, f)) != 0 ||
	    (rc = base_first ? gather_wal_read(g, f)
			     : gather_base_read(g, f)) != 0 ||
	    (rc = gather_base_judge(g, clock_us, f)) != 0 ||
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
