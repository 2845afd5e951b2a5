#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct output {
	unsigned char *data;
	size_t len;
	size_t cap;
	size_t limit;
};

/* in -1: standard input is empty. group 0: one of its own, so that a kill
 * reaches whatever the shell has started. Nothing else is inherited. */
static int
spawn(const char *command, int in, int out, pid_t group, pid_t *pid)
{
	const char *argv[] = {"sh", "-c", command, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none, dfl;
	int e;

	e = posix_spawn_file_actions_init(&fa);
	if (e != 0)
		return e;
	e = posix_spawnattr_init(&at);
	if (e != 0) {
		posix_spawn_file_actions_destroy(&fa);
		return e;
	}
	sigemptyset(&none);
	sigemptyset(&dfl);
	sigaddset(&dfl, SIGPIPE);
	e = posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);
	if (e == 0)
		e = in >= 0 ? posix_spawn_file_actions_adddup2(
				  &fa, in, STDIN_FILENO)
			    : posix_spawn_file_actions_addopen(
				  &fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (e == 0)
		e = posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	posix_spawnattr_setpgroup(&at, group);
	posix_spawnattr_setsigmask(&at, &none);
	posix_spawnattr_setsigdefault(&at, &dfl);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP |
					  POSIX_SPAWN_SETSIGMASK |
					  POSIX_SPAWN_SETSIGDEF);
	if (e == 0)
		e = posix_spawn(
		    pid, "/bin/sh", &fa, &at, (char *const *)argv, environ);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	return e;
}

/* The command, and one that watches over us in the same group: when our end of
 * a pipe is closed because we were ended, it kills the group. */
struct group {
	pid_t command;
	pid_t watcher;
	int life;
};

static void
reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

static int
group_start(struct group *g, const char *command, int out, struct fault *f)
{
	int life[2], null, e;

	*g = (struct group){-1, -1, -1};
	if (pipe2(life, O_CLOEXEC) != 0)
		return fault_errno(f, errno, "pipe");
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	e = null < 0 ? errno : spawn(command, -1, out, 0, &g->command);
	if (e == 0) {
		e = spawn("read x; kill -KILL 0", life[0], null, g->command,
		    &g->watcher);
		if (e != 0) {
			kill(-g->command, SIGKILL);
			reap(g->command);
		}
	}
	if (null >= 0)
		close(null);
	close(life[0]);
	if (e == 0) {
		g->life = life[1];
		return 0;
	}
	close(life[1]);
	return fault_errno(f, e, "cannot run a command");
}

/* over: the command has ended and was waited for; what it left in the
 * background is its own affair. */
static void
group_end(struct group *g, bool over)
{
	/* Neither is reaped yet, so the numbers are still ours. */
	if (over) {
		kill(g->watcher, SIGKILL);
	} else {
		kill(-g->command, SIGKILL);
		reap(g->command);
	}
	reap(g->watcher);
	close(g->life);
}

static void
output_wipe(struct output *o)
{
	if (o->data != NULL)
		explicit_bzero(o->data, o->len);
	free(o->data);
	o->data = NULL;
}

/* Room for one byte more than the limit, to see that there is one, and for
 * the NUL. The old copy is wiped: this may be a secret. */
static int
output_grow(struct output *o)
{
	size_t cap = o->cap == 0 ? 4096 : o->cap * 2;
	unsigned char *p;

	if (cap > o->limit + 1)
		cap = o->limit + 1;
	p = malloc(cap + 1);
	if (p == NULL)
		return -1;
	if (o->len > 0)
		memcpy(p, o->data, o->len);
	output_wipe(o);
	o->data = p;
	o->cap = cap;
	return 0;
}

static int
timed_out(struct fault *f)
{
	return fault_set(f, FAULT_AGAIN, "the command did not end in time");
}

static int
collect(int fd, struct output *o, const struct deadline *d, struct fault *f)
{
	struct pollfd p = {fd, POLLIN, 0};
	int64_t left;
	ssize_t n;
	int r;

	for (;;) {
		left = deadline_left_ms(d);
		if (left == 0)
			return timed_out(f);
		r = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (r < 0 && errno != EINTR)
			return fault_errno(f, errno, "poll");
		if (r <= 0)
			continue;
		if (o->len == o->cap && output_grow(o) != 0)
			return fault_nomem(f);
		n = read(fd, o->data + o->len, o->cap - o->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_errno(f, errno, "output of the command");
		if (n == 0)
			return 0;
		o->len += (size_t)n;
		if (o->len > o->limit)
			return fault_set(f, FAULT_CONFIG,
			    "the command gives more than %zu bytes", o->limit);
	}
}

/* It may close its output and run on. */
static int
await(pid_t pid, int *status, const struct deadline *d, struct fault *f)
{
	int64_t pause = 1;
	pid_t r;

	for (;;) {
		r = waitpid(pid, status, WNOHANG);
		if (r == pid)
			return 0;
		if (r < 0 && errno != EINTR)
			return fault_errno(f, errno, "wait for the command");
		if (deadline_passed(d))
			return timed_out(f);
		clock_sleep_ms(pause);
		if (pause < 16)
			pause *= 2;
	}
}

/* Not found or not executable will not pass; what else a command fails of,
 * such as a key server that is away, may. */
static int
judge(int status, struct fault *f)
{
	int code;

	if (WIFSIGNALED(status))
		return fault_set(f, FAULT_AGAIN,
		    "the command was ended by signal %d", WTERMSIG(status));
	code = WEXITSTATUS(status);
	if (code == 0)
		return 0;
	return fault_set(f,
	    code == 126 || code == 127 ? FAULT_CONFIG : FAULT_AGAIN,
	    "the command ended with status %d", code);
}

int
proc_output(const char *command, size_t limit, const struct deadline *d,
    unsigned char **out, size_t *len, struct fault *f)
{
	struct output o = {NULL, 0, 0, limit};
	int fds[2], r, status = 0;
	struct group g;

	if (o.limit > SIZE_MAX - 2)
		o.limit = SIZE_MAX - 2;
	if (output_grow(&o) != 0)
		return fault_nomem(f);
	if (pipe2(fds, O_CLOEXEC) != 0) {
		fault_errno(f, errno, "pipe");
		output_wipe(&o);
		return FAULT_SYSTEM;
	}
	r = group_start(&g, command, fds[1], f);
	close(fds[1]);
	if (r == 0) {
		r = collect(fds[0], &o, d, f);
		if (r == 0)
			r = await(g.command, &status, d, f);
		group_end(&g, r == 0);
		if (r == 0)
			r = judge(status, f);
	}
	close(fds[0]);
	if (r != 0) {
		output_wipe(&o);
		return r;
	}
	o.data[o.len] = '\0';
	*out = o.data;
	*len = o.len;
	return 0;
}
