#include "unpacker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto.h"
#include "fdio.h"
#include "layout.h"
#include "packread.h"
#include "tree.h"

/* Each holds an extent as it is stored and as it was, 3 to 4 MiB with what
 * reading takes: 64 of them took 230 MiB. */
#define WORKERS_MAX 16
#define QUEUE_MAX 8

/* A pack's section of the manifest, copied out of the stream. */
struct task {
	struct task *next;
	struct manifest_pack pack;
	char *names; /* the strings that the pack points into */
};

struct unpacker {
	const struct unpacker_params *params;
	struct repo *repo;
	struct tree *tree;
	void (*progress)(void *ctx, uint64_t bytes);
	void *progress_ctx;
	_Atomic uint64_t written;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct task *first;
	struct task **last;
	unsigned queued;
	bool closed;        /* no more tasks will come */
	struct fault fault; /* the first of any thread */

	/* links wait until all files are written */
	struct task_link {
		struct task_link *next;
		char *path;
		char *target;
	} * links;
};

struct worker {
	struct unpacker *u;
	struct repo *repo; /* its own */
	struct tree_file file;
	pthread_t thread;
};

static void
task_free(struct task *t)
{
	uint32_t k;

	if (t == NULL)
		return;
	for (k = 0; t->pack.extents != NULL && k < t->pack.n_extents; k++)
		free((void *)(uintptr_t)t->pack.extents[k].pieces);
	free((void *)(uintptr_t)t->pack.extents);
	free(t->names);
	free(t);
}

static size_t
names_size(const struct manifest_pack *p)
{
	size_t n = strlen(p->name) + 1;
	uint32_t k;
	uint32_t j;

	for (k = 0; k < p->n_extents; k++)
		for (j = 0; j < p->extents[k].n_pieces; j++)
			n += strlen(p->extents[k].pieces[j].path) + 1;
	return n;
}

static const char *
keep_name(char **at, const char *name)
{
	size_t n = strlen(name) + 1;
	char *here = *at;

	memcpy(here, name, n);
	*at += n;
	return here;
}

static int
task_new(struct task **out, const struct manifest_pack *p, struct fault *f)
{
	struct task *t = calloc(1, sizeof *t);
	struct manifest_extent *e;
	char *at;
	uint32_t k;
	uint32_t j;

	if (t == NULL)
		return fault_nomem(f);
	at = t->names = malloc(names_size(p));
	t->pack = *p;
	t->pack.extents = e = calloc(p->n_extents + 1, sizeof *e);
	if (at == NULL || e == NULL) {
		task_free(t);
		return fault_nomem(f);
	}
	t->pack.name = keep_name(&at, p->name);
	for (k = 0; k < p->n_extents; k++) {
		const struct manifest_extent *from = &p->extents[k];
		struct manifest_piece *to;

		e[k].where = from->where;
		e[k].pieces = to = calloc(from->n_pieces + 1, sizeof *to);
		if (to == NULL) {
			task_free(t);
			return fault_nomem(f);
		}
		e[k].n_pieces = from->n_pieces;
		for (j = 0; j < from->n_pieces; j++) {
			to[j] = from->pieces[j];
			to[j].path = keep_name(&at, from->pieces[j].path);
		}
	}
	*out = t;
	return 0;
}

static void
fail(struct unpacker *u, const struct fault *f)
{
	pthread_mutex_lock(&u->lock);
	if (u->fault.code == FAULT_NONE)
		u->fault = *f;
	pthread_cond_broadcast(&u->changed);
	pthread_mutex_unlock(&u->lock);
}

static int
write_extent(void *ctx, const struct manifest_extent *e,
    const unsigned char *content, struct fault *f)
{
	struct worker *w = ctx;
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
		rc = tree_write(
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

/* The next task, NULL when there are no more or somebody failed. */
static struct task *
next_task(struct unpacker *u)
{
	struct task *t = NULL;

	pthread_mutex_lock(&u->lock);
	while (u->first == NULL && !u->closed && u->fault.code == FAULT_NONE)
		pthread_cond_wait(&u->changed, &u->lock);
	if (u->first != NULL && u->fault.code == FAULT_NONE) {
		t = u->first;
		u->first = t->next;
		if (u->first == NULL)
			u->last = &u->first;
		u->queued--;
		pthread_cond_broadcast(&u->changed);
	}
	pthread_mutex_unlock(&u->lock);
	return t;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct fault f = FAULT_INIT;
	struct packread *reader = NULL;
	struct task *t;
	int rc;

	rc = packread_new(&reader, w->repo, w->u->params->repo, &f);
	while (rc == 0 && (t = next_task(w->u)) != NULL) {
		rc = packread_run(reader, &t->pack, write_extent, w, &f);
		task_free(t);
	}
	if (rc == 0)
		rc = tree_file_close(&w->file, &f);
	if (rc != 0)
		fail(w->u, &f);
	if (w->file.fd >= 0)
		close(w->file.fd);
	packread_free(reader);
	return NULL;
}

static int
take_pack(void *ctx, const struct manifest_pack *p, struct fault *f)
{
	struct unpacker *u = ctx;
	struct task *t = NULL;
	int rc;

	rc = task_new(&t, p, f);
	if (rc != 0)
		return rc;
	pthread_mutex_lock(&u->lock);
	while (u->queued >= QUEUE_MAX && u->fault.code == FAULT_NONE)
		pthread_cond_wait(&u->changed, &u->lock);
	if (u->fault.code != FAULT_NONE) {
		*f = u->fault;
		rc = (int)f->code;
		task_free(t);
	} else {
		*u->last = t;
		u->last = &t->next;
		u->queued++;
		pthread_cond_broadcast(&u->changed);
	}
	pthread_mutex_unlock(&u->lock);
	return rc;
}

static int
keep_link(struct unpacker *u, const struct manifest_entry *e, struct fault *f)
{
	struct task_link *l = calloc(1, sizeof *l);

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

/* The manifest object into an unlinked file below the root: its records are
 * worked through for as long as the restore lasts, and no connection stays
 * open for that. */
static int
fetch_sink(void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	return fdio_write(*(int *)ctx, "the manifest's copy", data, len, f);
}

static int
fetch_manifest(struct unpacker *u, int *fd, struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(u->repo)->store_deadline_ms);
	char path[4096];
	char key[LAYOUT_KEY];
	struct store *s;
	int rc;

	if ((size_t)snprintf(path, sizeof path, "%s/.pitrkit-manifest-XXXXXX",
		u->params->root) >= sizeof path)
		return fault_set(f, FAULT_CONFIG, "%s: the path is too long",
		    u->params->root);
	*fd = mkostemp(path, O_CLOEXEC);
	if (*fd < 0)
		return fault_errno(f, errno, "%s", path);
	unlink(path);
	rc = layout_base(repo_cluster(u->repo), repo_system_id(u->repo),
	    u->params->id, "manifest", key, f);
	if (rc == 0)
		rc = repo_store(u->repo, u->params->repo, &s, f);
	if (rc == 0)
		rc = store_get(
		    s, key, 0, UINT64_MAX, fetch_sink, fd, NULL, &d, f);
	if (rc == FAULT_ABSENT)
		rc = fault_recode(f, FAULT_CORRUPT);
	if (rc == 0 && lseek(*fd, 0, SEEK_SET) != 0)
		rc = fault_errno(f, errno, "%s", path);
	return rc;
}

/* Feed the copy through authentication and the parser into the queue. */
static int
read_manifest(
    struct unpacker *u, int fd, struct manifest_totals *totals, struct fault *f)
{
	struct manifest_events ev = {take_entry, take_pack};
	struct manifest_reader *m = NULL;
	struct object_reader *o = NULL;
	unsigned char *block = malloc(OBJECT_CHUNK);
	char name[LAYOUT_KEY];
	struct object_id id = {repo_cluster(u->repo), repo_system_id(u->repo),
	    OBJECT_MANIFEST, name};
	size_t got = 1;
	int rc;

	rc = block == NULL
		 ? fault_nomem(f)
		 : layout_base_name(u->params->id, "manifest", name, f);
	if (rc == 0)
		rc = manifest_reader_new(&m, &ev, u, f);
	if (rc == 0)
		rc = object_reader_new(
		    &o, &id, repo_keys(u->repo), manifest_reader_feed, m, f);
	while (rc == 0 && got > 0) {
		rc = fdio_read(fd, "manifest", block, OBJECT_CHUNK, &got, f);
		if (rc == 0)
			rc = object_reader_feed(o, block, got, f);
	}
	if (rc == 0)
		rc = object_reader_end(o, f);
	if (rc == 0)
		rc = manifest_reader_end(m, totals, f);
	object_reader_free(o);
	manifest_reader_free(m);
	free(block);
	return rc;
}

static int
start_workers(struct unpacker *u, struct worker *w, unsigned jobs,
    unsigned *started, struct fault *f)
{
	unsigned k;
	int rc;

	for (k = 0; k < jobs; k++) {
		int e;

		w[k].u = u;
		w[k].file.fd = -1;
		rc = repo_clone(&w[k].repo, u->repo, f);
		if (rc != 0)
			return rc;
		e = pthread_create(&w[k].thread, NULL, work, &w[k]);
		if (e != 0)
			return fault_errno(f, e, "cannot start a worker");
		*started = k + 1;
	}
	return 0;
}

static void
finish_workers(
    struct unpacker *u, struct worker *w, unsigned jobs, unsigned started)
{
	unsigned k;

	pthread_mutex_lock(&u->lock);
	u->closed = true;
	pthread_cond_broadcast(&u->changed);
	pthread_mutex_unlock(&u->lock);
	for (k = 0; k < started; k++)
		pthread_join(w[k].thread, NULL);
	for (k = 0; k < jobs; k++)
		repo_free(w[k].repo);
}

/* Manifest through the queue to the workers, until all is written. */
static int
unpack(struct unpacker *u, struct manifest_totals *totals, struct fault *f)
{
	unsigned jobs = u->params->jobs;
	unsigned started = 0;
	struct worker *w;
	int fd = -1;
	int rc;

	if (jobs == 0)
		jobs = 1;
	if (jobs > WORKERS_MAX)
		jobs = WORKERS_MAX;
	w = calloc(jobs, sizeof *w);
	if (w == NULL)
		return fault_nomem(f);
	rc = fetch_manifest(u, &fd, f);
	if (rc == 0)
		rc = start_workers(u, w, jobs, &started, f);
	if (rc == 0)
		rc = read_manifest(u, fd, totals, f);
	if (rc != 0)
		fail(u, f);
	finish_workers(u, w, jobs, started);
	if (u->fault.code != FAULT_NONE) {
		*f = u->fault;
		rc = (int)f->code;
	}
	if (fd >= 0)
		close(fd);
	free(w);
	return rc;
}

static int
finish_tree(struct unpacker *u, const struct manifest_totals *t,
    const struct head *h, struct fault *f)
{
	struct task_link *l;
	int rc = 0;

	if (t->bytes != atomic_load(&u->written) ||
	    t->bytes != h->totals.bytes || t->files != h->totals.files ||
	    t->pieces != h->totals.pieces)
		return fault_set(f, FAULT_CORRUPT,
		    "backup %s: %llu bytes in %llu files were restored, its "
		    "head says %llu in %llu",
		    h->id, (unsigned long long)atomic_load(&u->written),
		    (unsigned long long)t->files,
		    (unsigned long long)h->totals.bytes,
		    (unsigned long long)h->totals.files);
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
	struct task_link *l;
	struct task *t;

	while ((t = u->first) != NULL) {
		u->first = t->next;
		task_free(t);
	}
	while ((l = u->links) != NULL) {
		u->links = l->next;
		free(l->path);
		free(l->target);
		free(l);
	}
	tree_free(u->tree);
	pthread_cond_destroy(&u->changed);
	pthread_mutex_destroy(&u->lock);
}

int
unpacker_run(struct repo *r, const struct head *h,
    const struct unpacker_params *p,
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

	pthread_mutex_init(&u.lock, NULL);
	pthread_cond_init(&u.changed, NULL);
	u.last = &u.first;
	rc = tree_new(&u.tree, p->root, p->spaces, p->n_spaces, f);
	if (rc == 0)
		rc = unpack(&u, &totals, f);
	if (rc == 0)
		rc = finish_tree(&u, &totals, h, f);
	free_rest(&u);
	return rc;
}
