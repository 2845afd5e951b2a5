#include "front.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

#define FRONT_SAY_MS 1000
#define FRONT_CONF "/etc/pitrkit/pitrkit.conf"

struct call {
	const struct front *front;
	const char *config;
	const char *cluster;
	uint32_t verbosity;
	char *operands[WIRE_OPERANDS];
	char program[PATH_MAX]; /* the full one */
	char name[WIRE_NAME];   /* of the socket */
	int64_t began_ms;
};

static int64_t
front_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* -c FILE, -C NAME, -v and the operands; 0 when that is all there is. Every
 * other form is for the full program to understand. */
static int
front_options(struct call *c, int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (strcmp(a, "-v") == 0) {
			c->verbosity++;
		} else if (strcmp(a, "-c") == 0 || strcmp(a, "-C") == 0) {
			if (++i == argc)
				return -1;
			if (a[1] == 'c')
				c->config = argv[i];
			else
				c->cluster = argv[i];
		} else if (a[0] == '-' || n == c->front->n_operands) {
			return -1;
		} else {
			c->operands[n++] = argv[i];
		}
	}
	if (c->config == NULL)
		c->config = getenv("PITRKIT_CONF");
	if (c->config == NULL || c->config[0] == '\0')
		c->config = FRONT_CONF;
	return n == c->front->n_operands ? 0 : -1;
}

/* NAME-worker: beside this program, or where make install puts it. */
static int
front_find_beside(struct call *c, const char *self)
{
	static const char *const places[] = {"", "../libexec/pitrkit/"};
	const char *slash = strrchr(self, '/');
	int n;

	if (slash == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		n = snprintf(c->program, sizeof(c->program), "%.*s%s%s-worker",
		    (int)(slash + 1 - self), self, places[i], c->front->name);
		if (n > 0 && n < (int)sizeof(c->program) &&
		    access(c->program, X_OK) == 0)
			return 0;
	}
	return -1;
}

/* This program is what execve(2) was given, unless that is a link to it. To ask
 * /proc takes longer than all else that is done here: the kernel makes this
 * process's entry there when it is looked at. */
static int
front_find_program(struct call *c)
{
	const char *given = (const char *)(uintptr_t)getauxval(AT_EXECFN);
	char self[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (given != NULL && lstat(given, &st) == 0 && S_ISREG(st.st_mode) &&
	    front_find_beside(c, given) == 0)
		return 0;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return -1;
	self[n] = '\0';
	return front_find_beside(c, self);
}

static void
front_mix(uint64_t *h, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		*h = (*h ^ p[i]) * 0x100000001b3u; /* FNV-1a */
}

static void
front_mix_text(uint64_t *h, const char *s)
{
	front_mix(h, s != NULL ? s : "\1", s != NULL ? strlen(s) + 1 : 2);
}

static int
front_mix_file(uint64_t *h, const char *path, int content)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return -1;
	front_mix(h, &st.st_dev, sizeof(st.st_dev));
	front_mix(h, &st.st_ino, sizeof(st.st_ino));
	if (!content)
		return 0;
	front_mix(h, &st.st_size, sizeof(st.st_size));
	front_mix(h, &st.st_mtim, sizeof(st.st_mtim));
	front_mix(h, &st.st_ctim, sizeof(st.st_ctim));
	return 0;
}

/* The worker is one for the same user, data directory, settings (as they are
 * now) and program: another one is not found. */
static int
front_name(struct call *c)
{
	static const char *const environment[] = {
	    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};
	uint64_t h = 0xcbf29ce484222325u;

	front_mix_text(&h, c->config);
	front_mix_text(&h, c->cluster);
	if (front_mix_file(&h, c->config, 1) != 0 ||
	    front_mix_file(&h, c->program, 1) != 0 ||
	    front_mix_file(&h, ".", 0) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(environment) / sizeof(*environment); i++)
		front_mix_text(&h, getenv(environment[i]));
	snprintf(c->name, sizeof(c->name), "pitrkit-%s-%lu-%016llx",
	    c->front->name, (unsigned long)geteuid(), (unsigned long long)h);
	return 0;
}

/* -1 when there is no worker, or it is somebody else's. */
static int
front_connect(const struct call *c)
{
	int s = wire_connect(c->name);

	/* Closed standard descriptors are the full program's to repair. */
	if (s >= 0 && s <= 2) {
		close(s);
		return -1;
	}
	return s;
}

static int
front_send(const struct call *c, int s)
{
	struct wire_request rq = {
	    .magic = WIRE_MAGIC,
	    .verbosity = c->verbosity,
	    .n_operands = (uint32_t)c->front->n_operands,
	};
	size_t at = 0, n;

	for (int i = 0; i < c->front->n_operands; i++) {
		n = strlen(c->operands[i]) + 1;
		if (n > sizeof(rq.text) - at)
			return -1;
		memcpy(rq.text + at, c->operands[i], n);
		at += n;
	}
	rq.len = (uint32_t)at;
	n = offsetof(struct wire_request, text) + at;
	return send(s, &rq, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
}

/* It was stopped, or hangs, and would cost each call that silence. Its work is
 * its callers' then, so it may be killed; nobody else may: a number can be
 * another process's by now. */
static void
front_kill(const struct call *c, int s)
{
	char path[32], is[32], want[32];
	struct ucred peer;
	socklen_t len = sizeof(peer);
	ssize_t n = -1;
	int process, fd;

	if (getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
	    peer.pid <= 0)
		return;
	process = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	if (process < 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)peer.pid);
	snprintf(want, sizeof(want), "%s-linger\n", c->front->name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, is, sizeof(is) - 1);
		close(fd);
	}
	is[n > 0 ? n : 0] = '\0';
	if (strcmp(is, want) == 0)
		(void)syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
	close(process);
}

/* One message; -1 when there will be none. */
static int
front_receive(const struct call *c, int s, struct wire_answer *a)
{
	const size_t head = offsetof(struct wire_answer, text);
	struct pollfd p = {.fd = s, .events = POLLIN};
	int64_t until = front_now_ms() + WIRE_SILENCE_MS, left;
	ssize_t n;

	for (;;) {
		n = recv(s, a, sizeof(*a), 0);
		if (n > 0)
			break;
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return -1;
		left = until - front_now_ms();
		if (left <= 0)
			front_kill(c, s);
		if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR))
			return -1;
	}
	return (size_t)n >= head && a->magic == WIRE_MAGIC &&
		       a->len == (size_t)n - head
		   ? 0
		   : -1;
}

/* A log that nobody reads holds nothing up. */
static void
front_say(const struct wire_answer *a)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (a->len > 0 && poll(&p, 1, FRONT_SAY_MS) > 0 &&
	    write(STDERR_FILENO, a->text, a->len) < 0)
		return;
}

/* The exit status; -1: the full program is to do it. */
static int
front_ask(const struct call *c)
{
	struct wire_answer a;
	int status = -1, s = front_connect(c);

	if (s < 0)
		return -1;
	if (front_send(c, s) == 0)
		while (front_receive(c, s, &a) == 0) {
			front_say(&a);
			if (a.kind == WIRE_WORKING)
				continue;
			if (a.kind == WIRE_DONE && a.status <= 255)
				status = (int)a.status;
			break;
		}
	close(s);
	return status;
}

/* What the archiver ignores stays ignored for us, but a shutdown must end us.
 */
static void
front_signals(void)
{
	sigset_t none;

	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
front_become(const struct call *c, char **argv)
{
	execv(c->program, argv);
	fprintf(stderr, "%s: %s cannot be run: %s\n", c->front->name,
	    c->program, strerror(errno));
	return c->front->status();
}

int
front_main(const struct front *f, int argc, char **argv)
{
	static struct call c;
	char env[WIRE_NAME + 64];
	int status;

	c.front = f;
	c.began_ms = front_now_ms();
	unsetenv(WIRE_ENV);
	if (front_find_program(&c) != 0) {
		fprintf(stderr,
		    "%s: %s-worker is neither beside this program nor in"
		    " ../libexec/pitrkit\n",
		    f->name, f->name);
		return f->status();
	}
	if (front_options(&c, argc, argv) != 0 ||
	    (f->suits != NULL && !f->suits(c.operands)) || front_name(&c) != 0)
		return front_become(&c, argv);
	front_signals();
	status = front_ask(&c);
	if (status >= 0)
		return status;
	snprintf(
	    env, sizeof(env), "call:%s:%lld", c.name, (long long)c.began_ms);
	setenv(WIRE_ENV, env, 1);
	return front_become(&c, argv);
}
