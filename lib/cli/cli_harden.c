#include "cli.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
    __has_feature(memory_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

/* PostgreSQL's archiver hands down what it ignores itself. SIGHUP is left as
 * it is: nohup means it. */
static void
signals(void)
{
	static const int fresh[] = {
	    SIGINT, SIGTERM, SIGQUIT, SIGALRM, SIGCHLD, SIGUSR1, SIGUSR2};
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t none;
	size_t i;

	for (i = 0; i < sizeof(fresh) / sizeof(fresh[0]); i++)
		sigaction(fresh[i], &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGXFSZ, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Otherwise the next file we open would become standard output or error, and
 * a message would be written into it. */
static void
descriptors(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			abort();
}

/* LeakSanitizer reads the process it runs in, as a debugger would. */
static void
memory(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#ifndef SANITIZED
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* libcurl writes the secrets of its TLS connections where this says, for
 * debugging; whoever can read that file can read our requests. */
static void
environment(void)
{
	unsetenv("SSLKEYLOGFILE");
}

void
cli_harden(void)
{
	environment();
	descriptors();
	signals();
	umask(077);
	memory();
}
