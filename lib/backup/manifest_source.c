#include "manifest_source.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "fdio.h"
#include "layout.h"

/* An object's bytes go in, events come out. */
struct stream {
	char name[LAYOUT_KEY];
	struct object_id id; /* its name is the one above */
	struct manifest_reader *records;
	struct object_reader *object;
};

static int
stream_open(struct stream *s, const struct repo *r, const char *id,
    const struct manifest_events *ev, void *ctx, struct fault *f)
{
	int rc = layout_base_name(id, "manifest", s->name, f);

	s->records = NULL;
	s->object = NULL;
	s->id = (struct object_id){
	    repo_cluster(r), repo_system_id(r), OBJECT_MANIFEST, s->name};
	if (rc == 0)
		rc = manifest_reader_new(&s->records, ev, ctx, f);
	if (rc == 0)
		rc = object_reader_new(&s->object, &s->id, repo_keys(r),
		    manifest_reader_feed, s->records, f);
	return rc;
}

/* rc: of what went in. */
static int
stream_close(
    struct stream *s, int rc, struct manifest_totals *totals, struct fault *f)
{
	if (rc == 0)
		rc = object_reader_end(s->object, f);
	if (rc == 0)
		rc = manifest_reader_end(s->records, totals, f);
	object_reader_free(s->object);
	manifest_reader_free(s->records);
	return rc;
}

int
manifest_source_get(struct repo *r, size_t i, const char *id, sink_fn sink,
    void *ctx, struct store_info *info, const struct deadline *d,
    struct fault *f)
{
	char key[LAYOUT_KEY];
	struct store *s;
	int rc;

	rc = layout_base(
	    repo_cluster(r), repo_system_id(r), id, "manifest", key, f);
	if (rc == 0)
		rc = repo_store(r, i, &s, f);
	if (rc == 0)
		rc = store_get(s, key, 0, UINT64_MAX, sink, ctx, info, d, f);
	return rc;
}

int
manifest_source_read(struct repo *r, size_t i, const char *id,
    const struct manifest_events *ev, void *ctx, struct manifest_totals *totals,
    const struct deadline *d, struct fault *f)
{
	struct stream s;
	int rc = stream_open(&s, r, id, ev, ctx, f);

	if (rc == 0)
		rc = manifest_source_get(
		    r, i, id, object_reader_feed, s.object, NULL, d, f);
	return stream_close(&s, rc, totals, f);
}

int
manifest_source_replay(const struct repo *r, const char *id, int fd,
    const struct manifest_events *ev, void *ctx, struct manifest_totals *totals,
    struct fault *f)
{
	static const char what[] = "the manifest's copy";
	unsigned char *block = malloc(OBJECT_CHUNK);
	struct stream s;
	size_t got = 1;
	int rc = stream_open(&s, r, id, ev, ctx, f);

	if (rc == 0 && block == NULL)
		rc = fault_nomem(f);
	if (rc == 0 && lseek(fd, 0, SEEK_SET) != 0)
		rc = fault_errno(f, errno, "%s", what);
	while (rc == 0 && got > 0) {
		rc = fdio_read(fd, what, block, OBJECT_CHUNK, &got, f);
		if (rc == 0)
			rc = object_reader_feed(s.object, block, got, f);
	}
	rc = stream_close(&s, rc, totals, f);
	free(block);
	return rc;
}
