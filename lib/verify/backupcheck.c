#include "backupcheck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto.h"
#include "fdio.h"
#include "layout.h"
#include "manifest_source.h"

/* The extents of a pack that are opened. */
struct task {
	struct gang_task task;
	struct backupcheck *b;
	struct manifest_pack pack;
	struct manifest_extent *extents;
	struct manifest_piece *pieces; /* of all extents, without paths */
	char name[LAYOUT_KEY];
};

bool
backupcheck_tells(const struct fault *f)
{
	return f->code == FAULT_CORRUPT || f->code == FAULT_KEY ||
	       f->code == FAULT_FOREIGN || f->code == FAULT_ABSENT ||
	       fault_of_medium(f);
}

/* Told if it is about the object: then 0. */
static int
tell(struct backupcheck *b, const char *name, struct fault *f)
{
	struct fault why = *f;

	if (!backupcheck_tells(&why))
		return (int)why.code;
	fault_clear(f);
	b->found(b->ctx, name, &why);
	return 0;
}

static int
take_extent(void *ctx, const struct manifest_extent *e,
    const unsigned char *content, struct fault *f)
{
	struct task *t = ctx;

	for (uint32_t k = 0; k < e->n_pieces; k++) {
		const struct manifest_piece *p = &e->pieces[k];
		unsigned char xxh[MANIFEST_XXH];

		crypto_xxh(content + p->extent_offset, p->length, xxh);
		if (memcmp(xxh, p->xxh, sizeof xxh) != 0)
			return fault_set(f, FAULT_CORRUPT,
			    "extent %u holds other content than the manifest "
			    "tells",
			    e->where.index);
	}
	atomic_fetch_add(&t->b->extents, 1);
	atomic_fetch_add(&t->b->bytes, e->where.length);
	atomic_fetch_add(&t->b->stored, e->where.stored);
	t->b->progress(t->b->ctx, e->where.stored);
	return 0;
}

/* Nothing of it was drawn: its header alone. */
static int
open_header(struct task *t, struct repo *r, struct fault *f)
{
	struct deadline d = deadline_in_ms(repo_conf(r)->store_deadline_ms);
	struct object_id id = {
	    repo_cluster(r), repo_system_id(r), OBJECT_PACK, t->name};
	struct buf head = BUF_INIT(OBJECT_HEADER_MAX);
	struct object_opener *o = NULL;
	char key[LAYOUT_KEY];
	struct store *s;
	int rc;

	if ((rc = layout_base_key(id.cluster, id.system_id, t->name, key, f)) ==
		0 &&
	    (rc = repo_store(r, t->b->index, &s, f)) == 0 &&
	    (rc = store_get(s, key, 0, OBJECT_HEADER_MAX, buf_sink, &head, NULL,
		 &d, f)) == 0)
		rc = object_open_header(
		    &o, &id, repo_keys(r), head.data, head.len, f);
	object_opener_free(o);
	buf_free(&head);
	return rc;
}

static int
run_task(struct gang_task *task, struct gang_hand *h, struct fault *f)
{
	struct task *t = (struct task *)task;
	int rc;

	if (t->pack.n_extents > 0)
		rc = packread_run(h->packs, &t->pack, take_extent, t, f);
	else
		rc = open_header(t, h->repo, f);
	if (rc == FAULT_FROZEN) {
		atomic_fetch_add(&t->b->frozen, 1);
		fault_clear(f);
		return 0;
	}
	return rc != 0 ? tell(t->b, t->name, f) : 0;
}

static void
free_task(struct gang_task *task)
{
	struct task *t = (struct task *)task;

	free(t->extents);
	free(t->pieces);
	free(t);
}

/* -1: out of memory. */
static int
draw_extents(struct task *t, const struct manifest_pack *p)
{
	size_t n = 0;

	for (uint32_t k = 0; k < p->n_extents; k++)
		n += p->extents[k].n_pieces;
	t->extents = calloc(p->n_extents + 1, sizeof *t->extents);
	t->pieces = calloc(n + 1, sizeof *t->pieces);
	if (t->extents == NULL || t->pieces == NULL)
		return -1;
	n = 0;
	t->pack.extents = t->extents;
	t->pack.n_extents = 0;
	for (uint32_t k = 0; k < p->n_extents; k++) {
		const struct manifest_extent *from = &p->extents[k];
		struct manifest_extent *to = &t->extents[t->pack.n_extents];

		if (!lottery_draws(t->b->lottery, p->name, from->where.index))
			continue;
		*to = *from;
		to->pieces = &t->pieces[n];
		for (uint32_t j = 0; j < from->n_pieces; j++) {
			t->pieces[n] = from->pieces[j];
			t->pieces[n++].path = NULL;
		}
		t->pack.n_extents++;
	}
	return 0;
}

static int
give_pack(struct backupcheck *b, const struct manifest_pack *p, struct fault *f)
{
	struct task *t = calloc(1, sizeof *t);

	if (t == NULL)
		return fault_nomem(f);
	t->task.run = run_task;
	t->task.free = free_task;
	t->b = b;
	t->pack = *p;
	memcpy(t->name, p->name, strlen(p->name) + 1);
	t->pack.name = t->name;
	if (draw_extents(t, p) != 0) {
		free_task(&t->task);
		return fault_nomem(f);
	}
	return gang_give(b->gang, &t->task, f);
}

static int
take_pack(void *ctx, const struct manifest_pack *p, struct fault *f)
{
	struct backupcheck *b = ctx;
	uint64_t size;

	if (strlen(p->name) >= LAYOUT_KEY)
		return fault_set(f, FAULT_CORRUPT, "a pack with a long name");
	if (!b->listed(b->ctx, p->name, &size)) {
		fault_set(f, FAULT_ABSENT, "is missing");
		return tell(b, p->name, f);
	}
	if (size != p->size) {
		fault_set(f, FAULT_CORRUPT,
		    "is %llu bytes long, the manifest says %llu",
		    (unsigned long long)size, (unsigned long long)p->size);
		return tell(b, p->name, f);
	}
	return give_pack(b, p, f);
}

/* ---- the manifest ---- */

static int
copy_sink(void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	int rc = fdio_write(*(int *)ctx, "the manifest's copy", data, len, f);

	/* What this host has no room for says nothing of the backup. */
	return rc == 0 ? 0 : fault_recode(f, FAULT_CONFIG);
}

/* Its records are worked through for as long as the packs take; no connection
 * stays open for that. */
static int
fetch(struct backupcheck *b, int *fd, uint64_t *size, struct fault *f)
{
	const char *dir = repo_conf(b->repo)->spool_dir;
	struct deadline d =
	    deadline_in_ms(repo_conf(b->repo)->store_deadline_ms);
	struct store_info info;
	int rc;

	*fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (*fd < 0)
		*fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (*fd < 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s: no temporary file can be made: %s", dir,
		    strerror(errno));
	rc = manifest_source_get(
	    b->repo, b->index, b->head->id, copy_sink, fd, &info, &d, f);
	if (rc == 0)
		*size = info.size;
	return rc;
}

static int
check_totals(const struct head *h, const struct manifest_totals *t,
    uint64_t size, struct fault *f)
{
	const struct manifest_totals *a = &h->totals;

	if (a->files != t->files || a->folders != t->folders ||
	    a->links != t->links || a->bytes != t->bytes ||
	    a->packs != t->packs || a->extents != t->extents ||
	    a->pieces != t->pieces || a->stored != t->stored ||
	    h->manifest_size != size)
		return fault_set(f, FAULT_CORRUPT,
		    "is not the manifest of which the head tells");
	return 0;
}

static int
read_manifest(struct backupcheck *b, const char *name, struct fault *f)
{
	static const struct manifest_events events = {.pack = take_pack};
	struct manifest_totals totals;
	uint64_t size = 0;
	int fd = -1, rc;

	if ((rc = fetch(b, &fd, &size, f)) == 0 &&
	    (rc = manifest_source_replay(
		 b->repo, b->head->id, fd, &events, b, &totals, f)) == 0)
		rc = check_totals(b->head, &totals, size, f);
	if (fd >= 0)
		close(fd);
	if (rc == FAULT_ABSENT)
		fault_set(f, FAULT_ABSENT, "is missing");
	return rc != 0 ? tell(b, name, f) : 0;
}

int
backupcheck_run(struct backupcheck *b, struct fault *f)
{
	struct fault other = FAULT_INIT;
	char name[LAYOUT_KEY];
	int rc, after;

	rc = layout_base_name(b->head->id, "manifest", name, f);
	if (rc == 0)
		rc = read_manifest(b, name, f);
	/* The tasks point to b. */
	after = gang_rest(b->gang, &other);
	if (rc == 0 && after != 0)
		*f = other;
	return rc != 0 ? rc : after;
}
