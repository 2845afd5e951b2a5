#include <stdlib.h>
#include <string.h>

#include "gather_core.h"
#include "manifest_source.h"

/* An incremental backup's manifest names the packs of older backups. */

struct reading {
	struct gather *g;
	size_t i;
};

static int
take_pack(void *ctx, const struct manifest_pack *p, struct fault *f)
{
	const struct reading *q = ctx;
	struct gather *g = q->g;
	struct retain_backup *b = &g->backups[q->i];
	size_t len = strcspn(p->name, "/");
	void *grown;
	size_t k;

	if (strncmp(p->name, b->id, len) == 0 && b->id[len] == '\0')
		return 0;
	for (k = 0; k < g->n_folders; k++)
		if (strncmp(g->folders[k].id, p->name, len) == 0 &&
		    g->folders[k].id[len] == '\0') {
			if (!g->folders[k].has_head)
				g->folders[k].needed = true;
			break;
		}
	for (k = 0; k < g->n_heads; k++)
		if (strncmp(g->heads[k].id, p->name, len) == 0 &&
		    g->heads[k].id[len] == '\0')
			break;
	if (k == g->n_heads) {
		b->needs_lost = true;
		return 0;
	}
	for (size_t n = 0; n < b->n_needs; n++)
		if (g->needs[q->i][n] == k)
			return 0;
	grown = reallocarray(g->needs[q->i], b->n_needs + 1, sizeof **g->needs);
	if (grown == NULL)
		return fault_nomem(f);
	g->needs[q->i] = grown;
	g->needs[q->i][b->n_needs++] = k;
	b->needs = g->needs[q->i];
	return 0;
}

int
gather_need_read(struct gather *g, size_t i, struct fault *f)
{
	static const struct manifest_events events = {.pack = take_pack};
	const char *id = g->heads[i].id;
	struct reading q = {g, i};
	struct deadline d =
	    deadline_in_ms(repo_conf(g->repo)->store_deadline_ms);
	struct manifest_totals totals;
	char key[LAYOUT_KEY] = "";
	int rc;

	rc = layout_base(repo_cluster(g->repo), repo_system_id(g->repo), id,
	    "manifest", key, f);
	if (rc == 0)
		rc = manifest_source_read(
		    g->repo, g->index, id, &events, &q, &totals, &d, f);
	if (rc == FAULT_ABSENT)
		rc = fault_recode(f, FAULT_CORRUPT);
	if (rc != 0)
		fault_prefix(f, "what backup %s needs is not known", id);
	return rc != 0 ? gather_eye_unreadable(g, key, f) : 0;
}
