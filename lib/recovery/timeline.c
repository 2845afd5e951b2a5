#include "timeline.h"

#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "layout.h"
#include "text.h"
#include "walname.h"
#include "walscan.h"

/* The timelines that have a folder in the archive, in rising order. */
struct folders {
	uint32_t *timeline;
	size_t n;
	size_t cap;
};

static int
take_folder(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct folders *t = ctx;
	size_t len = strlen(e->key);
	char digits[9];
	uint64_t v;

	/* "…/wal/TIMELINE/" */
	if (!e->is_folder || len < 10 || e->key[len - 10] != '/')
		return 0;
	memcpy(digits, e->key + len - 9, 8);
	digits[8] = '\0';
	if (text_hex_u64(digits, 8, &v) != 0 || v == 0)
		return 0;
	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 16 : 2 * t->cap;
		uint32_t *p = reallocarray(t->timeline, cap, sizeof *p);

		if (p == NULL)
			return fault_nomem(f);
		t->timeline = p;
		t->cap = cap;
	}
	t->timeline[t->n++] = (uint32_t)v;
	return 0;
}

/* The history of one timeline; timeline 1 has none and needs none. */
static int
read_history(struct repo *r, uint32_t timeline, struct history *out,
    const struct deadline *d, struct fault *f)
{
	struct deadline step =
	    deadline_step(d, repo_conf(r)->store_deadline_ms);
	struct buf text = BUF_INIT(HISTORY_FILE_MAX);
	char name[WALNAME_SIZE];
	int rc;

	if (timeline == 1)
		return history_parse(out, timeline, NULL, 0, f);
	walname_format_history(timeline, name);
	rc = archive_read(r, name, &text, &step, f);
	if (rc == 0)
		rc = history_parse(
		    out, timeline, (const char *)text.data, text.len, f);
	if (rc != 0 && f->code != FAULT_ABSENT)
		fault_prefix(f, "%s", name);
	buf_free(&text);
	return rc;
}

/* A timeline of which a part is there is no timeline that has not begun yet: to
 * pass it over would leave out what was written on it. ABSENT when WAL of it
 * after segno is there. */
static int
check_not_begun(struct repo *r, uint32_t timeline, uint64_t segno,
    uint32_t segment_size, const char *missing, const struct deadline *d,
    struct fault *f)
{
	char later[WALNAME_SIZE];
	int rc;

	rc = walscan_later(r, timeline, segno, segment_size, later, d, f);
	if (rc != 0 || later[0] == '\0')
		return rc;
	return fault_set(f, FAULT_ABSENT,
	    "%s is not in the archive although WAL of timeline %u is (%s): "
	    "give --target-timeline to follow an older one",
	    missing, timeline, later);
}

/* Is the segment in which the timeline begins there? *begun is false when it
 * is not and neither is any later one. */
static int
has_begun(struct repo *r, const struct history *h, uint32_t segment_size,
    bool *begun, const struct deadline *d, struct fault *f)
{
	const struct history_entry *e = &h->entry[h->n - 1];
	struct deadline step =
	    deadline_step(d, repo_conf(r)->store_deadline_ms);
	uint64_t segno = walname_segno_of(e->begin, segment_size);
	char name[WALNAME_SIZE];
	uint64_t stored;
	int rc;

	walname_format(e->timeline, segno, segment_size, name);
	rc = archive_look_any(r, name, NULL, &stored, &step, f);
	*begun = rc == 0;
	if (rc != FAULT_ABSENT)
		return rc;
	fault_clear(f);
	return check_not_begun(r, e->timeline, segno, segment_size, name, d, f);
}

static bool
reachable(const struct history *h, const struct head *below)
{
	return below == NULL ||
	       history_reaches(h, below->timeline, below->stop_lsn);
}

/* What does not open may be of a timeline that nobody needs, or of none. */
static int
advise(struct fault *f)
{
	const struct fault why = *f;

	return fault_set(f, why.code,
	    "%s; give --target-timeline to follow another timeline", why.text);
}

/* Does this timeline qualify? *out is set when it does. */
static int
try_timeline(struct repo *r, uint32_t timeline, const struct head *below,
    uint32_t segment_size, struct history *out, bool *fits,
    const struct deadline *d, struct fault *f)
{
	char name[WALNAME_SIZE];
	int rc;

	*fits = false;
	rc = read_history(r, timeline, out, d, f);
	if (rc == FAULT_ABSENT) {
		fault_clear(f);
		walname_format_history(timeline, name);
		return check_not_begun(
		    r, timeline, 0, segment_size, name, d, f);
	}
	if (rc == FAULT_CORRUPT || rc == FAULT_KEY)
		return advise(f);
	if (rc != 0)
		return rc;
	if (reachable(out, below))
		rc = has_begun(r, out, segment_size, fits, d, f);
	if (rc != 0 || !*fits)
		history_free(out);
	return rc;
}

/* The newest timeline that qualifies, tried from the highest downwards. */
static int
newest(struct repo *r, const struct head *below, uint32_t floor,
    uint32_t segment_size, const struct folders *t, struct history *out,
    const struct deadline *d, struct fault *f)
{
	char name[WALNAME_SIZE];
	bool fits;
	size_t k;
	int rc;

	for (k = t->n; k > 0 && t->timeline[k - 1] > floor; k--) {
		if (k < t->n && t->timeline[k] == t->timeline[k - 1])
			continue;
		rc = try_timeline(r, t->timeline[k - 1], below, segment_size,
		    out, &fits, d, f);
		if (rc != 0 || fits)
			return rc;
	}
	rc = read_history(r, floor, out, d, f);
	if (rc != FAULT_ABSENT)
		return rc == FAULT_CORRUPT || rc == FAULT_KEY ? advise(f) : rc;
	walname_format_history(floor, name);
	return fault_set(f, FAULT_ABSENT,
	    "%s is not in the archive, though a backup was taken on timeline "
	    "%u: give --target-timeline to follow another timeline, or choose "
	    "another backup",
	    name, floor);
}

static int
by_number(const void *a, const void *b)
{
	const uint32_t *x = a;
	const uint32_t *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of all repositories; what several have stands there as often. */
static int
list_folders(struct repo *r, struct folders *t, const struct deadline *d,
    struct fault *f)
{
	char prefix[LAYOUT_KEY];
	size_t i;
	int rc;

	rc = layout_wal_prefix(repo_cluster(r), repo_system_id(r), prefix, f);
	for (i = 0; rc == 0 && i < repo_count(r); i++) {
		struct deadline step =
		    deadline_step(d, repo_conf(r)->store_deadline_ms);
		struct store *s;

		rc = repo_store(r, i, &s, f);
		if (rc == 0)
			rc = store_list(
			    s, prefix, true, NULL, take_folder, t, &step, f);
	}
	if (t->n > 1)
		qsort(t->timeline, t->n, sizeof *t->timeline, by_number);
	return rc;
}

int
timeline_resolve(struct repo *r, uint32_t timeline, const struct head *below,
    uint32_t floor, uint32_t segment_size, struct history *out,
    const struct deadline *d, struct fault *f)
{
	struct folders t = {NULL, 0, 0};
	int rc;

	if (timeline != 0) {
		rc = read_history(r, timeline, out, d, f);
		if (rc == 0 && !reachable(out, below)) {
			history_free(out);
			return fault_set(f, FAULT_CONFIG,
			    "timeline %u does not descend from backup %s "
			    "(timeline %u): choose an older backup or another "
			    "timeline",
			    timeline, below->id, below->timeline);
		}
		return rc;
	}
	rc = list_folders(r, &t, d, f);
	if (rc == 0)
		rc = newest(r, below, floor, segment_size, &t, out, d, f);
	free(t.timeline);
	return rc;
}
