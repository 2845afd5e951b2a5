#include "sample.h"

#include "clock.h"
#include "layout.h"
#include "packread.h"

struct sample {
	struct repo *repo;
	size_t index;
	uint64_t bytes;
	int64_t ms;
	bool done;
};

static int
count(void *ctx, const struct manifest_extent *e, const unsigned char *content,
    struct fault *f)
{
	struct sample *s = ctx;

	(void)content;
	(void)f;
	s->bytes += e->where.length;
	return 0;
}

static int
pass_entry(void *ctx, const struct manifest_entry *e, struct fault *f)
{
	(void)ctx;
	(void)e;
	(void)f;
	return 0;
}

static int
read_pack(void *ctx, const struct manifest_pack *p, struct fault *f)
{
	struct sample *s = ctx;
	struct packread *reader = NULL;
	struct repo *own = NULL;
	int64_t start = clock_monotonic_ms();
	int rc;

	/* The manifest is still coming in over the other handle. */
	rc = repo_clone(&own, s->repo, f);
	if (rc == 0)
		rc = packread_new(&reader, own, s->index, f);
	if (rc == 0)
		rc = packread_run(reader, p, count, s, f);
	packread_free(reader);
	repo_free(own);
	if (rc != 0)
		return rc;
	s->ms = clock_monotonic_ms() - start;
	s->done = true;
	/* Ends the manifest's stream. */
	return fault_set(f, FAULT_AGAIN, "one pack is enough");
}

int
sample_speed(struct repo *r, size_t i, const struct head *h,
    uint64_t *bytes_per_second, struct fault *f)
{
	struct manifest_events ev = {pass_entry, read_pack};
	struct deadline d = deadline_in_ms(repo_conf(r)->store_deadline_ms);
	struct sample s = {.repo = r, .index = i};
	struct manifest_reader *m = NULL;
	struct object_reader *o = NULL;
	char name[LAYOUT_KEY];
	char key[LAYOUT_KEY];
	struct object_id id = {
	    repo_cluster(r), repo_system_id(r), OBJECT_MANIFEST, name};
	struct store *store;
	int rc;

	*bytes_per_second = 0;
	rc = layout_base_name(h->id, "manifest", name, f);
	if (rc == 0)
		rc = layout_base(repo_cluster(r), repo_system_id(r), h->id,
		    "manifest", key, f);
	if (rc == 0)
		rc = repo_store(r, i, &store, f);
	if (rc == 0)
		rc = manifest_reader_new(&m, &ev, &s, f);
	if (rc == 0)
		rc = object_reader_new(
		    &o, &id, repo_keys(r), manifest_reader_feed, m, f);
	if (rc == 0)
		rc = store_get(store, key, 0, UINT64_MAX, object_reader_feed, o,
		    NULL, &d, f);
	object_reader_free(o);
	manifest_reader_free(m);
	if (s.done) {
		fault_clear(f);
		*bytes_per_second =
		    s.bytes * 1000 / (uint64_t)(s.ms > 0 ? s.ms : 1);
		rc = 0;
	}
	return rc;
}
