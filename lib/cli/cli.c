#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define MAX_OPTIONS 48
#define TABLE 256 /* getopt's value of the table's first option */

static const struct cli_option common[] = {
    {.name = "config",
	.arg = "FILE",
	.help = "settings file (" CONF_DEFAULT ")"},
    {.name = "cluster",
	.arg = "NAME",
	.help = "cluster section; needed when there are several"},
    {.name = "verbose", .help = "say more; may be repeated"},
    {.name = "version", .help = "print the version"},
    {.name = "help", .help = "print this text"},
};
static const char letters[] = "cCvVh";
#define COMMON (sizeof(common) / sizeof(common[0]))

static void
option_line(char letter, const struct cli_option *o)
{
	char left[64];

	snprintf(left, sizeof(left), "%c%c%s --%s%s%s", letter ? '-' : ' ',
	    letter ? letter : ' ', letter ? "," : " ", o->name,
	    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
	printf("  %-28s %s\n", left, o->help);
}

static void
help(const struct cli_program *p)
{
	size_t i;

	printf("usage: %s [OPTION]...%s%s\n%s\n\n", p->name,
	    p->operands != NULL ? " " : "",
	    p->operands != NULL ? p->operands : "", p->summary);
	for (i = 0; i < p->n_options; i++)
		option_line('\0', &p->options[i]);
	for (i = 0; i < COMMON; i++)
		option_line(letters[i], &common[i]);
}

int
cli_usage(const struct cli *c, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_line(0, "%s (%s --help)", text, c->program->name);
	return c->program->usage_status != 0 ? c->program->usage_status : 2;
}

static int
store(const struct cli *c, const struct cli_option *o, bool *seen)
{
	if (o->flag != NULL) {
		*o->flag = true;
		return CLI_GO;
	}
	if (o->list != NULL) {
		if (o->list->n == CLI_LIST)
			return cli_usage(c, "--%s is given more than %d times",
			    o->name, CLI_LIST);
		o->list->v[o->list->n++] = optarg;
		return CLI_GO;
	}
	if (*seen)
		return cli_usage(c, "--%s is given twice", o->name);
	*seen = true;
	*o->value = optarg;
	return CLI_GO;
}

/* What getopt has refused. */
static int
refused(const struct cli *c, int what, char **argv)
{
	const char *given = argv[optind - 1];

	if (what == ':')
		return cli_usage(c, "%.60s needs a value", given);
	if (optopt >= TABLE || (optopt != 0 && strchr(letters, optopt)))
		return cli_usage(c, "%.60s: takes no value", given);
	if (optopt != 0)
		return cli_usage(c, "no option -%c", optopt);
	return cli_usage(c, "no option %.60s", given);
}

static int
answer(const struct cli *c, bool version)
{
	struct fault f = FAULT_INIT;

	if (version)
		printf("%s (pitrkit) %s\n", c->program->name, PITRKIT_VERSION);
	else
		help(c->program);
	if (cli_flush_stdout(&f) == 0)
		return 0;
	log_line(0, "%s", f.text);
	return c->program->usage_status != 0 ? c->program->usage_status
					     : cli_exit_status(f.code);
}

static int
options(struct cli *c, int argc, char **argv, const struct option *table,
    int *verbosity)
{
	bool seen[MAX_OPTIONS] = {false};
	int o, r;

	opterr = 0;
	optind = 0;
	while ((o = getopt_long(argc, argv, ":c:C:vVh", table, NULL)) != -1) {
		r = CLI_GO;
		switch (o) {
		case 'c':
			c->config = optarg;
			break;
		case 'C':
			c->cluster = optarg;
			break;
		case 'v':
			++*verbosity;
			break;
		case 'V':
		case 'h':
			return answer(c, o == 'V');
		case ':':
		case '?':
			return refused(c, o, argv);
		default:
			r = store(c, &c->program->options[o - TABLE],
			    &seen[o - TABLE]);
		}
		if (r != CLI_GO)
			return r;
	}
	return CLI_GO;
}

static void
long_option(struct option *out, const struct cli_option *o, int value)
{
	out->name = o->name;
	out->has_arg = o->arg != NULL ? required_argument : no_argument;
	out->flag = NULL;
	out->val = value;
}

int
cli_start(struct cli *c, const struct cli_program *p, int argc, char **argv)
{
	struct option table[MAX_OPTIONS + COMMON + 1];
	int r, verbosity = 0;
	size_t i;

	cli_harden();
	log_init(p->name, 0);
	memset(c, 0, sizeof(*c));
	memset(table, 0, sizeof(table));
	c->program = p;
	if (p->n_options > MAX_OPTIONS)
		abort();
	for (i = 0; i < COMMON; i++)
		long_option(&table[i], &common[i], letters[i]);
	for (i = 0; i < p->n_options; i++)
		long_option(&table[COMMON + i], &p->options[i], TABLE + (int)i);
	r = options(c, argc, argv, table, &verbosity);
	if (r != CLI_GO)
		return r;
	log_init(p->name, verbosity);
	c->args = argv + optind;
	c->n_args = (size_t)(argc - optind);
	if (c->n_args < p->min_args)
		return cli_usage(c, "%s expected",
		    p->operands != NULL ? p->operands : "an operand");
	if (c->n_args > p->max_args)
		return cli_usage(
		    c, "\"%.60s\" is too much", c->args[p->max_args]);
	return CLI_GO;
}

int
cli_config(const struct cli *c, struct conf **conf,
    const struct conf_cluster **cluster, struct fault *f)
{
	const char *path = c->config;
	struct conf *loaded;
	int r;

	if (path == NULL) {
		path = getenv("PITRKIT_CONF");
		if (path != NULL && *path == '\0')
			path = NULL;
	}
	r = conf_load(&loaded, path, f);
	if (r != 0)
		return r;
	r = conf_apply_env(loaded, getenv, f);
	if (r == 0 && cluster != NULL)
		r = conf_cluster(loaded, c->cluster, cluster, f);
	if (r != 0) {
		conf_free(loaded);
		return r;
	}
	*conf = loaded;
	return 0;
}

int
cli_exit_status(enum fault_code code)
{
	static const int status[] = {
	    [FAULT_NONE] = 0,
	    [FAULT_AGAIN] = 4,
	    [FAULT_ABSENT] = 1,
	    [FAULT_EXISTS] = 3,
	    [FAULT_FOREIGN] = 3,
	    [FAULT_CORRUPT] = 5,
	    [FAULT_KEY] = 5,
	    [FAULT_CONFIG] = 2,
	    [FAULT_DENIED] = 4,
	    [FAULT_SYSTEM] = 1,
	    [FAULT_FROZEN] = 4,
	};

	return (size_t)code < sizeof(status) / sizeof(status[0]) ? status[code]
								 : 1;
}

int
cli_fail(const struct fault *f)
{
	log_line(0, "%s", f->text);
	return cli_exit_status(f->code);
}

int
cli_flush_stdout(struct fault *f)
{
	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout))
		return fault_errno(
		    f, errno != 0 ? errno : EIO, "standard output");
	return 0;
}

int
cli_end(int rc, struct fault *f)
{
	if (rc == 0)
		rc = cli_flush_stdout(f);
	else
		(void)fflush(stdout);
	return rc == 0 ? 0 : cli_fail(f);
}
