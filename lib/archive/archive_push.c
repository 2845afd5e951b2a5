#include "archive_push_core.h"
#include "archive_spare.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PUSH_LATE_MS 1000 /* for threads to tell that time is over */

static void push_last(
    struct archive_push *p, const struct archive_push_thread *self);

/* Under the lock. */
static bool
push_is_done(const struct archive_push *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (!p->threads[i].done)
			return false;
	return true;
}

static void *
push_run(void *arg)
{
	struct archive_push_thread *t = arg;
	struct archive_push *p = t->push;
	bool last;

	if (archive_job_put(&t->job, &t->fault) == 0) {
		pthread_mutex_lock(&p->lock);
		t->durable = true;
		t->durable_ms = clock_monotonic_ms();
		pthread_cond_signal(&p->changed);
		pthread_mutex_unlock(&p->lock);
		archive_job_mark(&t->job);
	}
	pthread_mutex_lock(&p->lock);
	t->done = true;
	pthread_cond_signal(&p->changed);
	last = p->left && push_is_done(p);
	pthread_mutex_unlock(&p->lock);
	if (last)
		push_last(p, t);
	return NULL;
}

/* A repository that gets nothing has failed like any other. */
static void
push_pass_over(struct archive_push_thread *t)
{
	fault_set(&t->fault, FAULT_AGAIN,
	    "got nothing: it has not answered to files before this one");
	pthread_mutex_lock(&t->push->lock);
	t->done = true;
	pthread_mutex_unlock(&t->push->lock);
}

/* A repository for which no thread can be had has failed like any other. */
static void
push_start_thread(struct archive_push_thread *t)
{
	int e = pthread_create(&t->thread, NULL, push_run, t);

	if (e == 0) {
		t->started = true;
		return;
	}
	fault_errno(&t->fault, e, "starting a thread");
	pthread_mutex_lock(&t->push->lock);
	t->done = true;
	pthread_mutex_unlock(&t->push->lock);
}

/* One repository needs no thread. Several share r, each its own part of it: so
 * the connections are there for the next file. */
static void
push_start(struct archive_push *p, struct repo *r)
{
	for (size_t i = 0; i < p->n; i++) {
		struct archive_push_thread *t = &p->threads[i];

		t->push = p;
		t->job.task = &p->task;
		t->job.index = i;
		t->job.repo = r;
		if (t->without)
			push_pass_over(t);
		else if (p->n > 1)
			push_start_thread(t);
		else
			push_run(t);
	}
}

/* Wait for news, at most so long. */
static void
push_pause(struct archive_push *p, int64_t ms)
{
	struct timespec t;

	if (ms > 60000)
		ms = 60000;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&p->changed, &p->lock, &t);
}

/* A copy waits for all alike: what it copies from is removed when the quorum
 * has it. */
static void
push_load(struct archive_push *p, const char *mark_note)
{
	const struct archive_job_task *t = &p->task;

	if (p->n > 1 && t->from == NULL)
		for (size_t i = 0; i < p->n; i++)
			archive_late_load(&p->threads[i].late, mark_note,
			    t->conf->repos[i]->name);
}

static void
push_learn(const struct archive_push *p, const struct archive_result *res)
{
	if (res->durable_in >= p->task.conf->push_quorum)
		for (size_t i = 0; i < p->n; i++)
			if (!p->threads[i].without)
				archive_late_learn(
				    &p->threads[i].late, res->late[i]);
}

/* How long the others are waited for when the quorum has it; under the lock. */
static int64_t
push_grace(const struct archive_push *p, int64_t took)
{
	int64_t most = 0, ms;

	for (size_t i = 0; i < p->n; i++) {
		ms = archive_late_grace_ms(&p->threads[i].late, took);
		if (!p->threads[i].done && ms > most)
			most = ms;
	}
	return most;
}

/* Until all are done, or the time is over: the deadline, or the grace after
 * the quorum. */
static void
push_wait(struct archive_push *p, int64_t began)
{
	const int64_t end = p->task.deadline.at_ms;
	int64_t until = end < INT64_MAX ? end + PUSH_LATE_MS : end;
	int64_t reached = 0;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		size_t durable = 0;
		int64_t now = clock_monotonic_ms();

		for (size_t i = 0; i < p->n; i++)
			durable += p->threads[i].durable;
		if (push_is_done(p))
			break;
		if (durable >= p->task.conf->push_quorum) {
			if (reached == 0)
				reached = now;
			until = reached + push_grace(p, reached - began);
			if (until > end)
				until = end;
		}
		if (now >= until)
			break;
		push_pause(p, until - now);
	}
	pthread_mutex_unlock(&p->lock);
}

void
archive_push_free(struct archive_push *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++) {
		if (p->threads[i].started)
			pthread_join(p->threads[i].thread, NULL);
		archive_late_free(&p->threads[i].late);
	}
	archive_note_free(&p->task.note);
	archive_journal_free(&p->task.journal);
	archive_file_free(&p->task.file);
	if (p->task.spare != NULL)
		archive_spare_give(
		    p->task.spare, &p->task.sealed, p->task.spare_taken);
	else
		buf_free(&p->task.sealed);
	buf_free(&p->task.head);
	buf_free(&p->task.mark);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p->mark_note);
	free(p->path);
	free(p);
}

/* Whoever called has gone on without it. */
static void
push_last(struct archive_push *p, const struct archive_push_thread *self)
{
	const archive_after_fn after = p->after;
	void *ctx = p->after_ctx;

	for (size_t i = 0; i < p->n; i++)
		if (&p->threads[i] == self) {
			pthread_detach(p->threads[i].thread);
			p->threads[i].started = false;
		}
	archive_push_free(p);
	after(ctx);
}

/* Is there a thread that will free all of it? */
static bool
push_leave(struct archive_push *p)
{
	bool left;

	if (p->after == NULL)
		return true; /* nobody does: the process ends soon */
	pthread_mutex_lock(&p->lock);
	left = p->left = !push_is_done(p);
	pthread_mutex_unlock(&p->lock);
	return left;
}

bool
archive_push_without(struct archive_push *p, const bool without[CONF_LIST])
{
	const struct conf_cluster *c = p->task.conf;
	size_t n = 0;

	for (size_t i = 0; i < c->n_repos; i++)
		n += !without[i];
	if (n < c->push_quorum)
		return false;
	for (size_t i = 0; i < c->n_repos; i++)
		p->threads[i].without = without[i];
	return true;
}

void
archive_push_after(struct archive_push *p, archive_after_fn fn, void *ctx)
{
	p->after = fn;
	p->after_ctx = ctx;
}

static int
push_new(struct archive_push **out, struct repo *r, const char *path,
    struct fault *f)
{
	struct archive_push *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;

	if (p == NULL)
		return fault_nomem(f);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&p->lock, NULL);
	p->repo = r;
	p->task.conf = repo_conf(r);
	archive_note_load(&p->task.note, NULL, NULL);
	p->path = strdup(path);
	if (p->path == NULL) {
		archive_push_free(p);
		return fault_nomem(f);
	}
	*out = p;
	return 0;
}

int
archive_push_begin_sealed(struct archive_push **out, struct repo *r,
    const char *name, struct archive_job_task **task, struct fault *f)
{
	struct archive_push *p = NULL;
	int rc = push_new(&p, r, name, f);

	if (rc != 0)
		return rc;
	buf_init(&p->task.head, OBJECT_HEADER_MAX);
	buf_init(&p->task.mark, ARCHIVE_MARK_MAX);
	buf_init(&p->task.sealed, ARCHIVE_JOB_MEMORY + (1U << 20));
	p->task.file.path = p->task.file.name = p->path;
	rc = archive_file_key(r, p->path, &p->task.key, f);
	if (rc != 0) {
		archive_push_free(p);
		return rc;
	}
	/* It is sealed already, and can carry nothing. */
	archive_journal_begin(&p->task.journal, r);
	p->task.file.walname = p->task.key.walname;
	p->task.file.kind = p->task.key.id.kind;
	*task = &p->task;
	*out = p;
	return 0;
}

static int
push_begin(struct archive_push **out, struct repo *r, const char *path,
    bool journal, unsigned hands, const struct archive_room *room,
    struct fault *f)
{
	const bool narrow = room != NULL && room->bytes < ARCHIVE_PUSH_ROOM;
	struct archive_push *p = NULL;
	int rc = push_new(&p, r, path, f);

	if (rc != 0)
		return rc;
	p->task.hands = hands;
	p->task.room = narrow ? room : NULL;
	p->task.spare = room != NULL ? room->spare : NULL;
	if (journal)
		archive_journal_load(&p->task.journal, r);
	if ((rc = archive_file_load(
		 &p->task.file, p->path, narrow, repo_system_id(r), f)) == 0 &&
	    (rc = walmeta_encode_pushes(p->task.journal.carried,
		 p->task.journal.n, &p->task.file.meta, f)) == 0 &&
	    (rc = archive_file_key(r, p->task.file.name, &p->task.key, f)) ==
		0 &&
	    p->task.file.size <= ARCHIVE_JOB_MEMORY)
		rc = archive_job_seal(&p->task, r, f);
	if (rc != 0) {
		archive_push_free(p);
		return rc;
	}
	/* Sealed in memory, the content itself is needed no more. */
	if (p->task.sealed.len > 0)
		archive_file_drop(&p->task.file);
	p->task.room = NULL;
	*out = p;
	return 0;
}

int
archive_push_begin(struct archive_push **out, struct repo *r, const char *path,
    unsigned hands, const struct archive_room *room, struct fault *f)
{
	return push_begin(out, r, path, true, hands, room, f);
}

size_t
archive_push_held(const struct archive_push *p)
{
	const struct archive_job_task *t = &p->task;

	if (t->sealed.len == 0)
		return t->file.size;
	return t->sealed.len > t->spare_taken ? t->sealed.len : t->spare_taken;
}

int
archive_push_end(struct archive_push *p, const char *mark_note,
    const struct deadline *d, struct archive_result *res, struct fault *f)
{
	int64_t began = clock_monotonic_ms();
	int rc;

	memset(res, 0, sizeof(*res));
	if (mark_note != NULL && (p->mark_note = strdup(mark_note)) == NULL) {
		archive_push_free(p);
		return fault_nomem(f);
	}
	p->task.deadline = d != NULL ? *d : deadline_never();
	archive_note_load(&p->task.note, p->mark_note, repo_keys(p->repo));
	p->n = repo_count(p->repo);
	push_load(p, p->mark_note);
	push_start(p, p->repo);
	push_wait(p, began);
	rc = archive_outcome_judge(p, res, f);
	push_learn(p, res);
	if (rc == 0)
		archive_outcome_tell(p);
	/* A thread that still waits uses all of this. */
	if (res->busy)
		res->busy = push_leave(p);
	if (!res->busy)
		archive_push_free(p);
	return rc;
}

static int
push_all(struct repo *r, const char *path, bool journal, const char *mark_note,
    const struct deadline *d, struct archive_result *res, struct fault *f)
{
	struct archive_push *p = NULL;
	int rc = push_begin(&p, r, path, journal, 1, NULL, f);

	memset(res, 0, sizeof(*res));
	return rc != 0 ? rc : archive_push_end(p, mark_note, d, res, f);
}

int
archive_push(struct repo *r, const char *path, const char *mark_note,
    const struct deadline *d, struct archive_result *res, struct fault *f)
{
	return push_all(r, path, true, mark_note, d, res, f);
}

int
archive_push_aside(struct repo *r, const char *path, const char *mark_note,
    const struct deadline *d, struct archive_result *res, struct fault *f)
{
	return push_all(r, path, false, mark_note, d, res, f);
}
