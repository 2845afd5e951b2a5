/*
 * pitr-restore: choose a backup, prove the way to the target, unpack, prepare
 * recovery. Reads as that procedure; each step is in a file of its own.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "cli.h"
#include "folder.h"
#include "plan.h"
#include "progress.h"
#include "recovery.h"
#include "told.h"
#include "trail.h"
#include "unpacker.h"

static void
advance(void *ctx, uint64_t bytes)
{
	progress_add(ctx, bytes);
}

static int
unpack(struct plan *p, struct fault *f)
{
	static const char *const spare[] = {FOLDER_MARK, DELTA_CONTROL, NULL};
	const struct options *o = p->want.o;
	const struct tree_existing before = {p->place.before.wal};
	struct unpacker_params params = {
	    .id = p->head->id,
	    .repo = p->index,
	    .jobs = p->want.jobs,
	    .root = p->place.root,
	    .spaces = p->place.spaces,
	    .n_spaces = p->place.n_spaces,
	    .existing = p->place.delta ? &before : NULL,
	    .spare = spare,
	};
	struct progress *bar;
	int rc;

	rc = progress_start(&bar, "restoring", p->head->totals.bytes,
	    !o->no_progress && !o->json, f);
	if (rc != 0)
		return rc;
	rc = unpacker_run(
	    p->repo, p->head, &params, &p->unpacked, advance, bar, f);
	progress_end(bar);
	return rc;
}

static int
write_recovery(const struct plan *p, const char *command, struct fault *f)
{
	const char *action = p->want.o->goal.action;
	const struct recovery rec = {
	    .goal = &p->goal,
	    .timeline = p->way.timeline,
	    .target_action = action == NULL ? "pause" : action,
	    .restore_command = command,
	};

	return recovery_write(p->place.root, &rec, f);
}

static int
restore(struct plan *p, const char *command, struct fault *f)
{
	int rc;

	trail_begin(&p->trail, p);
	rc = place_prepare(&p->place, &p->where, p->head, f);
	/* Modes come from the manifest, exactly. */
	umask(0);
	if (rc == 0)
		rc = unpack(p, f);
	if (rc == 0)
		rc = place_modes(&p->place, f);
	if (rc == 0)
		rc = write_recovery(p, command, f);
	if (rc == 0)
		rc = place_finish(&p->place, f);
	if (rc == 0)
		rc = told_done(p, f);
	return rc;
}

static int
proceed(struct plan *p, struct fault *f)
{
	const struct options *o = p->want.o;
	char *command = NULL;
	int rc;

	rc = plan_prove(p, f);
	if (rc == 0)
		rc = recovery_command(conf_path(p->conf), &p->sources.cluster,
		    plan_goes_by_some(p), &command, f);
	if (o->dry_run) {
		const struct fault obstacle = *f;

		rc = told_ahead(p, rc == 0 ? NULL : &obstacle, f);
	} else if (rc == 0) {
		rc = restore(p, command, f);
	}
	free(command);
	return rc == 0 ? cli_flush_stdout(f) : rc;
}

static int
run(struct plan *p, const struct options *o, const struct cli *cli,
    struct fault *f)
{
	int rc;

	trail_start(&p->trail);
	rc = request_parse(o, &p->want, f);
	if (rc == 0)
		rc = plan_open(p, cli, f);
	if (rc != 0)
		return rc;
	rc = proceed(p, f);
	trail_end(&p->trail, p, rc, f);
	return rc;
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	const struct cli_option options[] = {
	    CLI_OPTION_VALUE(
		"target-dir", "DIR", "the new data directory", &o.target_dir),
	    CLI_OPTION_VALUE(
		"backup", "ID", "the base backup to begin from", &o.backup),
	    CLI_OPTION_VALUE(
		"target-time", "TIME", "recover to a moment", &o.goal.time),
	    CLI_OPTION_VALUE("target-lsn", "LSN",
		"recover to a place in the WAL", &o.goal.lsn),
	    CLI_OPTION_VALUE("target-xid", "XID",
		"recover to the end of a transaction", &o.goal.xid),
	    CLI_OPTION_VALUE("target-name", "NAME",
		"recover to a named restore point", &o.goal.name),
	    CLI_OPTION_FLAG("target-immediate",
		"recover to the end of the backup", &o.goal.immediate),
	    CLI_OPTION_FLAG("target-exclusive", "stop just before the target",
		&o.goal.exclusive),
	    CLI_OPTION_VALUE("target-timeline", "TLI",
		"the timeline to follow; otherwise the newest",
		&o.goal.timeline),
	    CLI_OPTION_VALUE("target-action", "ACTION",
		"pause, promote or shutdown; otherwise pause", &o.goal.action),
	    CLI_OPTION_LIST("tablespace", "OID=DIR",
		"put a tablespace elsewhere; may be repeated", &o.tablespaces),
	    CLI_OPTION_LIST("repo", "NAME",
		"go by this repository alone; may be repeated", &o.repos),
	    CLI_OPTION_SYSTEM_ID(&o.system_id),
	    CLI_OPTION_VALUE("jobs", "N", "workers, 1 to 64", &o.jobs),
	    CLI_OPTION_FLAG("delta",
		"DIR holds this cluster: fetch only what differs", &o.delta),
	    CLI_OPTION_FLAG("discard-wal",
		"with --delta: remove WAL that may not be archived",
		&o.discard_wal),
	    CLI_OPTION_FLAG("dry-run",
		"report what it would do, and change nothing", &o.dry_run),
	    CLI_OPTION_FLAG("json", "the report as JSON", &o.json),
	    CLI_OPTION_NO_PROGRESS(&o.no_progress),
	};
	const struct cli_program program = {
	    .name = "pitr-restore",
	    .summary = "restore a PostgreSQL cluster to a chosen moment",
	    .options = options,
	    .n_options = sizeof options / sizeof options[0],
	};
	struct fault f = FAULT_INIT;
	struct plan plan = {.repo = NULL};
	struct cli cli;
	int status = cli_start(&cli, &program, argc, argv);

	if (status != CLI_GO)
		return status;
	status = cli_end(run(&plan, &o, &cli, &f), &f);
	plan_free(&plan);
	return status;
}
