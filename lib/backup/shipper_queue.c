#include <stdlib.h>

#include "shipper_core.h"

/* What caller and workers share under s->lock. An extent comes and goes some
 * thousand times a second, so nobody is woken who would only wait again. */

/* Before the caller, who has little to do for each, is woken. */
#define QUEUE_IDLE 2

static void
wake_all(struct shipper *s)
{
	pthread_cond_broadcast(&s->queued);
	pthread_cond_broadcast(&s->given_back);
	pthread_cond_broadcast(&s->turn);
}

static unsigned
idle_locked(const struct shipper *s)
{
	unsigned n = 0;

	for (const struct shipper_extent *e = s->idle; e != NULL; e = e->next)
		n++;
	return n;
}

int
shipper_queue_fill(struct shipper *s, struct fault *f)
{
	for (int i = 0; i < SHIPPER_EXTENTS; i++) {
		struct shipper_extent *e = calloc(1, sizeof *e);

		if (e == NULL)
			return fault_nomem(f);
		e->next = s->idle;
		s->idle = e;
		e->content = malloc(OBJECT_CHUNK);
		e->pieces = calloc(SHIPPER_EXTENT_PIECES, sizeof *e->pieces);
		e->files = calloc(SHIPPER_EXTENT_PIECES, sizeof *e->files);
		e->names = malloc(SHIPPER_EXTENT_NAMES);
		if (e->content == NULL || e->pieces == NULL ||
		    e->files == NULL || e->names == NULL)
			return fault_nomem(f);
	}
	return 0;
}

void
shipper_queue_free(struct shipper_extent *e)
{
	while (e != NULL) {
		struct shipper_extent *next = e->next;

		free(e->content);
		free(e->pieces);
		free(e->files);
		free(e->names);
		free(e);
		e = next;
	}
}

int
shipper_queue_fail(struct shipper *s, const struct fault *f)
{
	pthread_mutex_lock(&s->lock);
	if (!s->failed) {
		s->failed = true;
		s->fault = *f;
	}
	s->stop = true;
	wake_all(s);
	pthread_mutex_unlock(&s->lock);
	return (int)f->code;
}

static int
failed_locked(const struct shipper *s, struct fault *f)
{
	if (s->failed)
		*f = s->fault;
	return s->failed ? (int)s->fault.code : 0;
}

int
shipper_queue_check(struct shipper *s, struct fault *f)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = failed_locked(s, f);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int
shipper_queue_idle(
    struct shipper *s, struct shipper_extent **out, struct fault *f)
{
	struct shipper_extent *e;
	int rc;

	pthread_mutex_lock(&s->lock);
	while ((rc = failed_locked(s, f)) == 0 && s->idle == NULL)
		pthread_cond_wait(&s->given_back, &s->lock);
	if (rc == 0) {
		e = s->idle;
		s->idle = e->next;
		e->next = NULL;
		e->used = 0;
		e->n_pieces = 0;
		e->n_pulled = 0;
		e->names_used = 0;
		*out = e;
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

void
shipper_queue_put(struct shipper *s, struct shipper_extent *e)
{
	pthread_mutex_lock(&s->lock);
	e->next = NULL;
	*s->queue_end = e;
	s->queue_end = &e->next;
	s->drained = false;
	pthread_cond_signal(&s->queued);
	if (s->builders > 0)
		pthread_cond_signal(&s->turn);
	pthread_mutex_unlock(&s->lock);
}

int
shipper_queue_wait_idle(struct shipper *s, unsigned n, struct fault *f)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	while ((rc = failed_locked(s, f)) == 0 && idle_locked(s) < n)
		pthread_cond_wait(&s->given_back, &s->lock);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

void
shipper_queue_close(struct shipper *s)
{
	pthread_mutex_lock(&s->lock);
	s->closed = true;
	wake_all(s);
	pthread_mutex_unlock(&s->lock);
}

void
shipper_queue_stop(struct shipper *s)
{
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	wake_all(s);
	pthread_mutex_unlock(&s->lock);
}

bool
shipper_queue_enter(struct shipper *s, uint32_t *number)
{
	bool go;

	pthread_mutex_lock(&s->lock);
	while (!s->stop && !(s->closed && s->queue == NULL) &&
	       (s->queue == NULL || s->builders == 0))
		pthread_cond_wait(&s->turn, &s->lock);
	go = !s->stop && s->queue != NULL;
	if (go) {
		s->builders--;
		*number = s->next_pack++;
	}
	pthread_mutex_unlock(&s->lock);
	return go;
}

void
shipper_queue_leave(struct shipper *s)
{
	pthread_mutex_lock(&s->lock);
	s->builders++;
	if (s->closed) /* what the others wait for may never come */
		pthread_cond_broadcast(&s->turn);
	else
		pthread_cond_signal(&s->turn);
	pthread_mutex_unlock(&s->lock);
}

void
shipper_queue_drained(struct shipper *s)
{
	pthread_mutex_lock(&s->lock);
	s->drained = true;
	pthread_cond_broadcast(&s->queued);
	pthread_mutex_unlock(&s->lock);
}

struct shipper_extent *
shipper_queue_take(struct shipper *s, size_t pack_len)
{
	struct shipper_extent *e = NULL;

	pthread_mutex_lock(&s->lock);
	while (!s->stop && !s->closed && s->queue == NULL &&
	       (!s->drained || pack_len < s->pack_cap / 4))
		pthread_cond_wait(&s->queued, &s->lock);
	if (!s->stop && s->queue != NULL) {
		e = s->queue;
		s->queue = e->next;
		if (s->queue == NULL)
			s->queue_end = &s->queue;
		e->next = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	return e;
}

void
shipper_queue_give_back(struct shipper *s, struct shipper_extent *e)
{
	pthread_mutex_lock(&s->lock);
	e->next = s->idle;
	s->idle = e;
	if (s->queue == NULL || idle_locked(s) >= QUEUE_IDLE)
		pthread_cond_signal(&s->given_back);
	pthread_mutex_unlock(&s->lock);
}
