/*
 * delay PORT-FILE PORT RTT-MS
 *
 * A relay to 127.0.0.1:PORT that is RTT-MS away: every byte arrives half that
 * time later in either direction, and a new connection costs one round trip
 * before its first byte leaves, as TCP's handshake does.  It looks into
 * nothing, so TLS stays between the two ends.  A direction holds 4 MiB in
 * flight, the send buffer's limit of a Linux host; slow start is not modelled.
 * Writes its own port to PORT-FILE and ends when its parent does.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (64 * 1024)
#define IN_FLIGHT (4 * 1024 * 1024)
#define PAIRS 256

/* size 0: the sender has closed his side. */
struct chunk {
	struct chunk *next;
	int64_t due;
	size_t size, sent;
	char data[];
};

struct way {
	struct chunk *head, **tail;
	size_t held;
	int from, to, ended;
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
	w->tail = &w->head;
	w->from = from;
	w->to = to;
}

static void
way_drop(struct way *w)
{
	struct chunk *c = w->head;

	if (c == NULL)
		return;
	w->head = c->next;
	if (w->head == NULL)
		w->tail = &w->head;
	w->held -= c->size;
	free(c);
}

static void
pair_free(struct pair *p)
{
	while (p->up.head != NULL)
		way_drop(&p->up);
	while (p->down.head != NULL)
		way_drop(&p->down);
	close(p->client);
	close(p->server);
	free(p);
}

/* Returns -1 when the connection is broken. */
static int
way_take(struct way *w, int64_t not_before)
{
	struct chunk *c;
	int64_t start;
	ssize_t n;

	c = malloc(sizeof(*c) + CHUNK);
	if (c == NULL)
		err(1, "malloc");
	n = recv(w->from, c->data, CHUNK, MSG_DONTWAIT);
	if (n < 0) {
		free(c);
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	}
	start = now_ns();
	if (start < not_before)
		start = not_before;
	c->next = NULL;
	c->due = start + rtt / 2;
	c->size = (size_t)n;
	c->sent = 0;
	w->held += c->size;
	w->ended = n == 0;
	*w->tail = c;
	w->tail = &c->next;
	return 0;
}

static int
way_give(struct way *w, int64_t now)
{
	struct chunk *c;
	ssize_t n;

	while ((c = w->head) != NULL && c->due <= now) {
		if (c->size == 0) {
			shutdown(w->to, SHUT_WR);
			way_drop(w);
			continue;
		}
		n = send(w->to, c->data + c->sent, c->size - c->sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		c->sent += (size_t)n;
		if (c->sent == c->size)
			way_drop(w);
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
	if (i == PAIRS || connect(p->server, (struct sockaddr *)upstream,
			      sizeof(*upstream)) != 0) {
		warnx("a connection is refused");
		pair_free(p);
		return;
	}
	setsockopt(p->client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(p->server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	p->open_from = now_ns() + rtt;
	way_init(&p->up, p->client, p->server);
	way_init(&p->down, p->server, p->client);
	pairs[i] = p;
}

/* The events to wait for at one socket: in is read from it, out written. */
static short
wanted(const struct way *in, const struct way *out, int64_t now, int64_t *next)
{
	short events = 0;

	if (!in->ended && in->held < IN_FLIGHT)
		events |= POLLIN;
	if (out->head != NULL && out->head->due <= now)
		events |= POLLOUT;
	else if (out->head != NULL && out->head->due < *next)
		*next = out->head->due;
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
	return p->up.ended && p->down.ended && p->up.head == NULL &&
		       p->down.head == NULL
		   ? -1
		   : 0;
}

static void
relay(int listener, struct sockaddr_in *upstream)
{
	static struct pollfd fds[2 * PAIRS + 1];
	struct timespec wait;
	int64_t now, next;
	int i;

	for (;;) {
		now = now_ns();
		next = now + 1000000000;
		fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
		for (i = 0; i < PAIRS; i++) {
			struct pollfd *f = &fds[1 + 2 * i];
			struct pair *p = pairs[i];

			f[0] = f[1] = (struct pollfd){.fd = -1};
			if (p == NULL)
				continue;
			f[0].events = wanted(&p->up, &p->down, now, &next);
			f[1].events = wanted(&p->down, &p->up, now, &next);
			/* A closed side with nothing wanted would spin. */
			f[0].fd = f[0].events ? p->client : -1;
			f[1].fd = f[1].events ? p->server : -1;
		}
		wait.tv_sec = (next - now) / 1000000000;
		wait.tv_nsec = (next - now) % 1000000000;
		if (ppoll(fds, 2 * PAIRS + 1, &wait, NULL) < 0 &&
		    errno != EINTR)
			err(1, "ppoll");
		for (i = 0; i < PAIRS; i++)
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
