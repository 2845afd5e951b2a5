#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "text.h"
#include "verify.h"
#include "who.h"

static int
put_who(struct json *j, struct fault *f)
{
	struct who w;
	int rc;

	who_read(&w);
	if ((rc = json_put_str(j, "host", w.host, f)) != 0)
		return rc;
	return json_put_str(j, "user", w.user, f);
}

static int
put_run(const struct verify *v, struct json *j, struct fault *f)
{
	const struct verify_run *o = v->run;
	char share[16];
	struct json *list;
	int rc;

	snprintf(share, sizeof share, "%u.%02u", o->lottery.share / 100,
	    o->lottery.share % 100);
	if ((rc = json_put_str(j, "sample_percent", share, f)) != 0 ||
	    (rc = json_put_u64(j, "seed", o->lottery.seed, f)) != 0 ||
	    (rc = json_put_bool(j, "wal_only", o->wal, f)) != 0 ||
	    (rc = json_put_str(
		 j, "since", o->since_last ? v->last.id : "", f)) != 0 ||
	    (rc = json_put_array(j, "only_backups", &list, f)) != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < o->n_backups; i++)
		rc = json_append_str(list, o->backups[i], f);
	return rc;
}

/* ---- lists ---- */

/* Element i at the end of list, or nothing. */
typedef int put_element(
    const struct verify *v, size_t i, struct json *list, struct fault *f);

static int
put_list(const struct verify *v, struct json *j, const char *name, size_t n,
    put_element *put, struct fault *f)
{
	struct json *list;
	int rc = json_put_array(j, name, &list, f);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = put(v, i, list, f);
	return rc;
}

static int
put_span(const struct verify *v, size_t i, struct json *list, struct fault *f)
{
	const struct verify_span *s = &v->spans[i];
	uint32_t size = v->gather.in.segment_size;
	char first[WALNAME_SIZE], last[WALNAME_SIZE];
	uint64_t segments = s->last - s->first + 1;
	struct json *x;
	int rc;

	walname_format(s->timeline, s->first, size, first);
	walname_format(s->timeline, s->last, size, last);
	if ((rc = json_append_object(list, &x, f)) != 0 ||
	    (rc = json_put_i64(x, "timeline", s->timeline, f)) != 0 ||
	    (rc = json_put_str(x, "first", first, f)) != 0 ||
	    (rc = json_put_str(x, "last", last, f)) != 0 ||
	    (rc = json_put_u64(x, "segments", segments, f)) != 0 ||
	    (rc = json_put_u64(x, "content_read", s->read, f)) != 0 ||
	    (rc = json_put_u64(x, "header_read", s->looked, f)) != 0)
		return rc;
	return json_put_u64(x, "read_before", s->skipped, f);
}

static int
put_backup(const struct verify *v, size_t i, struct json *list, struct fault *f)
{
	const struct verify_backup *b = &v->backups[i];
	const struct head *h = &v->gather.heads[i];
	struct json *x;
	int rc;

	if (b->gone)
		return 0;
	if ((rc = json_append_object(list, &x, f)) != 0 ||
	    (rc = json_put_str(x, "id", h->id, f)) != 0 ||
	    (rc = json_put_bool(x, "content_read", b->read, f)) != 0 ||
	    (rc = json_put_bool(x, "read_before", b->skipped, f)) != 0 ||
	    (rc = json_put_u64(x, "extents", h->totals.extents, f)) != 0 ||
	    (rc = json_put_u64(x, "extents_read", b->extents, f)) != 0 ||
	    (rc = json_put_u64(x, "bytes_read", b->bytes, f)) != 0)
		return rc;
	return json_put_bool(x, "restorable", b->usable, f);
}

static int
put_found(const struct verify_finding *y, struct json *list, struct fault *f)
{
	struct json *x;
	int rc;

	if ((rc = json_append_object(list, &x, f)) != 0 ||
	    (rc = json_put_str(x, "object", y->object, f)) != 0 ||
	    (rc = json_put_str(x, "problem", y->problem, f)) != 0)
		return rc;
	return json_put_str(x, "meaning", y->meaning, f);
}

static int
put_finding(
    const struct verify *v, size_t i, struct json *list, struct fault *f)
{
	const struct verify_finding *y = &v->findings[i];

	return y->hurts ? put_found(y, list, f) : 0;
}

static int
put_note(const struct verify *v, size_t i, struct json *list, struct fault *f)
{
	const struct verify_finding *y = &v->findings[i];

	return y->hurts ? 0 : put_found(y, list, f);
}

static int
put_window(const struct verify *v, size_t i, struct json *list, struct fault *f)
{
	const struct retain_window *w = &v->windows[i];
	const struct head *h = &v->gather.heads[w->backup];
	struct json *x;
	int rc;

	if ((rc = json_append_object(list, &x, f)) != 0 ||
	    (rc = json_put_i64(x, "timeline", w->timeline, f)) != 0 ||
	    (rc = json_put_str(x, "backup", h->id, f)) != 0 ||
	    (rc = json_put_time(x, "from", h->stop_us, f)) != 0 ||
	    (rc = json_put_time(x, "to", v->window_ends[i], f)) != 0 ||
	    (rc = json_put_i64(x, "from_us", h->stop_us, f)) != 0)
		return rc;
	return json_put_i64(x, "to_us", v->window_ends[i], f);
}

static int
put_head(const struct verify *v, size_t i, struct json *list, struct fault *f)
{
	const struct audit_head *h = &v->heads[i];
	struct json *x;
	int rc;

	if ((rc = json_append_object(list, &x, f)) != 0 ||
	    (rc = json_put_str(x, "writer", h->writer, f)) != 0 ||
	    (rc = json_put_u64(x, "sequence", h->sequence, f)) != 0)
		return rc;
	return json_put_hex(x, "hash", h->hash, AUDIT_HASH, f);
}

static int
put_day(const struct verify *v, size_t i, struct json *list, struct fault *f)
{
	struct json *x;
	int rc = json_append_object(list, &x, f);

	return rc != 0 ? rc
		       : waldays_put(x, v->days[i].day, &v->days[i].sum, f);
}

static int
put_lists(const struct verify *v, struct json *j, struct fault *f)
{
	const struct {
		const char *name;
		size_t n;
		put_element *put;
	} lists[] = {
	    {"wal", v->n_spans, put_span},
	    {"backups", v->gather.n_heads, put_backup},
	    {"findings", v->n_findings, put_finding},
	    {"notes", v->n_findings, put_note},
	    {"windows", v->n_windows, put_window},
	    {"audit", v->n_heads, put_head},
	    {"wal_days", v->n_days, put_day},
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof lists / sizeof lists[0]; i++)
		rc = put_list(v, j, lists[i].name, lists[i].n, lists[i].put, f);
	return rc;
}

int
result_put(const struct verify *v, struct json *j, struct fault *f)
{
	int64_t now_us = clock_now_us();
	int rc;

	if ((rc = json_put_i64(j, "format", 1, f)) != 0 ||
	    (rc = json_put_str(j, "id", v->id, f)) != 0 ||
	    (rc = json_put_str(j, "version", PITRKIT_VERSION, f)) != 0 ||
	    (rc = json_put_str(j, "cluster", repo_cluster(v->repo), f)) != 0 ||
	    (rc = json_put_u64(j, "system_id", repo_system_id(v->repo), f)) !=
		0 ||
	    (rc = json_put_str(j, "repo", v->only.repos[0]->name, f)) != 0 ||
	    (rc = json_put_str(j, "url", store_url(v->store), f)) != 0 ||
	    (rc = put_who(j, f)) != 0 ||
	    (rc = json_put_time(j, "begun", v->begun_us, f)) != 0 ||
	    (rc = json_put_time(j, "ended", now_us, f)) != 0 ||
	    (rc = json_put_i64(j, "begun_us", v->begun_us, f)) != 0 ||
	    (rc = json_put_i64(j, "ended_us", now_us, f)) != 0 ||
	    (rc = json_put_i64(j, "duration_ms",
		 clock_monotonic_ms() - v->begun_ms, f)) != 0 ||
	    (rc = json_put_u64(j, "stored_read", v->stored, f)) != 0 ||
	    (rc = json_put_bool(j, "clean", !v->hurt, f)) != 0 ||
	    (rc = json_put_u64(j, "findings_not_listed", v->more, f)) != 0 ||
	    (rc = put_run(v, j, f)) != 0)
		return rc;
	return put_lists(v, j, f);
}

int
result_put_failed(const struct verify *v, const char *repo,
    const struct fault *why, struct json *j, struct fault *f)
{
	int rc;

	if ((rc = json_put_str(j, "repo", repo, f)) != 0 ||
	    (rc = json_put_bool(j, "clean", false, f)) != 0 ||
	    (rc = json_put_u64(j, "findings_not_listed", v->more, f)) != 0 ||
	    (rc = put_list(v, j, "findings", v->n_findings, put_finding, f)) !=
		0 ||
	    (rc = put_list(v, j, "notes", v->n_findings, put_note, f)) != 0)
		return rc;
	return json_put_str(j, "failed", why->text, f);
}

/* ---- the record ---- */

/* What is known to have been read whole, by this run or one before. */
static int
put_read(const struct verify *v, struct json *j, struct fault *f)
{
	const struct gather *g = &v->gather;
	struct blocks_mark *wal = calloc(v->blocks.n + 1, sizeof *wal);
	struct evidence_backup *b = calloc(g->n_heads + 1, sizeof *b);
	size_t n_wal = 0, n = 0;
	int rc = wal == NULL || b == NULL ? fault_nomem(f) : 0;

	for (size_t i = 0; rc == 0 && i < v->blocks.n; i++)
		n_wal +=
		    blocks_mark_of(&v->blocks.b[i], v->begun_us, &wal[n_wal]);
	for (size_t i = 0; rc == 0 && i < g->n_heads; i++) {
		const struct verify_backup *own = &v->backups[i];
		const struct gather_folder *d = gather_find(g, g->heads[i].id);
		const struct evidence_backup *e =
		    evidence_find(&v->last, g->heads[i].id);
		bool now = own->read && own->usable && !own->frozen &&
			   v->run->lottery.share == LOTTERY_ALL;

		struct evidence_backup x = {
		    .objects = d->objects, .read_us = now ? v->begun_us : 0};

		memcpy(x.id, g->heads[i].id, sizeof x.id);
		memcpy(x.sum, v->folders[d - g->folders].sum, BLOCKS_SUM);
		if (own->read && !own->usable)
			continue;
		if (!now && e != NULL && e->objects == x.objects &&
		    memcmp(e->sum, x.sum, BLOCKS_SUM) == 0)
			x.read_us = e->read_us;
		if (x.read_us != 0)
			b[n++] = x;
	}
	if (rc == 0)
		rc = evidence_put(j, wal, n_wal, b, n, f);
	free(wal);
	free(b);
	return rc;
}

int
result_record(struct verify *v, struct fault *f)
{
	struct json *j;
	int rc = json_new(&j, f);

	if (rc != 0)
		return rc;
	if ((rc = result_put(v, j, f)) == 0 &&
	    (rc = prunes_put(v, j, f)) == 0 &&
	    (rc = ledger_put(&v->ledger, v->begun_us, j, f)) == 0 &&
	    (rc = tails_put(v, j, f)) == 0 &&
	    (rc = reports_put(v, j, f)) == 0 && (rc = days_put(v, j, f)) == 0 &&
	    (rc = put_read(v, j, f)) == 0)
		rc = evidence_store(v->repo, 0, v->id, j, v->own_hash, f);
	v->stored_own = rc == 0;
	json_free(j);
	return rc;
}

void
result_say(const struct verify *v)
{
	uint64_t segments = 0, read = 0;
	size_t backups = 0;
	char stored[16], took[24];

	for (size_t i = 0; i < v->n_spans; i++) {
		segments += v->spans[i].last - v->spans[i].first + 1;
		read += v->spans[i].read;
	}
	for (size_t i = 0; i < v->gather.n_heads; i++)
		backups += v->backups[i].read;
	text_human_size(v->stored, stored);
	text_human_duration(clock_monotonic_ms() - v->begun_ms, took);
	log_line(1,
	    "%s: %zu of %zu backups and %" PRIu64 " of %" PRIu64
	    " segments read, %s in %s",
	    v->only.repos[0]->name, backups, v->gather.n_heads, read, segments,
	    stored, took);
	for (size_t i = 0; i < v->n_windows; i++) {
		char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];

		clock_format(
		    v->gather.heads[v->windows[i].backup].stop_us, from);
		clock_format(v->window_ends[i], to);
		log_line(1, "%s: timeline %u: from %s to %s",
		    v->only.repos[0]->name, v->windows[i].timeline, from, to);
	}
}
