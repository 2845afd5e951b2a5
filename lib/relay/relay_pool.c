#include "relay_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct list {
	void *jobs[RELAY_POOL_JOBS];
	size_t first, n;
};

struct relay_pool {
	relay_work_fn work;
	void *ctx;
	int event;
	pthread_mutex_t lock;
	pthread_cond_t wanted;
	struct list waiting;
	struct list done; /* has room: what is done was waiting before */
	size_t out;       /* waiting, running and done */
	size_t started;
};

static void *
list_pop(struct list *l)
{
	void *job;

	if (l->n == 0)
		return NULL;
	job = l->jobs[l->first];
	l->first = (l->first + 1) % RELAY_POOL_JOBS;
	l->n--;
	return job;
}

static void
list_push(struct list *l, void *job)
{
	l->jobs[(l->first + l->n++) % RELAY_POOL_JOBS] = job;
}

static void *
pool_run(void *arg)
{
	struct relay_pool *p = arg;
	const uint64_t one = 1;
	size_t i;

	pthread_mutex_lock(&p->lock);
	i = p->started++;
	for (;;) {
		void *job = list_pop(&p->waiting);

		if (job == NULL) {
			pthread_cond_wait(&p->wanted, &p->lock);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		p->work(p->ctx, i, job);
		pthread_mutex_lock(&p->lock);
		list_push(&p->done, job);
		while (write(p->event, &one, sizeof(one)) < 0 && errno == EINTR)
			;
	}
	return NULL;
}

int
relay_pool_new(struct relay_pool **out, size_t n, relay_work_fn work, void *ctx,
    struct fault *f)
{
	struct relay_pool *p = calloc(1, sizeof(*p));
	pthread_t t;
	int e = 0;

	if (p == NULL)
		return fault_nomem(f);
	p->work = work;
	p->ctx = ctx;
	p->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wanted, NULL);
	if (p->event < 0)
		e = errno;
	for (size_t i = 0; i < n && e == 0; i++) {
		e = pthread_create(&t, NULL, pool_run, p);
		if (e == 0)
			pthread_detach(t);
	}
	/* A thread that runs may use p for ever. */
	if (e != 0)
		return fault_errno(f, e, "starting threads");
	*out = p;
	return 0;
}

bool
relay_pool_put(struct relay_pool *p, void *job, bool urgent)
{
	bool room;

	pthread_mutex_lock(&p->lock);
	room = p->out < RELAY_POOL_JOBS;
	if (room) {
		p->out++;
		if (urgent) {
			p->waiting.first =
			    (p->waiting.first + RELAY_POOL_JOBS - 1) %
			    RELAY_POOL_JOBS;
			p->waiting.jobs[p->waiting.first] = job;
			p->waiting.n++;
		} else {
			list_push(&p->waiting, job);
		}
		pthread_cond_signal(&p->wanted);
	}
	pthread_mutex_unlock(&p->lock);
	return room;
}

bool
relay_pool_take_back(struct relay_pool *p, const void *job)
{
	struct list *l = &p->waiting;
	bool found = false;
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = l->n;
	for (size_t i = 0; i < n; i++) {
		void *one = list_pop(l);

		if (one == job)
			found = true;
		else
			list_push(l, one);
	}
	if (found)
		p->out--;
	pthread_mutex_unlock(&p->lock);
	return found;
}

void *
relay_pool_done(struct relay_pool *p)
{
	uint64_t count;
	void *job;

	if (read(p->event, &count, sizeof(count)) < 0 && errno != EAGAIN)
		count = 0;
	pthread_mutex_lock(&p->lock);
	job = list_pop(&p->done);
	if (job != NULL)
		p->out--;
	pthread_mutex_unlock(&p->lock);
	return job;
}

int
relay_pool_fd(const struct relay_pool *p)
{
	return p->event;
}
