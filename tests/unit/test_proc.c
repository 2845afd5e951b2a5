/* Commands end in time, with nothing of ours in their hands. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "proc.h"

static struct fault f;

static int
run(const char *command, size_t limit, int64_t ms, unsigned char **out,
    size_t *len)
{
	struct deadline d = deadline_in_ms(ms);

	*out = NULL;
	*len = 77;
	return proc_output(command, limit, &d, out, len, &f);
}

static void
output_is_collected_whole(void **state)
{
	unsigned char *out;
	size_t len;

	(void)state;
	assert_int_equal(run("printf 'a\\0b'", 3, 10000, &out, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(out, "a\0b", 4);
	free(out);
	assert_int_equal(run(":", 0, 10000, &out, &len), 0);
	assert_int_equal(len, 0);
	free(out);
	assert_int_equal(
	    run("head -c 300000 /dev/zero", 300000, 10000, &out, &len), 0);
	assert_int_equal(len, 300000);
	assert_int_equal(out[len], 0);
	free(out);
}

static void
too_much_is_refused(void **state)
{
	unsigned char *out;
	size_t len;

	(void)state;
	assert_int_equal(run("yes", 1000, 10000, &out, &len), FAULT_CONFIG);
	assert_null(out);
	assert_int_equal(
	    run("printf abcd", 3, 10000, &out, &len), FAULT_CONFIG);
	assert_null(out);
}

static void
a_failure_names_the_status_but_not_the_output(void **state)
{
	unsigned char *out;
	size_t len;

	(void)state;
	assert_int_equal(
	    run("echo hunter2; exit 3", 99, 10000, &out, &len), FAULT_AGAIN);
	assert_null(out);
	assert_non_null(strstr(f.text, "status 3"));
	assert_null(strstr(f.text, "hunter2"));
	assert_int_equal(run("kill -9 $$", 99, 10000, &out, &len), FAULT_AGAIN);
	assert_non_null(strstr(f.text, "signal 9"));
	assert_int_equal(
	    run("exec 2>&-; /nowhere/command", 99, 10000, &out, &len),
	    FAULT_CONFIG);
}

/* The child's child too: it would keep the pipe open, and stay behind. */
static void
the_deadline_ends_the_whole_group(void **state)
{
	char path[] = "/tmp/pitrkit-proc.XXXXXX", command[200];
	int64_t start = clock_monotonic_ms();
	int fd = mkstemp(path);
	unsigned char *out;
	FILE *p;
	size_t len;
	int pid = 0, i;

	(void)state;
	close(fd);
	snprintf(
	    command, sizeof(command), "sleep 60 & echo $! > %s; wait", path);
	assert_int_equal(run(command, 99, 500, &out, &len), FAULT_AGAIN);
	assert_true(clock_monotonic_ms() - start < 20000);
	p = fopen(path, "r");
	assert_non_null(p);
	assert_int_equal(fscanf(p, "%d", &pid), 1);
	fclose(p);
	unlink(path);
	/* A zombie until init has seen it; then gone. */
	for (i = 0; i < 200 && kill(pid, 0) == 0; i++) {
		char name[40], word[64] = "", state_letter = 'R';

		snprintf(name, sizeof(name), "/proc/%d/stat", pid);
		p = fopen(name, "r");
		if (p != NULL) {
			if (fscanf(p, "%*d %63s %c", word, &state_letter) != 2)
				state_letter = 'R';
			fclose(p);
		}
		if (state_letter == 'Z')
			break;
		clock_sleep_ms(50);
	}
	assert_true(i < 200);
	/* Output closed, but still there. */
	assert_int_equal(
	    run("exec >&-; sleep 60", 99, 300, &out, &len), FAULT_AGAIN);
}

/* Nobody may wait for orphans here. */
static bool
is_zombie(long pid)
{
	char path[40], text[256] = "", *p;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	in = fopen(path, "r");
	if (in == NULL)
		return true;
	if (fgets(text, sizeof(text), in) == NULL)
		text[0] = '\0';
	fclose(in);
	p = strrchr(text, ')');
	return p == NULL || p[1] == '\0' || p[2] == 'Z';
}

/* A call that is over in time, or killed, leaves no command behind. */
static void
nor_does_it_outlive_us(void **state)
{
	char path[] = "/tmp/test_proc.XXXXXX", command[200];
	int64_t end = clock_monotonic_ms() + 30000;
	int fd = mkstemp(path);
	unsigned char *out;
	long left = 0;
	size_t len;
	pid_t us;
	FILE *in;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	/* It stands in a pipe of commands, so that its shell waits for it. */
	snprintf(command, sizeof(command),
	    "sh -c 'echo $$ >%s; exec sleep 1000' | cat", path);
	us = fork();
	assert_true(us >= 0);
	if (us == 0) {
		(void)run(command, 100, 1000000, &out, &len);
		_exit(0);
	}
	while (left == 0 && clock_monotonic_ms() < end) {
		usleep(10000);
		in = fopen(path, "r");
		assert_non_null(in);
		if (fscanf(in, "%ld", &left) != 1)
			left = 0;
		fclose(in);
	}
	assert_true(left > 1);
	assert_int_equal(kill((pid_t)left, 0), 0);
	kill(us, SIGKILL);
	while (kill((pid_t)left, 0) == 0 && !is_zombie(left) &&
	       clock_monotonic_ms() < end)
		usleep(10000);
	assert_true(kill((pid_t)left, 0) != 0 || is_zombie(left));
	unlink(path);
}

static void
nothing_of_ours_is_inherited(void **state)
{
	int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
	unsigned char *out;
	char command[100];
	size_t len;

	(void)state;
	assert_true(fd > 2);
	snprintf(command, sizeof(command),
	    "test -e /proc/self/fd/%d && echo yes; cat", fd);
	assert_int_equal(run(command, 99, 10000, &out, &len), 0);
	assert_int_equal(len, 0);
	free(out);
	close(fd);
	/* We ignore SIGPIPE; the command must not. */
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(
	    run("kill -PIPE $$; echo alive", 99, 10000, &out, &len),
	    FAULT_AGAIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(output_is_collected_whole),
	    cmocka_unit_test(too_much_is_refused),
	    cmocka_unit_test(a_failure_names_the_status_but_not_the_output),
	    cmocka_unit_test(the_deadline_ends_the_whole_group),
	    cmocka_unit_test(nor_does_it_outlive_us),
	    cmocka_unit_test(nothing_of_ours_is_inherited),
	};

	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
