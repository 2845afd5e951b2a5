#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto.h"
#include "packread.h"
#include "unpacker_core.h"

_Static_assert(PACKREAD_ALIGN % TREE_ALIGN == 0,
    "what is opened can be written past the page cache");

struct unpacker_worker {
	struct unpacker *u;
	struct repo *repo; /* its own */
	struct tree_file file;
	unsigned char *local; /* a piece as it was there */
	pthread_t thread;
	bool running;
};

static void
advance(struct unpacker *u, uint64_t bytes)
{
	if (u->progress != NULL)
		u->progress(u->progress_ctx, bytes);
}

static int
write_extent(void *ctx, const struct manifest_extent *e,
    const unsigned char *content, struct fault *f)
{
	struct unpacker_worker *w = ctx;
	unsigned char xxh[MANIFEST_XXH];
	uint64_t bytes = 0;
	uint32_t k;
	int rc;

	for (k = 0; k < e->n_pieces; k++) {
		const struct manifest_piece *p = &e->pieces[k];

		crypto_xxh(content + p->extent_offset, p->length, xxh);
		if (memcmp(xxh, p->xxh, sizeof xxh) != 0)
			return fault_set(f, FAULT_CORRUPT,
			    "%s: what the backup holds is not what was read "
			    "from the server",
			    p->path);
		rc = tree_file_write(
		    w->u->tree, &w->file, p, content + p->extent_offset, f);
		if (rc != 0)
			return rc;
		bytes += p->length;
	}
	atomic_fetch_add(&w->u->written, bytes);
	advance(w->u, bytes);
	return 0;
}

/* Are all pieces of the extent in their files? */
static int
is_there(struct unpacker_worker *w, const struct manifest_extent *e,
    bool *there, struct fault *f)
{
	int rc = 0;

	*there = true;
	for (uint32_t k = 0; rc == 0 && *there && k < e->n_pieces; k++)
		rc = tree_file_holds(
		    w->u->tree, &w->file, &e->pieces[k], w->local, there, f);
	return rc;
}

/* Leaves those of the task's extents that have to be fetched. */
static int
leave_missing(
    struct unpacker_worker *w, struct unpacker_task *t, struct fault *f)
{
	struct unpacker *u = w->u;
	uint32_t left = 0;

	if (w->local == NULL)
		w->local = aligned_alloc(TREE_ALIGN, OBJECT_CHUNK_MAX);
	if (w->local == NULL)
		return fault_nomem(f);
	for (uint32_t k = 0; k < t->pack.n_extents; k++) {
		const struct manifest_extent *e = &t->extents[k];
		uint64_t bytes = 0;
		bool there;
		int rc = is_there(w, e, &there, f);

		if (rc != 0)
			return rc;
		if (!there) {
			t->extents[left++] = *e;
			continue;
		}
		for (uint32_t j = 0; j < e->n_pieces; j++)
			bytes += e->pieces[j].length;
		atomic_fetch_add(&u->kept, bytes);
		advance(u, bytes);
	}
	t->pack.n_extents = left;
	return 0;
}

static void *
work(void *arg)
{
	struct unpacker_worker *w = arg;
	struct unpacker *u = w->u;
	struct fault f = FAULT_INIT;
	struct packread *reader = NULL;
	struct unpacker_task *t;
	int rc;

	rc = packread_new(&reader, w->repo, u->params->repo, &f);
	while (rc == 0 && (t = unpacker_queue_take(&u->queue)) != NULL) {
		if (u->params->existing != NULL)
			rc = leave_missing(w, t, &f);
		if (rc == 0 && t->pack.n_extents > 0)
			rc =
			    packread_run(reader, &t->pack, write_extent, w, &f);
		unpacker_queue_done(t);
	}
	if (rc == 0)
		rc = tree_file_close(u->tree, &w->file, &f);
	if (rc != 0)
		unpacker_queue_fail(&u->queue, &f);
	if (w->file.fd >= 0)
		close(w->file.fd);
	packread_free(reader);
	free(w->local);
	return NULL;
}

int
unpacker_worker_start(struct unpacker_worker **out, struct unpacker *u,
    unsigned n, struct fault *f)
{
	struct unpacker_worker *w = calloc(UNPACKER_WORKERS, sizeof *w);

	if (w == NULL)
		return fault_nomem(f);
	*out = w;
	for (; n > 0; n--, w++) {
		int rc;

		w->u = u;
		w->file.fd = -1;
		rc = repo_clone(&w->repo, u->repo, f);
		if (rc != 0)
			return rc;
		rc = pthread_create(&w->thread, NULL, work, w);
		if (rc != 0)
			return fault_errno(f, rc, "cannot start a worker");
		w->running = true;
	}
	return 0;
}

void
unpacker_worker_join(struct unpacker_worker *w, struct unpacker *u)
{
	unpacker_queue_close(&u->queue);
	for (unsigned k = 0; w != NULL && k < UNPACKER_WORKERS; k++) {
		if (w[k].running)
			pthread_join(w[k].thread, NULL);
		repo_free(w[k].repo);
	}
	free(w);
}
