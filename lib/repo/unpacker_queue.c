#include <stdlib.h>
#include <string.h>

#include "unpacker_core.h"

/* Tasks on their way from the manifest's reader to the workers. */

#define QUEUE_MAX 8

void
unpacker_queue_done(struct unpacker_task *t)
{
	uint32_t k;

	if (t == NULL)
		return;
	for (k = 0; t->pack.extents != NULL && k < t->pack.n_extents; k++)
		free((void *)(uintptr_t)t->pack.extents[k].pieces);
	free((void *)(uintptr_t)t->pack.extents);
	free(t->names);
	free(t);
}

static size_t
names_size(const struct manifest_pack *p)
{
	size_t n = strlen(p->name) + 1;
	uint32_t k;
	uint32_t j;

	for (k = 0; k < p->n_extents; k++)
		for (j = 0; j < p->extents[k].n_pieces; j++)
			n += strlen(p->extents[k].pieces[j].path) + 1;
	return n;
}

static const char *
keep_name(char **at, const char *name)
{
	size_t n = strlen(name) + 1;
	char *here = *at;

	memcpy(here, name, n);
	*at += n;
	return here;
}

static int
task_new(
    struct unpacker_task **out, const struct manifest_pack *p, struct fault *f)
{
	struct unpacker_task *t = calloc(1, sizeof *t);
	struct manifest_extent *e;
	char *at;
	uint32_t k;
	uint32_t j;

	if (t == NULL)
		return fault_nomem(f);
	at = t->names = malloc(names_size(p));
	t->pack = *p;
	t->pack.extents = e = calloc(p->n_extents + 1, sizeof *e);
	if (at == NULL || e == NULL) {
		unpacker_queue_done(t);
		return fault_nomem(f);
	}
	t->pack.name = keep_name(&at, p->name);
	for (k = 0; k < p->n_extents; k++) {
		const struct manifest_extent *from = &p->extents[k];
		struct manifest_piece *to;

		e[k].where = from->where;
		e[k].pieces = to = calloc(from->n_pieces + 1, sizeof *to);
		if (to == NULL) {
			unpacker_queue_done(t);
			return fault_nomem(f);
		}
		e[k].n_pieces = from->n_pieces;
		for (j = 0; j < from->n_pieces; j++) {
			to[j] = from->pieces[j];
			to[j].path = keep_name(&at, from->pieces[j].path);
		}
	}
	*out = t;
	return 0;
}

void
unpacker_queue_init(struct unpacker_queue *q)
{
	memset(q, 0, sizeof *q);
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->changed, NULL);
	q->last = &q->first;
}

void
unpacker_queue_free(struct unpacker_queue *q)
{
	struct unpacker_task *t;

	while ((t = q->first) != NULL) {
		q->first = t->next;
		unpacker_queue_done(t);
	}
	pthread_cond_destroy(&q->changed);
	pthread_mutex_destroy(&q->lock);
}

void
unpacker_queue_fail(struct unpacker_queue *q, const struct fault *f)
{
	pthread_mutex_lock(&q->lock);
	if (q->fault.code == FAULT_NONE)
		q->fault = *f;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
}

int
unpacker_queue_check(struct unpacker_queue *q, struct fault *f)
{
	int rc;

	pthread_mutex_lock(&q->lock);
	rc = (int)q->fault.code;
	if (rc != 0)
		*f = q->fault;
	pthread_mutex_unlock(&q->lock);
	return rc;
}

void
unpacker_queue_close(struct unpacker_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
}

struct unpacker_task *
unpacker_queue_take(struct unpacker_queue *q)
{
	struct unpacker_task *t = NULL;

	pthread_mutex_lock(&q->lock);
	while (q->first == NULL && !q->closed && q->fault.code == FAULT_NONE)
		pthread_cond_wait(&q->changed, &q->lock);
	if (q->first != NULL && q->fault.code == FAULT_NONE) {
		t = q->first;
		q->first = t->next;
		if (q->first == NULL)
			q->last = &q->first;
		q->n--;
		pthread_cond_broadcast(&q->changed);
	}
	pthread_mutex_unlock(&q->lock);
	return t;
}

int
unpacker_queue_put(
    struct unpacker_queue *q, const struct manifest_pack *p, struct fault *f)
{
	struct unpacker_task *t = NULL;
	int rc;

	rc = task_new(&t, p, f);
	if (rc != 0)
		return rc;
	pthread_mutex_lock(&q->lock);
	while (q->n >= QUEUE_MAX && q->fault.code == FAULT_NONE)
		pthread_cond_wait(&q->changed, &q->lock);
	if (q->fault.code != FAULT_NONE) {
		*f = q->fault;
		rc = (int)f->code;
		unpacker_queue_done(t);
	} else {
		*q->last = t;
		q->last = &t->next;
		q->n++;
		pthread_cond_broadcast(&q->changed);
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}
