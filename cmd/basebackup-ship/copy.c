#include "copy.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fdio.h"
#include "log.h"
#include "text.h"

/* All files of the cluster into packs and a manifest, from either source. */

int
copy_started(struct copy *c, uint64_t lsn, uint32_t timeline, struct fault *f)
{
	struct head *h = &c->s->head;
	char text[20];

	if (timeline != c->s->server.timeline)
		return fault_set(f, FAULT_AGAIN,
		    "the server went to timeline %u meanwhile: take the backup "
		    "again",
		    timeline);
	h->timeline = timeline;
	h->start_lsn = lsn;
	text_format_lsn(lsn, text);
	log_line(1, "copying from %s on timeline %u", text, timeline);
	return 0;
}

int
copy_tablespace(struct copy *c, uint32_t oid, const char *path, uint64_t size,
    struct fault *f)
{
	struct head *h = &c->s->head;
	struct head_tablespace *t = reallocarray(
	    h->tablespaces, h->n_tablespaces + 1, sizeof *h->tablespaces);

	if (t == NULL)
		return fault_nomem(f);
	h->tablespaces = t;
	t += h->n_tablespaces;
	*t = (struct head_tablespace){oid, strdup(path), size};
	if (t->path == NULL)
		return fault_nomem(f);
	h->n_tablespaces++;
	return 0;
}

/* It grows with the number of files and its size is told by its end only, so
 * it waits in a file without a name. */
static int
ship_manifest(struct copy *c, struct fault *f)
{
	static unsigned char part[65536];
	uint64_t done = 0;
	int rc = shipper_file(
	    c->shipper, COPY_MANIFEST, c->spooled, 0600, c->s->head.stop_us, f);

	while (rc == 0 && done < c->spooled) {
		size_t got;

		rc = fdio_pread(
		    c->spool, COPY_MANIFEST, part, sizeof part, done, &got, f);
		if (rc == 0 && got == 0)
			rc = fault_set(f, FAULT_SYSTEM,
			    "the temporary copy of " COPY_MANIFEST
			    " is cut off");
		if (rc == 0)
			rc = shipper_data(c->shipper, part, got, f);
		done += rc == 0 ? got : 0;
	}
	return rc == 0 ? shipper_file_end(c->shipper, f) : rc;
}

static int
transfer(struct copy *c, struct fault *f)
{
	struct ship *s = c->s;
	struct head *h = &s->head;
	int rc =
	    s->source == SOURCE_FILES ? files_copy(c, f) : stream_copy(c, f);

	if (rc != 0)
		return rc;
	if (h->stop_timeline != h->timeline)
		return fault_set(f, FAULT_AGAIN,
		    "the server went to timeline %u meanwhile: take the backup "
		    "again",
		    h->stop_timeline);
	if ((rc = server_clock(s, &h->stop_us, f)) != 0 ||
	    (rc = ship_manifest(c, f)) != 0)
		return rc;
	return shipper_finish(c->shipper, &h->totals, &h->manifest_size, f);
}

int
copy_run(struct ship *s, struct fault *f)
{
	struct copy c = {.s = s, .spool = -1};
	const struct shipper_params p = {
	    .id = s->head.id,
	    .repo = s->repo_index,
	    .jobs = s->jobs,
	    .rate = s->rate,
	    .read = files_read,
	    .read_ctx = &c,
	};
	int rc;

	if ((rc = spool_open(s->conf->spool_dir, &c.spool, f)) == 0 &&
	    (rc = shipper_new(&c.shipper, s->repo, &p, f)) == 0 &&
	    (rc = progress_start(&c.progress, "backup", 0, s->progress, f)) ==
		0)
		rc = transfer(&c, f);
	progress_end(c.progress);
	shipper_free(c.shipper);
	files_free(&c);
	if (c.spool >= 0)
		(void)close(c.spool);
	return rc;
}
