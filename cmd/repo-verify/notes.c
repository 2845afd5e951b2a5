
#include "text.h"
#include "verify.h"

/* What is there and belongs to nothing. */

static int
note_remains(struct verify *v, struct fault *f)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->gather.n_folders; i++) {
		const struct gather_folder *d = &v->gather.folders[i];
		char key[LAYOUT_KEY], size[16];

		const struct ledger_backup *b = ledger_find(&v->ledger, d->id);

		if (d->has_head || d->running || d->needed ||
		    (b != NULL && ledger_misses(b)))
			continue;
		text_human_size(d->bytes, size);
		rc = layout_base(repo_cluster(v->repo), repo_system_id(v->repo),
		    d->id, "", key, f);
		if (rc == 0)
			rc = found_add(v, false, key, "an interrupted backup",
			    f,
			    "%llu objects, %s, which retention-prune removes",
			    (unsigned long long)d->objects, size);
	}
	if (rc == 0 && v->gather.strange > 0)
		rc = found_add(v, false, repo_cluster(v->repo),
		    "objects with names that mean nothing", f, "%llu",
		    (unsigned long long)v->gather.strange);
	return rc;
}

/* Only when every manifest was read whole is it known what none names. */
static bool
know_packs(const struct verify *v)
{
	for (size_t i = 0; i < v->gather.n_heads; i++)
		if (!v->backups[i].read || !v->backups[i].usable)
			return false;
	return true;
}

static int
note_packs(struct verify *v, struct fault *f)
{
	int rc = 0;

	if (!know_packs(v))
		return 0;
	for (size_t i = 0; rc == 0 && i < v->gather.n_folders; i++) {
		const struct gather_folder *d = &v->gather.folders[i];
		const struct verify_folder *x = &v->folders[i];
		uint64_t n = 0, bytes = 0;
		char key[LAYOUT_KEY], size[16];

		if (!d->has_head)
			continue;
		for (size_t k = 0; k < x->n_packs; k++) {
			const struct verify_pack *p =
			    &v->packs[x->first_pack + k];

			n += !p->used;
			bytes += p->used ? 0 : p->size;
		}
		if (n == 0)
			continue;
		text_human_size(bytes, size);
		rc = layout_base(repo_cluster(v->repo), repo_system_id(v->repo),
		    d->id, "pack/", key, f);
		if (rc == 0)
			rc = found_add(v, false, key,
			    "packs that no backup uses", f, "%llu, %s",
			    (unsigned long long)n, size);
	}
	return rc;
}

int
notes_add(struct verify *v, struct fault *f)
{
	int rc = note_remains(v, f);

	return rc != 0 ? rc : note_packs(v, f);
}
