#include "plan.h"

#include <string.h>

#include "text.h"
#include "waychoice.h"

static int
find_system_id(const struct plan *p, uint64_t *id, struct fault *f)
{
	struct deadline d = deadline_in_ms(p->cluster->store_deadline_ms);
	const char *given = p->want.o->system_id;

	if (given == NULL)
		return repo_choose_only(p->cluster, p->index, id, &d, f);
	if (text_u64(given, id) != 0)
		return fault_set(
		    f, FAULT_CONFIG, "--system-id '%s': give a number", given);
	return 0;
}

int
plan_open(struct plan *p, const struct cli *cli, struct fault *f)
{
	const char *one = p->want.o->repo;
	uint64_t id = 0;
	int rc;

	p->goal = p->want.goal;
	rc = cli_config(cli, &p->conf, &p->cluster, f);
	if (rc == 0 && one != NULL) {
		rc = conf_only_repo(p->cluster, one, &p->only, f);
		p->cluster = &p->only;
	}
	if (rc == 0)
		rc = find_system_id(p, &id, f);
	if (rc == 0)
		rc = repo_open(&p->repo, p->cluster, id, f);
	if (rc == 0 && repo_keys(p->repo) != NULL &&
	    !keyring_can_open(repo_keys(p->repo)))
		rc = fault_set(f, FAULT_KEY,
		    "%s is the recipient part of a key: a restore needs the "
		    "key itself",
		    p->cluster->key_files[0]);
	return rc;
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
		rc = catalog_head(p->repo, p->index, id, &p->named, &d, f);
	if (rc == FAULT_ABSENT || layout_check_id(id, f) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "--backup %s: there is no such backup, or it was not "
		    "finished",
		    id);
	if (rc == 0)
		p->head = &p->named;
	return rc;
}

static int
take_best(struct plan *p, struct fault *f)
{
	struct deadline d = deadline_never();
	int rc;

	rc = catalog_read(p->repo, p->index, &p->catalog, &d, f);
	if (rc == FAULT_CORRUPT || rc == FAULT_KEY)
		fault_prefix(f,
		    "the backups cannot be compared (--backup ID takes one "
		    "unseen)");
	if (rc == 0)
		rc = waychoice_pick(p->repo, p->index, &p->catalog, &p->goal,
		    p->want.jobs, &p->head, &p->goal.timeline, &d, f);
	return rc;
}

int
plan_prove(struct plan *p, struct fault *f)
{
	const struct request *want = &p->want;
	struct deadline d = deadline_never();
	int rc;

	if (want->o->backup != NULL)
		rc = take_named(p, want->o->backup, f);
	else
		rc = take_best(p, f);
	if (rc == 0)
		rc = waypath_find(p->repo, p->index, p->head, &p->goal,
		    want->jobs, &p->way, &d, f);
	if (rc != 0)
		return rc;
	p->has_way = true;
	if (want->o->target_dir == NULL)
		return 0;
	rc = place_plan(
	    &p->place, want->o->target_dir, want->map, want->n_map, p->head, f);
	p->has_place = rc == 0;
	return rc;
}

void
plan_free(struct plan *p)
{
	if (p->has_place)
		place_free(&p->place);
	if (p->has_way)
		waypath_free(&p->way);
	catalog_free(&p->catalog);
	head_free(&p->named);
	repo_free(p->repo);
	conf_free(p->conf);
}
