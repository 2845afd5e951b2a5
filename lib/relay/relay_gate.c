#include "relay_gate.h"

#include <pthread.h>
#include <stdlib.h>

#include "relay_pool.h"

/* Beside the object: the part of the file that is looked at, and buffers. */
#define GATE_BESIDE ((size_t)7 << 20)
/* So many jobs get all that sealing may take. */
#define GATE_AMPLE 4
/* What is left of 128 MiB by the program, its libraries and connections. */
#define GATE_MEMORY (76U << 20)
#define GATE_QUICK_MS 1000
#define GATE_SLOW_MS 3000
/* So many of the newest are looked at. */
#define GATE_SENDS 64

/* A thread that waits to be let in. It is woken when it may go, and not each
 * time that something changes: there are many, and to wake one costs more than
 * to look at all of them. */
struct gate_waiter {
	uint64_t turn;
	pthread_cond_t go;
};

struct relay_gate {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* for those that are to be widened */
	size_t jobs, most;
	size_t window; /* how many may be in */
	size_t in;
	size_t sealing; /* of these */
	size_t widening;
	size_t expected; /* how much a file holds when it is sealed */
	size_t held;     /* memory, that reserved for sealing included */
	struct gate_waiter *waiting[RELAY_POOL_THREADS];
	size_t n_waiting;
	int64_t seal_ms; /* average, eightfold */
	int64_t sends_ms[GATE_SENDS];
	size_t n_sends;
};

int
relay_gate_new(
    struct relay_gate **out, size_t jobs, size_t most, struct fault *f)
{
	struct relay_gate *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return fault_nomem(f);
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->changed, NULL);
	g->jobs = g->window = jobs;
	g->most = most;
	g->expected = RELAY_GATE_SEAL;
	*out = g;
	return 0;
}

static bool
gate_first(const struct relay_gate *g, uint64_t turn)
{
	for (size_t i = 0; i < g->n_waiting; i++)
		if (g->waiting[i]->turn < turn)
			return false;
	return true;
}

/* Alone, one always has room. The room that is asked about is all that sealing
 * may take, also when less is given: so the last that came in can be widened,
 * and after it the others, whatever they hold. */
static bool
gate_opens(const struct relay_gate *g, uint64_t turn)
{
	return gate_first(g, turn) && g->sealing < g->jobs &&
	       g->in < g->window && g->widening == 0 &&
	       (g->in == 0 || g->held + RELAY_GATE_SEAL <= GATE_MEMORY);
}

static size_t
gate_room(const struct relay_gate *g)
{
	size_t room = GATE_BESIDE + g->expected + g->expected / 8;

	return g->jobs <= GATE_AMPLE || room > RELAY_GATE_SEAL ? RELAY_GATE_SEAL
							       : room;
}

/* After each change. */
static void
gate_wake(struct relay_gate *g)
{
	if (g->widening > 0)
		pthread_cond_broadcast(&g->changed);
	for (size_t i = 0; i < g->n_waiting; i++)
		if (gate_opens(g, g->waiting[i]->turn))
			pthread_cond_signal(&g->waiting[i]->go);
}

static void
gate_wait(struct relay_gate *g, uint64_t turn)
{
	struct gate_waiter own = {turn, PTHREAD_COND_INITIALIZER};

	g->waiting[g->n_waiting++] = &own;
	while (!gate_opens(g, turn))
		pthread_cond_wait(&own.go, &g->lock);
	for (size_t i = 0; i < g->n_waiting; i++)
		if (g->waiting[i] == &own) {
			g->waiting[i] = g->waiting[--g->n_waiting];
			break;
		}
	pthread_cond_destroy(&own.go);
}

size_t
relay_gate_enter(struct relay_gate *g, uint64_t turn)
{
	size_t room;

	pthread_mutex_lock(&g->lock);
	gate_wait(g, turn);
	g->in++;
	g->sealing++;
	room = gate_room(g);
	g->held += room;
	/* Who is first now may go, too. */
	gate_wake(g);
	pthread_mutex_unlock(&g->lock);
	return room;
}

void
relay_gate_widen(struct relay_gate *g, size_t room)
{
	const size_t more = RELAY_GATE_SEAL - room;

	pthread_mutex_lock(&g->lock);
	g->widening++;
	/* Where all that are in wait here, none would leave: that is when
	 * memory was lost with a thread that hangs. */
	while (g->in > g->widening && g->held + more > GATE_MEMORY)
		pthread_cond_wait(&g->changed, &g->lock);
	g->widening--;
	g->held += more;
	gate_wake(g);
	pthread_mutex_unlock(&g->lock);
}

static void
gate_average(int64_t *eightfold, int64_t ms)
{
	*eightfold += *eightfold == 0 ? 8 * ms : ms - *eightfold / 8;
}

/* Up at once, down by and by. */
static void
gate_expect(struct relay_gate *g, size_t held)
{
	if (held >= g->expected)
		g->expected = held;
	else
		g->expected -= (g->expected - held) / 8;
}

void
relay_gate_sealed(struct relay_gate *g, size_t room, size_t held, int64_t ms)
{
	pthread_mutex_lock(&g->lock);
	g->sealing--;
	g->held -= room;
	g->held += held;
	if (held > 0)
		gate_expect(g, held);
	gate_average(&g->seal_ms, ms);
	gate_wake(g);
	pthread_mutex_unlock(&g->lock);
}

/* How long a file is on its way for the distance alone: what takes longer waits
 * for our own processors or for the others that are on the line, and sending
 * still more would not make it shorter. */
static int64_t
gate_way(const struct relay_gate *g)
{
	size_t n = g->n_sends < GATE_SENDS ? g->n_sends : GATE_SENDS;
	int64_t least = n > 0 ? g->sends_ms[0] : 0;

	for (size_t i = 1; i < n; i++)
		if (g->sends_ms[i] < least)
			least = g->sends_ms[i];
	return least;
}

/* While jobs files are sealed, so many are sent that one is through whenever
 * one is sealed. */
static size_t
gate_wanted(const struct relay_gate *g)
{
	int64_t seal = g->seal_ms > 8 ? g->seal_ms : 8;
	int64_t sent = ((int64_t)g->jobs * 8 * gate_way(g) + seal - 1) / seal;

	return sent < (int64_t)(g->most - g->jobs) ? g->jobs + (size_t)sent
						   : g->most;
}

void
relay_gate_leave(struct relay_gate *g, size_t freed, bool ok, int64_t ms)
{
	pthread_mutex_lock(&g->lock);
	g->in--;
	g->held -= freed;
	if (ok)
		g->sends_ms[g->n_sends++ % GATE_SENDS] = ms;
	if (!ok || ms > GATE_SLOW_MS)
		g->window = g->jobs;
	else if (ms < GATE_QUICK_MS && g->window < gate_wanted(g))
		g->window++;
	else if (g->window > gate_wanted(g))
		g->window--;
	gate_wake(g);
	pthread_mutex_unlock(&g->lock);
}

void
relay_gate_free(struct relay_gate *g, size_t freed)
{
	pthread_mutex_lock(&g->lock);
	g->held -= freed;
	gate_wake(g);
	pthread_mutex_unlock(&g->lock);
}

size_t
relay_gate_waiting(struct relay_gate *g)
{
	size_t n;

	pthread_mutex_lock(&g->lock);
	n = g->n_waiting;
	pthread_mutex_unlock(&g->lock);
	return n;
}

size_t
relay_gate_window(struct relay_gate *g)
{
	size_t n;

	pthread_mutex_lock(&g->lock);
	n = g->window;
	pthread_mutex_unlock(&g->lock);
	return n;
}
