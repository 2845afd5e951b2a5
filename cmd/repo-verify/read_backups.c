#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backupcheck.h"
#include "gang.h"
#include "verify.h"

/* Backups that are listed, read by content: all of them, a sample, or what was
 * not read before. */

static void
advance(void *ctx, uint64_t stored)
{
	struct verify *v = ctx;

	progress_add(v->bar, stored);
}

/* What the hands found, for it cannot fail there. */
struct backup_ctx {
	struct verify *v;
	struct fault fault;
};

static bool
listed(void *ctx, const char *name, uint64_t *size)
{
	const struct backup_ctx *x = ctx;

	return look_listed(x->v, name, size);
}

static void
progressed(void *ctx, uint64_t stored)
{
	const struct backup_ctx *x = ctx;

	advance(x->v, stored);
}

static void
found(void *ctx, const char *name, const struct fault *why)
{
	struct backup_ctx *x = ctx;
	struct verify *v = x->v;
	struct fault f = FAULT_INIT;
	const char *id = v->gather.heads[v->current].id;
	char key[LAYOUT_KEY];

	pthread_mutex_lock(&v->lock);
	v->backups[v->current].usable = false;
	pthread_mutex_unlock(&v->lock);
	if (layout_base_key(repo_cluster(v->repo), repo_system_id(v->repo),
		name, key, &f) != 0)
		memcpy(key, "?", 2);
	if (found_add(v, true, key, why->text, &f,
		"backup %s cannot be restored", id) != 0) {
		pthread_mutex_lock(&v->lock);
		x->fault = f;
		pthread_mutex_unlock(&v->lock);
	}
}

static bool
was_read(const struct verify *v, const char *id)
{
	const struct evidence_backup *e = evidence_find(&v->last, id);
	const struct gather_folder *d = gather_find(&v->gather, id);

	return e != NULL && d != NULL && e->objects == d->objects &&
	       memcmp(e->sum, v->folders[d - v->gather.folders].sum,
		   BLOCKS_SUM) == 0;
}

/* It and those whose packs it uses are as they were when they were read. */
static bool
may_skip(const struct verify *v, size_t i)
{
	const struct retain_backup *b = &v->gather.backups[i];

	if (!v->run->since_last || !was_read(v, b->id))
		return false;
	for (size_t k = 0; k < b->n_needs; k++)
		if (!was_read(v, v->gather.backups[b->needs[k]].id))
			return false;
	return true;
}

/* What the store keeps frozen is neither proved nor damaged. */
static int
note_frozen(struct verify *v, size_t i, uint64_t packs, struct fault *f)
{
	const char *id = v->gather.heads[i].id;
	char folder[LAYOUT_KEY], what[160];
	int rc = layout_base(
	    repo_cluster(v->repo), repo_system_id(v->repo), id, "", folder, f);

	if (rc != 0 || packs == 0)
		return rc;
	v->backups[i].frozen = true;
	snprintf(what, sizeof what,
	    "%" PRIu64 " of its packs are in a storage class that has to be "
	    "thawed, and were not read",
	    packs);
	return found_add(v, false, folder, what, f,
	    "that backup %s can be restored is not proved", id);
}

static int
read_backup(struct verify *v, struct gang *c, size_t i, struct fault *f)
{
	struct backup_ctx ctx = {v, FAULT_INIT};
	struct verify_backup *own = &v->backups[i];
	struct backupcheck b = {.repo = v->repo,
	    .gang = c,
	    .head = &v->gather.heads[i],
	    .lottery = &v->run->lottery,
	    .listed = listed,
	    .found = found,
	    .progress = progressed,
	    .ctx = &ctx};
	int rc;

	v->current = i;
	rc = backupcheck_run(&b, f);
	if (rc == 0 && ctx.fault.code != FAULT_NONE) {
		*f = ctx.fault;
		rc = (int)f->code;
	}
	if (rc == 0)
		rc = note_frozen(v, i, b.frozen, f);
	own->read = true;
	own->extents = b.extents;
	own->bytes = b.bytes;
	v->stored += b.stored;
	return rc;
}

static uint64_t
backup_bytes(const struct verify *v)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < v->gather.n_heads; i++)
		if (v->backups[i].wanted && !v->backups[i].skipped)
			sum += v->gather.heads[i].totals.stored;
	return sum / LOTTERY_ALL * v->run->lottery.share;
}

int
read_backups(struct verify *v, struct fault *f)
{
	struct gang *c = NULL;
	int rc;

	for (size_t i = 0; i < v->gather.n_heads; i++)
		v->backups[i].skipped = v->backups[i].wanted && may_skip(v, i);
	if ((rc = gang_new(&c, v->repo, 0, v->run->jobs, 0, f)) != 0)
		return rc;
	progress_total(v->bar, read_wal_bytes(v) + backup_bytes(v));
	for (size_t i = 0; rc == 0 && i < v->gather.n_heads; i++)
		if (v->backups[i].wanted && !v->backups[i].skipped)
			rc = read_backup(v, c, i, f);
	gang_free(c);
	for (size_t i = 0; rc == 0 && i < v->gather.n_heads; i++)
		if (v->backups[i].wanted && !v->backups[i].skipped)
			rc = joints_stop(v, i, f);
	return rc;
}
