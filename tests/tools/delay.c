/*
 * delay PORT-FILE PORT RTT-MS
 *
 * A relay to 127.0.0.1:PORT that is RTT-MS away: every byte arrives half that
 * time later in either direction, and a new connection costs one round trip
 * before its first byte leaves, as TCP's handshake does.  It looks into
 * nothing, so TLS stays between the two ends, and the bytes wait in a pipe,
 * where the kernel moves them without a copy: both processors belong to those
 * that are measured.  A direction holds 4 MiB in flight, the send buffer's
 * limit of a Linux host; slow start is not modelled.
 * Writes its own port to PORT-FILE and ends when its parent does.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IN_FLIGHT (4 * 1024 * 1024)
#define PAIRS 256
#define WAVES 1024 /* a power of two */
/* What arrives within this time goes on together. */
#define WAVE_NS 500000

/* size 0: the sender has closed his side. */
struct wave {
	int64_t due;
	size_t size;
};

struct way {
	struct wave waves[WAVES];
	size_t first, n;
	size_t held;
	int from, to, pipe[2], room;
	bool ended;
	bool full; /* the pipe takes no more until some of it was given */
};

struct pair {
	int64_t open_from;
	struct way up, down;
	int client, server;
};

static struct pair *pairs[PAIRS];
static int64_t rtt;

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
way_init(struct way *w, int from, int to)
{
	memset(w, 0, sizeof(*w));
	if (pipe2(w->pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		err(1, "pipe");
	w->room = fcntl(w->pipe[1], F_GETPIPE_SZ);
	if (w->room < 0)
		err(1, "pipe size");
	w->from = from;
	w->to = to;
}

static void
way_close(struct way *w)
{
	close(w->pipe[0]);
	close(w->pipe[1]);
}

static void
pair_free(struct pair *p)
{
	way_close(&p->up);
	way_close(&p->down);
	close(p->client);
	close(p->server);
	free(p);
}

static void
way_add(struct way *w, int64_t due, size_t size)
{
	struct wave *last = &w->waves[(w->first + w->n - 1) % WAVES];

	w->held += size;
	if (size > 0 && w->n > 0 && due - last->due < WAVE_NS) {
		last->size += size;
		return;
	}
	w->waves[(w->first + w->n++) % WAVES] =
	    (struct wave){.due = due, .size = size};
}

/* A page's place in the pipe takes up to 32 KiB, so that what an unprivileged
 * user may have, a megabyte each and some for all, does for 4 MiB. */
static bool
way_widen(struct way *w)
{
	if (w->room >= IN_FLIGHT ||
	    fcntl(w->pipe[1], F_SETPIPE_SZ, 2 * w->room) < 0)
		return false;
	w->room *= 2;
	return true;
}

/* splice(2) says 0 at the end of a connection, and also when there is no place
 * in the pipe for what has come. */
static bool
way_at_end(const struct way *w)
{
	char c;

	return recv(w->from, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Returns -1 when the connection is broken. */
static int
way_take(struct way *w, int64_t not_before)
{
	int64_t start;
	ssize_t n = splice(w->from, NULL, w->pipe[1], NULL, IN_FLIGHT - w->held,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -1;
	if (n < 0 || (n == 0 && !way_at_end(w))) {
		w->full = w->held > 0 && !way_widen(w);
		return 0;
	}
	start = now_ns();
	if (start < not_before)
		start = not_before;
	way_add(w, start + rtt / 2, (size_t)n);
	w->ended = n == 0;
	return 0;
}

static int
way_give(struct way *w, int64_t now)
{
	ssize_t n;

	while (w->n > 0 && w->waves[w->first].due <= now) {
		struct wave *c = &w->waves[w->first];

		if (c->size == 0) {
			shutdown(w->to, SHUT_WR);
		} else {
			n = splice(w->pipe[0], NULL, w->to, NULL, c->size,
			    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
			if (n < 0)
				return errno == EAGAIN || errno == EINTR ? 0
									 : -1;
			w->full = false;
			w->held -= (size_t)n;
			c->size -= (size_t)n;
			if (c->size > 0)
				continue;
		}
		w->first = (w->first + 1) % WAVES;
		w->n--;
	}
	return 0;
}

static void
accept_one(int listener, struct sockaddr_in *upstream)
{
	struct pair *p;
	int i, one = 1;

	p = calloc(1, sizeof(*p));
	if (p == NULL)
		err(1, "calloc");
	p->client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	p->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->client == -1 || p->server == -1)
		err(1, "accept");
	for (i = 0; i < PAIRS && pairs[i] != NULL; i++)
		continue;
	way_init(&p->up, p->client, p->server);
	way_init(&p->down, p->server, p->client);
	if (i == PAIRS || connect(p->server, (struct sockaddr *)upstream,
			      sizeof(*upstream)) != 0) {
		warnx("a connection is refused");
		pair_free(p);
		return;
	}
	setsockopt(p->client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(p->server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	p->open_from = now_ns() + rtt;
	pairs[i] = p;
}

/* The events to wait for at one socket: in is read from it, out written. */
static short
wanted(const struct way *in, const struct way *out, int64_t now, int64_t *next)
{
	const int64_t due = out->n > 0 ? out->waves[out->first].due : INT64_MAX;
	short events = 0;

	if (!in->ended && !in->full && in->held < IN_FLIGHT && in->n < WAVES)
		events |= POLLIN;
	if (due <= now)
		events |= POLLOUT;
	else if (due < *next)
		*next = due;
	return events;
}

static int
pair_step(
    struct pair *p, const struct pollfd *client, const struct pollfd *server)
{
	int64_t now;

	if (client->events & POLLIN && client->revents & (POLLIN | POLLHUP) &&
	    way_take(&p->up, p->open_from) != 0)
		return -1;
	if (server->events & POLLIN && server->revents & (POLLIN | POLLHUP) &&
	    way_take(&p->down, 0) != 0)
		return -1;
	if ((client->revents | server->revents) & POLLERR)
		return -1;
	now = now_ns();
	if (way_give(&p->up, now) != 0 || way_give(&p->down, now) != 0)
		return -1;
	return p->up.ended && p->down.ended && p->up.n == 0 && p->down.n == 0
		   ? -1
		   : 0;
}

static void
relay(int listener, struct sockaddr_in *upstream)
{
	static struct pollfd fds[2 * PAIRS + 1];
	struct timespec wait;
	int64_t now, next;
	int i, used;

	for (;;) {
		now = now_ns();
		next = now + 1000000000;
		fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
		used = 0;
		for (i = 0; i < PAIRS; i++) {
			struct pollfd *f = &fds[1 + 2 * i];
			struct pair *p = pairs[i];

			f[0] = f[1] = (struct pollfd){.fd = -1};
			if (p == NULL)
				continue;
			used = i + 1;
			f[0].events = wanted(&p->up, &p->down, now, &next);
			f[1].events = wanted(&p->down, &p->up, now, &next);
			/* A closed side with nothing wanted would spin. */
			f[0].fd = f[0].events ? p->client : -1;
			f[1].fd = f[1].events ? p->server : -1;
		}
		wait.tv_sec = (next - now) / 1000000000;
		wait.tv_nsec = (next - now) % 1000000000;
		if (ppoll(fds, (nfds_t)(2 * used + 1), &wait, NULL) < 0 &&
		    errno != EINTR)
			err(1, "ppoll");
		for (i = 0; i < used; i++)
			if (pairs[i] != NULL &&
			    pair_step(pairs[i], &fds[1 + 2 * i],
				&fds[2 + 2 * i]) != 0) {
				pair_free(pairs[i]);
				pairs[i] = NULL;
			}
		if (fds[0].revents & POLLIN)
			accept_one(listener, upstream);
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in self, upstream;
	socklen_t len = sizeof(self);
	int listener;
	FILE *f;

	if (argc != 4)
		errx(2, "usage: delay PORT-FILE PORT RTT-MS");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	rtt = strtol(argv[3], NULL, 10) * 1000000;
	memset(&upstream, 0, sizeof(upstream));
	upstream.sin_family = AF_INET;
	upstream.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	self = upstream;
	upstream.sin_port = htons((uint16_t)strtol(argv[2], NULL, 10));
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener == -1 ||
	    bind(listener, (struct sockaddr *)&self, sizeof(self)) != 0 ||
	    listen(listener, 128) != 0 ||
	    getsockname(listener, (struct sockaddr *)&self, &len) != 0)
		err(1, "cannot listen");
	f = fopen(argv[1], "we");
	if (f == NULL || fprintf(f, "%d\n", ntohs(self.sin_port)) < 0 ||
	    fclose(f) != 0)
		err(1, "%s", argv[1]);
	relay(listener, &upstream);
	return 0;
}
