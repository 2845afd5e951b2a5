#include "prefetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "archive.h"
#include "clock.h"
#include "fetchlog.h"
#include "relay_dir.h"
#include "walname.h"

#define PREFETCH_FILES 256
#define PREFETCH_HOME_MS 100
#define PREFETCH_PAUSE_MS 1000 /* after a segment that could not be had */
#define PREFETCH_FAILURES 3
/* Connections for each of fetch_jobs: a store that is far away is waited for
 * most of the time, and depth grows until recovery waits no more. */
#define PREFETCH_FLIGHTS 4

enum state {
	FREE,
	RUNNING, /* in the pool */
	READY,   /* whole, verified, under its path */
};

struct entry {
	enum state state;
	bool stale; /* RUNNING, but nobody wants it any more */
	uint32_t timeline;
	uint64_t segno;
	struct relay_call *call;
	char name[WALNAME_SIZE];
	char path[RELAY_DIR_PATH + WALNAME_SIZE];
	/* by the thread, while it is RUNNING: */
	struct fault fault;
	int rc;
};

struct prefetch {
	struct repo *base;
	struct repo *repos[RELAY_POOL_THREADS]; /* one for each thread */
	const struct conf_cluster *conf;
	struct relay_pool *pool;
	struct relay_home home;
	struct relay_dir dir;
	struct entry files[PREFETCH_FILES];
	uint32_t segment_size;
	/* What recovery asks for next. */
	uint32_t timeline;
	uint64_t next;
	size_t depth; /* how far to read ahead */
	size_t depth_max;
	bool halted; /* the next one could not be had; until it moves on */
	int64_t halted_ms;
	int failures; /* in a row, other than absence */
	struct fault failed;
	struct fetchlog *log; /* NULL: there is none */
	enum fetchlog_end end;
	int64_t called_ms;
	int64_t home_ms;
};

/* ---- in a thread ---- */

static void
prefetch_work(void *ctx, size_t i, void *job)
{
	struct prefetch *p = ctx;
	struct entry *e = job;
	struct deadline d = deadline_in_ms(p->conf->fetch_deadline_ms);

	fault_clear(&e->fault);
	e->rc = 0;
	if (p->repos[i] == NULL)
		e->rc = repo_clone(&p->repos[i], p->base, &e->fault);
	if (e->rc == 0)
		e->rc =
		    archive_fetch(p->repos[i], e->name, e->path, &d, &e->fault);
}

/* ---- what is there ---- */

static void
prefetch_drop(struct prefetch *p, struct entry *e)
{
	if (e->state == RUNNING && !relay_pool_take_back(p->pool, e)) {
		e->stale = true;
		return;
	}
	if (e->state == READY)
		(void)unlink(e->path);
	e->state = FREE;
}

/* Recovery has got the segment before this one. What lies elsewhere it will not
 * ask for. */
static void
prefetch_move(struct prefetch *p, uint32_t timeline, uint64_t next)
{
	p->timeline = timeline;
	p->next = next;
	p->halted = false;
	for (size_t i = 0; i < PREFETCH_FILES; i++) {
		struct entry *e = &p->files[i];

		if (e->state != FREE && e->call == NULL && !e->stale &&
		    (e->timeline != timeline || e->segno < next ||
			e->segno - next >= p->depth_max))
			prefetch_drop(p, e);
	}
}

static int
prefetch_parse(const struct prefetch *p, const char *name, uint32_t *timeline,
    uint64_t *segno)
{
	struct fault ignored = FAULT_INIT;
	struct walname n;

	if (walname_parse(name, &n, &ignored) != 0 ||
	    n.kind != WALNAME_SEGMENT ||
	    walname_segno(&n, p->segment_size, segno, &ignored) != 0)
		return -1;
	*timeline = n.timeline;
	return 0;
}

static struct entry *
prefetch_find(struct prefetch *p, uint32_t timeline, uint64_t segno)
{
	for (size_t i = 0; i < PREFETCH_FILES; i++) {
		struct entry *e = &p->files[i];

		if (e->state != FREE && !e->stale && e->timeline == timeline &&
		    e->segno == segno)
			return e;
	}
	return NULL;
}

/* ---- calls ---- */

/* A process that was stopped for a while, or its host, may find another cluster
 * in the directory when it goes on: so before anything is delivered, not only
 * by and by. */
static bool
prefetch_home(struct prefetch *p, int64_t now)
{
	if (now - p->home_ms >= PREFETCH_HOME_MS) {
		p->home_ms = now;
		p->end = !relay_home_stands(&p->home) ? FETCHLOG_GONE
			 : !prefetch_recovering()     ? FETCHLOG_OVER
						      : FETCHLOG_IDLE;
	}
	return p->end != FETCHLOG_GONE;
}

/* PostgreSQL gets the file itself; asked for once more, it is fetched anew. */
static void
prefetch_deliver(struct prefetch *p, struct entry *e, struct relay_call *c)
{
	char line[WALNAME_SIZE + 40] = "";
	bool given = prefetch_home(p, clock_monotonic_ms()) &&
		     rename(e->path, c->operands[1]) == 0;

	if (!given)
		(void)unlink(e->path);
	e->state = FREE;
	e->call = NULL;
	p->called_ms = clock_monotonic_ms();
	if (!given) {
		relay_call_decline(c);
		return;
	}
	if (c->verbosity > 0)
		snprintf(
		    line, sizeof(line), "walfetch: %s: delivered\n", e->name);
	relay_call_done(c, 0, line);
	fetchlog_delivered(p->log, e->name);
	prefetch_move(p, e->timeline, e->segno + 1);
}

/* What standard error is to be told once goes with a call, whatever becomes of
 * it: this process has none. */
static void
prefetch_remark(struct prefetch *p, struct relay_call *c)
{
	char line[FETCHLOG_LINE];
	const char *remark;

	if (!c->note && (remark = fetchlog_remark(p->log, line)) != NULL)
		relay_call_say(c, remark);
}

/* Replay is quicker than we are: read further ahead. At once with all threads,
 * for the connections of those that join in later are waited for again. */
static void
prefetch_deepen(struct prefetch *p)
{
	const size_t all = (size_t)p->conf->fetch_jobs * PREFETCH_FLIGHTS;

	p->depth = p->depth < all ? all : p->depth * 2;
	if (p->depth > p->depth_max)
		p->depth = p->depth_max;
}

static void
prefetch_request(void *ctx, struct relay_call *c)
{
	struct prefetch *p = ctx;
	struct entry *e;
	uint32_t timeline;
	uint64_t segno;

	p->called_ms = clock_monotonic_ms();
	prefetch_remark(p, c);
	if (c->n_operands == 0 || !prefetch_home(p, p->called_ms) ||
	    prefetch_parse(p, c->operands[0], &timeline, &segno) != 0) {
		relay_call_decline(c);
		return;
	}
	if (c->note) { /* a call has delivered it */
		fetchlog_delivered(p->log, c->operands[0]);
		relay_call_decline(c);
		prefetch_move(p, timeline, segno + 1);
		return;
	}
	e = c->n_operands == 2 ? prefetch_find(p, timeline, segno) : NULL;
	if (e == NULL || e->call != NULL) {
		relay_call_decline(c);
		return;
	}
	if (e->state == READY) {
		prefetch_deliver(p, e, c);
		return;
	}
	prefetch_deepen(p);
	if (relay_pool_take_back(p->pool, e))
		(void)relay_pool_put(p->pool, e, true);
	e->call = c;
	/* The other half is for the call itself, if this comes to nothing. */
	relay_call_allow(c, p->conf->fetch_deadline_ms / 2);
}

static void
prefetch_late(void *ctx, struct relay_call *c)
{
	struct prefetch *p = ctx;

	for (size_t i = 0; i < PREFETCH_FILES; i++)
		if (p->files[i].call == c)
			p->files[i].call = NULL;
	relay_call_decline(c);
}

/* Whatever is wrong with it, absence included, is for a call to find out by
 * itself: it may be there by then. */
static void
prefetch_failed(struct prefetch *p, struct entry *e)
{
	p->halted = true;
	p->halted_ms = clock_monotonic_ms();
	p->failures = e->rc == FAULT_ABSENT ? 0 : p->failures + 1;
	p->failed = e->fault;
	e->state = FREE;
	if (e->call != NULL)
		relay_call_decline(e->call);
	e->call = NULL;
}

static void
prefetch_finished(void *ctx, void *job)
{
	struct prefetch *p = ctx;
	struct entry *e = job;

	if (e->stale) {
		if (e->rc == 0)
			(void)unlink(e->path);
		e->stale = false;
		e->state = FREE;
		return;
	}
	if (e->rc != 0) {
		prefetch_failed(p, e);
		return;
	}
	p->failures = 0;
	e->state = READY;
	if (e->call != NULL && e->call->fd >= 0)
		prefetch_deliver(p, e, e->call);
	else if (e->call != NULL) {
		relay_call_decline(e->call);
		e->call = NULL;
	}
}

/* ---- reading ahead ---- */

/* A file system that is nearly full is PostgreSQL's. */
static bool
prefetch_has_room(const struct prefetch *p)
{
	struct statvfs v;

	return statvfs("pg_wal", &v) == 0 &&
	       (uint64_t)v.f_bavail * v.f_frsize >
		   p->conf->fetch_ahead + 2 * (uint64_t)p->segment_size;
}

static void
prefetch_begin(struct prefetch *p, uint64_t segno)
{
	struct entry *e = NULL;

	for (size_t i = 0; i < PREFETCH_FILES; i++) {
		struct entry *x = &p->files[i];

		if (x->state == FREE) {
			e = x;
		} else if (x->stale && x->timeline == p->timeline &&
			   x->segno == segno) {
			x->stale = false; /* wanted after all */
			return;
		}
	}
	if (e == NULL || !prefetch_has_room(p))
		return;
	memset(e, 0, sizeof(*e));
	e->timeline = p->timeline;
	e->segno = segno;
	walname_format(p->timeline, segno, p->segment_size, e->name);
	snprintf(e->path, sizeof(e->path), "%s/%s", p->dir.path, e->name);
	if (relay_pool_put(p->pool, e, false))
		e->state = RUNNING;
}

static void
prefetch_look(struct prefetch *p, int64_t now)
{
	if (p->halted ||
	    (p->halted_ms != 0 && now - p->halted_ms < PREFETCH_PAUSE_MS))
		return;
	for (size_t i = 0; i < p->depth; i++)
		if (prefetch_find(p, p->timeline, p->next + i) == NULL)
			prefetch_begin(p, p->next + i);
}

bool
prefetch_recovering(void)
{
	return access("standby.signal", F_OK) == 0 ||
	       access("recovery.signal", F_OK) == 0;
}

static bool
prefetch_tick(void *ctx)
{
	struct prefetch *p = ctx;
	int64_t now = clock_monotonic_ms();

	(void)prefetch_home(p, now);
	if (p->end != FETCHLOG_IDLE)
		return false;
	prefetch_look(p, now);
	if (now - p->called_ms < p->conf->fetch_linger_ms &&
	    p->failures < PREFETCH_FAILURES)
		return true;
	for (size_t i = 0; i < PREFETCH_FILES; i++)
		if (p->files[i].call != NULL)
			return true;
	return false;
}

static int
prefetch_prepare(struct prefetch *p, struct repo *r, const char *delivered)
{
	struct fault ignored = FAULT_INIT;
	struct control control;

	p->base = r;
	p->conf = repo_conf(r);
	p->called_ms = clock_monotonic_ms();
	if (p->conf->fetch_jobs == 0 || !prefetch_recovering() ||
	    relay_home_find(&p->home) != 0 ||
	    repo_control(".", &control, &ignored) != 0)
		return -1;
	p->segment_size = control.segment_size;
	p->depth = p->conf->fetch_jobs;
	p->depth_max = (size_t)(p->conf->fetch_ahead / p->segment_size);
	if (p->depth_max > PREFETCH_FILES / 2)
		p->depth_max = PREFETCH_FILES / 2;
	if (p->depth > p->depth_max)
		p->depth = p->depth_max;
	if (p->depth == 0 ||
	    prefetch_parse(p, delivered, &p->timeline, &p->next) != 0)
		return -1;
	p->next++;
	relay_dir_clean();
	return relay_dir_make(&p->dir, &ignored);
}

/* Calls no longer find us; and what is left to be written is written while the
 * server stands. */
static void
prefetch_end(struct prefetch *p, int listener)
{
	close(listener);
	for (size_t i = 0; i < PREFETCH_FILES; i++)
		if (p->files[i].state != FREE)
			prefetch_drop(p, &p->files[i]);
	relay_dir_remove(&p->dir);
	fetchlog_end(p->log, p->end,
	    p->failures >= PREFETCH_FAILURES ? &p->failed : NULL);
	relay_dir_clean();
}

int
prefetch_serve(struct repo *r, const char *delivered, int listener)
{
	static struct prefetch p;
	const struct relay_service service = {
	    .ctx = &p,
	    .request = prefetch_request,
	    .late = prefetch_late,
	    .finished = prefetch_finished,
	    .tick = prefetch_tick,
	};
	struct fault ignored = FAULT_INIT;

	p.end = FETCHLOG_IDLE;
	if (prefetch_prepare(&p, r, delivered) != 0)
		return -1;
	p.log = fetchlog_start(r, &p.home, p.segment_size);
	fetchlog_delivered(p.log, delivered);
	if (relay_pool_new(&p.pool, p.conf->fetch_jobs * PREFETCH_FLIGHTS,
		prefetch_work, &p, &ignored) == 0)
		relay_serve(listener, p.pool, &service);
	prefetch_end(&p, listener);
	return 0;
}
