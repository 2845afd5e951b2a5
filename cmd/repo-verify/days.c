#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "audit_details.h"
#include "backupcheck.h"
#include "crew.h"
#include "log.h"
#include "text.h"
#include "verify.h"

/*
 * A record of the trail for the WAL of each day: a record of each segment would
 * cost walpush a request. What is known of a segment's push stands in the
 * headers of those behind it, so the day is summed up when these have come. A
 * host that can only write has told all it knows by then; who has the key reads
 * it.
 */

#define ACTION "wal"
/* One chain for all who verify, so that no day has two records. */
#define WRITER "wal-00000000"
#define WHY "the WAL of each day"
#define DAY_US (86400 * INT64_C(1000000))
#define HOUR_US (3600 * INT64_C(1000000))
/* Days that are further back are told of no more. */
#define DAYS_BACK 31
#define SEGMENTS_MAX 200000
/* Behind the day: among them are those that tell of its last ones. */
#define BEHIND 500
#define HANDS 16

/* What the last report knew to be done takes no room. */
void
days_begin(struct verify *v)
{
	v->came_since_us = (v->begun_us / DAY_US - DAYS_BACK) * DAY_US;
	days_recall(v);
	if ((v->day_done + 1) * DAY_US > v->came_since_us)
		v->came_since_us = (v->day_done + 1) * DAY_US;
	v->day_done = 0;
}

int
days_see(struct verify *v, const struct walname *n, uint64_t stored,
    int64_t came_us, struct fault *f)
{
	if (!v->run->record || n->kind != WALNAME_SEGMENT ||
	    came_us < v->came_since_us)
		return 0;
	/* Then the days before are summed up, and the next run goes on. */
	if (v->n_came == SEGMENTS_MAX) {
		if (v->came_more_us == 0 || came_us < v->came_more_us)
			v->came_more_us = came_us;
		return 0;
	}
	if (v->n_came == v->cap_came) {
		size_t cap = v->cap_came == 0 ? 64 : 2 * v->cap_came;
		void *grown = reallocarray(v->came, cap, sizeof *v->came);

		if (grown == NULL)
			return fault_nomem(f);
		v->came = grown;
		v->cap_came = cap;
	}
	v->came[v->n_came++] =
	    (struct verify_came){n->timeline, n->log, n->seg, came_us, stored};
	return 0;
}

/* ---- which days ---- */

int
days_take(struct verify *v, const struct audit_record *r)
{
	int64_t day;

	if (strcmp(r->action, ACTION) != 0 || r->status != 0)
		return 0;
	day = waldays_day(r->object);
	if (day > v->day_done)
		v->day_done = day;
	return 0;
}

void
days_recall(struct verify *v)
{
	struct fault ignored = FAULT_INIT;
	const char *text;
	int64_t day;

	if (v->last.all == NULL ||
	    json_get_str(v->last.all, "wal_until", &text, &ignored) != 0)
		return;
	day = waldays_day(text);
	if (day > v->day_done)
		v->day_done = day;
}

int
days_put(const struct verify *v, struct json *j, struct fault *f)
{
	char text[11];

	if (v->day_done <= 0)
		return 0;
	waldays_text(v->day_done, text);
	return json_put_str(j, "wal_until", text, f);
}

static int
take_again(void *ctx, const struct audit_record *r, struct fault *f)
{
	(void)f;
	return days_take(ctx, r);
}

static int
take_end(void *ctx, const struct audit_head *h, struct fault *f)
{
	struct verify *v = ctx;

	(void)f;
	if (strcmp(h->writer, WRITER) == 0)
		v->day_head = *h;
	return 0;
}

/* Another verification may have done it since the trail was read. */
static int
look_again(struct verify *v, struct fault *f)
{
	struct deadline d = deadline_never();
	const struct audit_check c = {.known = v->heads,
	    .n_known = v->n_heads,
	    .since_known = true,
	    .head = take_end,
	    .record = take_again,
	    .ctx = v};

	v->day_head = (struct audit_head){.writer = WRITER};
	return audit_check(v->repo, 0, &c, &d, f);
}

/* ---- one day ---- */

struct reading {
	struct verify *v;
	struct waldays_one *x; /* n of the day, then those behind it */
	size_t n;
	pthread_mutex_t lock;
	struct fault fault;
};

static void
read_header(void *ctx, size_t k, struct repo *own)
{
	struct reading *g = ctx;
	struct waldays_one *x = &g->x[k];
	struct deadline d = deadline_in_ms(repo_conf(own)->store_deadline_ms);
	struct fault f = FAULT_INIT;
	char name[WALNAME_SIZE];
	struct walmeta m;
	uint64_t stored;
	int rc;

	snprintf(name, sizeof name, "%08" PRIX32 "%08" PRIX32 "%08" PRIX32,
	    x->timeline, x->log, x->seg);
	rc = archive_look(own, 0, name, &m, &stored, &d, &f);
	pthread_mutex_lock(&g->lock);
	if (rc == 0)
		waldays_header(g->x, g->n, k < g->n ? x : NULL, &m);
	else if (!backupcheck_tells(&f) && g->fault.code == FAULT_NONE)
		g->fault = f;
	pthread_mutex_unlock(&g->lock);
}

static int
read_headers(struct verify *v, struct waldays_one *x, size_t n, size_t all,
    struct fault *f)
{
	struct reading g = {.v = v, .x = x, .n = n};
	struct crew *crew = NULL;
	int rc = crew_new(&crew, v->repo, HANDS, f);

	pthread_mutex_init(&g.lock, NULL);
	if (rc == 0)
		rc = crew_run(crew, all, read_header, &g, f);
	crew_free(crew);
	pthread_mutex_destroy(&g.lock);
	if (rc == 0 && g.fault.code != FAULT_NONE) {
		*f = g.fault;
		rc = (int)f->code;
	}
	return rc;
}

static int
by_time(const void *a, const void *b)
{
	const struct verify_came *x = a, *y = b;

	return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

/* v->came is in the order in which it came: the first that did not come before
 * that moment. */
static size_t
first_since(const struct verify *v, int64_t us)
{
	size_t low = 0, high = v->n_came;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v->came[mid].at_us < us)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int
sum_up(struct verify *v, int64_t day, struct waldays_sum *out, struct fault *f)
{
	size_t first = first_since(v, day * DAY_US);
	size_t end = first_since(v, (day + 1) * DAY_US);
	size_t n, behind;
	struct waldays_one *x;
	int rc;

	memset(out, 0, sizeof *out);
	if (end <= first)
		return 0;
	n = end - first;
	behind = v->n_came - end < BEHIND ? v->n_came - end : BEHIND;
	x = calloc(n + behind, sizeof *x);
	if (x == NULL)
		return fault_nomem(f);
	for (size_t i = 0; i < n + behind; i++) {
		const struct verify_came *c = &v->came[first + i];

		x[i] = (struct waldays_one){.timeline = c->timeline,
		    .log = c->log,
		    .seg = c->seg,
		    .stored = c->stored};
	}
	waldays_sort(x, n);
	rc = read_headers(v, x, n, n + behind, f);
	if (rc == 0)
		rc = waldays_sum(x, n, out, f);
	free(x);
	return rc;
}

/* ---- what becomes of it ---- */

static void
put_span(struct audit_details *d, struct audit_event *e, const char *ms,
    const char *of, const struct waldays_span *s)
{
	if (s->ms < 0)
		return;
	audit_details_put_u64(d, e, ms, (uint64_t)s->ms);
	audit_details_put(d, e, of, s->of);
}

static int
record(struct verify *v, struct audit *a, const char *day,
    const struct waldays_sum *s, struct fault *f)
{
	struct deadline d = deadline_in_ms(v->only.store_deadline_ms);
	struct audit_event e = AUDIT_EVENT(ACTION);
	struct audit_details x;
	int rc;

	e.object = day;
	e.objects = s->segments;
	e.bytes = s->bytes;
	e.stored = s->stored;
	audit_details_put(&x, &e, "first", s->first);
	audit_details_put(&x, &e, "last", s->last);
	audit_details_put_u64(&x, &e, "unknown", s->unknown);
	audit_details_put_u64(&x, &e, "partly", s->partly);
	audit_details_put_u64(&x, &e, "drained", s->drained);
	if (s->median_ms >= 0)
		audit_details_put_u64(
		    &x, &e, "median_ms", (uint64_t)s->median_ms);
	put_span(&x, &e, "longest_ms", "longest_of", &s->longest);
	put_span(&x, &e, "lag_ms", "lag_of", &s->lag);
	put_span(&x, &e, "loss_ms", "loss_of", &s->loss);
	rc = audit_note(a, &e, 0, NULL, &d, f);
	return rc != 0 ? fault_prefix(f, "the WAL of %s", day) : 0;
}

static void
say(const struct verify *v, const char *day, const struct waldays_sum *s)
{
	char size[16], median[24], longest[24], loss[24];

	text_human_size(s->bytes, size);
	text_human_duration(s->median_ms, median);
	text_human_duration(s->longest.ms, longest);
	text_human_duration(s->loss.ms, loss);
	log_line(1,
	    "%s: WAL of %s: %" PRIu64 " segments, %s; nothing is known of when "
	    "%" PRIu64 " became durable",
	    v->only.repos[0]->name, day, s->segments, size, s->unknown);
	if (s->median_ms >= 0)
		log_line(1,
		    "%s: WAL of %s: durable after %s (median), %s at most (%s)",
		    v->only.repos[0]->name, day, median, longest,
		    s->longest.of);
	if (s->loss.ms >= 0)
		log_line(1,
		    "%s: WAL of %s: no commit waited longer than %s for it "
		    "(%s)",
		    v->only.repos[0]->name, day, loss, s->loss.of);
}

static int
one_day(struct verify *v, struct audit *a, int64_t day, struct fault *f)
{
	struct verify_day x = {.day = day};
	char text[11];
	int rc = sum_up(v, day, &x.sum, f);

	if (rc != 0 || x.sum.segments == 0)
		return rc;
	waldays_text(day, text);
	if ((rc = record(v, a, text, &x.sum, f)) != 0)
		return rc;
	v->day_done = day;
	v->days[v->n_days++] = x;
	say(v, text, &x.sum);
	return 0;
}

/* A day is over when WAL has come behind its end, by the store's clock: that
 * tells of the last of the day, and no clock of ours ends a day too soon. For a
 * server that writes no more ours will do, a week later. */
static bool
is_over(const struct verify *v, int64_t day)
{
	const int64_t end_us = (day + 1) * DAY_US;

	if (end_us + HOUR_US > v->begun_us ||
	    (v->came_more_us != 0 && end_us > v->came_more_us))
		return false;
	return v->came[v->n_came - 1].at_us >= end_us ||
	       end_us + 7 * DAY_US <= v->begun_us;
}

int
days_run(struct verify *v, struct fault *f)
{
	struct audit *a;
	int64_t day;
	int rc;

	if (v->n_came == 0)
		return 0;
	qsort(v->came, v->n_came, sizeof *v->came, by_time);
	day = v->came[0].at_us / DAY_US;
	if (day <= v->day_done)
		day = v->day_done + 1;
	if (!is_over(v, day))
		return 0;
	if ((rc = look_again(v, f)) != 0 ||
	    (rc = audit_open_shared(
		 &a, v->repo, 0, "repo-verify", &v->day_head, WHY, f)) != 0)
		return rc;
	for (; rc == 0 && is_over(v, day); day++)
		if (day > v->day_done)
			rc = one_day(v, a, day, f);
	audit_free(a);
	/* Another verification does the same now. */
	if (rc == FAULT_EXISTS) {
		fault_clear(f);
		rc = 0;
	}
	return rc;
}
