#include "spill_core.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fdio.h"
#include "recent.h"

#define SPILL_NAME "spill"
#define SPILL_AWAY_S 60

void
spill_conf(const struct conf_cluster *c, struct conf_repo *place,
    struct conf_cluster *out)
{
	*place = (struct conf_repo){
	    .name = SPILL_NAME,
	    .kind = CONF_STORE_FILE,
	    .path = c->spill_dir,
	};
	*out = *c;
	memset(out->repos, 0, sizeof(out->repos));
	out->repos[0] = place;
	out->n_repos = 1;
	out->push_quorum = 1;
}

static char *
spill_path(const struct spill *s, const char *what)
{
	char *out;

	if (asprintf(&out, "%s/%s-%" PRIu64 ".%s", s->conf.spool_dir,
		s->conf.name, repo_system_id(s->base), what) < 0)
		return NULL;
	return out;
}

int
spill_open(struct spill **out, const struct repo *r, struct fault *f)
{
	const struct conf_cluster *c = repo_conf(r);
	struct spill *s;
	int rc = 0;

	if (c->spill_dir == NULL) {
		*out = NULL;
		return 0;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return fault_nomem(f);
	s->base = r;
	spill_conf(c, &s->place, &s->conf);
	s->note = spill_path(s, "spill");
	s->away = spill_path(s, "away");
	if (s->note == NULL || s->away == NULL)
		rc = fault_nomem(f);
	(void)(rc != 0 ||
	       (rc = layout_mark(c->name, repo_system_id(r), s->mark, f)) !=
		   0 ||
	       (rc = layout_wal_prefix(
		    c->name, repo_system_id(r), s->prefix, f)) != 0 ||
	       (rc = repo_clone_for(&s->repo, r, &s->conf, f)) != 0);
	if (rc == 0 && (s->folder = fdio_join(c->spill_dir, s->prefix)) == NULL)
		rc = fault_nomem(f);
	if (rc != 0)
		spill_free(s);
	else
		*out = s;
	return rc;
}

void
spill_free(struct spill *s)
{
	if (s == NULL)
		return;
	repo_free(s->repo);
	free(s->note);
	free(s->away);
	free(s->folder);
	free(s);
}

int
spill_core_store(struct spill *s, struct store **out, struct fault *f)
{
	return repo_store(s->repo, 0, out, f);
}

bool
spill_below(const struct spill *s, const char *wal)
{
	uint64_t below = s->conf.spill_below, unit;
	struct statvfs v;

	if (statvfs(wal, &v) != 0)
		return false;
	unit = v.f_frsize > 0 ? v.f_frsize : 1;
	/* No product here can overflow. */
	if (s->conf.spill_percent)
		below =
		    v.f_blocks / 100 * below + v.f_blocks % 100 * below / 100;
	else
		below = below / unit + (below % unit != 0);
	return v.f_bavail < below;
}

bool
spill_suits(enum fault_code code)
{
	return code == FAULT_AGAIN || code == FAULT_DENIED ||
	       code == FAULT_SYSTEM;
}

bool
spill_away(const struct spill *s)
{
	return recent_is(s->away, SPILL_AWAY_S);
}

/* Without the file each call asks the repositories first: slower, no worse. */
void
spill_set_away(const struct spill *s, bool away)
{
	recent_set(s->away, away);
}

/* Did it have the mark, as the note knows? AGAIN when that cannot be read. */
static int
spill_known(const struct spill *s, bool *known, struct fault *f)
{
	struct archive_note n;
	bool unread;

	archive_note_load(&n, s->note, repo_keys(s->base));
	*known = archive_note_knew(&n, &s->place);
	unread = n.unread;
	archive_note_free(&n);
	if (unread)
		return fault_set(f, FAULT_AGAIN,
		    "%s cannot be read, or is not this user's: whether %s was"
		    " used cannot be told; if not, remove it",
		    s->note, s->place.path);
	return 0;
}

/* Not marked, and the root is not there either, is no fault. */
static int
spill_marked(
    struct spill *s, bool *marked, const struct deadline *d, struct fault *f)
{
	struct store_info info;
	struct store *store;
	struct stat st;
	int rc;

	*marked = false;
	if (stat(s->place.path, &st) != 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return fault_errno(f, errno, "%s", s->place.path);
	}
	if ((rc = spill_core_store(s, &store, f)) != 0)
		return rc;
	rc = store_stat(store, s->mark, &info, d, f);
	*marked = rc == 0;
	if (rc != FAULT_ABSENT)
		return rc;
	fault_clear(f);
	return 0;
}

int
spill_core_used(
    struct spill *s, bool *used, const struct deadline *d, struct fault *f)
{
	bool known;
	int rc = spill_marked(s, used, d, f);

	if (rc != 0 || *used || (rc = spill_known(s, &known, f)) != 0 || !known)
		return rc;
	return fault_set(f, FAULT_AGAIN,
	    "%s: the archive's mark, which was there, is gone: is it mounted?"
	    " WAL that is there may be in no repository; if it was emptied on"
	    " purpose, remove %s",
	    s->place.path, s->note);
}

int
spill_pending(
    struct spill *s, bool *pending, const struct deadline *d, struct fault *f)
{
	struct stat st;
	bool used;
	int rc = spill_core_used(s, &used, d, f);

	if (rc != 0)
		return rc;
	*pending = stat(s->folder, &st) == 0;
	if (!*pending && errno != ENOENT && errno != ENOTDIR)
		return fault_errno(f, errno, "%s", s->folder);
	return 0;
}

int
spill_core_check_place(const struct spill *s, struct fault *f)
{
	const struct conf_cluster *c = repo_conf(s->base);
	const char *path = s->place.path;
	struct stat st, other;

	if (stat(path, &st) != 0) {
		/* It is made as a directory repository's root is. */
		if (errno == ENOENT)
			return 0;
		return fault_errno(f, errno, "%s", path);
	}
	if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s: must belong to the user that runs this (postgres), and"
		    " nobody else may write in it",
		    path);
	for (size_t i = 0; i < c->n_repos; i++)
		if (c->repos[i]->kind == CONF_STORE_FILE &&
		    stat(c->repos[i]->path, &other) == 0 &&
		    other.st_dev == st.st_dev && other.st_ino == st.st_ino)
			return fault_set(f, FAULT_CONFIG,
			    "%s: is the directory of repository %s", path,
			    c->repos[i]->name);
	return 0;
}

/* Of the folder above where it is not there yet; an errno. */
static int
spill_stat_above(const struct spill *s, struct stat *st)
{
	char *folder = fdio_folder(s->place.path);
	int e = ENOMEM;

	if (folder != NULL)
		e = stat(folder, st) == 0 ? 0 : errno;
	free(folder);
	return e;
}

static int
spill_check_disk(const struct spill *s, const char *wal, struct fault *f)
{
	struct stat st, pg;
	int e = stat(s->place.path, &st) == 0 ? 0 : errno;

	if (e == ENOENT)
		e = spill_stat_above(s, &st);
	if (e != 0)
		return fault_errno(f, e, "%s", s->place.path);
	if (stat(wal, &pg) != 0)
		return fault_errno(f, errno, "%s", wal);
	if (st.st_dev == pg.st_dev)
		return fault_set(f, FAULT_CONFIG,
		    "spill_dir %s is in the same file system as pg_wal, and"
		    " would free nothing: is it mounted?",
		    s->place.path);
	return 0;
}

/* A spill of which nobody would know after a loss of power that it was used
 * could be taken for empty when it is not mounted. */
static int
spill_keep_note(const struct spill *s, struct fault *f)
{
	struct fault why = FAULT_INIT;
	bool known;
	int fd, rc;

	if (spill_known(s, &known, &why) != 0 || !known)
		return fault_set(f, FAULT_SYSTEM,
		    "%s cannot be written: without it a spill_dir that is not"
		    " mounted would be taken for empty",
		    s->note);
	if ((rc = fdio_open_read(s->note, &fd, f)) != 0)
		return rc;
	rc = fdio_sync(fd, s->note, f);
	close(fd);
	return rc != 0 ? rc : fdio_sync_parent(s->note, f);
}

/* The mark, and the note about it. */
static int
spill_mark(struct spill *s, const struct deadline *d, struct fault *f)
{
	const struct conf_repo *place = &s->place;
	const struct archive_note_flags flags = {.has = true, .once = true};
	struct archive_note n;
	int rc = archive_mark_make(s->repo, 0, d, f);

	if (rc == 0)
		rc = archive_mark_ours(s->repo, 0, d, f);
	if (rc != 0)
		return rc;
	archive_note_load(&n, s->note, repo_keys(s->base));
	archive_note_save(&n, &place, &flags, 1);
	archive_note_free(&n);
	return spill_keep_note(s, f);
}

int
spill_prepare(
    struct spill *s, const char *wal, const struct deadline *d, struct fault *f)
{
	struct archive_note n;
	bool pending, once, has;
	int rc;

	if ((rc = spill_check_disk(s, wal, f)) != 0 ||
	    (rc = spill_core_check_place(s, f)) != 0 ||
	    (rc = spill_pending(s, &pending, d, f)) != 0)
		return rc;
	archive_note_load(&n, s->note, repo_keys(s->base));
	has = archive_note_has(&n, &s->place, &once);
	archive_note_free(&n);
	return has ? 0 : spill_mark(s, d, f);
}

int
spill_push(struct spill *s, const char *path, const struct deadline *d,
    struct archive_result *res, struct fault *f)
{
	char *wal = fdio_folder(path);
	int rc = wal == NULL ? fault_nomem(f) : spill_prepare(s, wal, d, f);

	memset(res, 0, sizeof(*res));
	if (rc == 0)
		rc = archive_push_aside(s->repo, path, s->note, d, res, f);
	if (rc == 0)
		rc = spill_keep_note(s, f);
	free(wal);
	return rc;
}

static int
spill_add(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct spill_count *c = ctx;

	(void)f;
	c->files++;
	c->bytes += e->size;
	if (e->modified_us < c->oldest_us)
		c->oldest_us = e->modified_us;
	return c->files >= SPILL_COUNT ? -1 : 0;
}

int
spill_count(struct spill *s, struct spill_count *out, const struct deadline *d,
    struct fault *f)
{
	struct spill_count c = {0, 0, INT64_MAX};
	struct store *store;
	int rc = spill_core_store(s, &store, f);

	if (rc == 0)
		rc = store_list(
		    store, s->prefix, false, NULL, spill_add, &c, d, f);
	if (rc > 0)
		return rc;
	if (c.files == 0)
		c.oldest_us = CLOCK_NONE;
	*out = c;
	return 0;
}
