#include "sample.h"

#include "clock.h"
#include "manifest_source.h"
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
	static const struct manifest_events ev = {.pack = read_pack};
	struct deadline d = deadline_in_ms(repo_conf(r)->store_deadline_ms);
	struct sample s = {.repo = r, .index = i};
	struct manifest_totals totals;
	int rc;

	*bytes_per_second = 0;
	rc = manifest_source_read(r, i, h->id, &ev, &s, &totals, &d, f);
	if (s.done) {
		fault_clear(f);
		*bytes_per_second =
		    s.bytes * 1000 / (uint64_t)(s.ms > 0 ? s.ms : 1);
		rc = 0;
	}
	return rc;
}
