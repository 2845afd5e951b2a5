#include <stdio.h>
#include <string.h>

#include "basebackup.h"
#include "copy.h"
#include "fdio.h"
#include "text.h"
#include "untar.h"

/* From the server's tar archives to files of the backup. Those of tablespace N
 * become files below pg_tblspc/N; where they were stands in the head. */

struct stream {
	struct copy *c;
	struct untar *tar;
	uint64_t total;
	uint32_t oid; /* of the archive at hand */
	bool links_folder;
	char path[MANIFEST_PATH];
};

/* ---- what the tar says ---- */

static int
set_path(struct stream *t, const char *name, struct fault *f)
{
	int n = t->oid == 0 ? snprintf(t->path, sizeof t->path, "%s", name)
			    : snprintf(t->path, sizeof t->path,
				  "pg_tblspc/%u/%s", t->oid, name);

	if (n < 0 || (size_t)n >= sizeof t->path)
		return fault_set(f, FAULT_CONFIG, "%s: path too long", name);
	return 0;
}

/* pg_tblspc comes with the data directory, which some versions send last: but
 * a folder has to be told before what is in it. */
static int
links_folder(struct stream *t, struct fault *f)
{
	if (t->links_folder)
		return 0;
	t->links_folder = true;
	return shipper_folder(t->c->shipper, "pg_tblspc",
	    t->c->s->server.folder_mode, t->c->s->head.start_us, f);
}

/* The archive of a tablespace in the data directory does not hold its own
 * folder. The data directory's does, but may come later; a folder that is told
 * twice does no harm. */
static int
in_place_folder(struct stream *t, struct fault *f)
{
	const struct head *h = &t->c->s->head;
	char path[32];

	for (size_t i = 0; i < h->n_tablespaces; i++)
		if (h->tablespaces[i].oid == t->oid)
			return 0;
	snprintf(path, sizeof path, "pg_tblspc/%u", t->oid);
	return shipper_folder(
	    t->c->shipper, path, t->c->s->server.folder_mode, h->start_us, f);
}

static int
on_link(struct stream *t, const struct untar_entry *e, struct fault *f)
{
	const struct head *h = &t->c->s->head;
	uint32_t oid;

	if (t->oid != 0 || !text_prefix(e->name, "pg_tblspc/"))
		return shipper_link(t->c->shipper, t->path, e->link, f);
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
	struct stream *t = ctx;
	int64_t mtime_us = e->mtime * 1000000;
	int rc;

	if (e->name[0] == '\0')
		return 0; /* the root itself */
	if ((rc = set_path(t, e->name, f)) != 0)
		return rc;
	if (e->kind == UNTAR_LINK)
		return on_link(t, e, f);
	if (e->kind == UNTAR_FILE)
		return shipper_file(
		    t->c->shipper, t->path, e->size, e->mode, mtime_us, f);
	if (strcmp(t->path, "pg_tblspc") == 0)
		return links_folder(t, f);
	return shipper_folder(t->c->shipper, t->path, e->mode, mtime_us, f);
}

static int
on_data(void *ctx, const unsigned char *p, size_t n, struct fault *f)
{
	struct stream *t = ctx;

	progress_add(t->c->progress, n);
	return shipper_data(t->c->shipper, p, n, f);
}

static int
on_end(void *ctx, struct fault *f)
{
	struct stream *t = ctx;

	return shipper_file_end(t->c->shipper, f);
}

/* ---- what the protocol says ---- */

static int
on_start(void *ctx, const struct basebackup_start *start, struct fault *f)
{
	struct stream *t = ctx;

	return copy_started(t->c, start->lsn, start->timeline, f);
}

static int
on_tablespace(
    void *ctx, uint32_t oid, const char *path, uint64_t size, struct fault *f)
{
	struct stream *t = ctx;

	if (size != UINT64_MAX && size <= UINT64_MAX - t->total)
		t->total += size;
	progress_total(t->c->progress, t->total);
	/* With allow_in_place_tablespaces it may lie in the data directory:
	 * then it is a part of that. */
	if (oid == 0 || path[0] != '/')
		return 0;
	return copy_tablespace(
	    t->c, oid, path, size == UINT64_MAX ? 0 : size, f);
}

static int
on_archive(void *ctx, uint32_t oid, struct fault *f)
{
	static const struct untar_events ev = {on_entry, on_data, on_end};
	struct stream *t = ctx;
	int rc;

	t->oid = oid;
	if (oid != 0 && ((rc = links_folder(t, f)) != 0 ||
			    (rc = in_place_folder(t, f)) != 0))
		return rc;
	return untar_new(&t->tar, &ev, t, f);
}

static int
on_tar(void *ctx, const unsigned char *p, size_t n, struct fault *f)
{
	struct stream *t = ctx;

	return untar_feed(t->tar, p, n, f);
}

static int
on_archive_end(void *ctx, struct fault *f)
{
	struct stream *t = ctx;
	int rc = untar_end(t->tar, f);

	untar_free(t->tar);
	t->tar = NULL;
	return rc;
}

static int
on_manifest(void *ctx, const unsigned char *p, size_t n, struct fault *f)
{
	struct stream *t = ctx;

	t->c->spooled += n;
	return fdio_write(t->c->spool, COPY_MANIFEST, p, n, f);
}

int
stream_copy(struct copy *c, struct fault *f)
{
	static const struct basebackup_events ev = {on_start, on_tablespace,
	    on_archive, on_tar, on_archive_end, on_manifest};
	struct ship *s = c->s;
	struct head *h = &s->head;
	const struct basebackup_options o = {
	    .label = h->label[0] != '\0' ? h->label : h->id,
	    .fast_checkpoint = s->fast_checkpoint,
	};
	struct stream t = {.c = c};
	int rc = basebackup_run(
	    s->pg, &o, &ev, &t, &h->stop_lsn, &h->stop_timeline, f);

	untar_free(t.tar);
	if (rc == 0 && c->spooled == 0)
		rc = fault_set(
		    f, FAULT_SYSTEM, "PostgreSQL sent no backup manifest");
	return rc;
}
