#include "shipper_core.h"

/* The manifest's object, written while packs are finished. */

void
shipper_manifest_params(const struct shipper *s, enum object_kind kind,
    const char *name, struct object_params *out)
{
	const struct conf_cluster *c = repo_conf(s->repo);

	*out = (struct object_params){
	    .id = {repo_cluster(s->repo), repo_system_id(s->repo), kind, name},
	    .keys = repo_keys(s->repo),
	    .codec = (enum codec_kind)c->codec,
	    .level = c->level,
	};
}

int
shipper_manifest_begin(struct shipper *s, struct fault *f)
{
	struct object_params params;
	struct store *store;
	char key[LAYOUT_KEY], name[LAYOUT_KEY];
	int rc;

	if ((rc = layout_base(repo_cluster(s->repo), repo_system_id(s->repo),
		 s->id, "manifest", key, f)) != 0 ||
	    (rc = layout_base_name(s->id, "manifest", name, f)) != 0 ||
	    (rc = repo_clone(&s->manifest_repo, s->repo, f)) != 0 ||
	    (rc = repo_store_for(s->manifest_repo, s->repo_index,
		 OBJECT_MANIFEST, &store, f)) != 0 ||
	    (rc = store_upload_begin(&s->upload, store, key, NULL, f)) != 0)
		return rc;
	shipper_manifest_params(s, OBJECT_MANIFEST, name, &params);
	rc = object_seal_begin(
	    &s->sealer, &params, store_upload_write, s->upload, f);
	if (rc != 0)
		return rc;
	return manifest_writer_new(&s->writer, s->sealer, f);
}

/* The upload lasts as long as the backup; each step of it has a deadline. */
static void
step_begin(struct shipper *s)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(s->repo)->store_deadline_ms);

	pthread_mutex_lock(&s->manifest_lock);
	store_upload_deadline(s->upload, &d);
}

int
shipper_manifest_entry(
    struct shipper *s, const struct manifest_entry *e, struct fault *f)
{
	int rc;

	step_begin(s);
	rc = manifest_put_entry(s->writer, e, f);
	pthread_mutex_unlock(&s->manifest_lock);
	return rc;
}

int
shipper_manifest_pack(
    struct shipper *s, const struct manifest_pack *p, struct fault *f)
{
	int rc;

	step_begin(s);
	rc = manifest_put_pack(s->writer, p, f);
	pthread_mutex_unlock(&s->manifest_lock);
	return rc;
}

int
shipper_manifest_end(struct shipper *s, struct manifest_totals *t,
    uint64_t *size, struct fault *f)
{
	int rc;

	step_begin(s);
	if ((rc = manifest_writer_end(s->writer, t, f)) == 0 &&
	    (rc = object_seal_end(s->sealer, size, f)) == 0)
		rc = store_upload_commit(s->upload, f);
	pthread_mutex_unlock(&s->manifest_lock);
	return rc;
}

void
shipper_manifest_release(struct shipper *s)
{
	manifest_writer_free(s->writer);
	object_seal_free(s->sealer);
	store_upload_free(s->upload);
	repo_free(s->manifest_repo);
}
