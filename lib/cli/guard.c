#include "guard.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* Written before the handlers are set; a handler may not compose anything. */
static struct {
	char crash[160];
	char bus[160];
	char late[160];
	int crash_status;
	int late_status;
} guard;

/* Only where it does not block: a pipe that nobody empties may be why time ran
 * out. */
static void
guard_say(const char *line)
{
	struct pollfd p = {STDERR_FILENO, POLLOUT, 0};
	ssize_t r;

	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
		return;
	r = write(STDERR_FILENO, line, strlen(line));
	(void)r;
}

static void
guard_on_crash(int signo)
{
	guard_say(signo == SIGBUS ? guard.bus : guard.crash);
	_exit(guard.crash_status);
}

static void
guard_on_alarm(int signo)
{
	(void)signo;
	guard_say(guard.late);
	_exit(guard.late_status);
}

void
guard_crash(const char *program, int status)
{
	static const int signals[] = {
	    SIGBUS, SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGSYS};
	struct sigaction sa;

	guard.crash_status = status;
	snprintf(guard.bus, sizeof(guard.bus),
	    "%s: the file was cut short, or its disk failed, while it was"
	    " read\n",
	    program);
	snprintf(guard.crash, sizeof(guard.crash),
	    "%s: crashed; this is a bug in pitrkit, please report it\n",
	    program);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = guard_on_crash;
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
}

void
guard_time(const char *program, const char *what, int64_t ms, int status)
{
	struct itimerval t = {
	    .it_value = {ms / 1000, ms % 1000 * 1000},
	};
	struct sigaction sa;

	guard.late_status = status;
	snprintf(guard.late, sizeof(guard.late), "%s: %s: not done in time\n",
	    program, what);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = guard_on_alarm;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}
