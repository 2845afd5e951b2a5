/*
 * retention-prune: look at the repository, plan, check, delete. See
 * retention-prune(1).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "cli.h"
#include "fdio.h"
#include "log.h"
#include "lost.h"
#include "report.h"
#include "show.h"
#include "trail.h"

/* Messages about single objects; the rest is counted. */
#define TOLD_MAX 1000

struct options {
	bool dry_run;
	const char *plan;
	const char *apply;
	const char *reason;
	const char *approved_by;
	const char *repo;
	const char *system_id;
	struct cli_list forget;
	bool json;
};

struct session {
	const struct options *o;
	struct cli cli;
	struct conf *conf;
	const struct conf_cluster *cluster;
	struct repo *repo;
	size_t index;
	struct gather gather;
	struct retain_plan *plan;
	struct planfile file;
	struct apply_result result;
	struct move_result moves;
};

static int
open_repository(struct session *s, struct fault *f)
{
	int rc;

	if ((rc = cli_config(&s->cli, &s->conf, &s->cluster, f)) != 0 ||
	    (rc = conf_find_repo(s->cluster, s->o->repo, &s->index, f)) != 0 ||
	    (rc = repo_choose_open(
		 &s->repo, s->cluster, s->index, s->o->system_id, f)) != 0)
		return rc;
	return repo_needs_key(s->repo,
	    "pruning reads the heads of backups, which takes the key itself",
	    f);
}

/* A directory that is not mounted, a wrong bucket: that nothing is to go there
 * says nothing. */
static int
look_around(struct session *s, struct fault *f)
{
	const struct gather *g = &s->gather;

	if (g->n_folders == 0 && g->n_timelines == 0 && g->strange == 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s holds nothing of cluster %s, system id %" PRIu64,
		    store_url(g->store), s->cluster->name,
		    repo_system_id(s->repo));
	if (g->elsewhere.code != FAULT_NONE)
		log_line(0,
		    "WARNING: holds that stand there alone are not known: %s",
		    g->elsewhere.text);
	return 0;
}

static int
look(struct session *s, int64_t now_us, struct fault *f)
{
	const struct retain_policy policy = gather_policy(s->cluster);
	int rc = gather_read(&s->gather, s->repo, s->index, now_us, NULL, f);

	if (rc == 0)
		rc = look_around(s, f);
	if (rc == 0)
		rc = lost_check(&s->gather, &s->o->forget, f);
	return rc != 0 ? rc : retain_plan(&s->plan, &policy, &s->gather.in, f);
}

static int
make_plan(struct session *s, struct fault *f)
{
	int rc;

	if ((rc = look(s, clock_now_us(), f)) != 0 ||
	    (rc = planfile_temporary(&s->file, s->cluster->spool_dir, f)) != 0)
		return rc;
	return plan_write(&s->file, &s->gather, s->plan, f);
}

/* ---- deleting ---- */

static uint64_t told_count;

static void
told(const char *key, const char *why)
{
	if (told_count++ < TOLD_MAX)
		log_line(0, "%s: not deleted: %s", key, why);
}

static void
not_moved(const char *key, const char *why)
{
	if (told_count++ < TOLD_MAX)
		log_line(0, "%s: not moved: %s", key, why);
}

/* The store's legal holds before anything is locked or deleted. */
static int
carry_out(struct session *s, struct trail *t, struct fault *f)
{
	int rc = gather_legal_sync(&s->gather, &t->legal_on, &t->legal_off, f);

	if (t->legal_on > 0 || t->legal_off > 0)
		log_line(0,
		    "%" PRIu64 " objects put under a legal hold of the store, "
		    "%" PRIu64 " let go",
		    t->legal_on, t->legal_off);
	if (rc == 0)
		rc = apply_run(
		    &s->file, &s->gather, s->plan, told, &s->result, f);
	if (rc == 0 && s->result.failed > 0)
		rc = fault_set(f, FAULT_SYSTEM,
		    "%" PRIu64 " objects could not be deleted, %" PRIu64
		    " more stay because of them",
		    s->result.failed, s->result.skipped);
	return rc != 0 ? rc : plan_whole(&s->file, f);
}

/* Taking a legal hold off permits to delete, so it is on record before. */
static bool
changes_something(const struct session *s)
{
	return s->file.deletes > 0 || s->file.changes > 0 ||
	       s->o->forget.n > 0 ||
	       (store_has_lock(s->gather.store) && s->gather.holds.n > 0);
}

/* *begun: the first record is there, and it says that something is done. */
static int
prune(struct session *s, bool *begun, struct fault *f)
{
	struct trail trail = {
	    .reason = s->o->reason,
	    .approved_by = s->o->approved_by,
	    .forget = &s->o->forget,
	};
	struct fault other = FAULT_INIT;
	int rc, after;

	rc = trail_begin(&trail, &s->gather, &s->file, f);
	*begun = rc == 0;
	if (rc != 0) {
		trail_free(&trail);
		return rc;
	}
	rc = carry_out(s, &trail, f);
	after = trail_end(&trail, &s->gather, &s->result, rc, f, &other);
	trail_free(&trail);
	free(s->result.head_gone);
	if (rc == 0 && after != 0)
		*f = other;
	return rc != 0 ? rc : after;
}

/* The plan was checked, and s->file counted what it holds. What moves comes
 * last; that single objects could not be deleted does not keep it back. */
static int
execute(struct session *s, struct fault *f)
{
	struct fault other = FAULT_INIT;
	bool begun = true, moves = s->file.moves > 0;
	int rc = changes_something(s) ? prune(s, &begun, f)
				      : plan_whole(&s->file, f);
	int moved = 0;

	if (!begun)
		return rc;
	if (moves && (rc == 0 || rc == FAULT_SYSTEM))
		moved = move_run(&s->file, &s->gather, s->plan, not_moved,
		    &s->moves, &other);
	if (rc == 0 && moved != 0)
		*f = other;
	else if (moved != 0)
		log_line(0, "%s", other.text);
	rc = rc != 0 ? rc : moved;
	return report_print(&s->result, &s->moves, s->o->json,
		   rc == 0 ? f : &other) != 0 &&
		       rc == 0
		   ? (int)f->code
		   : rc;
}

/* ---- what was asked for ---- */

static int
save_plan(struct session *s, struct fault *f)
{
	struct fdio_atomic a;
	struct json *j = NULL;
	const char *line;
	int rc = fdio_atomic_begin(&a, s->o->plan, 0600, f);

	if (rc != 0)
		return rc;
	rc = planfile_rewind(&s->file, f);
	while (rc == 0) {
		rc = planfile_next(&s->file, &j, &line, f);
		if (rc == 0)
			rc = fdio_write(a.fd, s->o->plan, s->file.text,
			    strlen(s->file.text), f);
		if (j == NULL)
			break;
		json_free(j);
	}
	if (rc == 0)
		rc = fdio_atomic_publish(&a, 1, f);
	if (rc != 0)
		fdio_atomic_abort(&a);
	return rc;
}

static int
apply_file(struct session *s, struct fault *f)
{
	int64_t now_us;
	int rc;

	if ((rc = planfile_open(&s->file, s->o->apply, f)) != 0 ||
	    (rc = apply_moment(&s->file, &now_us, f)) != 0 ||
	    (rc = look(s, now_us, f)) != 0 ||
	    (rc = apply_check(&s->file, &s->gather, s->plan, f)) != 0)
		return rc;
	return execute(s, f);
}

static int
show(struct session *s, bool objects, struct fault *f)
{
	return s->o->json ? show_lines(&s->file, f)
			  : show_table(&s->file, objects, f);
}

static int
run(struct session *s, struct fault *f)
{
	const struct options *o = s->o;
	int rc = open_repository(s, f);

	if (rc == 0 && o->apply != NULL)
		return apply_file(s, f);
	if (rc == 0)
		rc = make_plan(s, f);
	if (rc == 0 && o->plan != NULL)
		rc = save_plan(s, f);
	if (rc != 0)
		return rc;
	if (o->dry_run || o->plan != NULL) {
		rc = show(s, o->dry_run, f);
		return rc != 0 ? rc : plan_whole(&s->file, f);
	}
	if (!o->json && (rc = show(s, false, f)) != 0)
		return rc;
	rc = apply_check(&s->file, &s->gather, s->plan, f);
	return rc != 0 ? rc : execute(s, f);
}

static int
check_usage(const struct session *s)
{
	const struct options *o = s->o;
	bool deletes = !o->dry_run && o->plan == NULL;

	if (o->apply != NULL && (o->dry_run || o->plan != NULL))
		return cli_usage(
		    &s->cli, "--apply goes with neither --dry-run nor --plan");
	if (o->forget.n > 0 && deletes && o->reason == NULL)
		return cli_usage(&s->cli,
		    "--forget-lost is recorded with its reason: give --reason");
	if (!deletes && (o->reason != NULL || o->approved_by != NULL))
		return cli_usage(&s->cli,
		    "--reason and --approved-by are recorded when something "
		    "is deleted");
	return CLI_GO;
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	const struct cli_option options[] = {
	    CLI_OPTION_FLAG(
		"dry-run", "print the plan and delete nothing", &o.dry_run),
	    CLI_OPTION_VALUE(
		"plan", "FILE", "write the plan and delete nothing", &o.plan),
	    CLI_OPTION_VALUE("apply", "FILE",
		"delete what this plan lets go, and nothing else", &o.apply),
	    CLI_OPTION_VALUE(
		"reason", "TEXT", "why; recorded with the deletion", &o.reason),
	    CLI_OPTION_VALUE("approved-by", "WHO",
		"who approved; recorded with the deletion", &o.approved_by),
	    CLI_OPTION_LIST("forget-lost", "ID",
		"give up a backup that was lost; may be repeated", &o.forget),
	    CLI_OPTION_VALUE("repo", "NAME",
		"repository; otherwise the first of the cluster", &o.repo),
	    CLI_OPTION_SYSTEM_ID(&o.system_id),
	    CLI_OPTION_FLAG("json", "the plan or result as JSON", &o.json),
	};
	const struct cli_program program = {
	    .name = "retention-prune",
	    .summary = "delete what no retention rule keeps",
	    .options = options,
	    .n_options = sizeof options / sizeof options[0],
	};
	struct fault f = FAULT_INIT;
	struct session s = {.o = &o};
	int status = cli_start(&s.cli, &program, argc, argv);

	if (status == CLI_GO)
		status = check_usage(&s);
	if (status != CLI_GO)
		return status;
	status = cli_end(run(&s, &f), &f);
	planfile_close(&s.file);
	retain_free(s.plan);
	gather_free(&s.gather);
	repo_free(s.repo);
	conf_free(s.conf);
	return status;
}
