#include <stdlib.h>
#include <string.h>

#include "unpacker_core.h"

/* Tasks on their way from the manifest's reader to the workers. */

#define QUEUE_MAX 8

void
unpacker_queue_done(struct unpacker_task *t)
{
	if (t == NULL)
		return;
	free(t->extents);
	free(t->pieces);
	free(t->names);
	free(t);
}

/* How much a task takes. The pieces of one file share its name. */
static void
measure(const struct manifest_pack *p, size_t *n_pieces, size_t *names)
{
	const char *last = NULL;

	*n_pieces = 0;
	*names = strlen(p->name) + 1;
	for (uint32_t k = 0; k < p->n_extents; k++) {
		for (uint32_t j = 0; j < p->extents[k].n_pieces; j++) {
			const char *path = p->extents[k].pieces[j].path;

			if (path != last)
				*names += strlen(path) + 1;
			last = path;
			++*n_pieces;
		}
	}
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
	struct manifest_piece *to;
	const char *last = NULL;
	const char *kept = NULL;
	size_t n_pieces;
	size_t names;
	char *at;

	if (t == NULL)
		return fault_nomem(f);
	measure(p, &n_pieces, &names);
	at = t->names = malloc(names);
	to = t->pieces = calloc(n_pieces + 1, sizeof *t->pieces);
	t->extents = calloc(p->n_extents + 1, sizeof *t->extents);
	if (at == NULL || to == NULL || t->extents == NULL) {
		unpacker_queue_done(t);
		return fault_nomem(f);
	}
	t->pack = *p;
	t->pack.name = keep_name(&at, p->name);
	t->pack.extents = t->extents;
	for (uint32_t k = 0; k < p->n_extents; k++) {
		t->extents[k] = p->extents[k];
		t->extents[k].pieces = to;
		for (uint32_t j = 0; j < p->extents[k].n_pieces; j++, to++) {
			*to = p->extents[k].pieces[j];
			if (to->path != last) {
				last = to->path;
				kept = keep_name(&at, last);
			}
			to->path = kept;
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
