#ifndef CLI_WORLD_H
#define CLI_WORLD_H

/* A command of its own, run in a process of its own. */

#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "json.h"
#include "log.h"
#include "progress.h"

struct outcome {
	int status;
	char out[4096];
	char err[4096];
};

static bool flag;
static const char *value;
static struct cli_list list;
static int usage_status;

static inline int
start(struct cli *c, int argc, char **argv)
{
	static const struct cli_option options[] = {
	    {.name = "json", .flag = &flag, .help = "as JSON"},
	    {.name = "target-time",
		.arg = "TIME",
		.value = &value,
		.help = "stop there"},
	    {.name = "tablespace",
		.arg = "OID=DIR",
		.list = &list,
		.help = "put it there"},
	};
	static struct cli_program p = {
	    .name = "tool",
	    .operands = "NAME",
	    .summary = "Does something.",
	    .options = options,
	    .n_options = 3,
	    .max_args = 1,
	};

	flag = false;
	value = NULL;
	list.n = 0;
	p.usage_status = usage_status;
	return cli_start(c, &p, argc, argv);
}

static inline int
plain(int argc, char **argv)
{
	struct cli c;
	int r = start(&c, argc, argv);

	if (r != CLI_GO)
		return r;
	printf("%d %s %zu [%s] %s %s v%d\n", flag, value ? value : "-", list.n,
	    c.n_args ? c.args[0] : "", c.config ? c.config : "-",
	    c.cluster ? c.cluster : "-", log_verbosity());
	return 0;
}

static inline void
slurp(const char *path, char *out)
{
	FILE *p = fopen(path, "r");
	size_t n;

	assert_non_null(p);
	n = fread(out, 1, 4095, p);
	out[n] = '\0';
	fclose(p);
	unlink(path);
}

/* In a process of its own, for it changes much. words: split at blanks. */
static inline void
run(int (*body)(int, char **), const char *words, struct outcome *o)
{
	char out[] = "/tmp/pitrkit-cli.XXXXXX";
	char err[] = "/tmp/pitrkit-cli.XXXXXX";
	char copy[512], *argv[20], *save = NULL;
	int argc = 0, status, a = mkstemp(out), b = mkstemp(err);
	pid_t pid;

	snprintf(copy, sizeof(copy), "tool %s", words);
	argv[0] = strtok_r(copy, " ", &save);
	while (argv[argc] != NULL)
		argv[++argc] = strtok_r(NULL, " ", &save);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(a, 1);
		dup2(b, 2);
		status = body(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(a);
	close(b);
	slurp(out, o->out);
	slurp(err, o->err);
	o->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline size_t
lines(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += *s == '\n';
	return n;
}

#endif
