#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "clock.h"
#include "conf.h"
#include "fault.h"

/*
 * What every command does alike: the process it runs in, options, settings,
 * exit status. For commands only: these functions print.
 *
 *	int main(int argc, char **argv)
 *	{
 *		bool json = false;
 *		const struct cli_option options[] = {
 *			CLI_OPTION_FLAG("json", "…", &json),
 *		};
 *		const struct cli_program program = {…};
 *		struct cli cli;
 *		int status = cli_start(&cli, &program, argc, argv);
 *
 *		if (status != CLI_GO)
 *			return status;
 *		…
 */

/* The values of an option that may be repeated; they belong to argv. */
#define CLI_LIST 64
struct cli_list {
	const char *v[CLI_LIST];
	size_t n;
};

/* Exactly one of flag, value and list says where it goes. */
struct cli_option {
	const char *name; /* long name, without "--" */
	const char *arg;  /* what help calls its value; NULL for a flag */
	const char *help; /* one line */
	bool *flag;
	const char **value; /* given twice is wrong usage */
	struct cli_list *list;
};

/* A row of the table for each of these. */
#define CLI_OPTION_FLAG(long_name, text, to)                                   \
	{                                                                      \
		.name = (long_name), .help = (text), .flag = (to)              \
	}
#define CLI_OPTION_VALUE(long_name, what, text, to)                            \
	{                                                                      \
		.name = (long_name), .arg = (what), .help = (text),            \
		.value = (to)                                                  \
	}
#define CLI_OPTION_LIST(long_name, what, text, to)                             \
	{                                                                      \
		.name = (long_name), .arg = (what), .help = (text),            \
		.list = (to)                                                   \
	}

/* Those that several commands take, and which mean the same in each. */
#define CLI_OPTION_SYSTEM_ID(to)                                               \
	CLI_OPTION_VALUE(                                                      \
	    "system-id", "NUMBER", "the cluster's system identifier", to)
#define CLI_OPTION_NO_PROGRESS(to)                                             \
	CLI_OPTION_FLAG("no-progress", "no progress bar", to)

struct cli_program {
	const char *name;
	const char *operands; /* as help shows them, "NAME DEST"; or NULL */
	const char *summary;  /* one line: what the command does */
	const struct cli_option *options;
	size_t n_options;
	size_t min_args;
	size_t max_args;
	int usage_status; /* for wrong usage, and help that cannot be written;
			   * 0 means 2 and 1 */
};

struct cli {
	const struct cli_program *program;
	const char *config;  /* -c, or NULL */
	const char *cluster; /* -C, or NULL */
	char **args;         /* operands */
	size_t n_args;
};

/*
 * First thing in main. Sets the process up (cli_harden), then reads the
 * options; -c -C -v -V -h are here and not in the table. Returns CLI_GO, or
 * the status to exit with: help and version went to standard output, or one
 * line about wrong usage to standard error.
 */
#define CLI_GO (-1)
int cli_start(
    struct cli *c, const struct cli_program *p, int argc, char **argv);

/* Wrong usage that the table cannot tell: one line, and the status. */
int cli_usage(const struct cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Settings from -c, else $PITRKIT_CONF, else CONF_DEFAULT, with credentials
 * from the environment; cluster from -C, else the only one. The caller frees
 * *conf. cluster may be NULL: then none is chosen. */
int cli_config(const struct cli *c, struct conf **conf,
    const struct conf_cluster **cluster, struct fault *f);

/*
 * Values of options that several commands take; CONFIG, with the option's
 * name. text NULL: the option was not given.
 */
/* Workers, 1 to CLI_JOBS_MAX. Default: the processors, at least 2, at most 8.*/
#define CLI_JOBS_MAX 64
int cli_value_jobs(const char *text, unsigned *jobs, struct fault *f);
/* As clock_parse; that a time without zone was taken as UTC is told. Default:
 * CLOCK_NONE. */
int cli_value_time(
    const char *option, const char *text, int64_t *us, struct fault *f);

/* NONE 0; ABSENT, SYSTEM 1; CONFIG 2; EXISTS, FOREIGN 3; AGAIN, DENIED 4;
 * CORRUPT, KEY 5. */
int cli_exit_status(enum fault_code code);
/* Logs "PROGRAM: TEXT"; returns the status. */
int cli_fail(const struct fault *f);

/* Results that did not arrive are a failure: call it before exit status 0. */
int cli_flush_stdout(struct fault *f);
/* The end of a command whose result stands in rc and f: what it printed goes
 * out, then what went wrong is told. Returns the status. */
int cli_end(int rc, struct fault *f);

/* Prints a document: on one line, or, for people, indented. */
struct json;
int cli_json_print(const struct json *j, bool indent, struct fault *f);

/*
 * Signals that were inherited as ignored or blocked get their default (a
 * shutdown must end us), except SIGPIPE and SIGXFSZ, which are ignored: they
 * come back as EPIPE and EFBIG, for walpush must not die of a signal of its
 * own making. umask 077. Descriptors 0 to 2 are open. No core dump, and no
 * other process of this user reads our memory. No log of TLS secrets.
 * Afterwards /proc/self belongs to root.
 */
void cli_harden(void);

#endif
