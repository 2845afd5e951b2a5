#include "apply.h"

#include "lock.h"
#include "move.h"
#include "remains.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 1000

struct runner {
	struct planfile *in;
	const struct gather *g;
	const struct retain_plan *p;
	apply_told told;
	struct apply_result *res;
	char *keys[BATCH];
	uint64_t sizes[BATCH];
	size_t n;
	bool *stuck; /* by backup: its head could not be deleted */
};

int
apply_moment(struct planfile *in, int64_t *now_us, struct fault *f)
{
	struct json *j;
	const char *line;
	int64_t version;
	int rc;

	if ((rc = planfile_rewind(in, f)) != 0 ||
	    (rc = planfile_next(in, &j, &line, f)) != 0)
		return rc;
	/* What is computed with it stays in bounds. */
	if (j == NULL || strcmp(line, "plan") != 0 ||
	    json_get_i64(j, "version", &version, f) != 0 ||
	    json_get_range(j, "now_us", 0, INT64_MAX, now_us, f) != 0)
		rc = fault_set(f, FAULT_CONFIG, "%s: not a plan", in->name);
	else if (version != PLANFILE_VERSION)
		rc = fault_set(f, FAULT_CONFIG,
		    "%s: version %" PRId64 " of a plan is not known here",
		    in->name, version);
	else if (*now_us > clock_now_us() + RETAIN_TOLERANCE_US)
		rc = fault_set(
		    f, FAULT_CONFIG, "%s was made in the future", in->name);
	json_free(j);
	return rc;
}

static int
check_plan(const struct planfile *in, const struct json *j,
    const struct gather *g, struct fault *f)
{
	const struct conf_cluster *c = repo_conf(g->repo);
	const char *cluster, *repo;
	uint64_t id;

	if (json_get_str(j, "cluster", &cluster, f) != 0 ||
	    json_get_str(j, "repo", &repo, f) != 0 ||
	    json_get_u64(j, "system_id", &id, f) != 0)
		return fault_set(f, FAULT_CONFIG, "%s: not a plan", in->name);
	if (strcmp(cluster, c->name) != 0 ||
	    strcmp(repo, c->repos[g->index]->name) != 0 ||
	    id != repo_system_id(g->repo))
		return fault_set(f, FAULT_FOREIGN,
		    "%s is a plan for cluster %s (system id %" PRIu64
		    ") in repository %s",
		    in->name, cluster, id, repo);
	return 0;
}

static int
check_keep(const struct planfile *in, const struct json *j,
    const struct gather *g, struct fault *f)
{
	const char *id;

	if (json_get_str(j, "backup", &id, f) != 0)
		return fault_set(f, FAULT_CONFIG, "%s: line %lu: no backup",
		    in->name, in->at);
	if (gather_backup(g, id) == g->n_heads)
		return fault_set(f, FAULT_EXISTS,
		    "%s no longer fits the repository: backup %s, which it "
		    "keeps, is gone; make a new plan",
		    in->name, id);
	return 0;
}

static int
take_delete(const struct planfile *in, const struct json *j, const char **key,
    uint64_t *size, int64_t *modified_us, struct fault *f)
{
	if (json_get_str(j, "key", key, f) != 0 ||
	    json_get_u64(j, "size", size, f) != 0 ||
	    json_get_i64(j, "modified_us", modified_us, f) != 0)
		return fault_set(f, FAULT_CONFIG, "%s: line %lu: no object",
		    in->name, in->at);
	return 0;
}

/* A backup goes head first, or one that exists would lack something. */
static int
check_order(const struct planfile *in, const char *key, const struct gather *g,
    bool *head_goes, struct fault *f)
{
	char prefix[LAYOUT_KEY], id[LAYOUT_ID] = "";
	size_t len, n, i;
	int rc = layout_base_prefix(
	    repo_cluster(g->repo), repo_system_id(g->repo), prefix, f);

	if (rc != 0)
		return rc;
	len = strlen(prefix);
	n = strncmp(key, prefix, len) == 0 ? strcspn(key + len, "/") : 0;
	if (n >= sizeof id)
		return 0;
	memcpy(id, key + len, n);
	i = gather_backup(g, id);
	if (i == g->n_heads)
		return 0;
	if (strcmp(key + len + n, "/head") == 0)
		head_goes[i] = true;
	if (head_goes[i])
		return 0;
	return fault_set(f, FAULT_CONFIG,
	    "%s: line %lu: %s would go, and the head of its backup stay; make "
	    "a new plan",
	    in->name, in->at, key);
}

static int
check_delete(const struct planfile *in, const struct json *j,
    const struct gather *g, const struct retain_plan *p, bool *head_goes,
    struct fault *f)
{
	const char *key, *why;
	uint64_t size;
	int64_t modified_us;
	int rc = take_delete(in, j, &key, &size, &modified_us, f);

	if (rc == 0 && !plan_allows(g, p, key, modified_us, &why))
		rc = fault_set(f, FAULT_EXISTS,
		    "%s no longer fits the repository: %s: %s; make a new plan",
		    in->name, key, why);
	return rc != 0 ? rc : check_order(in, key, g, head_goes, f);
}

int
apply_check(struct planfile *in, const struct gather *g,
    const struct retain_plan *p, struct fault *f)
{
	struct json *j = NULL;
	const char *line = "";
	bool *head_goes = calloc(g->n_heads + 1, sizeof *head_goes);
	int rc = head_goes == NULL ? fault_nomem(f) : planfile_rewind(in, f);

	while (rc == 0) {
		rc = planfile_next(in, &j, &line, f);
		if (rc != 0 || j == NULL)
			break;
		if ((in->at == 1) != (strcmp(line, "plan") == 0))
			rc = fault_set(
			    f, FAULT_CONFIG, "%s: not a plan", in->name);
		else if (strcmp(line, "plan") == 0)
			rc = check_plan(in, j, g, f);
		else if (strcmp(line, "keep") == 0)
			rc = check_keep(in, j, g, f);
		else if (strcmp(line, "delete") == 0)
			rc = check_delete(in, j, g, p, head_goes, f);
		else if (strcmp(line, "lock") == 0)
			rc = lock_check(in, j, g, p, f);
		else if (strcmp(line, "abort") == 0)
			rc = remains_check(in, j, g, f);
		else if (strcmp(line, "move") == 0)
			rc = move_check(in, j, g, p, f);
		json_free(j);
	}
	free(head_goes);
	return rc;
}

/* ---- deleting ---- */

static void
deleted(void *ctx, size_t i, const struct fault *result)
{
	struct runner *r = ctx;

	if (result->code == FAULT_NONE) {
		r->res->deleted++;
		r->res->bytes += r->sizes[i];
		return;
	}
	if (result->code == FAULT_EXISTS)
		r->res->locked++;
	else
		r->res->failed++;
	r->told(r->keys[i], result->text);
}

/* Deleting takes hours where there is much, and a hold is in force as soon as
 * it is placed. */
static int
flush(struct runner *r, struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(r->g->repo)->store_deadline_ms);
	int rc = 0;

	if (r->n > 0 && (rc = gather_hold_same(r->g, f)) == 0)
		rc = store_delete(r->g->store, (const char *const *)r->keys,
		    r->n, deleted, r, &d, f);
	for (size_t i = 0; i < r->n; i++)
		free(r->keys[i]);
	r->n = 0;
	return rc;
}

/* Does a backup that could not go use what this one has? */
static bool
is_needed(const struct runner *r, size_t i)
{
	bool reached = r->stuck[i];

	for (size_t k = 0; !reached && k < r->g->n_heads; k++)
		for (size_t n = 0; r->stuck[k] && n < r->g->backups[k].n_needs;
		     n++)
			if (r->g->backups[k].needs[n] == i)
				reached = true;
	return reached;
}

/* Objects of a backup that still exists, and its WAL, stay. */
static bool
is_stuck(const struct runner *r, const char *key)
{
	const struct gather *g = r->g;
	struct fault ignored = FAULT_INIT;
	struct walname n;
	uint64_t segno;
	bool is_wal =
	    gather_wal_name(g, key, &n) &&
	    walname_segno(&n, g->in.segment_size, &segno, &ignored) == 0;

	for (size_t i = 0; i < g->n_heads; i++) {
		const struct retain_backup *b = &g->backups[i];
		char folder[LAYOUT_KEY];

		if (!r->stuck[i])
			continue;
		if (is_wal) {
			if (n.timeline == b->timeline &&
			    segno >= walname_segno_of(
					 b->start_lsn, g->in.segment_size) &&
			    segno <= walname_segno_before(
					 b->stop_lsn, g->in.segment_size))
				return true;
		} else if (layout_base(repo_cluster(g->repo),
			       repo_system_id(g->repo), b->id, "", folder,
			       &ignored) == 0 &&
			   strncmp(key, folder, strlen(folder)) == 0) {
			return true;
		}
	}
	return false;
}

bool
apply_head(const char *key, char id[LAYOUT_ID])
{
	const char *name = strrchr(key, '/'), *from = name;
	size_t n;

	if (name == NULL || strcmp(name, "/head") != 0)
		return false;
	while (from > key && from[-1] != '/')
		from--;
	n = (size_t)(name - from);
	if (n >= LAYOUT_ID)
		return false;
	memcpy(id, from, n);
	id[n] = '\0';
	return true;
}

/* A backup's head by itself: what follows depends on whether it is gone. */
static int
delete_head(struct runner *r, size_t i, struct fault *f)
{
	uint64_t deletions = r->res->deleted;
	int rc = flush(r, f);

	r->stuck[i] = rc != 0 || r->res->deleted == deletions;
	r->res->head_gone[i] = !r->stuck[i];
	return rc;
}

static int
one(struct runner *r, const struct json *j, struct fault *f)
{
	const struct gather *g = r->g;
	const char *key, *why;
	char id[LAYOUT_ID];
	uint64_t size;
	int64_t modified_us;
	size_t i = g->n_heads;
	int rc = take_delete(r->in, j, &key, &size, &modified_us, f);

	if (rc != 0)
		return rc;
	/* The file was checked; it might have been written to since. */
	if (!plan_allows(g, r->p, key, modified_us, &why))
		return fault_set(f, FAULT_EXISTS, "%s: %s", key, why);
	if (apply_head(key, id))
		i = gather_backup(g, id);
	if (i < g->n_heads)
		r->stuck[i] = is_needed(r, i);
	if (is_stuck(r, key)) {
		r->res->skipped++;
		return 0;
	}
	r->keys[r->n] = strdup(key);
	if (r->keys[r->n] == NULL)
		return fault_nomem(f);
	r->sizes[r->n++] = size;
	if (i < g->n_heads)
		return delete_head(r, i, f);
	return r->n == BATCH ? flush(r, f) : 0;
}

/* One that cannot be ended keeps nothing else from going. */
static void
abort_upload(struct runner *r, const struct json *j)
{
	struct fault f = FAULT_INIT;
	const char *key = "";

	if (remains_run(r->in, j, r->g, &key, &f) == 0) {
		r->res->aborted++;
		return;
	}
	r->res->failed++;
	r->told(key, f.text);
}

int
apply_run(struct planfile *in, const struct gather *g,
    const struct retain_plan *p, apply_told told, struct apply_result *res,
    struct fault *f)
{
	struct runner *r = calloc(1, sizeof *r);
	struct json *j = NULL;
	const char *line = "";
	int rc = planfile_rewind(in, f);

	memset(res, 0, sizeof *res);
	if (r == NULL)
		return fault_nomem(f);
	r->in = in;
	r->g = g;
	r->p = p;
	r->told = told;
	r->res = res;
	r->stuck = calloc(g->n_heads + 1, sizeof *r->stuck);
	res->head_gone = calloc(g->n_heads + 1, sizeof *res->head_gone);
	if (r->stuck == NULL || res->head_gone == NULL)
		rc = fault_nomem(f);
	while (rc == 0) {
		rc = planfile_next(in, &j, &line, f);
		if (rc != 0 || j == NULL)
			break;
		if (strcmp(line, "delete") == 0)
			rc = one(r, j, f);
		else if (strcmp(line, "lock") == 0 &&
			 (rc = lock_check(in, j, g, p, f)) == 0)
			rc = lock_run(in, j, g, p, &res->extended, f);
		else if (strcmp(line, "abort") == 0 &&
			 (rc = remains_check(in, j, g, f)) == 0)
			abort_upload(r, j);
		json_free(j);
	}
	if (rc == 0)
		rc = flush(r, f);
	for (size_t i = 0; i < r->n; i++)
		free(r->keys[i]);
	free(r->stuck);
	free(r);
	return rc;
}
