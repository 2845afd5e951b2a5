#include "walscan.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"

/* Headers asked for at a time. Small at first: a target is often near. */
#define BATCH_FIRST 4
#define BATCH_MAX 256

struct slot {
	struct walscan_segment segment;
	struct fault fault;
};

struct batch {
	struct slot *slot;
	size_t n;
	size_t repo;
	const struct deadline *deadline;
	_Atomic size_t next;
};

struct looker {
	struct batch *batch;
	struct repo *repo; /* its own */
	pthread_t thread;
};

static uint32_t
timeline_of(const struct history *h, uint64_t segno, uint32_t segment_size)
{
	size_t k = h->n;

	while (k > 1 &&
	       walname_segno_of(h->entry[k - 1].begin, segment_size) > segno)
		k--;
	return h->entry[k - 1].timeline;
}

static void *
look(void *arg)
{
	struct looker *l = arg;
	struct batch *b = l->batch;
	size_t k;

	while ((k = atomic_fetch_add(&b->next, 1)) < b->n) {
		struct slot *s = &b->slot[k];
		struct deadline d = deadline_step(
		    b->deadline, repo_conf(l->repo)->store_deadline_ms);
		int rc;

		rc = archive_look(l->repo, b->repo, s->segment.name,
		    &s->segment.meta, &s->segment.stored, &d, &s->fault);
		s->segment.present = rc == 0;
	}
	return NULL;
}

/* All of a batch; this thread works too. */
static void
run_batch(struct batch *b, struct looker *l, unsigned jobs)
{
	unsigned started = 1;

	atomic_store(&b->next, 0);
	while (started < jobs && started < b->n &&
	       pthread_create(&l[started].thread, NULL, look, &l[started]) == 0)
		started++;
	look(&l[0]);
	while (started > 1)
		pthread_join(l[--started].thread, NULL);
}

/* Hand a finished batch over; *stop when the scan is to end. */
static int
deliver(const struct batch *b, walscan_fn cb, void *ctx, bool *stop,
    struct fault *f)
{
	size_t k;
	int rc;

	for (k = 0; k < b->n && !*stop; k++) {
		const struct slot *s = &b->slot[k];

		if (!s->segment.present && s->fault.code != FAULT_ABSENT) {
			*f = s->fault;
			return (int)f->code;
		}
		rc = cb(ctx, &s->segment, stop, f);
		if (rc != 0)
			return rc;
		if (!s->segment.present)
			*stop = true;
	}
	return 0;
}

static void
fill_batch(struct batch *b, const struct history *h, uint32_t segment_size,
    uint64_t first, size_t n)
{
	size_t k;

	memset(b->slot, 0, n * sizeof *b->slot);
	for (k = 0; k < n; k++) {
		struct walscan_segment *s = &b->slot[k].segment;

		s->segno = first + k;
		s->timeline = timeline_of(h, s->segno, segment_size);
		walname_format(s->timeline, s->segno, segment_size, s->name);
	}
	b->n = n;
}

int
walscan_run(struct repo *r, size_t i, const struct history *h,
    uint32_t segment_size, uint64_t first_segno, unsigned jobs, walscan_fn cb,
    void *ctx, const struct deadline *d, struct fault *f)
{
	struct batch b = {.repo = i, .deadline = d};
	struct looker *l;
	uint64_t segno = first_segno;
	size_t size = BATCH_FIRST;
	bool stop = false;
	unsigned k;
	int rc = 0;

	if (jobs == 0)
		jobs = 1;
	l = calloc(jobs, sizeof *l);
	b.slot = calloc(BATCH_MAX, sizeof *b.slot);
	if (l == NULL || b.slot == NULL)
		rc = fault_nomem(f);
	for (k = 0; rc == 0 && k < jobs; k++) {
		l[k].batch = &b;
		rc = repo_clone(&l[k].repo, r, f);
	}
	while (rc == 0 && !stop) {
		fill_batch(&b, h, segment_size, segno, size);
		run_batch(&b, l, jobs);
		rc = deliver(&b, cb, ctx, &stop, f);
		segno += size;
		if (size < BATCH_MAX)
			size *= 2;
	}
	for (k = 0; l != NULL && k < jobs; k++)
		repo_free(l[k].repo);
	free(l);
	free(b.slot);
	return rc;
}

static int
take_first_segment(void *ctx, const struct store_entry *e, struct fault *f)
{
	const char *name = strrchr(e->key, '/');
	struct fault ignored = FAULT_INIT;
	struct walname n;

	(void)f;
	if (name == NULL || walname_parse(name + 1, &n, &ignored) != 0 ||
	    n.kind != WALNAME_SEGMENT)
		return 0;
	memcpy(ctx, name + 1, strlen(name));
	return -1; /* enough */
}

int
walscan_later(struct repo *r, size_t i, uint32_t timeline, uint64_t segno,
    uint32_t segment_size, char name[WALNAME_SIZE], const struct deadline *d,
    struct fault *f)
{
	struct deadline step =
	    deadline_step(d, repo_conf(r)->store_deadline_ms);
	char after[LAYOUT_KEY];
	char prefix[LAYOUT_KEY];
	struct walname n;
	struct store *s;
	int rc;

	walname_format(timeline, segno, segment_size, name);
	rc = walname_parse(name, &n, f);
	if (rc == 0)
		rc = layout_wal(
		    repo_cluster(r), repo_system_id(r), name, &n, after, f);
	if (rc == 0)
		rc = layout_wal_timeline(
		    repo_cluster(r), repo_system_id(r), timeline, prefix, f);
	if (rc == 0)
		rc = repo_store(r, i, &s, f);
	if (rc != 0)
		return rc;
	name[0] = '\0';
	rc = store_list(
	    s, prefix, false, after, take_first_segment, name, &step, f);
	return rc == -1 ? 0 : rc;
}
