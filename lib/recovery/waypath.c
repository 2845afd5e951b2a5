#include "waypath.h"

#include <string.h>

#include "text.h"
#include "timeline.h"
#include "walscan.h"

/* State of a walk along the archive's segments. */
struct walk {
	const struct head *head;
	const struct waypath_goal *goal;
	struct waypath *way;
	uint64_t stop_segno; /* the backup's last */
	uint64_t reached;    /* segno of the last absent or asked segment */
	uint32_t at_timeline;
	bool complete; /* nothing more is needed */
	char missing[WALNAME_SIZE];
	/* one that does not follow the one before it, and why; "" */
	char stray[WALNAME_SIZE];
	struct fault why;
	struct wal_joint edge; /* of the one before */
	/* how far the way goes if the target is the newest that may be it */
	struct waypath candidate;
	bool has_candidate;
};

static bool
names_point(const struct wal_summary *s, const char *name)
{
	uint32_t n = s->n_points < WAL_POINTS ? s->n_points : WAL_POINTS;
	uint32_t k;

	for (k = 0; k < n; k++)
		if (strcmp(s->points[k].name, name) == 0)
			return true;
	return false;
}

/* May the target lie in this segment? For a time: is it surely behind us? */
static bool
shows_target(const struct waypath_goal *g, const struct wal_summary *s)
{
	switch (g->target) {
	case WAYPATH_TIME:
		/* Recovery stops before the first commit after the target, so
		 * one has to be there; at the target itself when exclusive. */
		return s->last_commit_us != CLOCK_NONE &&
		       (g->exclusive ? s->last_commit_us >= g->time_us
				     : s->last_commit_us > g->time_us);
	case WAYPATH_LSN:
		return s->end_lsn > g->lsn;
	case WAYPATH_XID:
		return s->xid_min != 0 && s->xid_min <= g->xid &&
		       g->xid <= s->xid_max;
	case WAYPATH_NAME:
		return names_point(s, g->name);
	case WAYPATH_IMMEDIATE:
	case WAYPATH_LATEST:
		break;
	}
	return false;
}

/* After the segment in which the target shows: must recovery see more? */
static bool
is_complete(const struct walk *k, const struct walscan_segment *s, bool shown)
{
	if (s->segno < k->stop_segno)
		return false;
	switch (k->goal->target) {
	case WAYPATH_IMMEDIATE:
		return true;
	case WAYPATH_TIME:
	case WAYPATH_NAME:
		return shown;
	case WAYPATH_LSN:
		/* The record that starts at the LSN or after it may be the
		 * next segment's first. */
		return shown && s->segno > walname_segno_of(k->goal->lsn,
					       k->way->segment_size);
	case WAYPATH_XID:    /* a later one may show it too */
	case WAYPATH_LATEST: /* there is always more */
		break;
	}
	return false;
}

static void
add_segment(struct waypath *w, const struct walscan_segment *s)
{
	const struct wal_summary *m = &s->meta.summary;

	w->segments++;
	w->wal_stored += s->stored;
	w->wal_size += s->meta.size;
	w->last_segno = s->segno;
	memcpy(w->last_name, s->name, sizeof w->last_name);
	w->end_lsn = m->end_lsn;
	if (m->last_commit_us != CLOCK_NONE &&
	    (w->last_commit_us == CLOCK_NONE ||
		m->last_commit_us > w->last_commit_us))
		w->last_commit_us = m->last_commit_us;
}

static int
take_segment(
    void *ctx, const struct walscan_segment *s, bool *stop, struct fault *f)
{
	struct walk *k = ctx;
	bool shown;

	(void)f;
	k->reached = s->segno;
	k->at_timeline = s->timeline;
	if (!s->present) {
		memcpy(k->missing, s->name, sizeof k->missing);
		return 0;
	}
	if (wal_joint_check(&k->edge, &s->meta.summary.joint, &k->why) != 0) {
		memcpy(k->stray, s->name, sizeof k->stray);
		*stop = true;
		return 0;
	}
	k->edge = s->meta.summary.joint;
	add_segment(k->way, s);
	shown = shows_target(k->goal, &s->meta.summary);
	if (shown) {
		k->way->target_seen = true;
		k->candidate = *k->way;
		k->has_candidate = true;
	}
	k->complete = is_complete(k, s, shown);
	*stop = k->complete;
	return 0;
}

/* The goal against the backup alone. */
static int
check_goal(const struct head *h, const struct waypath_goal *g, struct fault *f)
{
	char want[CLOCK_TEXT_SIZE];
	char have[CLOCK_TEXT_SIZE];
	char want_lsn[20];
	char have_lsn[20];

	if (g->target == WAYPATH_TIME && g->time_us < h->stop_us) {
		clock_format(g->time_us, want);
		clock_format(h->stop_us, have);
		return fault_set(f, FAULT_CONFIG,
		    "backup %s ended at %s, after the target %s: choose an "
		    "older backup",
		    h->id, have, want);
	}
	if (g->target == WAYPATH_LSN && g->lsn < h->stop_lsn) {
		text_format_lsn(g->lsn, want_lsn);
		text_format_lsn(h->stop_lsn, have_lsn);
		return fault_set(f, FAULT_CONFIG,
		    "backup %s ended at LSN %s, after the target %s: choose "
		    "an older backup",
		    h->id, have_lsn, want_lsn);
	}
	return 0;
}

static int
no_target(const struct walk *k, struct fault *f)
{
	const struct waypath *w = k->way;
	char last[CLOCK_TEXT_SIZE] = "none";
	char end[20];

	if (w->last_commit_us != CLOCK_NONE)
		clock_format(w->last_commit_us, last);
	text_format_lsn(w->end_lsn, end);
	return fault_set(f, FAULT_CONFIG,
	    "the target is not in the archive: timeline %u goes to LSN %s, its "
	    "newest commit is %s; without a target the newest state is "
	    "restored",
	    w->timeline, end, last);
}

static bool
is_consistent(const struct walk *k)
{
	return k->way->segments > 0 && k->way->last_segno >= k->stop_segno;
}

/* The newest moment on the way so far. */
static void
format_last(const struct walk *k, char last[CLOCK_TEXT_SIZE])
{
	int64_t us = k->way->last_commit_us;

	clock_format(
	    us != CLOCK_NONE && us > k->head->stop_us ? us : k->head->stop_us,
	    last);
}

/* PostgreSQL would take it for the end of the WAL, and promote there. */
static int
judge_stray(
    struct repo *r, const struct walk *k, const char *last, struct fault *f)
{
	bool consistent = is_consistent(k);

	return fault_set(f, FAULT_ABSENT,
	    "%s does not go on where %s ends, as if another server had written "
	    "it (%s): %s%s %s%s%s",
	    k->stray, k->way->last_name, k->why.text,
	    consistent ? "nothing after " : "backup ",
	    consistent ? last : k->head->id,
	    consistent ? "can be reached from backup "
		       : "cannot be made consistent; choose another backup",
	    consistent ? k->head->id : "",
	    repo_count(r) > 1 ? "; --repo asks one repository alone" : "");
}

#define BEFORE "; give a target before that, as with --target-time"

/* The scan came to a segment that does not open. */
static int
name_way_out(const struct walk *k, struct fault *f)
{
	const struct fault why = *f;
	char last[CLOCK_TEXT_SIZE];

	if (!is_consistent(k))
		return fault_set(f, why.code,
		    "%s; backup %s cannot be made consistent without it: "
		    "choose another backup",
		    why.text, k->head->id);
	format_last(k, last);
	return fault_set(f, why.code,
	    "%s; nothing after %s can be reached from backup %s" BEFORE,
	    why.text, last, k->head->id);
}

/* The scan came to an absent segment. Is that the end, or a hole? */
static int
judge_end(
    struct repo *r, struct walk *k, const struct deadline *d, struct fault *f)
{
	struct waypath *w = k->way;
	char later[WALNAME_SIZE] = "";
	char last[CLOCK_TEXT_SIZE];
	int rc;

	format_last(k, last);
	if (k->stray[0] != '\0')
		return judge_stray(r, k, last, f);
	if (!is_consistent(k))
		return fault_set(f, FAULT_ABSENT,
		    "%s is not in the archive: backup %s cannot be made "
		    "consistent without it; choose another backup",
		    k->missing, k->head->id);
	if (k->at_timeline != w->timeline)
		return fault_set(f, FAULT_ABSENT,
		    "%s is not in the archive: nothing after %s can be "
		    "reached, timeline %u neither" BEFORE,
		    k->missing, last, w->timeline);
	/* PostgreSQL would take the older timeline's segment instead, and
	 * replay beyond the fork what never was on this timeline. */
	if (w->history.n > 1 &&
	    k->reached ==
		walname_segno_of(
		    w->history.entry[w->history.n - 1].begin, w->segment_size))
		return fault_set(f, FAULT_ABSENT,
		    "%s, with which timeline %u begins, is not in the archive: "
		    "give --target-timeline %u, or wait until it is archived",
		    k->missing, w->timeline,
		    w->history.entry[w->history.n - 2].timeline);
	rc = walscan_later(
	    r, w->timeline, k->reached, w->segment_size, later, d, f);
	if (rc != 0)
		return rc;
	if (later[0] != '\0')
		return fault_set(f, FAULT_ABSENT,
		    "%s is not in the archive although %s is: nothing after "
		    "%s can be reached from backup %s" BEFORE,
		    k->missing, later, last, k->head->id);
	return 0;
}

/* What the walk found, as the answer to the goal. */
static int
conclude(
    struct repo *r, struct walk *k, const struct deadline *d, struct fault *f)
{
	int rc;

	if (!k->complete && !k->has_candidate) {
		rc = judge_end(r, k, d, f);
		if (rc != 0)
			return rc;
		if (k->goal->target != WAYPATH_LATEST)
			return no_target(k, f);
		k->way->target_seen = true;
	}
	/* What was read beyond the last segment that may hold the target is
	 * not needed. */
	if (!k->complete && k->has_candidate) {
		*k->way = k->candidate;
		if (!is_consistent(k))
			return judge_end(r, k, d, f);
	}
	return 0;
}

int
waypath_find(struct repo *r, const struct head *h, const struct waypath_goal *g,
    struct waypath *out, const struct deadline *d, struct fault *f)
{
	struct waypath w = {
	    .segment_size = h->segment_size,
	    .last_commit_us = CLOCK_NONE,
	    .target_seen = g->target == WAYPATH_IMMEDIATE,
	};
	struct walk k = {.head = h, .goal = g, .way = &w};
	int rc;

	rc = check_goal(h, g, f);
	if (rc == 0)
		rc = timeline_resolve(r, g->timeline, h, h->timeline,
		    h->segment_size, &w.history, d, f);
	if (rc != 0)
		return rc;
	w.timeline = w.history.entry[w.history.n - 1].timeline;
	w.first_segno = walname_segno_of(h->start_lsn, h->segment_size);
	k.stop_segno = walname_segno_before(h->stop_lsn, h->segment_size);
	rc = walscan_run(r, &w.history, h->segment_size, w.first_segno,
	    take_segment, &k, d, f);
	if (rc == FAULT_CORRUPT || rc == FAULT_KEY)
		rc = name_way_out(&k, f);
	if (rc == 0)
		rc = conclude(r, &k, d, f);
	if (rc != 0) {
		history_free(&w.history);
		return rc;
	}
	*out = w;
	return 0;
}

void
waypath_free(struct waypath *w)
{
	history_free(&w->history);
}
