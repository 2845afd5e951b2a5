#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy.h"
#include "fdio.h"
#include "label.h"
#include "log.h"
#include "pgbackup.h"
#include "pgread.h"
#include "wal.h"

/*
 * The data directory itself, read while the server is in backup mode. In order:
 *
 *	1. the server enters backup mode: a checkpoint, and from now on whole
 *	   pages in WAL;
 *	2. the tree is walked; workers read what the walk finds;
 *	3. when all of it was read, pg_control: not before, for what was copied
 *	   from a standby is consistent only at the point that it tells;
 *	4. the server leaves backup mode, and gives backup_label for it.
 */

#define CONTROL "global/pg_control"
#define LABEL "backup_label"
#define MODE 0600

/* ---- 2: the tree ---- */

static int
on_folder(void *ctx, const char *path, uint32_t mode, int64_t mtime_us,
    struct fault *f)
{
	struct copy *c = ctx;

	return shipper_folder(c->shipper, path, mode, mtime_us, f);
}

static int
on_space(void *ctx, uint32_t oid, const char *path, struct fault *f)
{
	return copy_tablespace(ctx, oid, path, 0, f);
}

static int
put_empty(struct copy *c, const struct pgtree_file *t, struct fault *f)
{
	int rc;

	(void)close(t->fd);
	rc =
	    shipper_pull(c->shipper, t->path, 0, t->mode, t->mtime_us, NULL, f);
	return rc == 0 ? pgmanifest_file(c->list, t->path, 0, t->mtime_us, 0, f)
		       : rc;
}

static int
on_file(void *ctx, const struct pgtree_file *t, struct fault *f)
{
	struct copy *c = ctx;
	struct head *h = &c->s->head;
	struct pgread_file *file = NULL;
	int rc;

	/* the walk is inside the tablespace that it told last */
	if (t->space != 0 && h->n_tablespaces > 0)
		h->tablespaces[h->n_tablespaces - 1].size += t->size;
	if (t->size == 0)
		return put_empty(c, t, f);
	if ((rc = pgread_open(c->reader, t, &file, f)) != 0 ||
	    (rc = pgbackup_check(c->s->pg, f)) != 0)
		return rc;
	return shipper_pull(
	    c->shipper, t->path, t->size, t->mode, t->mtime_us, file, f);
}

static void
on_left_out(void *ctx, const char *path, const char *why)
{
	(void)ctx;
	log_line(1, "%s left out: %s", path, why);
}

int
files_read(void *ctx, void *file, const struct manifest_piece *p,
    unsigned char *out, struct fault *f)
{
	struct copy *c = ctx;
	int rc = pgread_piece(c->reader, file, p, out, f);

	progress_add(c->progress, p->length);
	return rc;
}

/* ---- how much there will be, for the line of progress ---- */

static int
count_folder(void *ctx, const char *path, uint32_t mode, int64_t mtime_us,
    struct fault *f)
{
	(void)ctx;
	(void)path;
	(void)mode;
	(void)mtime_us;
	(void)f;
	return 0;
}

static int
count_space(void *ctx, uint32_t oid, const char *path, struct fault *f)
{
	(void)ctx;
	(void)oid;
	(void)path;
	(void)f;
	return 0;
}

static int
count_file(void *ctx, const struct pgtree_file *t, struct fault *f)
{
	uint64_t *total = ctx;

	(void)f;
	*total += t->size;
	return 0;
}

static int
walk(struct copy *c, struct fault *f)
{
	static const struct pgtree_events copying = {
	    on_folder, on_file, on_space, on_left_out};
	static const struct pgtree_events counting = {
	    count_folder, count_file, count_space, NULL};
	const struct ship *s = c->s;
	struct pgtree_params p = {
	    .root = s->conf->pgdata,
	    .major = s->head.pg_version / 10000,
	    .catalog_version = s->control.catalog_version,
	    .sizes_only = true,
	};
	uint64_t total = 0;
	int rc;

	if (c->progress != NULL) {
		if ((rc = pgtree_walk(&p, &counting, &total, f)) != 0)
			return rc;
		progress_total(c->progress, total);
	}
	p.sizes_only = false;
	if ((rc = pgtree_walk(&p, &copying, c, f)) != 0 ||
	    (rc = shipper_drain(c->shipper, f)) != 0)
		return rc;
	return pgread_verdict(c->reader, f);
}

/* ---- 3 and 4: what comes last ---- */

/* A small file whose content is at hand. */
static int
put_file(struct copy *c, const char *path, uint32_t mode, const void *data,
    size_t len, struct fault *f)
{
	int64_t now = clock_now_us();
	int rc;

	if ((rc = shipper_file(c->shipper, path, len, mode, now, f)) != 0 ||
	    (rc = shipper_data(c->shipper, data, len, f)) != 0 ||
	    (rc = shipper_file_end(c->shipper, f)) != 0)
		return rc;
	return pgmanifest_file(
	    c->list, path, len, now, wal_crc32c(0, data, len), f);
}

static int
put_control(struct copy *c, struct fault *f)
{
	unsigned char data[CONTROL_SIZE];
	struct control control;
	struct stat st;
	char *path;
	int rc = repo_control_read(c->s->conf->pgdata, data, &control, f);

	if (rc != 0)
		return rc;
	/* A cluster that its group may read keeps that. */
	path = fdio_join(c->s->conf->pgdata, CONTROL);
	if (path == NULL)
		return fault_nomem(f);
	if (stat(path, &st) != 0)
		rc = fault_errno(f, errno, "%s", path);
	else
		rc = put_file(
		    c, CONTROL, st.st_mode & 0777, data, sizeof data, f);
	free(path);
	return rc;
}

/* What backup_label says must be what we know. */
static int
check_label(const struct copy *c, const char *text, struct fault *f)
{
	const struct head *h = &c->s->head;
	struct label label;
	int rc = label_parse(text, strlen(text), &label, f);

	if (rc != 0)
		return rc;
	if (label.start_lsn == h->start_lsn &&
	    (label.timeline == h->timeline || label.timeline == 0))
		return 0;
	return fault_set(f, FAULT_SYSTEM,
	    "PostgreSQL gave the backup label of another backup: take it "
	    "again");
}

static int
stop(struct copy *c, struct fault *f)
{
	struct head *h = &c->s->head;
	char *label = NULL;
	int rc;

	if ((rc = pgbackup_stop(c->s->pg, &h->stop_lsn, &label, f)) != 0)
		return rc;
	h->stop_timeline = h->timeline;
	if ((rc = check_label(c, label, f)) == 0 &&
	    (rc = pgread_verdict_stop(c->reader, h->stop_lsn, f)) == 0)
		rc = put_file(c, LABEL, MODE, label, strlen(label), f);
	free(label);
	return rc;
}

static int
start(struct copy *c, struct fault *f)
{
	struct ship *s = c->s;
	const struct head *h = &s->head;
	struct pgread_params p = {
	    .checksums = s->server.checksums,
	    .page_size = s->control.block_size,
	    .relation_blocks = s->control.relation_blocks,
	};
	int rc;

	if ((rc = pgmanifest_new(&c->list, c->spool, COPY_MANIFEST,
		 h->pg_version / 10000, h->system_id, f)) != 0 ||
	    (rc = pgbackup_start(s->pg, h->label[0] != '\0' ? h->label : h->id,
		 s->fast_checkpoint, &p.start_lsn, f)) != 0 ||
	    (rc = copy_started(c, p.start_lsn, s->server.timeline, f)) != 0)
		return rc;
	p.manifest = c->list;
	return pgread_new(&c->reader, &p, f);
}

int
files_copy(struct copy *c, struct fault *f)
{
	const struct head *h = &c->s->head;
	int rc;

	if ((rc = start(c, f)) != 0 || (rc = walk(c, f)) != 0 ||
	    (rc = put_control(c, f)) != 0 || (rc = stop(c, f)) != 0)
		return rc;
	return pgmanifest_end(
	    c->list, h->timeline, h->start_lsn, h->stop_lsn, &c->spooled, f);
}

void
files_free(struct copy *c)
{
	pgread_free(c->reader);
	pgmanifest_free(c->list);
}
