/*
 * pitr-restore: choose a backup, prove the way to the target, unpack, prepare
 * recovery. Reads as that procedure; each step is in a file of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autoconf.h"
#include "catalog.h"
#include "cli.h"
#include "fdio.h"
#include "goal.h"
#include "log.h"
#include "place.h"
#include "progress.h"
#include "recovery.h"
#include "report.h"
#include "sample.h"
#include "text.h"
#include "unpacker.h"
#include "waychoice.h"

#define JOBS_MAX 64
#define CONF_MAX (1U << 20)

struct options {
	const char *target_dir;
	const char *backup;
	struct goal_options goal;
	struct cli_list tablespaces;
	const char *repo;
	const char *system_id;
	const char *jobs;
	bool dry_run;
	bool json;
	bool no_progress;
};

/* Everything a restore works with. */
struct session {
	const struct options *o;
	struct cli cli;
	struct conf *conf;
	const struct conf_cluster *cluster;
	struct conf_cluster only; /* with --repo */
	struct waypath_goal goal;
	struct place_map map[CLI_LIST];
	size_t n_map;
	unsigned jobs;
	struct repo *repo;
	size_t index; /* of the repository: the first */
	struct catalog catalog;
	struct head named; /* with --backup */
	const struct head *head;
	bool has_way;
	struct waypath way;
	bool has_place;
	struct place place;
};

static struct deadline
request_deadline(const struct session *s)
{
	return deadline_in_ms(s->cluster->store_deadline_ms);
}

/* "OID=DIR" of every --tablespace. */
static int
parse_maps(struct session *s, struct fault *f)
{
	const struct cli_list *list = &s->o->tablespaces;
	size_t k;

	for (k = 0; k < list->n; k++) {
		const char *eq = strchr(list->v[k], '=');
		char oid[11] = "";

		if (eq != NULL && (size_t)(eq - list->v[k]) < sizeof oid)
			memcpy(oid, list->v[k], (size_t)(eq - list->v[k]));
		if (eq == NULL || eq[1] == '\0' ||
		    text_u32(oid, &s->map[k].oid) != 0)
			return fault_set(f, FAULT_CONFIG,
			    "--tablespace '%s': give OID=DIR", list->v[k]);
		s->map[k].dir = eq + 1;
	}
	s->n_map = list->n;
	return 0;
}

static int
parse_jobs(struct session *s, struct fault *f)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t n;

	if (s->o->jobs == NULL) {
		s->jobs = processors < 2   ? 2
			  : processors > 8 ? 8
					   : (unsigned)processors;
		return 0;
	}
	if (text_u32(s->o->jobs, &n) != 0 || n == 0 || n > JOBS_MAX)
		return fault_set(f, FAULT_CONFIG, "--jobs '%s': give 1 to %d",
		    s->o->jobs, JOBS_MAX);
	s->jobs = n;
	return 0;
}

static int
parse_options(struct session *s, struct fault *f)
{
	const struct options *o = s->o;
	bool zone_assumed;
	int rc;

	rc = goal_parse(&o->goal, &s->goal, &zone_assumed, f);
	if (rc == 0 && zone_assumed)
		log_line(0, "--target-time has no zone: taken as UTC");
	if (rc == 0)
		rc = parse_maps(s, f);
	if (rc == 0)
		rc = parse_jobs(s, f);
	if (rc == 0 && o->target_dir == NULL && !o->dry_run)
		rc = fault_set(f, FAULT_CONFIG,
		    "give --target-dir DIR, or --dry-run to look first");
	return rc;
}

/* The system id: given, or the only one that the repository holds. */
static int
find_system_id(struct session *s, uint64_t *id, struct fault *f)
{
	struct deadline d = request_deadline(s);
	struct store *store = NULL;
	uint64_t ids[8];
	size_t n = 0;
	int rc;

	if (s->o->system_id != NULL) {
		if (text_u64(s->o->system_id, id) != 0)
			return fault_set(f, FAULT_CONFIG,
			    "--system-id '%s': give a number", s->o->system_id);
		return 0;
	}
	rc = store_open(&store, s->cluster->repos[s->index], f);
	if (rc == 0)
		rc =
		    repo_system_ids(store, s->cluster->name, ids, 8, &n, &d, f);
	if (rc == 0 && n == 0)
		rc = fault_set(f, FAULT_CONFIG,
		    "%s holds nothing of cluster %s: wrong url or cluster "
		    "name, or nothing was archived yet",
		    store_url(store), s->cluster->name);
	if (rc == 0 && n > 1)
		rc = fault_set(f, FAULT_CONFIG,
		    "%s holds %zu clusters called %s (system ids %llu, %llu%s):"
		    " choose one with --system-id",
		    store_url(store), n, s->cluster->name,
		    (unsigned long long)ids[0], (unsigned long long)ids[1],
		    n > 2 ? ", …" : "");
	if (rc == 0)
		*id = ids[0];
	store_free(store);
	return rc;
}

static int
open_repository(struct session *s, struct fault *f)
{
	uint64_t id = 0;
	int rc;

	rc = cli_config(&s->cli, &s->conf, &s->cluster, f);
	if (rc == 0 && s->o->repo != NULL) {
		rc = conf_only_repo(s->cluster, s->o->repo, &s->only, f);
		s->cluster = &s->only;
	}
	if (rc == 0)
		rc = find_system_id(s, &id, f);
	if (rc == 0)
		rc = repo_open(&s->repo, s->cluster, id, f);
	if (rc == 0 && repo_keys(s->repo) != NULL &&
	    !keyring_can_open(repo_keys(s->repo)))
		rc = fault_set(f, FAULT_KEY,
		    "%s is the recipient part of a key: a restore needs the "
		    "key itself",
		    s->cluster->key_files[0]);
	return rc;
}

/* The backup: the one that was named, or the best for the goal. What is named
 * is read alone: another one's damaged head must not stand in its way. */
static int
choose_backup(struct session *s, struct fault *f)
{
	struct deadline d = deadline_never();
	int rc;

	if (s->o->backup == NULL) {
		rc = catalog_read(s->repo, s->index, &s->catalog, &d, f);
		if (rc == FAULT_CORRUPT || rc == FAULT_KEY)
			fault_prefix(f,
			    "the backups cannot be compared (--backup ID takes "
			    "one unseen)");
		return rc != 0 ? rc
			       : waychoice_pick(s->repo, s->index, &s->catalog,
				     &s->goal, s->jobs, &s->head,
				     &s->goal.timeline, &d, f);
	}
	rc = layout_check_id(s->o->backup, f);
	if (rc == 0)
		rc = catalog_head(
		    s->repo, s->index, s->o->backup, &s->named, &d, f);
	if (rc == FAULT_ABSENT || layout_check_id(s->o->backup, f) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "--backup %s: there is no such backup, or it was not "
		    "finished",
		    s->o->backup);
	if (rc == 0)
		s->head = &s->named;
	return rc;
}

static int
prove_way(struct session *s, struct fault *f)
{
	struct deadline d = deadline_never();
	int rc;

	rc = choose_backup(s, f);
	if (rc == 0)
		rc = waypath_find(s->repo, s->index, s->head, &s->goal, s->jobs,
		    &s->way, &d, f);
	if (rc != 0)
		return rc;
	s->has_way = true;
	if (s->o->target_dir == NULL)
		return 0;
	rc = place_plan(
	    &s->place, s->o->target_dir, s->map, s->n_map, s->head, f);
	s->has_place = rc == 0;
	return rc;
}

/* How long it would take, from reading one pack of it. */
static int
estimate(struct session *s, struct report *r, struct fault *f)
{
	uint64_t speed;
	uint64_t workers = s->jobs;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int rc;

	rc = sample_speed(s->repo, s->index, s->head, &speed, f);
	if (rc != 0 || speed == 0)
		return rc;
	if (processors > 0 && workers > (uint64_t)processors)
		workers = (uint64_t)processors;
	r->restore_ms =
	    (int64_t)(s->head->totals.bytes / workers * 1000 / speed);
	r->fetch_ms = (int64_t)(s->way.wal_size * 1000 / speed);
	r->rto_ms = s->cluster->rto_ms;
	return 0;
}

static int
dry_run(struct session *s, struct fault *f)
{
	struct fault obstacle = FAULT_INIT;
	struct report r = {
	    .cluster = s->cluster->name,
	    .goal = &s->goal,
	    .target_dir = s->o->target_dir,
	    .restore_ms = -1,
	};
	struct store *store;
	char *command = NULL;
	int rc;

	rc = repo_store(s->repo, s->index, &store, f);
	if (rc != 0)
		return rc;
	r.repo_url = store_url(store);
	rc = prove_way(s, &obstacle);
	if (rc == 0)
		rc = recovery_command(conf_path(s->conf), s->cluster->name,
		    s->o->repo, &command, &obstacle);
	free(command);
	if (rc == 0)
		rc = estimate(s, &r, &obstacle);
	r.head = s->head;
	r.way = s->has_way ? &s->way : NULL;
	r.obstacle = rc != 0 ? &obstacle : NULL;
	if (report_print(&r, s->o->json, f) != 0)
		return (int)f->code;
	if (rc != 0)
		*f = obstacle;
	return rc;
}

static void
advance(void *ctx, uint64_t bytes)
{
	progress_add(ctx, bytes);
}

static int
unpack(struct session *s, struct fault *f)
{
	struct unpacker_params p = {
	    .id = s->head->id,
	    .repo = s->index,
	    .jobs = s->jobs,
	    .root = s->place.root,
	    .spaces = s->place.spaces,
	    .n_spaces = s->place.n_spaces,
	};
	struct progress *bar;
	int rc;

	rc = progress_start(&bar, "restoring", s->head->totals.bytes,
	    !s->o->no_progress && !s->o->json, f);
	if (rc != 0)
		return rc;
	rc = unpacker_run(s->repo, s->head, &p, advance, bar, f);
	progress_end(bar);
	return rc;
}

/* With data_directory in it, the restored postgresql.conf would start the tree
 * that it came from. */
static void
say_start(const char *root)
{
	char *path = fdio_join(root, "postgresql.conf");
	struct fault ignored = FAULT_INIT;
	unsigned char *text = NULL;
	size_t len = 0;

	printf("start it:  pg_ctl -D %s start\n", root);
	if (path == NULL || access(path, F_OK) != 0)
		printf("           its postgresql.conf was kept elsewhere: add "
		       "-o '-c config_file=PATH', with data_directory set to "
		       "the new place\n");
	else if (fdio_slurp(path, CONF_MAX, &text, &len, &ignored) != 0 ||
		 autoconf_has((const char *)text, len, "data_directory"))
		printf("           its postgresql.conf sets data_directory, "
		       "which would start another tree: take that line out "
		       "first\n");
	free(text);
	free(path);
}

/* What to do now, and what will happen then. */
static void
say_how(const struct session *s)
{
	static const char *const actions[] = {
	    "stay read-only there until pg_wal_replay_resume() is called",
	    "open for writing on a new timeline",
	    "shut down",
	};
	const char *action = s->o->goal.action;
	char goal[160];
	int which = action == NULL || strcmp(action, "pause") == 0 ? 0
		    : strcmp(action, "promote") == 0               ? 1
								   : 2;

	if (s->goal.target == WAYPATH_LATEST)
		which = 1;
	report_goal(&s->goal, goal);
	printf("restored backup %s into %s\n", s->head->id, s->place.root);
	if (geteuid() == 0)
		printf("give it to PostgreSQL's user first, as with chown -R; "
		       "tablespaces too\n");
	say_start(s->place.root);
	printf("it will recover to %s on timeline %u and then %s\n", goal,
	    s->way.timeline, actions[which]);
}

static int
json_result(const struct session *s, struct fault *f)
{
	struct report r = {
	    .cluster = s->cluster->name,
	    .goal = &s->goal,
	    .target_dir = s->place.root,
	    .restore_ms = -1,
	    .head = s->head,
	    .way = &s->way,
	};
	struct store *store;
	int rc;

	rc = repo_store(s->repo, s->index, &store, f);
	if (rc != 0)
		return rc;
	r.repo_url = store_url(store);
	return report_print(&r, true, f);
}

static int
restore(struct session *s, struct fault *f)
{
	struct recovery rec = {
	    .goal = &s->goal,
	    .target_action =
		s->o->goal.action == NULL ? "pause" : s->o->goal.action,
	};
	char *command = NULL;
	int rc;

	rc = prove_way(s, f);
	if (rc == 0)
		rc = recovery_command(conf_path(s->conf), s->cluster->name,
		    s->o->repo, &command, f);
	if (rc == 0)
		rc = place_prepare(&s->place, s->head, f);
	/* Modes come from the manifest, exactly. */
	umask(0);
	if (rc == 0)
		rc = unpack(s, f);
	if (rc == 0)
		rc = place_modes(&s->place, f);
	rec.timeline = s->way.timeline;
	rec.restore_command = command;
	if (rc == 0)
		rc = recovery_write(s->place.root, &rec, f);
	if (rc == 0)
		rc = place_finish(&s->place, f);
	if (rc == 0 && s->o->json)
		rc = json_result(s, f);
	else if (rc == 0)
		say_how(s);
	free(command);
	return rc;
}

static int
run(struct session *s, struct fault *f)
{
	int rc;

	rc = parse_options(s, f);
	if (rc == 0)
		rc = open_repository(s, f);
	if (rc == 0)
		rc = s->o->dry_run ? dry_run(s, f) : restore(s, f);
	if (rc == 0)
		rc = cli_flush_stdout(f);
	return rc;
}

static void
session_free(struct session *s)
{
	if (s->has_place)
		place_free(&s->place);
	if (s->has_way)
		waypath_free(&s->way);
	catalog_free(&s->catalog);
	head_free(&s->named);
	repo_free(s->repo);
	conf_free(s->conf);
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	const struct cli_option options[] = {
	    {.name = "target-dir",
		.arg = "DIR",
		.help = "the new data directory",
		.value = &o.target_dir},
	    {.name = "backup",
		.arg = "ID",
		.help = "the base backup to begin from",
		.value = &o.backup},
	    {.name = "target-time",
		.arg = "TIME",
		.help = "recover to a moment",
		.value = &o.goal.time},
	    {.name = "target-lsn",
		.arg = "LSN",
		.help = "recover to a place in the WAL",
		.value = &o.goal.lsn},
	    {.name = "target-xid",
		.arg = "XID",
		.help = "recover to the end of a transaction",
		.value = &o.goal.xid},
	    {.name = "target-name",
		.arg = "NAME",
		.help = "recover to a named restore point",
		.value = &o.goal.name},
	    {.name = "target-immediate",
		.help = "recover to the end of the backup",
		.flag = &o.goal.immediate},
	    {.name = "target-exclusive",
		.help = "stop just before the target",
		.flag = &o.goal.exclusive},
	    {.name = "target-timeline",
		.arg = "TIMELINE",
		.help = "the timeline to follow (default: the newest)",
		.value = &o.goal.timeline},
	    {.name = "target-action",
		.arg = "ACTION",
		.help = "pause (default), promote or shutdown at the target",
		.value = &o.goal.action},
	    {.name = "tablespace",
		.arg = "OID=DIR",
		.help = "put a tablespace elsewhere; may be repeated",
		.list = &o.tablespaces},
	    {.name = "repo",
		.arg = "NAME",
		.help = "the repository to restore from",
		.value = &o.repo},
	    {.name = "system-id",
		.arg = "NUMBER",
		.help = "the cluster's system identifier",
		.value = &o.system_id},
	    {.name = "jobs",
		.arg = "N",
		.help = "workers, 1 to 64",
		.value = &o.jobs},
	    {.name = "dry-run",
		.help = "report what a restore would do, and change nothing",
		.flag = &o.dry_run},
	    {.name = "json",
		.help = "print the report as JSON",
		.flag = &o.json},
	    {.name = "no-progress",
		.help = "no progress bar",
		.flag = &o.no_progress},
	};
	const struct cli_program program = {
	    .name = "pitr-restore",
	    .summary = "restore a PostgreSQL cluster to a chosen moment",
	    .options = options,
	    .n_options = sizeof options / sizeof options[0],
	};
	struct fault f = FAULT_INIT;
	struct session s = {.o = &o};
	int status;
	int rc;

	status = cli_start(&s.cli, &program, argc, argv);
	if (status != CLI_GO)
		return status;
	rc = run(&s, &f);
	session_free(&s);
	return rc == 0 ? 0 : cli_fail(&f);
}
