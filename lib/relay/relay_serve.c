#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define SERVE_CALLS 16
#define SERVE_TICK_MS 100
#define SERVE_PATIENCE_MS 2000 /* for a caller to say what it wants */

struct serve {
	int listener;
	int spare;       /* a descriptor, for when there is none left */
	int64_t deaf_ms; /* until then nobody is listened to */
	struct relay_pool *pool;
	const struct relay_service *service;
	struct relay_call calls[SERVE_CALLS];
};

static void
serve_answer(struct relay_call *c, uint32_t kind, int status, const char *text)
{
	struct wire_answer a = {
	    .magic = WIRE_MAGIC,
	    .kind = kind,
	    .status = (uint32_t)status,
	};
	size_t len = strlen(text);

	if (c->fd < 0)
		return;
	if (len > sizeof(a.text))
		len = sizeof(a.text);
	memcpy(a.text, text, len);
	a.len = (uint32_t)len;
	/* A caller that is gone is found out by poll. */
	(void)send(c->fd, &a, offsetof(struct wire_answer, text) + len,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
serve_end(struct relay_call *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->used = false;
}

void
relay_call_allow(struct relay_call *c, int64_t ms)
{
	int64_t now = clock_monotonic_ms();

	c->taken = true;
	c->late_ms = c->came_ms + ms;
	c->beat_ms = now + WIRE_BEAT_MS;
	serve_answer(c, WIRE_WORKING, 0, "");
}

void
relay_call_say(struct relay_call *c, const char *lines)
{
	serve_answer(c, WIRE_WORKING, 0, lines);
}

void
relay_call_done(struct relay_call *c, int status, const char *lines)
{
	serve_answer(c, WIRE_DONE, status, lines);
	serve_end(c);
}

void
relay_call_decline(struct relay_call *c)
{
	serve_answer(c, WIRE_DECLINED, 0, "");
	serve_end(c);
}

/* The operands of a request of n bytes, if that is what it is. */
static int
serve_operands(struct relay_call *c, size_t n)
{
	const struct wire_request *rq = &c->rq;
	const char *p = rq->text, *end = rq->text + rq->len;

	if (n < offsetof(struct wire_request, text) ||
	    rq->magic != WIRE_MAGIC || rq->len > sizeof(rq->text) ||
	    n - offsetof(struct wire_request, text) != rq->len ||
	    rq->n_operands > WIRE_OPERANDS)
		return -1;
	c->note = rq->verbosity == WIRE_NOTE;
	c->verbosity = c->note ? 0 : (int)(rq->verbosity & 0xff);
	c->n_operands = rq->n_operands;
	for (size_t i = 0; i < c->n_operands; i++) {
		const char *nul = memchr(p, '\0', (size_t)(end - p));

		if (nul == NULL)
			return -1;
		c->operands[i] = p;
		p = nul + 1;
	}
	return p == end ? 0 : -1;
}

static void
serve_read(struct serve *s, struct relay_call *c)
{
	ssize_t n = recv(c->fd, &c->rq, sizeof(c->rq), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || serve_operands(c, (size_t)n) != 0)
		serve_end(c);
	else
		s->service->request(s->service->ctx, c);
}

static int
serve_take(const struct serve *s)
{
	return accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* No descriptor is left, or no memory. A caller that is turned away does it by
 * itself at once; one that hears nothing waits, and kills us. Where not even
 * that can be done the listener stays ready, so it is left alone for a while.
 */
static void
serve_turn_away(struct serve *s)
{
	int fd;

	if (s->spare >= 0)
		close(s->spare);
	fd = serve_take(s);
	if (fd >= 0)
		close(fd);
	else
		s->deaf_ms = clock_monotonic_ms() + SERVE_TICK_MS;
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
serve_accept(struct serve *s)
{
	struct relay_call *c = NULL;
	int fd = serve_take(s);

	if (fd < 0) {
		if (errno != EINTR && errno != EAGAIN)
			serve_turn_away(s);
		return;
	}
	for (size_t i = 0; i < SERVE_CALLS && c == NULL; i++)
		if (!s->calls[i].used)
			c = &s->calls[i];
	if (c == NULL || !wire_ours(fd)) {
		close(fd);
		return;
	}
	memset(c, 0, offsetof(struct relay_call, rq));
	c->used = true;
	c->fd = fd;
	c->came_ms = clock_monotonic_ms();
	/* It mostly has spoken by now. */
	serve_read(s, c);
}

/* Something has happened to a connection. */
static void
serve_event(struct serve *s, struct relay_call *c)
{
	char byte;
	ssize_t n;

	if (!c->taken) {
		serve_read(s, c);
		return;
	}
	n = recv(c->fd, &byte, 1, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* It has gone (or talks out of turn): whoever works for it is told
	 * nothing, and ends the call in time. */
	close(c->fd);
	c->fd = -1;
}

static void
serve_times(struct serve *s)
{
	int64_t now = clock_monotonic_ms();

	for (size_t i = 0; i < SERVE_CALLS; i++) {
		struct relay_call *c = &s->calls[i];

		if (!c->used)
			continue;
		if (!c->taken) {
			if (now - c->came_ms >= SERVE_PATIENCE_MS)
				serve_end(c);
		} else if (now >= c->late_ms) {
			s->service->late(s->service->ctx, c);
		} else if (now >= c->beat_ms) {
			serve_answer(c, WIRE_WORKING, 0, "");
			c->beat_ms = now + WIRE_BEAT_MS;
		}
	}
}

static void
serve_jobs(struct serve *s)
{
	void *job;

	while ((job = relay_pool_done(s->pool)) != NULL)
		s->service->finished(s->service->ctx, job);
}

static void
serve_wait(struct serve *s)
{
	struct pollfd p[2 + SERVE_CALLS];
	struct relay_call *of[SERVE_CALLS];
	nfds_t n = 2;

	p[0] = (struct pollfd){.events = POLLIN,
	    .fd = clock_monotonic_ms() < s->deaf_ms ? -1 : s->listener};
	p[1] = (struct pollfd){.fd = relay_pool_fd(s->pool), .events = POLLIN};
	for (size_t i = 0; i < SERVE_CALLS; i++) {
		struct relay_call *c = &s->calls[i];

		if (!c->used || c->fd < 0)
			continue;
		of[n - 2] = c;
		p[n++] = (struct pollfd){.fd = c->fd, .events = POLLIN};
	}
	if (poll(p, n, SERVE_TICK_MS) <= 0)
		return;
	if (p[1].revents != 0)
		serve_jobs(s);
	/* A job's end may have answered a call. */
	for (nfds_t i = 2; i < n; i++)
		if (p[i].revents != 0 && of[i - 2]->used &&
		    of[i - 2]->fd == p[i].fd)
			serve_event(s, of[i - 2]);
	if (p[0].revents != 0)
		serve_accept(s);
}

void
relay_serve(
    int listener, struct relay_pool *pool, const struct relay_service *service)
{
	static struct serve s;

	s.listener = listener;
	s.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	s.pool = pool;
	s.service = service;
	while (service->tick(service->ctx)) {
		serve_wait(&s);
		serve_times(&s);
	}
	for (size_t i = 0; i < SERVE_CALLS; i++)
		if (s.calls[i].used)
			serve_end(&s.calls[i]);
	if (s.spare >= 0)
		close(s.spare);
}
