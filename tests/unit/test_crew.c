/* What waits for the store waits side by side. */
#include "repo_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "crew.h"

#define JOBS 8

static int
setup(void **state)
{
	(void)state;
	repo_world_open(ONE_REPO, "/nowhere");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	repo_world_close();
	return 0;
}

struct meeting {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned here;
	unsigned most; /* at once */
	bool late;
	struct repo *with[JOBS];
	_Atomic unsigned done[1000];
};

/* Nobody leaves before all workers are here; a minute is for ever. */
static void
meet(void *ctx, size_t k, struct repo *own)
{
	struct meeting *m = ctx;
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 60;
	pthread_mutex_lock(&m->lock);
	m->with[k] = own;
	if (++m->here > m->most)
		m->most = m->here;
	pthread_cond_broadcast(&m->changed);
	while (m->most < JOBS && !m->late)
		m->late =
		    pthread_cond_timedwait(&m->changed, &m->lock, &end) != 0;
	m->here--;
	pthread_mutex_unlock(&m->lock);
}

static void
all_workers_are_at_work_at_once(void **state)
{
	struct meeting m = {.lock = PTHREAD_MUTEX_INITIALIZER,
	    .changed = PTHREAD_COND_INITIALIZER};
	struct fault f = FAULT_INIT;
	struct crew *c;
	unsigned j;
	unsigned k;

	(void)state;
	assert_int_equal(crew_new(&c, repo, JOBS, &f), 0);
	assert_int_equal(crew_run(c, JOBS, meet, &m, &f), 0);
	assert_false(m.late);
	assert_int_equal(m.most, JOBS);
	for (k = 0; k < JOBS; k++)
		for (j = 0; j < k; j++)
			assert_ptr_not_equal(m.with[j], m.with[k]);
	crew_free(c);
}

static void
count(void *ctx, size_t k, struct repo *own)
{
	struct meeting *m = ctx;

	(void)own;
	atomic_fetch_add(&m->done[k], 1);
}

static void
each_is_done_once_in_every_run(void **state)
{
	struct meeting m = {.late = false};
	struct fault f = FAULT_INIT;
	struct crew *c;
	size_t k;

	(void)state;
	assert_int_equal(crew_new(&c, repo, JOBS, &f), 0);
	assert_int_equal(crew_run(c, 1000, count, &m, &f), 0);
	assert_int_equal(crew_run(c, 3, count, &m, &f), 0);
	assert_int_equal(crew_run(c, 0, count, &m, &f), 0);
	for (k = 0; k < 1000; k++)
		assert_int_equal(m.done[k], k < 3 ? 2 : 1);
	crew_free(c);
	crew_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_workers_are_at_work_at_once),
	    cmocka_unit_test(each_is_done_once_in_every_run),
	};

	return cmocka_run_group_tests_name("crew", tests, setup, teardown);
}
