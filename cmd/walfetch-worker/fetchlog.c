#include "fetchlog.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "fetchlog_record.h"

/* For what is due once a day. */
#define FETCHLOG_LOOK_S 60
/* Who counts and is to end has so long to save, and to write a record. */
#define FETCHLOG_SAVE_MS 200
#define FETCHLOG_END_MS 10000
#define FETCHLOG_STEP_MS 100

struct fetchlog {
	struct repo *base;
	const struct relay_home *home;
	uint32_t segment_size;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* of the thread */
	pthread_cond_t told; /* by it: done */
	/* Under the lock. */
	struct tally fresh; /* read since the thread looked */
	enum fetchlog_end end;
	struct fault why;
	bool done;
	bool remarked;
	char remark[FETCHLOG_LINE];
	/* The thread's. */
	struct tally tally;
	struct tally_file file;
	bool mute; /* nothing can be kept, so nothing is recorded */
};

/* ---- the thread ---- */

static void
missing(struct fetchlog *l, const struct fault *f)
{
	pthread_mutex_lock(&l->lock);
	if (!l->remarked && l->remark[0] == '\0')
		snprintf(l->remark, sizeof l->remark,
		    "walfetch: WARNING: recovery goes on, but without its "
		    "record in the audit trail: %.400s\n",
		    f->text);
	pthread_mutex_unlock(&l->lock);
}

static enum fetchlog_end
end_of(struct fetchlog *l)
{
	enum fetchlog_end end;

	pthread_mutex_lock(&l->lock);
	end = l->end;
	pthread_mutex_unlock(&l->lock);
	return end;
}

static void
record(struct fetchlog *l, const struct tally *t, enum fetchlog_what what,
    const struct fault *why)
{
	bool store = l->file.fd >= 0 && end_of(l) != FETCHLOG_GONE;
	struct fault f = FAULT_INIT;

	if (fetchlog_record(l->base, t, what, why, store, &f) != 0 && store)
		missing(l, &f);
}

static void
sum_up(struct fetchlog *l, enum fetchlog_what what, const struct fault *why)
{
	record(l, &l->tally, what, why);
	tally_summed(&l->tally, clock_now_us(), fetchlog_random());
	tally_save(&l->file, &l->tally);
}

static void
stray(void *ctx, const struct tally *t)
{
	record(ctx, t, FETCHLOG_LEFT, NULL);
}

/* The file of this data directory is ours from now on. What the worker before
 * us left in it is recorded, and the recovery goes on; unless it is another
 * one. */
static void
take_over(struct fetchlog *l, const struct tally *left)
{
	struct tally own = l->tally;
	int64_t now = clock_now_us();

	if (tally_is_over(left, now)) {
		if (left->segments > 0)
			record(l, left, FETCHLOG_LEFT, NULL);
		return;
	}
	l->tally = *left;
	if (tally_is_due_at_end(left, now))
		sum_up(l, FETCHLOG_LEFT, NULL);
	tally_join(&l->tally, &own);
}

/* Another worker that is about to end may have the file: the next segment tries
 * again. */
static void
attach(struct fetchlog *l)
{
	struct fault f = FAULT_INIT;
	struct tally left;
	bool found = false;
	int rc;

	if (l->file.fd >= 0 || l->mute)
		return;
	rc = tally_open(&l->file, l->base, l->home->path, &left, &found, &f);
	if (rc == FAULT_EXISTS)
		return;
	if (rc != 0) {
		l->mute = true;
		missing(l, &f);
		record(l, &l->tally, FETCHLOG_BEGUN, NULL);
		return;
	}
	if (found)
		take_over(l, &left);
	tally_save(&l->file, &l->tally);
}

static void
count(struct fetchlog *l, const struct tally *more)
{
	bool had = l->file.fd >= 0;

	if (more->segments == 0)
		return;
	tally_join(&l->tally, more);
	attach(l);
	if (l->file.fd < 0)
		return;
	tally_save(&l->file, &l->tally);
	if (!l->tally.begun && l->tally.summed_us == 0) {
		record(l, &l->tally, FETCHLOG_BEGUN, NULL);
		l->tally.begun = l->tally.told = true;
		tally_save(&l->file, &l->tally);
	}
	if (!had)
		tally_strays(l->base, clock_now_us(), stray, l);
}

static void
conclude(struct fetchlog *l, enum fetchlog_end end, const struct fault *why)
{
	struct tally *t = &l->tally;

	if (end == FETCHLOG_GONE) {
		if (t->segments > 0)
			record(l, t, FETCHLOG_SUM, why);
		return;
	}
	t->ended = end == FETCHLOG_OVER;
	tally_save(&l->file, t);
	if (t->segments > 0 &&
	    (t->ended || tally_is_due_at_end(t, clock_now_us())))
		sum_up(l, FETCHLOG_SUM, why);
	if (t->ended)
		tally_remove(&l->file);
}

/* Until there is something to do, or it is time to look. Under the lock. */
static void
wait_for_more(struct fetchlog *l)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += FETCHLOG_LOOK_S;
	while (l->end == FETCHLOG_GOES_ON && l->fresh.segments == 0 &&
	       pthread_cond_timedwait(&l->wake, &l->lock, &t) == 0)
		;
}

static void *
run(void *ctx)
{
	struct fetchlog *l = ctx;
	enum fetchlog_end end;

	do {
		struct tally more;

		pthread_mutex_lock(&l->lock);
		wait_for_more(l);
		more = l->fresh;
		memset(&l->fresh, 0, sizeof l->fresh);
		end = l->end;
		pthread_mutex_unlock(&l->lock);
		count(l, &more);
		if (end != FETCHLOG_GOES_ON)
			conclude(l, end, l->why.code != 0 ? &l->why : NULL);
		else if (tally_is_due(&l->tally, clock_now_us()))
			sum_up(l, FETCHLOG_DAY, NULL);
	} while (end == FETCHLOG_GOES_ON);
	tally_close(&l->file);
	pthread_mutex_lock(&l->lock);
	l->done = true;
	pthread_cond_signal(&l->told);
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* ---- the worker ---- */

static int
prepare(struct fetchlog *l)
{
	pthread_condattr_t a;
	pthread_t t;
	int rc;

	if (pthread_condattr_init(&a) != 0)
		return -1;
	rc = pthread_condattr_setclock(&a, CLOCK_MONOTONIC) != 0 ||
	     pthread_mutex_init(&l->lock, NULL) != 0 ||
	     pthread_cond_init(&l->wake, &a) != 0 ||
	     pthread_cond_init(&l->told, &a) != 0 ||
	     pthread_create(&t, NULL, run, l) != 0;
	pthread_condattr_destroy(&a);
	if (rc != 0)
		return -1;
	pthread_detach(t);
	return 0;
}

struct fetchlog *
fetchlog_start(
    struct repo *base, const struct relay_home *home, uint32_t segment_size)
{
	struct fetchlog *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->base = base;
	l->home = home;
	l->segment_size = segment_size;
	l->file = (struct tally_file)TALLY_FILE_INIT;
	tally_begin(&l->tally, home->path, clock_now_us(), fetchlog_random());
	if (prepare(l) != 0) {
		free(l);
		return NULL;
	}
	return l;
}

void
fetchlog_delivered(struct fetchlog *l, const char *segment)
{
	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	tally_add(&l->fresh, segment, l->segment_size, clock_now_us());
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
}

const char *
fetchlog_remark(struct fetchlog *l, char line[FETCHLOG_LINE])
{
	const char *out = NULL;

	if (l == NULL)
		return NULL;
	pthread_mutex_lock(&l->lock);
	if (l->remark[0] != '\0' && !l->remarked) {
		memcpy(line, l->remark, sizeof l->remark);
		l->remarked = true;
		out = line;
	}
	pthread_mutex_unlock(&l->lock);
	return out;
}

/* false: it is still at work. Under the lock. */
static bool
wait_done(struct fetchlog *l, int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += (ms % 1000) * 1000000;
	t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	while (!l->done && pthread_cond_timedwait(&l->told, &l->lock, &t) == 0)
		;
	return l->done;
}

void
fetchlog_end(struct fetchlog *l, enum fetchlog_end end, const struct fault *why)
{
	struct deadline d = deadline_in_ms(FETCHLOG_END_MS);

	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->end = end;
	if (why != NULL)
		l->why = *why;
	pthread_cond_signal(&l->wake);
	if (end == FETCHLOG_GONE)
		(void)wait_done(l, FETCHLOG_SAVE_MS);
	while (end != FETCHLOG_GONE && !wait_done(l, FETCHLOG_STEP_MS) &&
	       !deadline_passed(&d)) {
		if (!relay_home_stands(l->home))
			end = l->end = FETCHLOG_GONE;
	}
	pthread_mutex_unlock(&l->lock);
}
