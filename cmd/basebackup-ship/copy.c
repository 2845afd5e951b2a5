#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basebackup.h"
#include "fdio.h"
#include "log.h"
#include "progress.h"
#include "ship.h"
#include "untar.h"
#include "text.h"

/* From the server's tar archives to files of the backup. Those of tablespace N
 * become files below pg_tblspc/N; where they were stands in the head. */

#define SPOOL_NAME "backup_manifest"

struct copy {
	struct ship *s;
	struct shipper *shipper;
	struct progress *progress;
	struct untar *tar;
	uint64_t total;
	uint32_t oid; /* of the archive at hand */
	bool links_folder;
	int spool; /* the server's own manifest, as it comes */
	uint64_t spooled;
	char path[MANIFEST_PATH];
};

/* ---- what the tar says ---- */

static int
set_path(struct copy *c, const char *name, struct fault *f)
{
	int n = c->oid == 0 ? snprintf(c->path, sizeof c->path, "%s", name)
			    : snprintf(c->path, sizeof c->path,
				  "pg_tblspc/%u/%s", c->oid, name);

	if (n < 0 || (size_t)n >= sizeof c->path)
		return fault_set(f, FAULT_CONFIG, "%s: path too long", name);
	return 0;
}

/* pg_tblspc comes with the data directory, which some versions send last: but
 * a folder has to be told before what is in it. */
static int
links_folder(struct copy *c, struct fault *f)
{
	if (c->links_folder)
		return 0;
	c->links_folder = true;
	return shipper_folder(c->shipper, "pg_tblspc", c->s->server.folder_mode,
	    c->s->head.start_us, f);
}

static int
on_link(struct copy *c, const struct untar_entry *e, struct fault *f)
{
	const struct head *h = &c->s->head;
	uint32_t oid;

	if (c->oid != 0 || !text_prefix(e->name, "pg_tblspc/"))
		return shipper_link(c->shipper, c->path, e->link, f);
	for (size_t i = 0;
	     text_u32(e->name + 10, &oid) == 0 && i < h->n_tablespaces; i++) {
		if (h->tablespaces[i].oid == oid)
			return 0;
	}
	return fault_set(f, FAULT_SYSTEM,
	    "%s: a tablespace that came while the backup ran? Take it again",
	    e->name);
}

static int
on_entry(void *ctx, const struct untar_entry *e, struct fault *f)
{
	struct copy *c = ctx;
	int64_t mtime_us = e->mtime * 1000000;
	int rc;

	if (e->name[0] == '\0')
		return 0; /* the root itself */
	if ((rc = set_path(c, e->name, f)) != 0)
		return rc;
	if (e->kind == UNTAR_LINK)
		return on_link(c, e, f);
	if (e->kind == UNTAR_FILE)
		return shipper_file(
		    c->shipper, c->path, e->size, e->mode, mtime_us, f);
	if (strcmp(c->path, "pg_tblspc") == 0)
		return links_folder(c, f);
	return shipper_folder(c->shipper, c->path, e->mode, mtime_us, f);
}

static int
on_data(void *ctx, const unsigned char *p, size_t n, struct fault *f)
{
	struct copy *c = ctx;

	progress_add(c->progress, n);
	return shipper_data(c->shipper, p, n, f);
}

static int
on_end(void *ctx, struct fault *f)
{
	struct copy *c = ctx;

	return shipper_file_end(c->shipper, f);
}

/* ---- what the protocol says ---- */

static int
on_start(void *ctx, const struct basebackup_start *start, struct fault *f)
{
	struct copy *c = ctx;
	struct head *h = &c->s->head;
	char lsn[20];

	if (start->timeline != c->s->server.timeline)
		return fault_set(f, FAULT_AGAIN,
		    "the server went to timeline %u meanwhile",
		    start->timeline);
	h->timeline = start->timeline;
	h->start_lsn = start->lsn;
	text_format_lsn(start->lsn, lsn);
	log_line(1, "copying from %s on timeline %u", lsn, start->timeline);
	return 0;
}

static int
on_tablespace(
    void *ctx, uint32_t oid, const char *path, uint64_t size, struct fault *f)
{
	struct copy *c = ctx;
	struct head *h = &c->s->head;
	struct head_tablespace *t;

	if (size != UINT64_MAX && size <= UINT64_MAX - c->total)
		c->total += size;
	progress_total(c->progress, c->total);
	if (oid == 0)
		return 0;
	if (path[0] != '/')
		return fault_set(f, FAULT_CONFIG,
		    "tablespace %u lies in the data directory (%s): such "
		    "tablespaces of developers are not backed up",
		    oid, path);
	t = reallocarray(
	    h->tablespaces, h->n_tablespaces + 1, sizeof *h->tablespaces);
	if (t == NULL)
		return fault_nomem(f);
	h->tablespaces = t;
	t += h->n_tablespaces;
	*t = (struct head_tablespace){oid, strdup(path), size};
	if (t->path == NULL)
		return fault_nomem(f);
	if (size == UINT64_MAX)
		t->size = 0;
	h->n_tablespaces++;
	return 0;
}

static int
on_archive(void *ctx, uint32_t oid, struct fault *f)
{
	static const struct untar_events ev = {on_entry, on_data, on_end};
	struct copy *c = ctx;
	int rc;

	c->oid = oid;
	if (oid != 0 && (rc = links_folder(c, f)) != 0)
		return rc;
	return untar_new(&c->tar, &ev, c, f);
}

static int
on_tar(void *ctx, const unsigned char *p, size_t n, struct fault *f)
{
	struct copy *c = ctx;

	return untar_feed(c->tar, p, n, f);
}

static int
on_archive_end(void *ctx, struct fault *f)
{
	struct copy *c = ctx;
	int rc = untar_end(c->tar, f);

	untar_free(c->tar);
	c->tar = NULL;
	return rc;
}

static int
on_manifest(void *ctx, const unsigned char *p, size_t n, struct fault *f)
{
	struct copy *c = ctx;

	c->spooled += n;
	return fdio_write(c->spool, SPOOL_NAME, p, n, f);
}

/* ---- the end ---- */

/* It grows with the number of files and its size is told by its end only, so
 * it waits in a file without a name. */
static int
ship_manifest(struct copy *c, struct fault *f)
{
	static unsigned char part[65536];
	uint64_t done = 0;
	int rc;

	if (c->spooled == 0)
		return fault_set(
		    f, FAULT_SYSTEM, "PostgreSQL sent no backup manifest");
	rc = shipper_file(
	    c->shipper, SPOOL_NAME, c->spooled, 0600, c->s->head.stop_us, f);
	while (rc == 0 && done < c->spooled) {
		size_t got;

		rc = fdio_pread(
		    c->spool, SPOOL_NAME, part, sizeof part, done, &got, f);
		if (rc == 0 && got == 0)
			rc = fault_set(f, FAULT_SYSTEM,
			    "the temporary copy of " SPOOL_NAME " is cut off");
		if (rc == 0)
			rc = shipper_data(c->shipper, part, got, f);
		done += rc == 0 ? got : 0;
	}
	return rc == 0 ? shipper_file_end(c->shipper, f) : rc;
}

static int
transfer(struct copy *c, struct fault *f)
{
	static const struct basebackup_events ev = {on_start, on_tablespace,
	    on_archive, on_tar, on_archive_end, on_manifest};
	struct ship *s = c->s;
	struct head *h = &s->head;
	const struct basebackup_options o = {
	    .label = h->label[0] != '\0' ? h->label : h->id,
	    .fast_checkpoint = s->fast_checkpoint,
	};
	int rc;

	if ((rc = basebackup_run(
		 s->pg, &o, &ev, c, &h->stop_lsn, &h->stop_timeline, f)) != 0)
		return rc;
	if (h->stop_timeline != h->timeline)
		return fault_set(f, FAULT_AGAIN,
		    "the server went to timeline %u meanwhile",
		    h->stop_timeline);
	if ((rc = server_clock(s, &h->stop_us, f)) != 0 ||
	    (rc = ship_manifest(c, f)) != 0)
		return rc;
	return shipper_finish(c->shipper, &h->totals, &h->manifest_size, f);
}

int
copy_run(struct ship *s, struct fault *f)
{
	const struct shipper_params p = {
	    .id = s->head.id,
	    .repo = s->repo_index,
	    .jobs = s->jobs,
	    .rate = s->rate,
	};
	struct copy *c = calloc(1, sizeof *c);
	int rc;

	if (c == NULL)
		return fault_nomem(f);
	c->s = s;
	c->spool = -1;
	if ((rc = spool_open(s->conf->spool_dir, &c->spool, f)) == 0 &&
	    (rc = shipper_new(&c->shipper, s->repo, &p, f)) == 0 &&
	    (rc = progress_start(&c->progress, "backup", 0, s->progress, f)) ==
		0)
		rc = transfer(c, f);
	progress_end(c->progress);
	untar_free(c->tar);
	shipper_free(c->shipper);
	if (c->spool >= 0)
		(void)close(c->spool);
	free(c);
	return rc;
}
