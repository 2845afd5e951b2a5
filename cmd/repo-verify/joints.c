#include <stdio.h>
#include <stdlib.h>

#include "backupcheck.h"
#include "verify.h"
#include "waystop.h"

/* Does each segment go on where the one before it ends? Two servers with the
 * same past (a copied machine, an old primary that goes on) write segments with
 * the same names, and addresses that fit; a repository that took some of each
 * has no gap, and no way through. */

struct joints_border {
	uint32_t timeline; /* of the segment behind it */
	uint64_t segno;
	unsigned holders;
	struct wal_joint before, after; /* unknown edges fit */
};

/* ---- a border that does not fit ---- */

/* The newest timeline on the way there that served segno. */
static uint32_t
timeline_before(const struct verify *v, uint32_t timeline, uint64_t segno)
{
	const struct retain_input *in = &v->gather.in;

	for (size_t i = 0; i < in->n_paths; i++) {
		const struct history *h = &in->paths[i];
		size_t k = h->n;

		if (h->entry[k - 1].timeline != timeline)
			continue;
		while (k > 1 && walname_segno_of(h->entry[k - 1].begin,
				    in->segment_size) > segno)
			k--;
		return h->entry[k - 1].timeline;
	}
	return timeline;
}

static void
read_again(struct verify *v, uint32_t timeline, uint64_t segno)
{
	char name[WALNAME_SIZE];
	struct fault ignored = FAULT_INIT;
	struct blocks_one *b;
	struct walname n;

	walname_format(timeline, segno, v->gather.in.segment_size, name);
	if (walname_parse(name, &n, &ignored) == 0 &&
	    (b = blocks_find(&v->blocks, &n)) != NULL)
		b->torn = true;
}

/* Under the lock. */
static int
note_break(struct verify *v, const struct joints_border *b,
    const struct fault *why, struct fault *f)
{
	uint32_t from = timeline_before(v, b->timeline, b->segno - 1);
	char name[WALNAME_SIZE], text[sizeof why->text + 128];
	const struct verify_damage x = {
	    .where = {b->timeline, b->segno, b->segno - 1}};

	read_again(v, from, b->segno - 1);
	read_again(v, b->timeline, b->segno);
	walname_format(from, b->segno - 1, v->gather.in.segment_size, name);
	snprintf(text, sizeof text,
	    "does not go on where %s ends, as if another server had written it "
	    "(%s)",
	    name, why->text);
	return damage_add(v, &x, text, f);
}

/* ---- of two that are read ---- */

void
joints_leave(struct verify *v, struct joints_border *b)
{
	bool last;

	if (b == NULL)
		return;
	pthread_mutex_lock(&v->lock);
	last = --b->holders == 0;
	pthread_mutex_unlock(&v->lock);
	if (last)
		free(b);
}

static int
look_later(struct verify *v, uint32_t timeline, uint64_t segno, struct fault *f)
{
	void *grown =
	    reallocarray(v->borders, v->n_borders + 1, sizeof *v->borders);

	if (grown == NULL)
		return fault_nomem(f);
	v->borders = grown;
	v->borders[v->n_borders++] = (struct retain_cut){timeline, segno};
	return 0;
}

int
joints_enter(struct verify *v, struct joints_link *l, uint32_t timeline,
    uint64_t segno, struct joints_border **before, struct joints_border **after,
    struct fault *f)
{
	struct joints_border *b = calloc(1, sizeof *b);
	bool next = l->timeline == timeline && l->next == segno;

	if (b == NULL)
		return fault_nomem(f);
	if (!next)
		joints_leave(v, l->after);
	*before = next ? l->after : NULL;
	b->timeline = timeline;
	b->segno = segno + 1;
	b->holders = 2;
	*after = b;
	next = next && l->skipped;
	*l = (struct joints_link){timeline, segno + 1, false, b};
	return next ? look_later(v, timeline, segno, f) : 0;
}

int
joints_pass(struct verify *v, struct joints_link *l, uint32_t timeline,
    uint64_t segno, struct fault *f)
{
	bool read = l->timeline == timeline && l->next == segno && !l->skipped;

	joints_leave(v, l->after);
	*l = (struct joints_link){timeline, segno + 1, true, NULL};
	return read ? look_later(v, timeline, segno, f) : 0;
}

/* The second edge to come finds the first one known. */
static int
judge(struct verify *v, const struct joints_border *b, struct fault *f)
{
	struct fault why = FAULT_INIT;

	return wal_joint_check(&b->before, &b->after, &why) == 0
		   ? 0
		   : note_break(v, b, &why, f);
}

int
joints_meet(struct verify *v, struct joints_border *before,
    struct joints_border *after, const struct wal_joint *j, struct fault *f)
{
	int rc = 0;

	pthread_mutex_lock(&v->lock);
	if (before != NULL) {
		before->after = *j;
		rc = judge(v, before, f);
	}
	if (rc == 0 && after != NULL) {
		after->before = *j;
		rc = judge(v, after, f);
	}
	pthread_mutex_unlock(&v->lock);
	return rc;
}

/* ---- of two that are looked at ---- */

/* What cannot be read is told of elsewhere. */
static int
edge(struct verify *v, uint32_t timeline, uint64_t segno, struct wal_joint *j,
    struct fault *f)
{
	char name[WALNAME_SIZE];
	struct walmeta m;
	int rc;

	walname_format(timeline, segno, v->gather.in.segment_size, name);
	rc = gather_wal_look(&v->gather, name, &m, f);
	if (rc == 0)
		*j = m.summary.joint;
	if (rc != FAULT_ABSENT && rc != FAULT_CORRUPT && rc != FAULT_KEY &&
	    rc != FAULT_FOREIGN)
		return rc;
	fault_clear(f);
	return 0;
}

static int
look(struct verify *v, uint32_t timeline, uint64_t segno, struct fault *f)
{
	struct joints_border b = {.timeline = timeline, .segno = segno};
	uint32_t from = timeline_before(v, timeline, segno - 1);
	int rc;

	if (!look_has(v, from, segno - 1) || !look_has(v, timeline, segno))
		return 0;
	rc = edge(v, from, segno - 1, &b.before, f);
	if (rc == 0)
		rc = edge(v, timeline, segno, &b.after, f);
	if (rc != 0)
		return rc;
	pthread_mutex_lock(&v->lock);
	rc = judge(v, &b, f);
	pthread_mutex_unlock(&v->lock);
	return rc;
}

int
joints_look(struct verify *v, struct fault *f)
{
	const struct retain_input *in = &v->gather.in;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->n_borders; i++)
		rc = look(v, v->borders[i].timeline, v->borders[i].segno, f);
	for (size_t i = 0; rc == 0 && i < in->n_paths; i++) {
		const struct history *h = &in->paths[i];
		uint64_t segno;

		if (h->n < 2 || v->run->n_backups > 0)
			continue;
		segno = walname_segno_of(
		    h->entry[h->n - 1].begin, in->segment_size);
		if (segno > 0)
			rc = look(v, h->entry[h->n - 1].timeline, segno, f);
	}
	return rc;
}

/* ---- a backup's end ---- */

int
joints_stop(struct verify *v, size_t i, struct fault *f)
{
	const struct head *h = &v->gather.heads[i];
	uint64_t stop = walname_segno_before(h->stop_lsn, h->segment_size);
	struct fault why = FAULT_INIT;
	char key[LAYOUT_KEY];
	int rc;

	if (!look_has(v, h->stop_timeline, stop))
		return 0;
	rc = waystop_check(v->repo, 0, h, &why);
	/* What cannot be read is told of where it is read. */
	if (rc == 0 || (rc != FAULT_FOREIGN && backupcheck_tells(&why)))
		return 0;
	if (rc != FAULT_FOREIGN) {
		*f = why;
		return rc;
	}
	v->backups[i].usable = false;
	if ((rc = layout_base(repo_cluster(v->repo), repo_system_id(v->repo),
		 h->id, "head", key, f)) != 0)
		return rc;
	return found_add(
	    v, true, key, why.text, f, "backup %s cannot be restored", h->id);
}
