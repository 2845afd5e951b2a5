/* retention-hold: keeps backups and moments from being pruned. See
 * retention-hold(1). */

#include <string.h>

#include "holding.h"
#include "repo.h"

static int
run(struct holding *s, struct fault *f)
{
	const char *verb = s->cli.args[0];
	int rc;

	if ((rc = cli_config(&s->cli, &s->conf, &s->cluster, f)) != 0 ||
	    (rc = repo_choose_open(
		 &s->repo, s->cluster, 0, s->o->system_id, f)) != 0)
		return rc;
	if (strcmp(verb, "add") == 0)
		return add_run(s, f);
	if (strcmp(verb, "release") == 0)
		return release_run(s, s->cli.args[1], f);
	return list_run(s, f);
}

/* CLI_GO or a status of wrong usage. An option of another verb is refused:
 * whoever releases with --repo must not end the hold in all repositories. */
static int
check_usage(const struct holding *s)
{
	const struct options *o = s->o;
	const char *verb = s->cli.args[0];
	const bool add = strcmp(verb, "add") == 0;
	const bool release = strcmp(verb, "release") == 0;
	const bool list = strcmp(verb, "list") == 0;
	const struct {
		const char *name;
		bool given;
		bool taken;
	} rows[] = {
	    {"holder", o->holder != NULL, add},
	    {"reason", o->reason != NULL, add || release},
	    {"backup", o->backup != NULL, add},
	    {"from", o->from != NULL, add},
	    {"to", o->to != NULL, add},
	    {"until", o->until != NULL, add},
	    {"repo", o->repo != NULL, list},
	    {"all", o->all, list},
	    {"json", o->json, list},
	};

	if (!add && !release && !list)
		return cli_usage(&s->cli, "\"%s\": add, release or list", verb);
	if (release != (s->cli.n_args == 2))
		return cli_usage(&s->cli,
		    s->cli.n_args == 2 ? "%s takes no operand"
				       : "%s takes the id of a hold",
		    verb);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].given && !rows[i].taken)
			return cli_usage(
			    &s->cli, "%s takes no --%s", verb, rows[i].name);
	return CLI_GO;
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	const struct cli_option options[] = {
	    CLI_OPTION_VALUE(
		"holder", "WHO", "add: for whom it is held", &o.holder),
	    CLI_OPTION_VALUE("reason", "TEXT", "add, release: why", &o.reason),
	    CLI_OPTION_VALUE(
		"backup", "ID", "add: the backup to hold", &o.backup),
	    CLI_OPTION_VALUE(
		"from", "TIME", "add: hold each moment from here", &o.from),
	    CLI_OPTION_VALUE(
		"to", "TIME", "add: to here; otherwise from there on", &o.to),
	    CLI_OPTION_VALUE(
		"until", "TIME", "add: the hold ends by itself then", &o.until),
	    CLI_OPTION_VALUE(
		"repo", "NAME", "list: the repository; otherwise all", &o.repo),
	    CLI_OPTION_SYSTEM_ID(&o.system_id),
	    CLI_OPTION_FLAG("all",
		"list: released ones and those that are over, too", &o.all),
	    CLI_OPTION_FLAG("json", "list: as JSON", &o.json),
	};
	const struct cli_program program = {
	    .name = "retention-hold",
	    .operands = "add|release ID|list",
	    .summary = "keep backups and moments from being pruned",
	    .options = options,
	    .n_options = sizeof options / sizeof options[0],
	    .min_args = 1,
	    .max_args = 2,
	};
	struct fault f = FAULT_INIT;
	struct holding s = {.o = &o};
	int status = cli_start(&s.cli, &program, argc, argv);

	if (status == CLI_GO)
		status = check_usage(&s);
	if (status != CLI_GO)
		return status;
	status = cli_end(run(&s, &f), &f);
	repo_free(s.repo);
	conf_free(s.conf);
	return status;
}
