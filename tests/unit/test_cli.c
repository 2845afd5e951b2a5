/* Options, exit status and the process: alike in every command. */

#include "cli_world.h"

/* LeakSanitizer has to read the process; cli_harden lets it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

static void
options_arrive(void **state)
{
	struct outcome o;

	(void)state;
	run(plain,
	    "x --json --target-time now --tablespace a --tablespace=b "
	    "-c /f -C n -vv",
	    &o);
	assert_int_equal(o.status, 0);
	assert_string_equal(o.out, "1 now 2 [x] /f n v2\n");
	run(plain, "--config /f --cluster n --verbose -- --json", &o);
	assert_string_equal(o.out, "0 - 0 [--json] /f n v1\n");
	assert_string_equal(o.err, "");
}

static void
wrong_usage_is_one_line_and_its_status(void **state)
{
	static const char *const bad[] = {"--nope", "-x", "--json=1", "-c",
	    "--target-time", "--target-time a --target-time b", "a b"};
	struct outcome o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		usage_status = 0;
		run(plain, bad[i], &o);
		assert_int_equal(o.status, 2);
		assert_int_equal(lines(o.err), 1);
		assert_memory_equal(o.err, "tool: ", 6);
		assert_string_equal(o.out, "");
		usage_status = 200;
		run(plain, bad[i], &o);
		assert_int_equal(o.status, 200);
	}
	usage_status = 0;
}

static void
help_lists_every_option(void **state)
{
	static const char *const all[] = {"usage: tool [OPTION]... NAME\n",
	    "Does something.\n", "--json ", "--target-time TIME ",
	    "--tablespace OID=DIR ", "-c, --config FILE ",
	    "-C, --cluster NAME ", "-v, --verbose ", "-V, --version ",
	    "-h, --help "};
	struct outcome o;
	size_t i;

	(void)state;
	run(plain, "-h", &o);
	assert_int_equal(o.status, 0);
	assert_string_equal(o.err, "");
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_non_null(strstr(o.out, all[i]));
	assert_int_equal(lines(o.out), 11);
	run(plain, "--version", &o);
	assert_int_equal(o.status, 0);
	assert_string_equal(o.out, "tool (pitrkit) " PITRKIT_VERSION "\n");
}

static void
every_code_has_its_status(void **state)
{
	static const int want[] = {0, 4, 1, 3, 3, 5, 5, 2, 4, 1};
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_int_equal(cli_exit_status((enum fault_code)i), want[i]);
	assert_int_equal(cli_exit_status((enum fault_code)99), 1);
}

/* Run with what a badly behaved parent hands down. */
static int
hardened(int argc, char **argv)
{
	static const int handed[] = {SIGINT, SIGTERM, SIGALRM, SIGHUP};
	struct sigaction sa;
	struct rlimit core;
	sigset_t mask;
	size_t i;
	int log_fd = fcntl(2, F_DUPFD, 10);

	(void)argc;
	(void)argv;
	for (i = 0; i < 4; i++)
		signal(handed[i], SIG_IGN);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigfillset(&mask);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	umask(0);
	close(0);
	close(1);
	close(2);
	cli_harden();
	dup2(log_fd, 2);
	for (i = 0; i < 4; i++) {
		sigaction(handed[i], NULL, &sa);
		/* SIGHUP stays: nohup. */
		if ((sa.sa_handler == SIG_IGN) != (handed[i] == SIGHUP))
			return 10 + (int)i;
	}
	sigaction(SIGPIPE, NULL, &sa);
	if (sa.sa_handler != SIG_IGN)
		return 20;
	sigaction(SIGXFSZ, NULL, &sa);
	if (sa.sa_handler != SIG_IGN)
		return 21;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	if (sigismember(&mask, SIGTERM) != 0)
		return 22;
	if (umask(0) != 077)
		return 23;
	if (fcntl(0, F_GETFD) < 0 || fcntl(1, F_GETFD) < 0)
		return 24;
	getrlimit(RLIMIT_CORE, &core);
	if (core.rlim_cur != 0)
		return 25;
#ifndef SANITIZED
	if (prctl(PR_GET_DUMPABLE) != 0)
		return 26;
#endif
	return 0;
}

static void
the_process_is_set_up_whatever_was_inherited(void **state)
{
	struct outcome o;

	(void)state;
	run(hardened, "", &o);
	assert_int_equal(o.status, 0);
}

static int
configured(int argc, char **argv)
{
	const struct conf_cluster *k;
	struct fault f = FAULT_INIT;
	struct conf *conf;
	struct cli c;
	int r = start(&c, argc, argv);

	if (r != CLI_GO)
		return r;
	if (cli_config(&c, &conf, &k, &f) != 0)
		return cli_fail(&f);
	printf("%s %s\n", k->name,
	    k->repos[0]->access_key_id ? k->repos[0]->access_key_id : "-");
	conf_free(conf);
	return 0;
}

static void
settings_come_from_option_then_environment(void **state)
{
	char path[] = "/tmp/pitrkit-cli.XXXXXX", words[64];
	int fd = mkstemp(path);
	FILE *p = fdopen(fd, "w");
	struct outcome o;

	(void)state;
	fputs("[cluster a]\nrepo=r\nkey_file=/k\n[repo r]\nurl=s3://bucket\n"
	      "[cluster b]\nrepo=r\nkey_file=/k\n",
	    p);
	fclose(p);
	setenv("AWS_ACCESS_KEY_ID", "ID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "KEY", 1);
	setenv("PITRKIT_CONF", "/nowhere/env", 1);
	snprintf(words, sizeof(words), "-c %s -C b", path);
	run(configured, words, &o);
	assert_int_equal(o.status, 0);
	assert_string_equal(o.out, "b ID\n");
	run(configured, "-C b", &o);
	assert_int_equal(o.status, 2);
	assert_memory_equal(o.err, "tool: /nowhere/env: ", 20);
	setenv("PITRKIT_CONF", path, 1);
	run(configured, "-C a", &o);
	assert_int_equal(o.status, 0);
	run(configured, "", &o);
	assert_int_equal(o.status, 2);
	unlink(path);
	unsetenv("PITRKIT_CONF");
}

static void
values_that_several_commands_take(void **state)
{
	struct fault f = FAULT_INIT;
	unsigned jobs = 0;
	int64_t us = 0;

	(void)state;
	assert_int_equal(cli_value_jobs(NULL, &jobs, &f), 0);
	assert_in_range(jobs, 2, 8);
	assert_int_equal(cli_value_jobs("64", &jobs, &f), 0);
	assert_int_equal(jobs, 64);
	assert_int_equal(cli_value_jobs("0", &jobs, &f), FAULT_CONFIG);
	assert_int_equal(cli_value_jobs("65", &jobs, &f), FAULT_CONFIG);
	assert_int_equal(cli_value_jobs("two", &jobs, &f), FAULT_CONFIG);
	assert_non_null(strstr(f.text, "--jobs 'two'"));
	assert_int_equal(jobs, 64);
	assert_int_equal(cli_value_time("from", NULL, &us, &f), 0);
	assert_true(us == CLOCK_NONE);
	assert_int_equal(
	    cli_value_time("from", "1970-01-01T00:00:01Z", &us, &f), 0);
	assert_int_equal(us, 1000000);
	assert_int_equal(cli_value_time("from", "noon", &us, &f), FAULT_CONFIG);
	assert_non_null(strstr(f.text, "--from: "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_arrive),
	    cmocka_unit_test(wrong_usage_is_one_line_and_its_status),
	    cmocka_unit_test(help_lists_every_option),
	    cmocka_unit_test(every_code_has_its_status),
	    cmocka_unit_test(the_process_is_set_up_whatever_was_inherited),
	    cmocka_unit_test(settings_come_from_option_then_environment),
	    cmocka_unit_test(values_that_several_commands_take),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
