/*
 * measure REPORT [PAUSE-MS] <COMMANDS
 *
 * Runs each line of standard input by "sh -c", as PostgreSQL runs its archive
 * and restore commands, one after the other with a pause between them, and
 * writes for each one line to REPORT:
 *
 *	WALL-NS USER-US SYSTEM-US PEAK-KB STATUS
 *
 * USER, SYSTEM and PEAK are those of all descendants that were waited for.
 * The process is small, so that the peak is not that of whoever measures: a
 * child begins with its parent's resident size.
 *
 * Exit status: 0 all commands ended with 0, 1 not, 2 wrong usage.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t
microseconds(struct timeval tv)
{
	return (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

static int
measure_one(const char *command, FILE *report)
{
	struct rusage ru;
	int64_t begin, end;
	int status;
	pid_t pid;

	begin = now_ns();
	pid = fork();
	if (pid == -1)
		err(1, "fork");
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &ru) != pid)
		err(1, "wait4");
	end = now_ns();
	status =
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	fprintf(report, "%" PRId64 " %" PRId64 " %" PRId64 " %ld %d\n",
	    end - begin, microseconds(ru.ru_utime), microseconds(ru.ru_stime),
	    ru.ru_maxrss, status);
	return status;
}

int
main(int argc, char **argv)
{
	char line[8192];
	FILE *commands, *report;
	int failed = 0, first = 1;
	long pause_ms = 0;

	if (argc < 2 || argc > 3)
		errx(2, "usage: measure REPORT [PAUSE-MS] <COMMANDS");
	if (argc == 3)
		pause_ms = strtol(argv[2], NULL, 10);
	report = fopen(argv[1], "we");
	if (report == NULL)
		err(1, "%s", argv[1]);
	/* The commands must not read from our list. */
	commands = fdopen(dup(STDIN_FILENO), "re");
	if (commands == NULL || freopen("/dev/null", "r", stdin) == NULL)
		err(1, "standard input");
	while (fgets(line, sizeof(line), commands) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (!first && pause_ms > 0)
			usleep((useconds_t)pause_ms * 1000);
		first = 0;
		if (measure_one(line, report) != 0)
			failed = 1;
	}
	if (fclose(report) != 0)
		err(1, "%s", argv[1]);
	return failed;
}
