/* walfetch-worker: all that walfetch does; see walfetch(1). PostgreSQL calls
 * the front (front.h), which becomes this when no worker answers. */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "cli.h"
#include "clock.h"
#include "fetchlog.h"
#include "guard.h"
#include "log.h"
#include "prefetch.h"
#include "relay_dir.h"
#include "spill.h"
#include "walname.h"

/* After the deadline, for what knows it to tell what it was waiting for. */
#define WALFETCH_LATE_MS 2000
/* For the settings, which tell the deadline. */
#define WALFETCH_START_MS 30000
#define WALFETCH_ABSENT 1
#define WALFETCH_AGAIN 4
/* PostgreSQL asks for it at the end of a recovery, and nobody ever wrote one.
 */
#define WALFETCH_NEVER "00000001.history"
/* For the repositories, when the file is in the spill as well. */
#define WALFETCH_PATIENCE_MS 3000

/*
 * The status for everything but "delivered" and "proven absent". Recovery
 * takes 1..125 for the end of the archive and promotes; above that it stops,
 * and nothing is lost. A standby instead tries again, but only up to 125.
 */
static int
walfetch_failure(void)
{
	return access("standby.signal", F_OK) == 0 ? WALFETCH_AGAIN : 200;
}

/* Recovery has ended, for its signal files are gone, and the server asks for
 * the history of the timeline that it leaves, to write that of the new one:
 * there is nothing left that could end early. It takes what it has itself, and
 * must not be stopped: it would come up again on the old timeline. */
static bool
walfetch_has_itself(const char *name)
{
	char path[sizeof("pg_wal/") + WALNAME_SIZE];
	struct fault ignored = FAULT_INIT;
	struct walname n;

	if (walname_parse(name, &n, &ignored) != 0 ||
	    n.kind != WALNAME_HISTORY || access("recovery.signal", F_OK) == 0)
		return false;
	snprintf(path, sizeof(path), "pg_wal/%s", name);
	return access("global/pg_control", F_OK) == 0 &&
	       access(path, F_OK) == 0;
}

/* What is in no repository may be in the spill, where walpush put it on this
 * host. It is looked at before the repositories: what is drained meanwhile is
 * found there. */
static int
walfetch_anywhere(struct repo *r, const struct cli *cli,
    const struct deadline *d, struct fault *f)
{
	const char *name = cli->args[0], *dest = cli->args[1];
	struct fault unknown = FAULT_INIT;
	struct deadline patience = *d;
	struct spill *s = NULL;
	bool has = false;
	int rc = spill_open(&s, r, f);

	if (rc != 0)
		return rc;
	if (s != NULL)
		(void)spill_peek(s, name, &has, d, &unknown);
	if (has)
		patience = deadline_step(d, WALFETCH_PATIENCE_MS);
	rc = archive_fetch(r, name, dest, &patience, f);
	if (has && rc != 0) {
		fault_clear(f);
		rc = spill_fetch(s, name, dest, d, f);
		/* Drained since. */
		if (rc == FAULT_ABSENT &&
		    (rc = archive_fetch(r, name, dest, d, f)) == FAULT_ABSENT)
			rc = fault_recode(f, FAULT_AGAIN);
	} else if (rc == FAULT_ABSENT && unknown.code != FAULT_NONE) {
		*f = unknown;
		rc = fault_recode(f, FAULT_AGAIN);
	}
	spill_free(s);
	return rc;
}

/* It was delivered: nothing that goes wrong here is told. PostgreSQL may have
 * taken it away already, where this is not the call itself. */
static void
walfetch_counted(struct repo *r, const char *name, const char *dest)
{
	struct stat st = {.st_size = 0};

	(void)stat(dest, &st);
	fetchlog_alone(r, name, (uint64_t)st.st_size);
}

/* alone: no worker will know of it. */
static int
walfetch_run(const struct cli *cli, const struct conf_cluster *c,
    const char *system_id_text, const struct cli_list *repos, bool alone,
    const struct deadline *d, struct fault *f)
{
	struct conf_cluster only;
	uint64_t system_id;
	struct repo *r;
	int rc;

	if (strcmp(cli->args[0], WALFETCH_NEVER) == 0)
		return fault_set(f, FAULT_ABSENT,
		    WALFETCH_NEVER ": timeline 1 has no history");
	if (repos->n > 0) {
		rc = conf_only_repos(c, repos->v, repos->n, &only, f);
		if (rc != 0)
			return rc;
		c = &only;
	}
	rc = system_id_text == NULL
		 ? repo_own_system_id(c->pgdata, false, &system_id, f)
		 : repo_choose_given(system_id_text, &system_id, f);
	if (rc != 0 || (rc = repo_open(&r, c, system_id, f)) != 0)
		/* What is absent here is a key or pg_control, no WAL. */
		return rc == FAULT_ABSENT ? fault_recode(f, FAULT_CONFIG) : rc;
	rc = repos->n > 0 ? archive_fetch(r, cli->args[0], cli->args[1], d, f)
			  : walfetch_anywhere(r, cli, d, f);
	if (rc == 0 && alone)
		walfetch_counted(r, cli->args[0], cli->args[1]);
	repo_free(r);
	return rc;
}

static bool
walfetch_alone(const struct conf_cluster *c, const struct relay_start *start)
{
	struct relay_home home;

	return start->role != RELAY_CALL || c->fetch_jobs == 0 ||
	       !prefetch_recovering() || relay_home_find(&home) != 0;
}

/* Nobody hears what goes wrong here; a call that is not answered does it by
 * itself and says so. */
static void
walfetch_serve(const struct cli *cli, const struct conf_cluster *c,
    const struct relay_start *start)
{
	struct fault f = FAULT_INIT;
	struct repo *r;
	uint64_t system_id;

	guard_time("walfetch", "", 0, 0);
	if (repo_own_system_id(c->pgdata, false, &system_id, &f) == 0 &&
	    repo_open(&r, c, system_id, &f) == 0 &&
	    prefetch_serve(r, cli->args[0], start->listener) != 0)
		walfetch_counted(r, cli->args[0], cli->args[1]);
	/* Threads may be at work. */
	_exit(0);
}

int
main(int argc, char **argv)
{
	int failure = walfetch_failure();
	const char *system_id = NULL;
	struct cli_list repos = {.n = 0};
	const struct cli_option options[] = {
	    CLI_OPTION_SYSTEM_ID(&system_id),
	    CLI_OPTION_LIST("repo", "NAME",
		"ask this repository alone; may be repeated", &repos),
	};
	const struct cli_program program = {
	    .name = "walfetch",
	    .operands = "NAME DEST",
	    .summary = "deliver one WAL file to recovery (restore_command)",
	    .options = options,
	    .n_options = sizeof options / sizeof options[0],
	    .min_args = 2,
	    .max_args = 2,
	    .usage_status = failure,
	};
	const struct conf_cluster *c;
	struct conf *conf = NULL;
	struct fault f = FAULT_INIT;
	struct deadline d;
	struct relay_start start;
	struct cli cli;
	int status, rc;
	bool absent = false, alone = true;

	relay_started(&start, "walfetch");
	if (start.role != RELAY_CALL)
		start.began_ms = clock_monotonic_ms();
	guard_crash("walfetch", failure);
	status = cli_start(&cli, &program, argc, argv);
	if (status != CLI_GO)
		return status;
	if (walfetch_has_itself(cli.args[0]))
		failure = WALFETCH_AGAIN;
	guard_time("walfetch", cli.args[0], WALFETCH_START_MS, failure);
	rc = cli_config(&cli, &conf, &c, &f);
	if (rc == 0 && start.role == RELAY_SERVE)
		walfetch_serve(&cli, c, &start);
	if (rc == 0) {
		d.at_ms = start.began_ms + c->fetch_deadline_ms;
		guard_time("walfetch", cli.args[0],
		    deadline_left_ms(&d) + WALFETCH_LATE_MS, failure);
		relay_dir_clean();
		alone = walfetch_alone(c, &start);
		rc = walfetch_run(&cli, c, system_id, &repos, alone, &d, &f);
		absent = rc == FAULT_ABSENT;
	}
	if (rc == 0) {
		log_line(1, "%s: delivered", cli.args[0]);
		/* The worker reads on from there, or is started. */
		if (!alone && relay_note(&start, cli.args[0]) != 0)
			relay_spawn(&start, argv);
	} else
		(void)cli_fail(&f);
	conf_free(conf);
	if (rc == 0)
		return 0;
	return absent ? WALFETCH_ABSENT : failure;
}
