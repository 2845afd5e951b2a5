#include <errno.h>
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
	pthread_t thread;
	bool running;
};

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
	if (w->u->progress != NULL)
		w->u->progress(w->u->progress_ctx, bytes);
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
		rc = packread_run(reader, &t->pack, write_extent, w, &f);
		unpacker_queue_done(t);
	}
	if (rc == 0)
		rc = tree_file_close(u->tree, &w->file, &f);
	if (rc != 0)
		unpacker_queue_fail(&u->queue, &f);
	if (w->file.fd >= 0)
		close(w->file.fd);
	packread_free(reader);
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
