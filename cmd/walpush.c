/* walpush: PostgreSQL's archive_command. See walpush(1). */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "cli.h"
#include "clock.h"
#include "fdio.h"
#include "guard.h"
#include "log.h"
#include "text.h"

/* After the deadline, for what knows it to tell what it was waiting for. */
#define WALPUSH_LATE_MS 2000
/* For the settings, which tell the deadline. */
#define WALPUSH_START_MS 30000

/*
 * A server that is being stopped waits for us, and tries six times before it
 * gives up a file (twice three times, PostgreSQL 14 to 18): then each call gets
 * a sixth, so that a store that hangs delays the stop by the deadline in all.
 * The eighth line of postmaster.pid tells.
 */
static int64_t
walpush_time(const struct conf_cluster *c)
{
	struct fault ignored = FAULT_INIT;
	unsigned char *text;
	const char *line;
	bool stopping;
	size_t len;

	if (fdio_slurp("postmaster.pid", 4096, &text, &len, &ignored) != 0)
		return c->push_deadline_ms;
	line = (const char *)text;
	for (int i = 1; i < 8 && line != NULL; i++) {
		line = strchr(line, '\n');
		if (line != NULL)
			line++;
	}
	stopping = line != NULL && text_prefix(line, "stopping");
	free(text);
	return stopping ? (c->push_deadline_ms + 5) / 6 : c->push_deadline_ms;
}

static int
walpush_push(const struct conf_cluster *c, uint64_t system_id, const char *path,
    const struct deadline *d, struct archive_result *res, struct fault *f)
{
	struct buf note = BUF_INIT(4096);
	struct repo *r = NULL;
	int rc;

	if ((rc = buf_printf(&note, f, "%s/%s-%" PRIu64 ".marks", c->spool_dir,
		 c->name, system_id)) == 0 &&
	    (rc = buf_terminate(&note, f)) == 0 &&
	    (rc = repo_open(&r, c, system_id, f)) == 0)
		rc = archive_push(r, path, (const char *)note.data, d, res, f);
	/* A thread that still waits for its repository uses these. */
	if (!res->busy)
		repo_free(r);
	buf_free(&note);
	return rc;
}

static void
walpush_report(const char *path, const struct archive_result *res)
{
	if (res->warning[0] != '\0')
		log_line(0, "%s: durable, but: %s", path, res->warning);
	log_line(1,
	    "%s: %s in %" PRIu32 " repositories, %" PRIu64 " bytes as %" PRIu64,
	    path, res->already ? "was durable" : "durable", res->durable_in,
	    res->size, res->stored);
}

int
main(int argc, char **argv)
{
	const struct cli_program program = {
	    .name = "walpush",
	    .operands = "PATH",
	    .summary = "archive one WAL file (archive_command)",
	    .min_args = 1,
	    .max_args = 1,
	};
	struct archive_result res = {0};
	const struct conf_cluster *c;
	struct conf *conf = NULL;
	struct fault f = FAULT_INIT;
	struct deadline d;
	uint64_t system_id;
	int64_t start = clock_monotonic_ms(), allowed;
	struct cli cli;
	int status;

	guard_crash("walpush", cli_exit_status(FAULT_SYSTEM));
	status = cli_start(&cli, &program, argc, argv);
	if (status != CLI_GO)
		return status;
	guard_time("walpush", cli.args[0], WALPUSH_START_MS,
	    cli_exit_status(FAULT_AGAIN));
	if (cli_config(&cli, &conf, &c, &f) != 0)
		return cli_fail(&f);
	allowed = walpush_time(c);
	d.at_ms = start + allowed;
	guard_time("walpush", cli.args[0], allowed + WALPUSH_LATE_MS,
	    cli_exit_status(FAULT_AGAIN));
	if (repo_own_system_id(c->pgdata, true, &system_id, &f) != 0 ||
	    walpush_push(c, system_id, cli.args[0], &d, &res, &f) != 0) {
		status = cli_fail(&f);
	} else {
		walpush_report(cli.args[0], &res);
		status = 0;
	}
	if (res.busy)
		_exit(status);
	conf_free(conf);
	return status;
}
