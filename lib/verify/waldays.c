#include "waldays.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define DAY_US (86400 * INT64_C(1000000))
#define LAST_DAY 84005 /* 2199-12-31 */

static int
compare(
    const struct waldays_one *a, uint32_t timeline, uint32_t log, uint32_t seg)
{
	if (a->timeline != timeline)
		return a->timeline < timeline ? -1 : 1;
	if (a->log != log)
		return a->log < log ? -1 : 1;
	return (a->seg > seg) - (a->seg < seg);
}

static int
by_name(const void *a, const void *b)
{
	const struct waldays_one *y = b;

	return compare(a, y->timeline, y->log, y->seg);
}

void
waldays_sort(struct waldays_one *x, size_t n)
{
	if (n > 1)
		qsort(x, n, sizeof *x, by_name);
}

static struct waldays_one *
find(struct waldays_one *x, size_t n, const struct walmeta_push *p)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = compare(&x[mid], p->timeline, p->log, p->seg);

		if (c == 0)
			return &x[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

void
waldays_header(struct waldays_one *x, size_t n, struct waldays_one *own,
    const struct walmeta *m)
{
	if (own != NULL) {
		own->read = true;
		own->size = m->size;
		own->pushed_us = m->pushed_us;
		own->first_commit_us = m->summary.first_commit_us;
		own->last_commit_us = m->summary.last_commit_us;
	}
	for (size_t i = 0; i < m->n_pushes; i++) {
		const struct walmeta_push *p = &m->pushes[i];
		struct waldays_one *of = find(x, n, p);

		if (of == NULL ||
		    (of->known && of->push.durable_us <= p->durable_us))
			continue;
		of->known = true;
		of->push = *p;
	}
}

/* ---- the sum ---- */

static void
name_of(const struct waldays_one *x, char out[WALDAYS_NAME])
{
	snprintf(out, WALDAYS_NAME, "%08" PRIX32 "%08" PRIX32 "%08" PRIX32,
	    x->timeline, x->log, x->seg);
}

static void
stretch(struct waldays_span *s, int64_t ms, const struct waldays_one *x)
{
	if (ms <= s->ms)
		return;
	s->ms = ms;
	name_of(x, s->of);
}

/* A clock that was set in between makes no sense of it: -1. */
static int64_t
since(int64_t from_us, const struct waldays_one *x)
{
	if (from_us == CLOCK_NONE || from_us > x->push.durable_us ||
	    from_us < 0)
		return -1;
	return (x->push.durable_us - from_us) / 1000;
}

static int64_t
took(const struct waldays_one *x)
{
	if (x->push.duration_ms != WALMETA_UNKNOWN)
		return x->push.duration_ms;
	return x->read ? since(x->pushed_us, x) : -1;
}

static void
add_known(struct waldays_sum *s, const struct waldays_one *x)
{
	uint32_t held = 0;

	for (uint32_t m = x->push.held; m != 0; m &= m - 1)
		held++;
	s->partly += held < x->push.asked;
	s->drained += (x->push.flags & WALMETA_DRAINED) != 0;
	stretch(&s->longest, took(x), x);
	if (!x->read)
		return;
	stretch(&s->lag, since(x->last_commit_us, x), x);
	stretch(&s->loss, since(x->first_commit_us, x), x);
}

static int
by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
waldays_sum(const struct waldays_one *x, size_t n, struct waldays_sum *out,
    struct fault *f)
{
	struct waldays_sum s = {.segments = n,
	    .median_ms = -1,
	    .longest = {-1, ""},
	    .lag = {-1, ""},
	    .loss = {-1, ""}};
	int64_t *ms = calloc(n + 1, sizeof *ms);
	size_t k = 0;

	if (ms == NULL)
		return fault_nomem(f);
	for (size_t i = 0; i < n; i++) {
		s.bytes += x[i].size;
		s.stored += x[i].stored;
		if (!x[i].known) {
			s.unknown++;
			continue;
		}
		add_known(&s, &x[i]);
		if (took(&x[i]) >= 0)
			ms[k++] = took(&x[i]);
	}
	if (n > 0) {
		name_of(&x[0], s.first);
		name_of(&x[n - 1], s.last);
	}
	if (k > 0) {
		qsort(ms, k, sizeof *ms, by_number);
		s.median_ms = ms[k / 2];
	}
	free(ms);
	*out = s;
	return 0;
}

/* ---- days ---- */

void
waldays_text(int64_t day, char out[11])
{
	char iso[CLOCK_TEXT_SIZE];

	clock_format_iso(day * DAY_US, iso);
	snprintf(out, 11, "%.10s", iso);
}

int64_t
waldays_day(const char *text)
{
	struct fault ignored = FAULT_INIT;
	char iso[32], again[11];
	int64_t us, day;

	if (strlen(text) != 10)
		return -1;
	snprintf(iso, sizeof iso, "%sT00:00:00Z", text);
	if (clock_parse(iso, &us, NULL, &ignored) != 0 || us < 0)
		return -1;
	day = us / DAY_US;
	if (day > LAST_DAY)
		return -1;
	waldays_text(day, again);
	return strcmp(text, again) == 0 ? day : -1;
}

static int
put_span(struct json *j, const char *ms, const char *of,
    const struct waldays_span *s, struct fault *f)
{
	int rc;

	if (s->ms < 0)
		return 0;
	rc = json_put_i64(j, ms, s->ms, f);
	return rc != 0 ? rc : json_put_str(j, of, s->of, f);
}

int
waldays_put(
    struct json *j, int64_t day, const struct waldays_sum *s, struct fault *f)
{
	char text[11];
	int rc;

	waldays_text(day, text);
	(void)((rc = json_put_str(j, "day", text, f)) ||
	       (rc = json_put_u64(j, "segments", s->segments, f)) ||
	       (rc = json_put_u64(j, "bytes", s->bytes, f)) ||
	       (rc = json_put_u64(j, "stored", s->stored, f)) ||
	       (rc = json_put_str(j, "first", s->first, f)) ||
	       (rc = json_put_str(j, "last", s->last, f)) ||
	       (rc = json_put_u64(j, "unknown", s->unknown, f)) ||
	       (rc = json_put_u64(j, "partly", s->partly, f)) ||
	       (rc = json_put_u64(j, "drained", s->drained, f)) ||
	       (s->median_ms >= 0 &&
		   (rc = json_put_i64(j, "median_ms", s->median_ms, f))) ||
	       (rc = put_span(j, "longest_ms", "longest_of", &s->longest, f)) ||
	       (rc = put_span(j, "lag_ms", "lag_of", &s->lag, f)) ||
	       (rc = put_span(j, "loss_ms", "loss_of", &s->loss, f)));
	return rc;
}
