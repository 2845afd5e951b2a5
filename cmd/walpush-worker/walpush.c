/* walpush-worker: all that walpush does; see walpush(1). PostgreSQL calls the
 * front (front.h), which becomes this when no worker answers. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ahead.h"
#include "clock.h"
#include "detour.h"
#include "guard.h"
#include "log.h"
#include "push.h"
#include "relay_dir.h"

/* After the deadline, for what knows it to tell what it was waiting for. */
#define WALPUSH_LATE_MS 2000
/* For the settings, which tell the deadline. */
#define WALPUSH_START_MS 30000

static void
walpush_say(const char *lines)
{
	ssize_t n = write(STDERR_FILENO, lines, strlen(lines));

	(void)n;
}

/* Others wait as well: they are pushed by a worker from now on, at the same
 * time as this one. A file that is alone starts nothing. */
static void
walpush_look_ahead(const struct conf_cluster *c,
    const struct relay_start *start, const char *path, char **argv)
{
	struct relay_home home;

	if (start->role == RELAY_CALL && c->push_jobs > 0 &&
	    ahead_wanted(path) && relay_home_find(&home) == 0)
		relay_spawn(start, argv);
}

static int
walpush_call(const struct conf_cluster *c, const char *path,
    const struct relay_start *start, int verbosity, char **argv)
{
	struct archive_result res = {0};
	struct fault f = FAULT_INIT;
	struct repo *r = NULL;
	struct spill *s = NULL;
	bool aside = false;
	int64_t allowed = push_time(c), left;
	struct deadline d;
	char lines[WIRE_TEXT];
	uint64_t system_id;
	int rc;

	d.at_ms = start->began_ms + allowed;
	left = deadline_left_ms(&d);
	guard_time("walpush", path, left + WALPUSH_LATE_MS,
	    cli_exit_status(FAULT_AGAIN));
	if ((rc = repo_own_system_id(c->pgdata, true, &system_id, &f)) == 0 &&
	    (rc = repo_open(&r, c, system_id, &f)) == 0 &&
	    (rc = spill_open(&s, r, &f)) == 0) {
		walpush_look_ahead(c, start, path, argv);
		rc = s == NULL ? push_file(r, path, &d, &res, &f)
			       : detour_push(r, s, path, &d, &res, &aside, &f);
	}
	/* A worker of walfetch that was killed just before the promotion. */
	relay_dir_clean();
	if (!aside) {
		push_tell(path, rc, &res, &f, verbosity, lines, sizeof(lines));
		walpush_say(lines);
	}
	rc = rc == 0 ? 0 : cli_exit_status((enum fault_code)rc);
	if (res.busy)
		_exit(rc);
	spill_free(s);
	repo_free(r);
	return rc;
}

/* Nobody hears what goes wrong here; a call that is not answered does it by
 * itself and says so. */
static void
walpush_serve(const struct conf_cluster *c, int listener, const char *path)
{
	struct fault f = FAULT_INIT;
	struct repo *r;
	uint64_t system_id;

	guard_time("walpush", "", 0, 0);
	if (repo_own_system_id(c->pgdata, true, &system_id, &f) == 0 &&
	    repo_open(&r, c, system_id, &f) == 0)
		ahead_serve(r, listener, path);
	/* Threads may be at work. */
	_exit(0);
}

int
main(int argc, char **argv)
{
	const char *system_id = NULL;
	bool drain = false;
	const struct cli_option options[] = {
	    CLI_OPTION_FLAG("drain",
		"empty spill_dir into the repositories; no PATH", &drain),
	    CLI_OPTION_VALUE("system-id", "NUMBER",
		"with --drain: the cluster's", &system_id),
	};
	const struct cli_program program = {
	    .name = "walpush",
	    .operands = "PATH",
	    .summary = "archive one WAL file (archive_command)",
	    .options = options,
	    .n_options = sizeof options / sizeof options[0],
	    .max_args = 1,
	};
	const struct conf_cluster *c;
	struct conf *conf = NULL;
	struct fault f = FAULT_INIT;
	struct relay_start start;
	struct cli cli;
	int status;

	relay_started(&start, "walpush");
	if (start.role != RELAY_CALL)
		start.began_ms = clock_monotonic_ms();
	guard_crash("walpush", cli_exit_status(FAULT_SYSTEM));
	status = cli_start(&cli, &program, argc, argv);
	if (status != CLI_GO)
		return status;
	if (drain ? cli.n_args > 0 : cli.n_args == 0 || system_id != NULL)
		return cli_usage(&cli, "give a PATH, or --drain");
	guard_time("walpush", drain ? "" : cli.args[0], WALPUSH_START_MS,
	    cli_exit_status(FAULT_AGAIN));
	if (cli_config(&cli, &conf, &c, &f) != 0)
		return cli_fail(&f);
	if (start.role == RELAY_SERVE)
		walpush_serve(c, start.listener, cli.args[0]);
	if (drain) {
		guard_time("walpush", "", 0, 0);
		status = detour_drain_all(c, system_id);
	} else
		status =
		    walpush_call(c, cli.args[0], &start, log_verbosity(), argv);
	conf_free(conf);
	return status;
}
