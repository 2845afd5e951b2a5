#include "plan.h"

#include <inttypes.h>

#include "log.h"
#include "packcheck.h"
#include "waychoice.h"
#include "waysplit.h"
#include "waystop.h"

#define TOLD_MAX 20 /* packs at fault that are told one by one */

int
plan_open(struct plan *p, const struct cli *cli, struct fault *f)
{
	const struct options *o = p->want.o;
	int rc;

	p->goal = p->want.goal;
	rc = cli_config(cli, &p->conf, &p->cluster, f);
	if (rc == 0)
		rc = sources_open(&p->sources, &p->repo, p->cluster, &o->repos,
		    o->system_id, f);
	return rc;
}

bool
plan_goes_by_some(const struct plan *p)
{
	return p->want.o->repos.n > 0 || p->sources.n_silent > 0;
}

/* The end of the archive, and the newest timeline, may be in a repository that
 * does not answer; a target that is seen on a timeline that was named is where
 * it is. The end of a backup that was named is, too. */
static int
check_sources(const struct plan *p, struct fault *f)
{
	const struct waypath_goal *g = &p->goal;

	if (g->target != WAYPATH_LATEST && g->timeline != 0)
		return 0;
	if (g->target == WAYPATH_IMMEDIATE && p->want.o->backup != NULL)
		return 0;
	return sources_require_all(&p->sources, f);
}

/* Only the head of the one that was named is read: another one's damaged head
 * must not stand in its way. */
static int
take_named(struct plan *p, const char *id, struct fault *f)
{
	struct deadline d = deadline_never();
	int rc;

	rc = layout_check_id(id, f);
	if (rc == 0)
		rc = catalog_find(p->repo, &p->index, id, &p->named, &d, f);
	if (rc == FAULT_ABSENT || layout_check_id(id, f) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "--backup %s: there is no such backup, or it was not "
		    "finished; retention-prune --dry-run shows those that "
		    "are there",
		    id);
	if (rc == 0)
		p->head = &p->named;
	return rc;
}

static int
take_best(struct plan *p, struct fault *f)
{
	const struct catalog_backup *best;
	struct deadline d = deadline_never();
	int rc;

	rc = catalog_read(p->repo, &p->catalog, &d, f);
	if (rc == FAULT_CORRUPT || rc == FAULT_KEY)
		fault_prefix(f,
		    "the backups cannot be compared (--backup ID takes one "
		    "unseen)");
	if (rc == 0)
		rc = waychoice_pick(p->repo, &p->catalog, &p->goal, &best,
		    &p->goal.timeline, &d, f);
	if (rc == 0) {
		p->head = &best->head;
		p->index = best->repo;
	}
	return rc;
}

static void
tell_pack(void *ctx, const char *name, uint64_t want, uint64_t size)
{
	unsigned *told = ctx;

	if ((*told)++ >= TOLD_MAX)
		return;
	if (size == UINT64_MAX)
		log_line(0, "%s: missing", name);
	else
		log_line(0,
		    "%s: %" PRIu64 " bytes, where it had %" PRIu64 " when it "
		    "was stored",
		    name, size, want);
}

/* All packs are there, in the repository that was chosen or in another one that
 * has this backup. */
static int
check_packs(struct plan *p, struct fault *f)
{
	struct deadline d = deadline_never();
	struct fault other = FAULT_INIT;
	struct head copy;
	size_t next = p->index;
	unsigned told;
	int rc;

	for (;;) {
		fault_clear(&other);
		told = 0;
		rc = packcheck_run(p->repo, next, p->head, tell_pack, &told,
		    p->classes, &d, &other);
		if (rc == 0) {
			p->index = next;
			fault_clear(f);
			return 0;
		}
		if (next == p->index)
			*f = other;
		else
			log_line(0, "%s", other.text);
		next++;
		if (catalog_find(
			p->repo, &next, p->head->id, &copy, &d, &other) != 0)
			return (int)f->code;
		head_free(&copy);
		log_line(0, "looking in repository %s instead",
		    p->sources.cluster.repos[next]->name);
	}
}

/* What walfetch would deliver is the first that is whole. What cannot be read
 * at all is found when it is fetched. */
static int
check_stop(struct plan *p, struct fault *f)
{
	struct fault why = FAULT_INIT;

	for (size_t i = 0; i < repo_count(p->repo); i++) {
		int rc = waystop_check(p->repo, i, p->head, &why);

		if (rc == 0)
			return 0;
		if (rc == FAULT_FOREIGN)
			return fault_set(f, FAULT_ABSENT,
			    "backup %s cannot be made consistent: %s; choose "
			    "another backup",
			    p->head->id, why.text);
		fault_clear(&why);
	}
	return 0;
}

int
plan_prove(struct plan *p, struct fault *f)
{
	const struct request *want = &p->want;
	struct deadline d = deadline_never();
	int rc;

	rc = check_sources(p, f);
	if (rc != 0)
		return rc;
	if (want->o->backup != NULL)
		rc = take_named(p, want->o->backup, f);
	else
		rc = take_best(p, f);
	if (rc == 0)
		rc = waypath_find(p->repo, p->head, &p->goal, &p->way, &d, f);
	if (rc == FAULT_ABSENT && p->head != NULL)
		waychoice_add_next(p->repo, &p->catalog, &p->goal, &d, f);
	if (rc != 0)
		return rc;
	p->has_way = true;
	if ((rc = waysplit_check(p->repo, &p->way, &d, f)) != 0 ||
	    (rc = check_stop(p, f)) != 0)
		return rc;
	if (want->o->target_dir != NULL) {
		p->where = (struct place_want){
		    .target_dir = want->o->target_dir,
		    .map = want->map,
		    .n_map = want->n_map,
		    .delta = want->o->delta,
		    .discard_wal = want->o->discard_wal,
		    .conf = p->cluster,
		};
		rc = place_plan(&p->place, &p->where, p->head, f);
		p->has_place = rc == 0;
	}
	return rc != 0 ? rc : check_packs(p, f);
}

void
plan_free(struct plan *p)
{
	trail_free(&p->trail);
	if (p->has_place)
		place_free(&p->place);
	if (p->has_way)
		waypath_free(&p->way);
	catalog_free(&p->catalog);
	head_free(&p->named);
	repo_free(p->repo);
	conf_free(p->conf);
}
