#include "shipper.h"

#include <stdlib.h>
#include <string.h>

#include "shipper_core.h"

/* The caller's side: files into extents. */

/* Sizes that keep the sum of all workers within the limit. */
static void
plan(struct shipper *s, unsigned jobs)
{
	size_t bound = codec_bound(
	    (enum codec_kind)repo_conf(s->repo)->codec, OBJECT_CHUNK);

	/* the end chunk and the trailer are far below 1 kB */
	s->pack_reserve = bound + 64 + 1024;
	/* contexts of the upper levels take some 10 MiB and more */
	s->builders = repo_conf(s->repo)->level > 9 ? 2 : SHIPPER_BUILDERS;
	if (s->builders > jobs)
		s->builders = jobs < 1 ? 1 : jobs;
	/* While one waits for the store the processors have the others. */
	s->n_workers = jobs > s->builders ? jobs : s->builders + 1;
	if (s->n_workers > SHIPPER_WORKERS)
		s->n_workers = SHIPPER_WORKERS;
	s->pack_cap = SHIPPER_PACK_MEMORY / s->n_workers;
	if (s->pack_cap > SHIPPER_PACK_MAX)
		s->pack_cap = SHIPPER_PACK_MAX;
	s->section_cap = SHIPPER_SECTION_MEMORY / s->n_workers;
	if (s->section_cap > SHIPPER_SECTION_MAX)
		s->section_cap = SHIPPER_SECTION_MAX;
	if (s->section_cap < SHIPPER_SECTION_MIN)
		s->section_cap = SHIPPER_SECTION_MIN;
}

static int
workers_start(struct shipper *s, struct fault *f)
{
	s->workers = calloc(s->n_workers, sizeof *s->workers);
	if (s->workers == NULL)
		return fault_nomem(f);
	for (unsigned i = 0; i < s->n_workers; i++) {
		struct shipper_worker *w = &s->workers[i];
		int rc = shipper_worker_init(w, s, f);

		if (rc != 0)
			return rc;
		rc = pthread_create(&w->thread, NULL, shipper_worker_run, w);
		if (rc != 0)
			return fault_errno(f, rc, "thread");
		w->running = true;
	}
	return 0;
}

int
shipper_new(struct shipper **out, struct repo *r,
    const struct shipper_params *p, struct fault *f)
{
	struct shipper *s;
	struct store *store;
	int rc;

	if (strlen(p->id) >= LAYOUT_ID)
		return fault_set(f, FAULT_CONFIG, "%.60s: id too long", p->id);
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return fault_nomem(f);
	s->repo = r;
	s->repo_index = p->repo;
	s->params = *p;
	s->next_pack = 1;
	s->queue_end = &s->queue;
	s->tokens_at_ms = clock_monotonic_ms();
	memcpy(s->id, p->id, strlen(p->id) + 1);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->queued, NULL);
	pthread_cond_init(&s->turn, NULL);
	pthread_cond_init(&s->given_back, NULL);
	pthread_mutex_init(&s->manifest_lock, NULL);
	plan(s, p->jobs);
	/* the handle the workers' handles are made from */
	if ((rc = repo_store(r, p->repo, &store, f)) != 0 ||
	    (rc = shipper_queue_fill(s, f)) != 0 ||
	    (rc = shipper_manifest_begin(s, f)) != 0 ||
	    (rc = workers_start(s, f)) != 0) {
		shipper_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

static void
workers_join(struct shipper *s)
{
	for (unsigned i = 0; s->workers != NULL && i < s->n_workers; i++) {
		if (s->workers[i].running)
			pthread_join(s->workers[i].thread, NULL);
		s->workers[i].running = false;
	}
}

void
shipper_free(struct shipper *s)
{
	if (s == NULL)
		return;
	shipper_queue_stop(s);
	workers_join(s);
	for (unsigned i = 0; s->workers != NULL && i < s->n_workers; i++)
		shipper_worker_release(&s->workers[i]);
	free(s->workers);
	shipper_manifest_release(s);
	shipper_queue_free(s->idle);
	shipper_queue_free(s->queue);
	shipper_queue_free(s->filling);
	pthread_mutex_destroy(&s->manifest_lock);
	pthread_cond_destroy(&s->given_back);
	pthread_cond_destroy(&s->turn);
	pthread_cond_destroy(&s->queued);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* A fault of the caller's own thread ends the workers too. */
static int
own(struct shipper *s, int rc, const struct fault *f)
{
	return rc == 0 ? 0 : shipper_queue_fail(s, f);
}

static int
entry(struct shipper *s, const struct manifest_entry *e, struct fault *f)
{
	int rc = shipper_queue_check(s, f);

	if (rc != 0)
		return rc;
	return own(s, shipper_manifest_entry(s, e, f), f);
}

int
shipper_folder(struct shipper *s, const char *path, uint32_t mode,
    int64_t mtime_us, struct fault *f)
{
	const struct manifest_entry e = {'D', path, NULL, mode, mtime_us};

	return entry(s, &e, f);
}

int
shipper_link(
    struct shipper *s, const char *path, const char *target, struct fault *f)
{
	const struct manifest_entry e = {'L', path, target, 0777, 0};

	return entry(s, &e, f);
}

static void
flush(struct shipper *s)
{
	if (s->filling == NULL || s->filling->used == 0)
		return;
	shipper_queue_put(s, s->filling);
	s->filling = NULL;
	s->piece = NULL;
}

int
shipper_file(struct shipper *s, const char *path, uint64_t size, uint32_t mode,
    int64_t mtime_us, struct fault *f)
{
	const struct manifest_entry e = {'F', path, NULL, mode, mtime_us};
	const struct shipper_extent *x = s->filling;
	size_t len = strlen(path);
	int rc;

	if (s->in_file || !manifest_path_ok(path, len))
		return own(s,
		    fault_set(f, FAULT_CONFIG,
			"%.200s: not a path that can be stored", path),
		    f);
	rc = size == 0 ? entry(s, &e, f) : shipper_queue_check(s, f);
	if (rc != 0)
		return rc;
	memcpy(s->path, path, len + 1);
	s->file = (struct manifest_piece){
	    .path = s->path,
	    .mode = mode,
	    .mtime_us = mtime_us,
	    .file_size = size,
	};
	s->file_done = 0;
	s->in_file = true;
	/* A file begins an extent unless it ends in this one: so extents of
	 * large files lie at the file's own multiples of OBJECT_CHUNK. */
	if (x != NULL && size > OBJECT_CHUNK - x->used)
		flush(s);
	return 0;
}

/* The piece of the file at hand in the extent being filled. */
static int
piece_begin(struct shipper *s, struct fault *f)
{
	size_t n = strlen(s->path) + 1;
	struct shipper_extent *x = s->filling;
	int rc;

	if (x != NULL &&
	    (x->used == OBJECT_CHUNK || x->n_pieces == SHIPPER_EXTENT_PIECES ||
		(s->pulled != NULL && x->n_pulled == SHIPPER_EXTENT_PULLED) ||
		n > SHIPPER_EXTENT_NAMES - x->names_used))
		flush(s);
	if (s->filling == NULL &&
	    (rc = shipper_queue_idle(s, &s->filling, f)) != 0)
		return rc;
	x = s->filling;
	memcpy(x->names + x->names_used, s->path, n);
	x->files[x->n_pieces] = s->pulled;
	x->n_pulled += s->pulled != NULL;
	s->piece = &x->pieces[x->n_pieces++];
	*s->piece = s->file;
	s->piece->path = x->names + x->names_used;
	s->piece->file_offset = s->file_done;
	s->piece->extent_offset = x->used;
	s->piece->length = 0;
	x->names_used += n;
	return 0;
}

/* A token bucket that holds what a quarter of a second lets through. */
static int
pay(struct shipper *s, size_t len, struct fault *f)
{
	int64_t rate, most, now, wait;
	int rc;

	if (s->params.rate == 0 || s->params.rate > INT64_MAX / 4096)
		return 0;
	rate = (int64_t)s->params.rate;
	most = rate / 4;
	s->tokens -= (int64_t)len;
	for (;;) {
		now = clock_monotonic_ms();
		wait = now - s->tokens_at_ms;
		s->tokens_at_ms = now;
		s->tokens += rate * (wait > 1000 ? 1000 : wait) / 1000;
		if (s->tokens > most)
			s->tokens = most;
		if (s->tokens >= 0)
			return 0;
		if ((rc = shipper_queue_check(s, f)) != 0)
			return rc;
		wait = -s->tokens * 1000 / rate + 1;
		clock_sleep_ms(wait > 100 ? 100 : wait);
	}
}

/* The next stretch of the file at hand, of up to len bytes: *n of them have
 * their place in the extent being filled. */
static int
stretch(struct shipper *s, uint64_t len, unsigned char **at, size_t *n,
    struct fault *f)
{
	struct shipper_extent *x = s->filling;
	int rc;

	if (s->piece == NULL || x->used == OBJECT_CHUNK) {
		if ((rc = piece_begin(s, f)) != 0)
			return rc;
		x = s->filling;
	}
	*at = x->content + x->used;
	*n = OBJECT_CHUNK - x->used;
	if (*n > len)
		*n = (size_t)len;
	x->used += (uint32_t)*n;
	s->piece->length += (uint32_t)*n;
	s->file_done += *n;
	return 0;
}

int
shipper_data(void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct shipper *s = ctx;
	int rc;

	if (!s->in_file || len > s->file.file_size - s->file_done)
		return own(s,
		    fault_set(f, FAULT_SYSTEM,
			"%s: more content than was announced", s->path),
		    f);
	if ((rc = pay(s, len, f)) != 0)
		return rc;
	while (len > 0) {
		unsigned char *at;
		size_t n;

		if ((rc = stretch(s, len, &at, &n, f)) != 0)
			return rc;
		memcpy(at, data, n);
		data += n;
		len -= n;
	}
	return 0;
}

/* Paid when it is queued: the workers are few extents behind. */
int
shipper_pull(struct shipper *s, const char *path, uint64_t size, uint32_t mode,
    int64_t mtime_us, void *file, struct fault *f)
{
	int rc = shipper_file(s, path, size, mode, mtime_us, f);

	s->pulled = file;
	while (rc == 0 && s->file_done < size) {
		unsigned char *at;
		size_t n;

		if ((rc = stretch(s, size - s->file_done, &at, &n, f)) != 0)
			break;
		rc = pay(s, n, f);
	}
	s->pulled = NULL;
	return rc == 0 ? shipper_file_end(s, f) : rc;
}

int
shipper_drain(struct shipper *s, struct fault *f)
{
	int rc;

	flush(s);
	rc = shipper_queue_wait_idle(
	    s, SHIPPER_EXTENTS - (s->filling != NULL), f);
	/* The caller is about to wait for the server: the packs are stored
	 * meanwhile. */
	if (rc == 0)
		shipper_queue_drained(s);
	return rc;
}

int
shipper_file_end(struct shipper *s, struct fault *f)
{
	if (!s->in_file || s->file_done != s->file.file_size)
		return own(s,
		    fault_set(f, FAULT_SYSTEM,
			"%s: less content than was announced", s->path),
		    f);
	s->in_file = false;
	s->piece = NULL;
	return 0;
}

int
shipper_finish(struct shipper *s, struct manifest_totals *t,
    uint64_t *manifest_size, struct fault *f)
{
	int rc;

	if (s->in_file)
		return own(s,
		    fault_set(f, FAULT_SYSTEM, "%s: not complete", s->path), f);
	flush(s);
	shipper_queue_close(s);
	workers_join(s);
	if ((rc = shipper_queue_check(s, f)) != 0)
		return rc;
	return shipper_manifest_end(s, t, manifest_size, f);
}
