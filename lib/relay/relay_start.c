#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "text.h"

#define START_LISTENER 3
#define START_BACKLOG 16
#define START_MMAP (8 << 20)
#define START_TRIM (6 << 20)
#define START_ARENAS 4

/* Every segment takes the same buffers: they stay, instead of being made of
 * fresh pages each time; but not the objects, which differ, and not in every
 * thread. */
static void
start_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, START_MMAP);
	(void)mallopt(M_TRIM_THRESHOLD, START_TRIM);
	(void)mallopt(M_ARENA_MAX, START_ARENAS);
}

void
relay_started(struct relay_start *s, const char *program)
{
	char name[16];
	char text[WIRE_NAME + 64], *colon;
	const char *env = getenv(WIRE_ENV);
	uint64_t number;

	memset(s, 0, sizeof(*s));
	if (env == NULL || strlen(env) >= sizeof(text))
		return;
	strcpy(text, env);
	unsetenv(WIRE_ENV);
	colon = strrchr(text, ':');
	if (colon == NULL || text_u64(colon + 1, &number) != 0)
		return;
	*colon = '\0';
	if (strcmp(text, "serve") == 0 && number == START_LISTENER) {
		s->role = RELAY_SERVE;
		s->listener = (int)number;
		snprintf(name, sizeof(name), "%s-linger", program);
		prctl(PR_SET_NAME, name, 0, 0, 0);
		start_memory();
	} else if (text_prefix(text, "call:") &&
		   strlen(text + 5) < sizeof(s->name) &&
		   number <= (uint64_t)clock_monotonic_ms()) {
		s->role = RELAY_CALL;
		strcpy(s->name, text + 5);
		s->began_ms = (int64_t)number;
	}
}

/* EADDRINUSE: there is a worker. */
static int
start_listen(const struct relay_start *s)
{
	struct sockaddr_un a;
	socklen_t len = wire_address(s->name, &a);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&a, len) == 0 &&
	    listen(fd, START_BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

/* In the child: nothing of what it was born with, but where to listen. */
static void
start_worker(int listener, char **argv)
{
	char env[32];
	int null = open("/dev/null", O_RDWR);

	if (null < 0)
		return;
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(null, fd) < 0)
			return;
	if (listener != START_LISTENER && dup2(listener, START_LISTENER) < 0)
		return;
	if (fcntl(START_LISTENER, F_SETFD, 0) != 0)
		return;
	if (close_range(START_LISTENER + 1, ~0U, 0) != 0)
		return;
	/* The one that listens is the one that others see behind the socket. */
	if (listen(START_LISTENER, START_BACKLOG) != 0)
		return;
	snprintf(env, sizeof(env), "serve:%d", START_LISTENER);
	setenv(WIRE_ENV, env, 1);
	execv("/proc/self/exe", argv);
}

void
relay_spawn(const struct relay_start *s, char **argv)
{
	int listener = start_listen(s);
	pid_t child;

	if (listener < 0)
		return;
	child = fork();
	if (child == 0) {
		/* Out of the archiver's session and group: an immediate
		 * shutdown signals all of it. */
		if (setsid() >= 0 && fork() == 0)
			start_worker(listener, argv);
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	close(listener);
}

int
relay_note(const struct relay_start *s, const char *text)
{
	struct wire_request rq = {
	    .magic = WIRE_MAGIC,
	    .verbosity = WIRE_NOTE,
	    .n_operands = 1,
	};
	size_t size;
	int fd, rc;

	rq.len = (uint32_t)(strlen(text) + 1);
	if (rq.len > sizeof(rq.text))
		return -1;
	memcpy(rq.text, text, rq.len);
	size = offsetof(struct wire_request, text) + rq.len;
	if ((fd = wire_connect(s->name)) < 0)
		return -1;
	rc = send(fd, &rq, size, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
	close(fd);
	return rc;
}
