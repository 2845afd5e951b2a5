#include <stdlib.h>
#include <string.h>

#include "backupcheck.h"
#include "gang.h"
#include "verify.h"

/* WAL that is listed, read by content: all of it, a sample, or what was not
 * read before. */

struct wal_task {
	struct gang_task task;
	struct verify *v;
	struct verify_span *span; /* NULL: no segment */
	char name[WALNAME_SIZE];
	struct walname walname;
	uint64_t segno;
	bool whole;
	struct joints_border *before, *after;
};

/* ---- one WAL object ---- */

static int
note_damage(struct verify *v, const struct wal_task *t, const struct fault *why,
    struct fault *f)
{
	bool absent = why->code == FAULT_ABSENT;
	const struct verify_damage x = {
	    .where = {t->walname.timeline, t->segno, t->segno},
	    .absent = absent};

	return damage_add(v, &x, absent ? "is missing" : why->text, f);
}

static int
note_wal(struct wal_task *t, const struct walcheck_result *r,
    const struct fault *why, struct fault *f)
{
	struct verify *v = t->v;
	struct blocks_one *b = blocks_find(&v->blocks, &t->walname);
	bool segment = t->walname.kind == WALNAME_SEGMENT;
	int rc = 0;

	pthread_mutex_lock(&v->lock);
	if (why == NULL && t->whole) {
		v->stored += r->stored;
		/* One that ends early is read again: whether that is right,
		 * what follows it tells. */
		if (!r->full && segment)
			rc = damage_end(v, t->walname.timeline, t->segno, f);
		else if (b != NULL)
			b->done++;
	}
	if (why == NULL && t->span != NULL) {
		t->span->read += t->whole;
		t->span->looked += !t->whole;
	}
	if (why != NULL && b != NULL && blocks_was_read(b, &t->walname))
		b->known = NULL;
	if (why != NULL && segment)
		rc = note_damage(v, t, why, f);
	pthread_mutex_unlock(&v->lock);
	return rc;
}

static int
run_wal(struct gang_task *task, struct gang_hand *h, struct fault *f)
{
	struct wal_task *t = (struct wal_task *)task;
	struct walcheck_result r;
	struct fault why;
	char key[LAYOUT_KEY];
	int rc = t->whole ? walcheck_read(h->wal, t->name, &r, f)
			  : walcheck_look(h->wal, t->name, &r, f);

	if (rc == 0) {
		progress_add(t->v->bar, r.stored);
		rc = note_wal(t, &r, NULL, f);
		return rc != 0 || t->span == NULL
			   ? rc
			   : joints_meet(t->v, t->before, t->after,
				 &r.meta.summary.joint, f);
	}
	if (!backupcheck_tells(f))
		return rc;
	why = *f;
	fault_clear(f);
	rc = note_wal(t, NULL, &why, f);
	/* Pruned with its segment while we read; or for people only. */
	if (rc != 0 || t->walname.kind == WALNAME_SEGMENT ||
	    why.code == FAULT_ABSENT)
		return rc;
	if ((rc = found_wal_key(t->v, t->name, key, f)) != 0)
		return rc;
	return found_add(
	    t->v, false, key, why.text, f, "recovery does not need this file");
}

static void
free_wal(struct gang_task *task)
{
	struct wal_task *t = (struct wal_task *)task;

	joints_leave(t->v, t->before);
	joints_leave(t->v, t->after);
	free(t);
}

/* ---- all WAL ---- */

/* With --backup: only what those backups need. */
static bool
wanted(const struct verify *v, uint32_t timeline, uint64_t segno)
{
	const struct retain_input *in = &v->gather.in;
	struct chain_hole h = {timeline, segno, segno};

	if (v->run->n_backups == 0)
		return true;
	for (size_t i = 0; i < in->n_backups; i++)
		if (v->backups[i].wanted && chain_hits(in, i, &h))
			return true;
	return false;
}

static int
give(struct verify *v, struct gang *c, const char *name, uint64_t segno,
    struct verify_span *span, struct joints_link *link, struct fault *f)
{
	struct wal_task *t = calloc(1, sizeof *t);
	int rc;

	if (t == NULL)
		return fault_nomem(f);
	t->task.run = run_wal;
	t->task.free = free_wal;
	t->v = v;
	t->span = span;
	t->segno = segno;
	memcpy(t->name, name, strlen(name) + 1);
	rc = walname_parse(name, &t->walname, f);
	if (rc != 0) {
		free_wal(&t->task);
		return rc;
	}
	if (v->run->since_last &&
	    blocks_was_read(
		blocks_find(&v->blocks, &t->walname), &t->walname)) {
		if (span != NULL) {
			pthread_mutex_lock(&v->lock);
			span->skipped++;
			pthread_mutex_unlock(&v->lock);
			rc =
			    joints_pass(v, link, t->walname.timeline, segno, f);
		}
		free_wal(&t->task);
		return rc;
	}
	t->whole = lottery_draws(&v->run->lottery, name, 0);
	if (span != NULL)
		rc = joints_enter(v, link, t->walname.timeline, segno,
		    &t->before, &t->after, f);
	if (rc != 0) {
		free_wal(&t->task);
		return rc;
	}
	return gang_give(c, &t->task, f);
}

static int
give_range(struct verify *v, struct gang *c, const struct retain_wal *w,
    struct verify_span *span, struct joints_link *link, struct fault *f)
{
	char name[WALNAME_SIZE];
	int rc = 0;

	for (uint64_t s = w->first; rc == 0 && s <= w->last; s++) {
		if (!wanted(v, w->timeline, s))
			continue;
		walname_format(w->timeline, s, v->gather.in.segment_size, name);
		rc = give(v, c, name, s, span, link, f);
	}
	return rc;
}

/* Ranges that touch become one span. */
static int
make_spans(struct verify *v, struct fault *f)
{
	const struct gather *g = &v->gather;

	v->spans = calloc(g->n_wal + 1, sizeof *v->spans);
	if (v->spans == NULL)
		return fault_nomem(f);
	for (size_t i = 0; i < g->n_wal; i++) {
		const struct retain_wal *w = &g->wal[i];
		struct verify_span *x =
		    v->n_spans > 0 ? &v->spans[v->n_spans - 1] : NULL;

		if (x != NULL && x->timeline == w->timeline &&
		    x->last + 1 == w->first) {
			x->last = w->last;
			continue;
		}
		v->spans[v->n_spans++] =
		    (struct verify_span){.timeline = w->timeline,
			.first = w->first,
			.last = w->last};
	}
	return 0;
}

uint64_t
read_wal_bytes(const struct verify *v)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < v->blocks.n; i++)
		if (!v->run->since_last || v->blocks.b[i].known == NULL)
			sum += v->blocks.b[i].bytes;
	return sum / LOTTERY_ALL * v->run->lottery.share;
}

int
read_wal(struct verify *v, struct fault *f)
{
	const struct gather *g = &v->gather;
	struct joints_link link = {.timeline = 0};
	struct gang *c = NULL;
	size_t k = 0;
	int rc;

	if ((rc = make_spans(v, f)) != 0 ||
	    (rc = gang_new(
		 &c, v->repo, 0, v->run->jobs, g->in.segment_size, f)) != 0)
		return rc;
	progress_total(v->bar, read_wal_bytes(v));
	for (size_t i = 0; rc == 0 && i < g->n_wal; i++) {
		while (k + 1 < v->n_spans &&
		       (v->spans[k].timeline != g->wal[i].timeline ||
			   v->spans[k].last < g->wal[i].first))
			k++;
		rc = give_range(v, c, &g->wal[i], &v->spans[k], &link, f);
	}
	for (size_t i = 0; rc == 0 && v->run->n_backups == 0 && i < v->n_others;
	     i++)
		rc = give(v, c, v->others[i].name, 0, NULL, &link, f);
	if (rc == 0)
		rc = gang_rest(c, f);
	gang_free(c);
	joints_leave(v, link.after);
	return rc != 0 ? rc : joints_look(v, f);
}
