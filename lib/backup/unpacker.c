#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manifest_source.h"
#include "unpacker_core.h"

/* Names that a caller may spare, at most. */
#define SPARE_MAX 16

struct unpacker_link {
	struct unpacker_link *next;
	char *path;
	char *target;
};

static int
keep_link(struct unpacker *u, const struct manifest_entry *e, struct fault *f)
{
	struct unpacker_link *l = calloc(1, sizeof *l);

	if (l == NULL)
		return fault_nomem(f);
	l->next = u->links;
	u->links = l;
	l->path = strdup(e->path);
	l->target = strdup(e->link);
	return l->path == NULL || l->target == NULL ? fault_nomem(f) : 0;
}

static int
take_entry(void *ctx, const struct manifest_entry *e, struct fault *f)
{
	struct unpacker *u = ctx;

	switch (e->type) {
	case 'D':
		return tree_folder(u->tree, e->path, e->mode, f);
	case 'F':
		return tree_empty_file(u->tree, e->path, e->mode, f);
	default:
		return keep_link(u, e, f);
	}
}

static int
take_pack(void *ctx, const struct manifest_pack *p, struct fault *f)
{
	struct unpacker *u = ctx;

	return unpacker_queue_put(&u->queue, p, f);
}

/* Is the manifest the head's? */
static int
check_totals(
    const struct manifest_totals *t, const struct head *h, struct fault *f)
{
	if (t->bytes == h->totals.bytes && t->files == h->totals.files &&
	    t->pieces == h->totals.pieces)
		return 0;
	return fault_set(f, FAULT_CORRUPT,
	    "backup %s: its manifest lists %llu bytes in %llu files, its head "
	    "says %llu in %llu",
	    h->id, (unsigned long long)t->bytes, (unsigned long long)t->files,
	    (unsigned long long)h->totals.bytes,
	    (unsigned long long)h->totals.files);
}

static int
note_entry(void *ctx, const struct manifest_entry *e, struct fault *f)
{
	struct unpacker *u = ctx;

	return pathset_add(u->names, e->path, f);
}

static int
note_pack(void *ctx, const struct manifest_pack *p, struct fault *f)
{
	struct unpacker *u = ctx;
	const char *last = NULL;
	int rc = 0;

	for (uint32_t k = 0; k < p->n_extents; k++) {
		for (uint32_t j = 0; j < p->extents[k].n_pieces; j++) {
			const char *path = p->extents[k].pieces[j].path;

			if (path != last)
				rc = pathset_add(u->names, path, f);
			if (rc != 0)
				return rc;
			last = path;
		}
	}
	return 0;
}

static int
note_spared(struct unpacker *u, struct fault *f)
{
	const struct unpacker_params *p = u->params;
	const char *const *spare = p->spare;
	char path[32];
	int rc = pathset_add(u->names, UNPACKER_CONTROL, f);

	for (; rc == 0 && spare != NULL && *spare != NULL; spare++)
		rc = pathset_add(u->names, *spare, f);
	for (size_t k = 0; rc == 0 && k < p->n_spaces; k++) {
		snprintf(path, sizeof path, "pg_tblspc/%u", p->spaces[k].oid);
		rc = pathset_add(u->names, path, f);
	}
	return rc;
}

/* First everything goes that the backup does not have: it may hold the room
 * that the backup needs. */
static int
sweep(struct unpacker *u, const struct head *h, int fd, struct fault *f)
{
	static const struct manifest_events ev = {note_entry, note_pack};
	const struct manifest_totals *t = &h->totals;
	struct manifest_totals totals;
	int rc;

	rc = pathset_new(&u->names,
	    t->files + t->folders + t->links + u->params->n_spaces + SPARE_MAX,
	    f);
	if (rc == 0)
		rc = note_spared(u, f);
	if (rc == 0)
		rc = manifest_source_replay(
		    u->repo, u->params->id, fd, &ev, u, &totals, f);
	if (rc == 0)
		rc = check_totals(&totals, h, f);
	if (rc == 0)
		rc = tree_sweep(u->tree, u->names, f);
	pathset_free(u->names);
	u->names = NULL;
	return rc;
}

/* Manifest through the queue to the workers, until all is written. */
static int
unpack(struct unpacker *u, const struct head *h, struct manifest_totals *totals,
    struct fault *f)
{
	static const struct manifest_events ev = {take_entry, take_pack};
	unsigned jobs = u->params->jobs;
	struct unpacker_worker *w = NULL;
	int fd = -1;
	int rc;

	if (jobs == 0)
		jobs = 1;
	if (jobs > UNPACKER_WORKERS)
		jobs = UNPACKER_WORKERS;
	rc = unpacker_manifest_fetch(u, &fd, f);
	if (rc == 0 && u->params->existing != NULL)
		rc = sweep(u, h, fd, f);
	if (rc == 0)
		rc = unpacker_worker_start(&w, u, jobs, f);
	if (rc == 0)
		rc = manifest_source_replay(
		    u->repo, u->params->id, fd, &ev, u, totals, f);
	if (rc != 0)
		unpacker_queue_fail(&u->queue, f);
	unpacker_worker_join(w, u);
	if (fd >= 0)
		close(fd);
	return unpacker_queue_check(&u->queue, f);
}

static int
finish_tree(struct unpacker *u, const struct manifest_totals *t,
    const struct head *h, struct fault *f)
{
	uint64_t done = atomic_load(&u->written) + atomic_load(&u->kept);
	struct unpacker_link *l;
	int rc = check_totals(t, h, f);

	if (rc == 0 && t->bytes != done)
		rc = fault_set(f, FAULT_CORRUPT,
		    "backup %s: %llu bytes were restored of %llu", h->id,
		    (unsigned long long)done, (unsigned long long)t->bytes);
	for (l = u->links; rc == 0 && l != NULL; l = l->next)
		rc = tree_link(u->tree, l->path, l->target, f);
	if (rc == 0)
		rc = tree_space_links(u->tree, f);
	if (rc == 0)
		rc = tree_sync(u->tree, f);
	return rc;
}

static void
free_rest(struct unpacker *u)
{
	struct unpacker_link *l;

	while ((l = u->links) != NULL) {
		u->links = l->next;
		free(l->path);
		free(l->target);
		free(l);
	}
	tree_free(u->tree);
	unpacker_queue_free(&u->queue);
}

int
unpacker_run(struct repo *r, const struct head *h,
    const struct unpacker_params *p, struct unpacker_result *res,
    void (*progress)(void *ctx, uint64_t bytes), void *ctx, struct fault *f)
{
	struct unpacker u = {
	    .params = p,
	    .repo = r,
	    .progress = progress,
	    .progress_ctx = ctx,
	};
	struct manifest_totals totals = {0};
	int rc;

	unpacker_queue_init(&u.queue);
	rc = tree_new(&u.tree, p->root, p->spaces, p->n_spaces, p->existing, f);
	if (rc == 0)
		rc = unpack(&u, h, &totals, f);
	if (rc == 0)
		rc = finish_tree(&u, &totals, h, f);
	if (rc == 0 && res != NULL)
		*res = (struct unpacker_result){
		    atomic_load(&u.written), atomic_load(&u.kept)};
	free_rest(&u);
	return rc;
}
