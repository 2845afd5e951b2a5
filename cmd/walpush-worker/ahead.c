#include "ahead.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ahead_file.h"
#include "clock.h"
#include "detour.h"
#include "push.h"
#include "relay_gate.h"

_Static_assert(RELAY_GATE_SEAL == ARCHIVE_PUSH_ROOM,
    "what the gate gives is what sealing takes");

#define AHEAD_FILES 256
#define AHEAD_SEGMENT (16U << 20)
/* Connections for each of push_jobs: most wait for the store. */
#define AHEAD_FLIGHTS 4
#define AHEAD_LOOK_MS 50
#define AHEAD_HOME_MS 100
/* Then another one takes its place, which reads keys, credentials and
 * certificates anew. */
#define AHEAD_LIFE_MS 60000
/* For the calls to come and take what was done ahead. */
#define AHEAD_DRAIN_MS 15000
/* Repositories that a thread waits in, and that cannot be freed. */
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
	struct repo *base;
	struct repo *repos[RELAY_POOL_THREADS]; /* one for each thread */
	const struct conf_cluster *conf;
	struct spill *spill; /* NULL: there is none */
	const char *own;     /* pushed by the call that started us */
	struct relay_pool *pool;
	struct relay_gate *gate;
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

/* The memory that a file being sealed has of the gate. */
struct room {
	struct relay_gate *gate;
	size_t bytes;
};

static void
room_widen(void *ctx)
{
	struct room *room = ctx;

	relay_gate_widen(room->gate, room->bytes);
	room->bytes = RELAY_GATE_SEAL;
}

/* Sealed when there is a processor for it, then sent. */
static int
ahead_push(struct ahead *a, size_t i, struct entry *e)
{
	struct archive_push *p = NULL;
	struct room room = {.gate = a->gate};
	struct archive_room may = {.widen = room_widen, .ctx = &room};
	struct deadline d;
	int64_t began, sealed;
	size_t held = 0;
	int rc = 0;

	may.bytes = room.bytes =
	    relay_gate_enter(a->gate, e->urgent ? 0 : e->turn);
	d = deadline_in_ms(e->allowed_ms);
	began = clock_monotonic_ms();
	if (a->repos[i] == NULL)
		rc = repo_clone(&a->repos[i], a->base, &e->fault);
	if (rc == 0)
		rc = archive_push_begin(
		    &p, a->repos[i], e->path, 1, &may, &e->fault);
	if (rc == 0)
		held = archive_push_held(p);
	sealed = clock_monotonic_ms();
	relay_gate_sealed(a->gate, room.bytes, held, sealed - began);
	if (rc == 0)
		rc = push_send(a->repos[i], p, &d, &e->result, &e->fault);
	/* Whoever waits in a repository keeps it, and what it sends. */
	if (e->result.busy)
		a->repos[i] = NULL;
	relay_gate_leave(a->gate, e->result.busy ? 0 : held, rc == 0,
	    clock_monotonic_ms() - sealed);
	return rc;
}

static void
ahead_work(void *ctx, size_t i, void *job)
{
	struct ahead *a = ctx;
	struct entry *e = job;
	struct ahead_identity after;

	fault_clear(&e->fault);
	memset(&e->result, 0, sizeof(e->result));
	e->rc = ahead_identify(e->path, &e->identity, &e->fault);
	if (e->rc == 0)
		e->rc = ahead_push(a, i, e);
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
	a->lost += e->result.busy;
	if (c == NULL)
		return;
	e->asked = true;
	/* Other content under the name since the call was made: not ours to
	 * judge. */
	if (e->rc == 0 ? !ahead_is(e, c)
		       : detour_suits(a->spill, "pg_wal", e->rc))
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

	a.base = r;
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
	if (relay_gate_new(&a.gate, jobs, a.threads, &ignored) != 0 ||
	    relay_pool_new(&a.pool, a.threads, ahead_work, &a, &ignored) != 0)
		return;
	relay_serve(listener, a.pool, &service);
}
