#include "ahead_push.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "archive_spare.h"
#include "clock.h"
#include "push.h"
#include "relay_gate.h"
#include "relay_pool.h"

_Static_assert(RELAY_GATE_SEAL == ARCHIVE_PUSH_ROOM,
    "what the gate gives is what sealing takes");

/* Beside what the gate gives. */
#define AHEAD_PUSH_SPARE ((size_t)12 << 20)

struct ahead_push {
	struct repo *base;
	struct repo *repos[RELAY_POOL_THREADS]; /* one for each thread */
	struct relay_gate *gate;
	struct archive_spare *spare;
	pthread_mutex_t lock;
	size_t waiting[CONF_LIST]; /* files, in each repository; by the lock */
};

/* What a file keeps for which a repository does not answer. */
struct left {
	struct ahead_push *a;
	struct repo *repo;
	size_t held;
	bool late[CONF_LIST];
	/* under the lock; whoever comes second frees it: */
	bool told; /* all of the above is known */
	bool over;
};

int
ahead_push_new(struct ahead_push **out, struct repo *base, size_t jobs,
    size_t threads, struct fault *f)
{
	struct ahead_push *a = calloc(1, sizeof(*a));
	int rc;

	if (a == NULL)
		return fault_nomem(f);
	a->base = base;
	pthread_mutex_init(&a->lock, NULL);
	rc = relay_gate_new(&a->gate, jobs, threads, f);
	if (rc == 0)
		rc = archive_spare_new(&a->spare, AHEAD_PUSH_SPARE, f);
	if (rc != 0)
		free(a);
	else
		*out = a;
	return rc;
}

static void
left_free(struct left *l)
{
	struct ahead_push *a = l->a;

	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < CONF_LIST; i++)
		a->waiting[i] -= l->late[i];
	pthread_mutex_unlock(&a->lock);
	repo_free(l->repo);
	relay_gate_free(a->gate, l->held);
	free(l);
}

/* No repository works on it any more. */
static void
left_over(void *ctx)
{
	struct left *l = ctx;
	bool told;

	pthread_mutex_lock(&l->a->lock);
	l->over = true;
	told = l->told;
	pthread_mutex_unlock(&l->a->lock);
	if (told)
		left_free(l);
}

static void
left_tell(struct left *l, struct repo *repo, size_t held,
    const struct archive_result *res)
{
	struct ahead_push *a = l->a;
	bool over;

	l->repo = repo;
	l->held = held;
	memcpy(l->late, res->late, sizeof(l->late));
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < CONF_LIST; i++)
		a->waiting[i] += l->late[i];
	l->told = true;
	over = l->over;
	pthread_mutex_unlock(&a->lock);
	if (over)
		left_free(l);
}

static void
push_choose(struct ahead_push *a, struct archive_push *p)
{
	bool without[CONF_LIST];

	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < CONF_LIST; i++)
		without[i] = a->waiting[i] >= AHEAD_PUSH_WAITING;
	pthread_mutex_unlock(&a->lock);
	(void)archive_push_without(p, without);
}

/* The memory that a file being sealed has of the gate. */
struct room {
	struct relay_gate *gate;
	size_t bytes;
};

static void
room_widen(void *ctx)
{
	struct room *room = ctx;

	relay_gate_widen(room->gate, room->bytes);
	room->bytes = RELAY_GATE_SEAL;
}

static int
push_seal(struct ahead_push *a, size_t i, const struct ahead_push_file *file,
    struct archive_push **p, size_t *held, struct deadline *d, struct fault *f)
{
	struct room room = {.gate = a->gate};
	struct archive_room may = {
	    .widen = room_widen, .ctx = &room, .spare = a->spare};
	int64_t began;
	int rc = 0;

	may.bytes = room.bytes = relay_gate_enter(a->gate, file->turn);
	*d = deadline_in_ms(file->allowed_ms);
	began = clock_monotonic_ms();
	if (a->repos[i] == NULL)
		rc = repo_clone(&a->repos[i], a->base, f);
	if (rc == 0)
		rc = archive_push_begin(p, a->repos[i], file->path, 1, &may, f);
	*held = rc == 0 ? archive_push_held(*p) : 0;
	relay_gate_sealed(
	    a->gate, room.bytes, *held, clock_monotonic_ms() - began);
	return rc;
}

static int
push_send_file(struct ahead_push *a, size_t i,
    const struct ahead_push_file *file, struct archive_push *p, size_t held,
    const struct deadline *d, struct archive_result *res, struct fault *f)
{
	struct left *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL) {
		archive_push_free(p);
		return fault_nomem(f);
	}
	l->a = a;
	if (!file->everywhere)
		push_choose(a, p);
	archive_push_after(p, left_over, l);
	rc = push_send(a->repos[i], p, d, res, f);
	if (res->busy) {
		left_tell(l, a->repos[i], held, res);
		a->repos[i] = NULL;
	} else
		free(l);
	return rc;
}

int
ahead_push_file(struct ahead_push *a, size_t i,
    const struct ahead_push_file *file, struct archive_result *res,
    struct fault *f)
{
	struct archive_push *p = NULL;
	struct deadline d;
	int64_t sealed;
	size_t held;
	int rc;

	memset(res, 0, sizeof(*res));
	rc = push_seal(a, i, file, &p, &held, &d, f);
	sealed = clock_monotonic_ms();
	if (rc == 0)
		rc = push_send_file(a, i, file, p, held, &d, res, f);
	relay_gate_leave(a->gate, res->busy ? 0 : held, rc == 0,
	    clock_monotonic_ms() - sealed);
	return rc;
}
