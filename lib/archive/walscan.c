#include "walscan.h"

#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "layout.h"

/* Headers asked for at a time. Small at first: a target is often near. */
#define BATCH_FIRST 8
#define BATCH_MAX 256
/* What they wait for is the store, far away as it may be, and not the
 * processor. */
#define LOOKERS 32

struct slot {
	struct walscan_segment segment;
	struct fault fault;
};

struct batch {
	struct slot *slot;
	size_t n;
	const struct deadline *deadline;
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

static void
look(void *ctx, size_t k, struct repo *own)
{
	struct batch *b = ctx;
	struct slot *s = &b->slot[k];
	struct deadline d =
	    deadline_step(b->deadline, repo_conf(own)->store_deadline_ms);

	s->segment.present =
	    archive_look_any(own, s->segment.name, &s->segment.meta,
		&s->segment.stored, &d, &s->fault) == 0;
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
walscan_run(struct repo *r, const struct history *h, uint32_t segment_size,
    uint64_t first_segno, walscan_fn cb, void *ctx, const struct deadline *d,
    struct fault *f)
{
	struct batch b = {.deadline = d};
	struct crew *crew = NULL;
	uint64_t segno = first_segno;
	size_t size = BATCH_FIRST;
	bool stop = false;
	int rc;

	b.slot = calloc(BATCH_MAX, sizeof *b.slot);
	if (b.slot == NULL)
		return fault_nomem(f);
	rc = crew_new(&crew, r, LOOKERS, f);
	while (rc == 0 && !stop) {
		fill_batch(&b, h, segment_size, segno, size);
		rc = crew_run(crew, b.n, look, &b, f);
		if (rc == 0)
			rc = deliver(&b, cb, ctx, &stop, f);
		segno += size;
		if (size < BATCH_MAX)
			size *= 2;
	}
	crew_free(crew);
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

/* In one repository. */
static int
later_in(struct repo *r, size_t i, const char *prefix, const char *after,
    char name[WALNAME_SIZE], const struct deadline *d, struct fault *f)
{
	struct deadline step =
	    deadline_step(d, repo_conf(r)->store_deadline_ms);
	struct store *s;
	int rc = repo_store(r, i, &s, f);

	name[0] = '\0';
	if (rc == 0)
		rc = store_list(s, prefix, false, after, take_first_segment,
		    name, &step, f);
	return rc == -1 ? 0 : rc;
}

int
walscan_later(struct repo *r, uint32_t timeline, uint64_t segno,
    uint32_t segment_size, char name[WALNAME_SIZE], const struct deadline *d,
    struct fault *f)
{
	char found[WALNAME_SIZE];
	char after[LAYOUT_KEY];
	char prefix[LAYOUT_KEY];
	struct walname n;
	size_t i;
	int rc;

	walname_format(timeline, segno, segment_size, found);
	rc = walname_parse(found, &n, f);
	if (rc == 0)
		rc = layout_wal(
		    repo_cluster(r), repo_system_id(r), found, &n, after, f);
	if (rc == 0)
		rc = layout_wal_timeline(
		    repo_cluster(r), repo_system_id(r), timeline, prefix, f);
	name[0] = '\0';
	for (i = 0; rc == 0 && i < repo_count(r); i++) {
		rc = later_in(r, i, prefix, after, found, d, f);
		if (rc == 0 && found[0] != '\0' &&
		    (name[0] == '\0' || strcmp(found, name) < 0))
			memcpy(name, found, sizeof found);
	}
	return rc;
}
