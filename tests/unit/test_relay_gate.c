/* How many files are on their way: as many as help, in order, and no more than
 * there is memory for. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "unit.h"

#include "clock.h"
#include "relay_gate.h"

#define JOBS 2
#define MOST 8
#define FILES 200
#define SEGMENT (19 << 20)
#define MEMORY (76 << 20)

struct world {
	struct relay_gate *gate;
	atomic_int next, sealing, in, held;
	atomic_int most_sealing, most_in, most_held;
	int jobs; /* 0: JOBS */
	int seal_ms, send_ms, size;
	bool ok;
	int until_in; /* a file is not over before so many are in */
	int until_sealing;
	int widens; /* every so manyth file; 0: none */
	int64_t end;
};

static void
most(atomic_int *top, int v)
{
	int was = atomic_load(top);

	while (was < v && !atomic_compare_exchange_weak(top, &was, v))
		;
}

static void
hold(struct world *w, int bytes)
{
	int kb = bytes >> 10;

	most(&w->most_held, atomic_fetch_add(&w->held, kb) + kb);
}

static void *
files(void *arg)
{
	struct world *w = arg;
	int i;

	while ((i = atomic_fetch_add(&w->next, 1)) < FILES) {
		size_t room = relay_gate_enter(w->gate, (uint64_t)i);

		most(&w->most_in, atomic_fetch_add(&w->in, 1) + 1);
		most(&w->most_sealing, atomic_fetch_add(&w->sealing, 1) + 1);
		hold(w, (int)room);
		if (w->widens > 0 && i % w->widens == 0) {
			relay_gate_widen(w->gate, room);
			hold(w, SEGMENT - (int)room);
			room = SEGMENT;
		}
		do
			usleep(100);
		while (i >= FILES / 2 &&
		       atomic_load(&w->most_sealing) < w->until_sealing &&
		       clock_monotonic_ms() < w->end);
		atomic_fetch_sub(&w->held, ((int)room - w->size) >> 10);
		atomic_fetch_sub(&w->sealing, 1);
		relay_gate_sealed(w->gate, room, (size_t)w->size, w->seal_ms);
		/* Some must be over, for the times are learned from them. */
		while (i >= FILES / 2 &&
		       atomic_load(&w->most_in) < w->until_in &&
		       clock_monotonic_ms() < w->end)
			usleep(100);
		atomic_fetch_sub(&w->in, 1);
		atomic_fetch_sub(&w->held, w->size >> 10);
		relay_gate_leave(w->gate, (size_t)w->size, w->ok, w->send_ms);
	}
	return NULL;
}

static void
work(struct world *w)
{
	struct fault f = FAULT_INIT;
	pthread_t t[MOST];
	int jobs = w->jobs > 0 ? w->jobs : JOBS;

	w->end = clock_monotonic_ms() + 30000;
	assert_int_equal(relay_gate_new(&w->gate, (size_t)jobs, MOST, &f), 0);
	for (int i = 0; i < MOST; i++)
		assert_int_equal(pthread_create(&t[i], NULL, files, w), 0);
	for (int i = 0; i < MOST; i++)
		pthread_join(t[i], NULL);
	free(w->gate);
	assert_true(w->most_sealing <= jobs);
	assert_true(w->most_held <= MEMORY >> 10);
}

/* The most that were on their way in such a world. */
static int
most_of(struct world w)
{
	work(&w);
	return w.most_in;
}

#define MB(n) ((n) << 20)

static void
a_store_that_is_far_gets_more(void **state)
{
	(void)state;
	assert_int_equal(most_of((struct world){.seal_ms = 20,
			     .send_ms = 200,
			     .size = MB(2),
			     .ok = true,
			     .until_in = MOST}),
	    MOST);
}

static void
as_many_as_keep_the_processors_busy(void **state)
{
	(void)state;
	assert_int_equal(most_of((struct world){.seal_ms = 20,
			     .send_ms = 10,
			     .size = MB(2),
			     .ok = true,
			     .until_in = JOBS + 1}),
	    JOBS + 1);
}

/* Every tenth file is through in the time that the distance takes; the others
 * wait for processors, or for each other. */
static void
what_waits_for_us_gets_no_more(void **state)
{
	struct fault f = FAULT_INIT;
	struct relay_gate *g;

	(void)state;
	assert_int_equal(relay_gate_new(&g, 1, MOST, &f), 0);
	for (int i = 0; i < FILES; i++) {
		size_t room = relay_gate_enter(g, (uint64_t)i);

		relay_gate_sealed(g, room, MB(2), 50);
		relay_gate_leave(g, MB(2), true, i % 10 == 0 ? 60 : 500);
	}
	/* One is sealed while two are sent. */
	assert_int_equal(relay_gate_window(g), 3);
	free(g);
}

static void
a_line_that_is_slow_is_not_made_slower(void **state)
{
	(void)state;
	assert_true(
	    most_of((struct world){
		.seal_ms = 20, .send_ms = 5000, .size = MB(2), .ok = true}) <=
	    JOBS);
}

static void
nor_is_a_store_that_fails_given_more(void **state)
{
	(void)state;
	assert_true(
	    most_of((struct world){
		.seal_ms = 20, .send_ms = 200, .size = MB(2), .ok = false}) <=
	    JOBS);
}

static void
memory_bounds_what_is_on_its_way(void **state)
{
	(void)state;
	assert_true(most_of((struct world){.seal_ms = 20,
			.send_ms = 500,
			.size = MB(17),
			.ok = true,
			.until_in = JOBS}) < MOST);
}

static void
however_many_jobs_there_are(void **state)
{
	(void)state;
	assert_int_equal(most_of((struct world){.jobs = 4,
			     .seal_ms = 20,
			     .send_ms = 500,
			     .size = MB(17),
			     .ok = true,
			     .until_in = 4}),
	    4);
}

static void
more_jobs_than_memory_for_the_worst_share_it(void **state)
{
	struct world w = {.jobs = 8,
	    .seal_ms = 20,
	    .send_ms = 20,
	    .size = MB(2),
	    .ok = true,
	    .until_sealing = 6};

	(void)state;
	work(&w);
	assert_true(w.most_sealing >= 6);
}

static void
and_wait_where_one_needs_more(void **state)
{
	struct world w = {.jobs = 8,
	    .seal_ms = 20,
	    .send_ms = 20,
	    .size = MB(2),
	    .ok = true,
	    .widens = 1};

	(void)state;
	work(&w);
	w = (struct world){.jobs = 8,
	    .seal_ms = 20,
	    .send_ms = 20,
	    .size = MB(2),
	    .ok = true,
	    .widens = 3};
	work(&w);
}

struct wide {
	struct relay_gate *gate;
	size_t room;
};

static void *
widen_and_leave(void *arg)
{
	struct wide *w = arg;

	relay_gate_widen(w->gate, w->room);
	relay_gate_sealed(w->gate, RELAY_GATE_SEAL, MB(1), 1);
	relay_gate_leave(w->gate, MB(1), true, 1);
	return NULL;
}

/* All that are in wait for more, and memory that they had counted on is lost.
 */
static void
one_of_those_that_wait_goes_on(void **state)
{
	struct fault f = FAULT_INIT;
	struct wide a = {0}, b = {0};
	pthread_t t;

	(void)state;
	assert_int_equal(relay_gate_new(&a.gate, 8, MOST, &f), 0);
	b.gate = a.gate;
	for (int i = 0; i < 60; i++) {
		size_t room = relay_gate_enter(a.gate, 1);

		relay_gate_sealed(a.gate, room, MB(1), 1);
		relay_gate_leave(a.gate, MB(1), true, 1);
	}
	a.room = relay_gate_enter(a.gate, 1);
	b.room = relay_gate_enter(b.gate, 1);
	assert_true(a.room < RELAY_GATE_SEAL);
	for (int i = 0; i < 3; i++) {
		size_t room = relay_gate_enter(a.gate, 1);

		relay_gate_sealed(a.gate, room, MB(19), 1);
		relay_gate_leave(a.gate, 0, true, 1);
	}
	assert_int_equal(pthread_create(&t, NULL, widen_and_leave, &a), 0);
	widen_and_leave(&b);
	pthread_join(t, NULL);
	free(a.gate);
}

/* Memory that does not come back, as a thread hangs with it: one at a time can
 * still be served. */
static void
what_is_lost_leaves_room_for_one(void **state)
{
	struct fault f = FAULT_INIT;
	struct relay_gate *g;

	(void)state;
	assert_int_equal(relay_gate_new(&g, JOBS, MOST, &f), 0);
	for (int i = 0; i < 20; i++) {
		size_t room = relay_gate_enter(g, 1);

		relay_gate_sealed(g, room, 17 << 20, 1);
		relay_gate_leave(g, 0, true, 1);
	}
	free(g);
}

struct turn {
	struct relay_gate *gate;
	uint64_t turn;
	atomic_int *next;
	int order;
};

static void *
take_turn(void *arg)
{
	struct turn *t = arg;
	size_t room = relay_gate_enter(t->gate, t->turn);

	t->order = atomic_fetch_add(t->next, 1);
	relay_gate_sealed(t->gate, room, 0, 1);
	relay_gate_leave(t->gate, 0, true, 1);
	return NULL;
}

static void
the_oldest_goes_first(void **state)
{
	struct fault f = FAULT_INIT;
	struct relay_gate *g;
	struct turn turns[5];
	pthread_t t[5];
	atomic_int next = 0;
	int64_t end = clock_monotonic_ms() + 30000;
	size_t room;

	(void)state;
	assert_int_equal(relay_gate_new(&g, 1, MOST, &f), 0);
	room = relay_gate_enter(g, 0);
	for (int i = 0; i < 5; i++) {
		turns[i] = (struct turn){g, (uint64_t)(5 - i), &next, -1};
		assert_int_equal(
		    pthread_create(&t[i], NULL, take_turn, &turns[i]), 0);
		while (relay_gate_waiting(g) <= (size_t)i &&
		       clock_monotonic_ms() < end)
			usleep(100);
		assert_int_equal(relay_gate_waiting(g), i + 1);
	}
	assert_int_equal(next, 0);
	relay_gate_sealed(g, room, 0, 1);
	relay_gate_leave(g, 0, true, 1);
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 5; i++)
		assert_int_equal(turns[i].order, 4 - i);
	free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_store_that_is_far_gets_more),
	    cmocka_unit_test(as_many_as_keep_the_processors_busy),
	    cmocka_unit_test(a_line_that_is_slow_is_not_made_slower),
	    cmocka_unit_test(nor_is_a_store_that_fails_given_more),
	    cmocka_unit_test(what_waits_for_us_gets_no_more),
	    cmocka_unit_test(memory_bounds_what_is_on_its_way),
	    cmocka_unit_test(however_many_jobs_there_are),
	    cmocka_unit_test(more_jobs_than_memory_for_the_worst_share_it),
	    cmocka_unit_test(and_wait_where_one_needs_more),
	    cmocka_unit_test(one_of_those_that_wait_goes_on),
	    cmocka_unit_test(what_is_lost_leaves_room_for_one),
	    cmocka_unit_test(the_oldest_goes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
