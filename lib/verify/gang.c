#include "gang.h"

#include <pthread.h>
#include <stdlib.h>

#define MEMORY (80U << 20)
#define PACK_MEMORY                                                            \
	(5U << 20)            /* an extent as stored and as opened, and what   \
			       * a connection takes */
#define WAL_MEMORY (4U << 20) /* besides the segment */

struct gang {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct gang_task *first;
	struct gang_task **last;
	unsigned queued;
	unsigned busy;
	bool closed;
	struct fault fault;
	unsigned n_hands;
	struct worker {
		struct gang *gang;
		struct gang_hand hand;
		pthread_t thread;
		bool started;
	} * workers;
};

static struct gang_task *
next_task(struct gang *c)
{
	struct gang_task *t;

	while (c->first == NULL && !c->closed)
		pthread_cond_wait(&c->changed, &c->lock);
	t = c->first;
	if (t == NULL)
		return NULL;
	c->first = t->next;
	if (c->first == NULL)
		c->last = &c->first;
	c->queued--;
	c->busy++;
	return t;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct gang *c = w->gang;
	struct gang_task *t;

	pthread_mutex_lock(&c->lock);
	while ((t = next_task(c)) != NULL) {
		bool failed = c->fault.code != FAULT_NONE;
		struct fault f = FAULT_INIT;
		int rc;

		pthread_mutex_unlock(&c->lock);
		rc = failed ? 0 : t->run(t, &w->hand, &f);
		t->free(t);
		pthread_mutex_lock(&c->lock);
		if (rc != 0 && c->fault.code == FAULT_NONE)
			c->fault = f;
		c->busy--;
		pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static unsigned
hands_for(unsigned jobs, uint32_t segment_size)
{
	uint32_t each = PACK_MEMORY;
	unsigned most;

	if (segment_size != 0)
		each = segment_size + WAL_MEMORY;
	most = MEMORY / each;
	if (most == 0)
		most = 1;
	return jobs == 0 ? 1 : jobs < most ? jobs : most;
}

static int
start(struct gang *c, struct worker *w, struct repo *r, size_t repo,
    uint32_t segment_size, struct fault *f)
{
	int rc = repo_clone(&w->hand.repo, r, f), e;

	w->gang = c;
	if (rc == 0 && segment_size == 0)
		rc = packread_new(&w->hand.packs, w->hand.repo, repo, f);
	else if (rc == 0)
		rc = walcheck_new(&w->hand.wal, w->hand.repo, repo,
		    segment_size, repo_conf(r)->spool_dir, f);
	if (rc != 0)
		return rc;
	e = pthread_create(&w->thread, NULL, work, w);
	if (e != 0)
		return fault_errno(f, e, "cannot start a thread");
	w->started = true;
	return 0;
}

int
gang_new(struct gang **out, struct repo *r, size_t repo, unsigned jobs,
    uint32_t segment_size, struct fault *f)
{
	struct gang *c = calloc(1, sizeof *c);
	int rc = 0;

	if (c == NULL)
		return fault_nomem(f);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	c->last = &c->first;
	c->n_hands = hands_for(jobs, segment_size);
	c->workers = calloc(c->n_hands, sizeof *c->workers);
	if (c->workers == NULL) {
		gang_free(c);
		return fault_nomem(f);
	}
	for (unsigned k = 0; rc == 0 && k < c->n_hands; k++)
		rc = start(c, &c->workers[k], r, repo, segment_size, f);
	if (rc != 0)
		gang_free(c);
	else
		*out = c;
	return rc;
}

int
gang_give(struct gang *c, struct gang_task *t, struct fault *f)
{
	int rc;

	t->next = NULL;
	pthread_mutex_lock(&c->lock);
	while (c->queued >= 2 * c->n_hands && c->fault.code == FAULT_NONE)
		pthread_cond_wait(&c->changed, &c->lock);
	rc = (int)c->fault.code;
	if (rc != 0) {
		*f = c->fault;
	} else {
		*c->last = t;
		c->last = &t->next;
		c->queued++;
		pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	if (rc != 0)
		t->free(t);
	return rc;
}

int
gang_rest(struct gang *c, struct fault *f)
{
	int rc;

	pthread_mutex_lock(&c->lock);
	while (c->queued > 0 || c->busy > 0)
		pthread_cond_wait(&c->changed, &c->lock);
	rc = (int)c->fault.code;
	if (rc != 0)
		*f = c->fault;
	pthread_mutex_unlock(&c->lock);
	return rc;
}

void
gang_free(struct gang *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->closed = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	for (unsigned k = 0; c->workers != NULL && k < c->n_hands; k++) {
		struct worker *w = &c->workers[k];

		if (w->started)
			pthread_join(w->thread, NULL);
		packread_free(w->hand.packs);
		walcheck_free(w->hand.wal);
		repo_free(w->hand.repo);
	}
	free(c->workers);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
