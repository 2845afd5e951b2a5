#include "waychoice.h"

#include <stdio.h>
#include <string.h>

#include "text.h"
#include "timeline.h"
#include "walscan.h"

/* Looking for the first segment that shows a named point or an xid. */
struct search {
	const struct waypath_goal *goal;
	bool found;
	uint64_t lsn;                /* the target is not before it */
	struct walscan_segment last; /* the absent one, if !found */
};

static int
look_for(
    void *ctx, const struct walscan_segment *s, bool *stop, struct fault *f)
{
	struct search *q = ctx;
	const struct wal_summary *m = &s->meta.summary;
	uint32_t n = m->n_points < WAL_POINTS ? m->n_points : WAL_POINTS;
	uint32_t k;

	(void)f;
	if (!s->present) {
		q->last = *s;
		return 0;
	}
	if (q->goal->target == WAYPATH_XID) {
		q->found = m->xid_min != 0 && m->xid_min <= q->goal->xid &&
			   q->goal->xid <= m->xid_max;
		q->lsn = s->meta.address;
	}
	for (k = 0; q->goal->target == WAYPATH_NAME && k < n; k++) {
		if (strcmp(m->points[k].name, q->goal->name) != 0)
			continue;
		q->found = true;
		q->lsn = m->points[k].lsn;
		break;
	}
	*stop = q->found;
	return 0;
}

/* Is the backup over before the goal? limit: for points and xids. */
static bool
ends_before(const struct head *h, const struct waypath_goal *g, uint64_t limit)
{
	switch (g->target) {
	case WAYPATH_TIME:
		return h->stop_us <= g->time_us;
	case WAYPATH_LSN:
		return h->stop_lsn <= g->lsn;
	case WAYPATH_XID:
	case WAYPATH_NAME:
		return h->stop_lsn <= limit;
	case WAYPATH_IMMEDIATE:
	case WAYPATH_LATEST:
		break;
	}
	return true;
}

static int
none_fits(const struct catalog *c, const struct head *oldest, uint32_t timeline,
    const struct waypath_goal *g, struct fault *f)
{
	char when[CLOCK_TEXT_SIZE];
	char lsn[20];

	if (c->n == 0)
		return fault_set(f, FAULT_CONFIG,
		    "the repository holds no finished backup of this cluster "
		    "(%zu unfinished): run basebackup-ship first",
		    c->unfinished);
	if (oldest == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "no backup leads to timeline %u: give --target-timeline "
		    "%u, the newest backup's own",
		    timeline, c->backups[c->n - 1].head.timeline);
	clock_format(oldest->stop_us, when);
	text_format_lsn(oldest->stop_lsn, lsn);
	return fault_set(f, FAULT_CONFIG,
	    "no backup on the way to timeline %u ended before the %s: the "
	    "oldest is %s, and nothing before its end, %s (LSN %s), can be "
	    "restored",
	    timeline,
	    g->target == WAYPATH_XID    ? "target transaction"
	    : g->target == WAYPATH_NAME ? "target point"
					: "target",
	    oldest->id, when, lsn);
}

/* The scan ended at an absent segment: is there more behind it? */
static int
check_no_hole(struct repo *r, const struct history *h, uint32_t segment_size,
    const struct walscan_segment *s, const struct deadline *d, struct fault *f)
{
	uint32_t timeline = h->entry[h->n - 1].timeline;
	char later[WALNAME_SIZE];
	int rc;

	rc = walscan_later(r, timeline, s->timeline == timeline ? s->segno : 0,
	    segment_size, later, d, f);
	if (rc == 0 && later[0] != '\0')
		return fault_set(f, FAULT_ABSENT,
		    "%s is not in the archive although %s is: the target, if "
		    "it lies behind it, cannot be reached",
		    s->name, later);
	return rc;
}

/* Pruning by tiers leaves old backups alone with the WAL that makes them
 * consistent: where the WAL goes on, behind segno, there is a backup again. */
static const struct head *
next_stretch(const struct catalog *c, const struct history *h, uint64_t segno)
{
	const struct head *next = NULL;
	size_t k;

	for (k = 0; k < c->n; k++) {
		const struct head *b = &c->backups[k].head;

		if (history_reaches(h, b->timeline, b->stop_lsn) &&
		    walname_segno_of(b->start_lsn, b->segment_size) > segno &&
		    (next == NULL || b->start_lsn < next->start_lsn))
			next = b;
	}
	return next;
}

static int
not_found(const struct waypath_goal *g, const struct head *oldest,
    const char *missing, struct fault *f)
{
	char but[80] = "";

	if (missing[0] != '\0')
		snprintf(but, sizeof but,
		    "; WAL is missing behind it, from %s on", missing);
	if (g->target == WAYPATH_NAME)
		return fault_set(f, FAULT_CONFIG,
		    "no restore point '%s' is in the archive after the oldest "
		    "backup, %s%s",
		    g->name, oldest->id, but);
	return fault_set(f, FAULT_CONFIG,
	    "transaction %u does not end in the archive after the oldest "
	    "backup, %s%s",
	    g->xid, oldest->id, but);
}

/* Where the point or xid first shows, from the oldest usable backup on. */
static int
find_limit(struct repo *r, const struct catalog *c, const struct head *oldest,
    const struct history *h, const struct waypath_goal *g, uint64_t *limit,
    const struct deadline *d, struct fault *f)
{
	const struct head *from = oldest;
	char missing[WALNAME_SIZE] = "";
	struct search q = {.goal = g};
	int rc;

	while ((rc = walscan_run(r, h, from->segment_size,
		    walname_segno_of(from->start_lsn, from->segment_size),
		    look_for, &q, d, f)) == 0 &&
	       !q.found && (from = next_stretch(c, h, q.last.segno)) != NULL)
		if (missing[0] == '\0')
			memcpy(missing, q.last.name, sizeof missing);
	if (rc == 0 && !q.found)
		rc = check_no_hole(r, h, oldest->segment_size, &q.last, d, f);
	if (rc != 0)
		return rc;
	if (!q.found)
		return not_found(g, oldest, missing, f);
	*limit = q.lsn;
	return 0;
}

/* Of the backups on the way the oldest, and the newest that ends in time. */
static void
pick(const struct catalog *c, const struct history *h,
    const struct waypath_goal *g, uint64_t limit, const struct head **oldest,
    const struct catalog_backup **best)
{
	size_t k;

	*oldest = NULL;
	*best = NULL;
	for (k = 0; k < c->n; k++) {
		const struct head *b = &c->backups[k].head;

		if (!history_reaches(h, b->timeline, b->stop_lsn))
			continue;
		if (*oldest == NULL)
			*oldest = b;
		if (ends_before(b, g, limit))
			*best = &c->backups[k];
	}
}

int
waychoice_pick(struct repo *r, const struct catalog *c,
    const struct waypath_goal *g, const struct catalog_backup **out,
    uint32_t *timeline, const struct deadline *d, struct fault *f)
{
	const struct head *oldest;
	const struct catalog_backup *best;
	struct history h = {NULL, 0};
	uint64_t limit = 0;
	uint32_t floor = 1;
	size_t k;
	int rc;

	if (c->n == 0)
		return none_fits(c, NULL, 0, g, f);
	for (k = 0; k < c->n; k++)
		if (c->backups[k].head.timeline > floor)
			floor = c->backups[k].head.timeline;
	rc = timeline_resolve(r, g->timeline, NULL, floor,
	    c->backups[c->n - 1].head.segment_size, &h, d, f);
	if (rc != 0)
		return rc;
	pick(c, &h, g, limit, &oldest, &best);
	if (oldest != NULL &&
	    (g->target == WAYPATH_XID || g->target == WAYPATH_NAME)) {
		rc = find_limit(r, c, oldest, &h, g, &limit, d, f);
		pick(c, &h, g, limit, &oldest, &best);
	}
	if (rc == 0 && best == NULL)
		rc = none_fits(c, oldest, h.entry[h.n - 1].timeline, g, f);
	if (rc == 0) {
		*out = best;
		*timeline = h.entry[h.n - 1].timeline;
	}
	history_free(&h);
	return rc;
}

void
waychoice_add_next(struct repo *r, const struct catalog *c,
    const struct waypath_goal *g, const struct deadline *d, struct fault *f)
{
	const struct waypath_goal end = {
	    .target = WAYPATH_IMMEDIATE, .timeline = g->timeline};
	struct fault before = *f, ignored = FAULT_INIT;
	char when[CLOCK_TEXT_SIZE], lsn[20];
	struct waypath w;
	size_t k;

	if (g->target != WAYPATH_TIME && g->target != WAYPATH_LSN)
		return;
	for (k = 0; k < c->n; k++) {
		const struct head *b = &c->backups[k].head;

		if (ends_before(b, g, 0) ||
		    waypath_find(r, b, &end, &w, d, &ignored) != 0)
			continue;
		waypath_free(&w);
		clock_format(b->stop_us, when);
		text_format_lsn(b->stop_lsn, lsn);
		fault_set(f, before.code,
		    "%s; what can be restored next is the end of backup %s, %s "
		    "(LSN %s)",
		    before.text, b->id, when, lsn);
		return;
	}
}
