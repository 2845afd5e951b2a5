#include "ahead.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ahead_file.h"
#include "ahead_push.h"
#include "clock.h"
#include "detour.h"
#include "push.h"

#define AHEAD_FILES 256
#define AHEAD_SEGMENT (16U << 20)
/* Connections for each of push_jobs: most wait for the store. */
#define AHEAD_FLIGHTS 8
#define AHEAD_LOOK_MS 50
#define AHEAD_HOME_MS 100
/* Then another one takes its place, which reads keys, credentials and
 * certificates anew. */
#define AHEAD_LIFE_MS 60000
/* For the calls to come and take what was done ahead. */
#define AHEAD_DRAIN_MS 15000
/* Files that failed as their time was over, while a repository works on them
 * still: one that never answers again keeps their memory. */
#define AHEAD_LOST 4

enum state {
	FREE,
	RUNNING, /* in the pool: waiting for a thread, or in one */
	DONE,    /* durable */
	FAILED,  /* tried again when it is asked for */
};

struct entry {
	enum state state;
	bool asked; /* PostgreSQL has had its answer */
	bool urgent;
	bool everywhere; /* one that was late may be needed */
	uint64_t turn;
	struct relay_call *call;
	char path[WIRE_TEXT];
	int64_t allowed_ms;
	/* by the thread, while it is RUNNING: */
	struct ahead_identity identity;
	struct archive_result result;
	struct fault fault;
	int rc;
};

struct ahead {
	const struct conf_cluster *conf;
	struct spill *spill; /* NULL: there is none */
	const char *own;     /* pushed by the call that started us */
	struct relay_pool *pool;
	struct ahead_push *push;
	struct relay_home home;
	struct entry files[AHEAD_FILES];
	uint64_t turn;
	size_t threads;
	size_t out; /* in the pool */
	size_t lost;
	bool trouble; /* the newest push failed: no more of our own accord */
	int64_t born_ms;
	int64_t called_ms;
	int64_t looked_ms;
	int64_t home_ms;
};

/* ---- in a thread ---- */

static void
ahead_work(void *ctx, size_t i, void *job)
{
	struct ahead *a = ctx;
	struct entry *e = job;
	const struct ahead_push_file file = {
	    e->path, e->urgent ? 0 : e->turn, e->allowed_ms, e->everywhere};
	struct ahead_identity after;

	fault_clear(&e->fault);
	memset(&e->result, 0, sizeof(e->result));
	e->rc = ahead_identify(e->path, &e->identity, &e->fault);
	if (e->rc == 0)
		e->rc =
		    ahead_push_file(a->push, i, &file, &e->result, &e->fault);
	/* What was pushed is what stood there all the time. */
	if (e->rc == 0 &&
	    ((e->rc = ahead_identify(e->path, &after, &e->fault)) == 0) &&
	    !ahead_same(&e->identity, &after))
		e->rc = fault_set(&e->fault, FAULT_AGAIN,
		    "%s: was changed while it was read", e->path);
}

/* ---- the table ---- */

static struct entry *
ahead_find(struct ahead *a, const char *name)
{
	for (size_t i = 0; i < AHEAD_FILES; i++)
		if (a->files[i].state != FREE &&
		    strcmp(push_name(a->files[i].path), name) == 0)
			return &a->files[i];
	return NULL;
}

/* A place: a free one, or the one of longest standing that nobody is going to
 * ask for. */
static struct entry *
ahead_place(struct ahead *a)
{
	struct entry *best = NULL;

	for (size_t i = 0; i < AHEAD_FILES; i++) {
		struct entry *e = &a->files[i];

		if (e->state == FREE)
			return e;
		if ((e->state == FAILED || (e->state == DONE && e->asked)) &&
		    (best == NULL || e->turn < best->turn))
			best = e;
	}
	return best;
}

static bool
ahead_begin(
    struct ahead *a, struct entry *e, const char *path, int64_t ms, bool urgent)
{
	strcpy(e->path, path);
	e->asked = false;
	e->urgent = urgent;
	e->everywhere = a->trouble;
	e->call = NULL;
	e->turn = ++a->turn;
	e->allowed_ms = ms;
	e->state = RUNNING;
	if (relay_pool_put(a->pool, e, urgent)) {
		a->out++;
		return true;
	}
	e->state = FREE;
	return false;
}

/* ---- calls ---- */

static void
ahead_answer(struct ahead *a, struct entry *e, struct relay_call *c)
{
	char lines[WIRE_TEXT];

	push_tell(c->operands[0], e->rc, &e->result, &e->fault, c->verbosity,
	    lines, sizeof(lines));
	a->called_ms = clock_monotonic_ms();
	relay_call_done(
	    c, e->rc == 0 ? 0 : cli_exit_status((enum fault_code)e->rc), lines);
}

/* Is what e stands for the file that c asks for, as it is now? */
static bool
ahead_is(const struct entry *e, const struct relay_call *c)
{
	struct ahead_identity now;
	struct fault ignored = FAULT_INIT;

	return ahead_identify(c->operands[0], &now, &ignored) == 0 &&
	       ahead_same(&e->identity, &now);
}

static int64_t
ahead_time(const struct ahead *a)
{
	return detour_time(a->spill, "pg_wal", push_time(a->conf));
}

static void
ahead_wait(struct ahead *a, struct entry *e, struct relay_call *c)
{
	e->call = c;
	relay_call_allow(c, ahead_time(a));
}

static void
ahead_request(void *ctx, struct relay_call *c)
{
	struct ahead *a = ctx;
	struct entry *e;

	a->called_ms = clock_monotonic_ms();
	a->looked_ms = 0;
	if (c->n_operands != 1 || strlen(c->operands[0]) >= WIRE_TEXT) {
		relay_call_decline(c);
		return;
	}
	e = ahead_find(a, push_name(c->operands[0]));
	if (e != NULL && e->state == DONE && ahead_is(e, c)) {
		e->asked = true;
		ahead_answer(a, e, c);
		return;
	}
	if (detour_wanted(a->spill)) {
		relay_call_decline(c);
		return;
	}
	if (e != NULL && e->state == RUNNING) {
		/* One that has not begun comes first now. */
		if (relay_pool_take_back(a->pool, e))
			(void)relay_pool_put(a->pool, e, true);
		if (e->call == NULL && strcmp(e->path, c->operands[0]) == 0)
			ahead_wait(a, e, c);
		else
			relay_call_decline(c);
		return;
	}
	if (e == NULL)
		e = ahead_place(a);
	if (e != NULL && ahead_begin(a, e, c->operands[0], ahead_time(a), true))
		ahead_wait(a, e, c);
	else
		relay_call_decline(c);
}

static void
ahead_late(void *ctx, struct relay_call *c)
{
	struct ahead *a = ctx;
	struct fault f = FAULT_INIT;
	char lines[WIRE_TEXT];

	for (size_t i = 0; i < AHEAD_FILES; i++)
		if (a->files[i].call == c)
			a->files[i].call = NULL;
	if (detour_suits(a->spill, "pg_wal", FAULT_AGAIN)) {
		relay_call_decline(c);
		return;
	}
	fault_set(&f, FAULT_AGAIN, "%s: not done in time", c->operands[0]);
	push_tell(c->operands[0], FAULT_AGAIN, NULL, &f, c->verbosity, lines,
	    sizeof(lines));
	a->called_ms = clock_monotonic_ms();
	relay_call_done(c, cli_exit_status(FAULT_AGAIN), lines);
}

static void
ahead_finished(void *ctx, void *job)
{
	struct ahead *a = ctx;
	struct entry *e = job;
	struct relay_call *c = e->call;

	a->out--;
	e->call = NULL;
	e->state = e->rc == 0 ? DONE : FAILED;
	a->trouble = e->rc != 0;
	a->lost += e->rc != 0 && e->result.busy;
	if (c == NULL)
		return;
	e->asked = true;
	/* Other content under the name since the call was made: not ours to
	 * judge. And what this process had no memory or descriptors for, one of
	 * its own may have. */
	if (e->rc == 0 ? !ahead_is(e, c)
		       : e->rc == FAULT_SYSTEM ||
			     detour_suits(a->spill, "pg_wal", e->rc))
		relay_call_decline(c);
	else
		ahead_answer(a, e, c);
}

/* ---- looking ahead ---- */

static bool
ahead_offer(void *ctx, const char *name)
{
	struct ahead *a = ctx;
	char path[WIRE_TEXT];
	struct entry *e;

	if (strcmp(name, a->own) == 0 || ahead_find(a, name) != NULL)
		return true;
	e = ahead_place(a);
	if (e == NULL)
		return false;
	strcpy(path, "pg_wal/");
	strcat(path, name);
	return ahead_begin(a, e, path, ahead_time(a), false);
}

static void
ahead_look(struct ahead *a, int64_t now)
{
	if (a->trouble || a->lost >= AHEAD_LOST ||
	    now - a->born_ms >= AHEAD_LIFE_MS || a->out > a->threads ||
	    now - a->looked_ms < AHEAD_LOOK_MS)
		return;
	a->looked_ms = now;
	if (detour_wanted(a->spill))
		return;
	ahead_ready(ahead_offer, a);
}

static bool
ahead_tick(void *ctx)
{
	struct ahead *a = ctx;
	int64_t now = clock_monotonic_ms(), age = now - a->born_ms;
	bool waited_for = false, unasked = false;

	if (now - a->home_ms >= AHEAD_HOME_MS) {
		a->home_ms = now;
		if (!relay_home_stands(&a->home))
			return false;
	}
	ahead_look(a, now);
	if (now - a->called_ms < a->conf->push_linger_ms &&
	    age < AHEAD_LIFE_MS && a->lost < AHEAD_LOST)
		return true;
	for (size_t i = 0; i < AHEAD_FILES; i++) {
		const struct entry *e = &a->files[i];

		waited_for = waited_for || e->call != NULL;
		unasked = unasked || e->state == RUNNING ||
			  (e->state == DONE && !e->asked);
	}
	/* At the end of its life it lets what was done be taken. */
	return waited_for ||
	       (unasked && now - a->called_ms < a->conf->push_linger_ms &&
		   age < AHEAD_LIFE_MS + AHEAD_DRAIN_MS);
}

void
ahead_serve(struct repo *r, int listener, const char *path)
{
	static struct ahead a;
	const struct relay_service service = {
	    .ctx = &a,
	    .request = ahead_request,
	    .late = ahead_late,
	    .finished = ahead_finished,
	    .tick = ahead_tick,
	};
	struct fault ignored = FAULT_INIT;
	struct control control;
	size_t jobs;

	a.own = push_name(path);
	a.conf = repo_conf(r);
	a.born_ms = a.called_ms = clock_monotonic_ms();
	if (a.conf->push_jobs == 0 || relay_home_find(&a.home) != 0 ||
	    repo_control(".", &control, &ignored) != 0 ||
	    spill_open(&a.spill, r, &ignored) != 0)
		return;
	/* Two that are larger would take too much memory, and are sealed as
	 * they are sent. */
	jobs = a.conf->push_jobs;
	a.threads = jobs * AHEAD_FLIGHTS;
	if (a.threads > RELAY_POOL_THREADS)
		a.threads = RELAY_POOL_THREADS;
	if (control.segment_size > AHEAD_SEGMENT)
		jobs = a.threads = 1;
	if (ahead_push_new(&a.push, r, jobs, a.threads, &ignored) != 0 ||
	    relay_pool_new(&a.pool, a.threads, ahead_work, &a, &ignored) != 0)
		return;
	relay_serve(listener, a.pool, &service);
}
