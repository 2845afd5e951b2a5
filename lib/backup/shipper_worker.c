#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "shipper_core.h"

/* A worker: extents from the queue into a pack, the pack into the repository,
 * its section into the manifest. */

int
shipper_worker_init(
    struct shipper_worker *w, struct shipper *s, struct fault *f)
{
	w->s = s;
	w->pack = malloc(s->pack_cap);
	w->names = malloc(s->section_cap);
	w->pieces = calloc(s->section_cap / 64, sizeof *w->pieces);
	w->extents = calloc(s->section_cap / 256, sizeof *w->extents);
	if (w->pack == NULL || w->names == NULL || w->pieces == NULL ||
	    w->extents == NULL)
		return fault_nomem(f);
	return repo_clone(&w->repo, s->repo, f);
}

void
shipper_worker_release(struct shipper_worker *w)
{
	object_seal_free(w->sealer);
	repo_free(w->repo);
	free(w->pack);
	free(w->names);
	free(w->pieces);
	free(w->extents);
}

/* A sink_fn: the sealed pack's bytes. */
static int
pack_sink(void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct shipper_worker *w = ctx;

	if (len > w->s->pack_cap - w->pack_len)
		return fault_set(f, FAULT_SYSTEM,
		    "a pack grew beyond its %zu bytes", w->s->pack_cap);
	memcpy(w->pack + w->pack_len, data, len);
	w->pack_len += len;
	return 0;
}

static int
pack_name(
    const struct shipper_worker *w, char what[16], char *name, struct fault *f)
{
	layout_pack(w->number, what);
	return layout_base_name(w->s->id, what, name, f);
}

static int
pack_begin(struct shipper_worker *w, struct fault *f)
{
	struct object_params params;
	char what[16], name[LAYOUT_KEY];
	int rc = pack_name(w, what, name, f);

	if (rc != 0)
		return rc;
	w->pack_len = 0;
	w->n_extents = 0;
	w->n_pieces = 0;
	w->names_used = 0;
	shipper_manifest_params(w->s, OBJECT_PACK, name, &params);
	return object_seal_begin(&w->sealer, &params, pack_sink, w, f);
}

/* Is there room for any extent, whatever it holds? */
static bool
pack_has_room(const struct shipper_worker *w)
{
	const struct shipper *s = w->s;

	return s->pack_cap - w->pack_len >= s->pack_reserve &&
	       s->section_cap - w->names_used >= SHIPPER_EXTENT_NAMES &&
	       s->section_cap / 64 - w->n_pieces >= SHIPPER_EXTENT_PIECES &&
	       s->section_cap / 256 > w->n_extents;
}

/* The extent's pieces outlive it: its buffers go back to the caller. What the
 * pieces hold is in the processor's cache yet. */
static void
keep_pieces(struct shipper_worker *w, const struct shipper_extent *x)
{
	const char *last =
	    w->n_pieces > 0 ? w->pieces[w->n_pieces - 1].path : NULL;

	for (uint32_t i = 0; i < x->n_pieces; i++) {
		struct manifest_piece *p = &w->pieces[w->n_pieces++];

		*p = x->pieces[i];
		if (last == NULL || strcmp(last, p->path) != 0) {
			size_t n = strlen(p->path) + 1;

			memcpy(w->names + w->names_used, p->path, n);
			last = w->names + w->names_used;
			w->names_used += n;
		}
		p->path = last;
		crypto_xxh(x->content + p->extent_offset, p->length, p->xxh);
	}
}

static int
read_pulled(
    const struct shipper *s, const struct shipper_extent *x, struct fault *f)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < x->n_pieces; i++) {
		const struct manifest_piece *p = &x->pieces[i];

		if (x->files[i] != NULL)
			rc = s->params.read(s->params.read_ctx, x->files[i], p,
			    x->content + p->extent_offset, f);
	}
	return rc;
}

static int
pack_add(
    struct shipper_worker *w, const struct shipper_extent *x, struct fault *f)
{
	struct manifest_extent *e = &w->extents[w->n_extents];
	int rc;

	if ((rc = read_pulled(w->s, x, f)) != 0 ||
	    (rc = object_seal_chunk(
		 w->sealer, x->content, x->used, &e->where, f)) != 0)
		return rc;
	e->pieces = w->pieces + w->n_pieces;
	e->n_pieces = x->n_pieces;
	keep_pieces(w, x);
	w->n_extents++;
	return 0;
}

static int
pack_fill(struct shipper_worker *w, struct fault *f)
{
	int rc = pack_begin(w, f);

	while (rc == 0 && pack_has_room(w)) {
		struct shipper_extent *x =
		    shipper_queue_take(w->s, w->pack_len);

		if (x == NULL)
			break;
		rc = pack_add(w, x, f);
		shipper_queue_give_back(w->s, x);
	}
	if (rc == 0)
		rc = object_seal_end(w->sealer, NULL, f);
	/* With it goes the memory of compression, before the long wait. */
	object_seal_free(w->sealer);
	w->sealer = NULL;
	return rc;
}

static int
pack_store(struct shipper_worker *w, struct fault *f)
{
	const struct shipper *s = w->s;
	struct deadline d =
	    deadline_in_ms(repo_conf(s->repo)->store_deadline_ms);
	struct manifest_pack p = {
	    .size = w->pack_len,
	    .extents = w->extents,
	    .n_extents = w->n_extents,
	};
	struct store *store;
	char what[16], name[LAYOUT_KEY], key[LAYOUT_KEY];
	int rc;

	if ((rc = pack_name(w, what, name, f)) != 0 ||
	    (rc = layout_base(repo_cluster(s->repo), repo_system_id(s->repo),
		 s->id, what, key, f)) != 0 ||
	    (rc = repo_store_for(
		 w->repo, s->repo_index, OBJECT_PACK, &store, f)) != 0 ||
	    (rc = store_put_own(store, key, w->pack, w->pack_len, &d, f)) != 0)
		return rc;
	p.name = name;
	return shipper_manifest_pack(w->s, &p, f);
}

void *
shipper_worker_run(void *arg)
{
	struct shipper_worker *w = arg;
	struct fault f = FAULT_INIT;

	while (shipper_queue_enter(w->s, &w->number)) {
		int rc = pack_fill(w, &f);

		shipper_queue_leave(w->s);
		/* another one may have taken what enter saw */
		if (rc == 0 && w->n_extents > 0 &&
		    shipper_queue_check(w->s, &f) == 0)
			rc = pack_store(w, &f);
		if (rc != 0) {
			(void)shipper_queue_fail(w->s, &f);
			break;
		}
	}
	return NULL;
}
