#include "pgtree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest.h"
#include "pgtree_rules.h"
#include "relfile.h"

struct level {
	DIR *dir;
	enum pgtree_kind kind;
	size_t path_len; /* of the folder's path */
	uint32_t space;
	dev_t dev;
	ino_t ino;
};

struct walk {
	const struct pgtree_params *p;
	const struct pgtree_events *ev;
	void *ctx;
	char version[32]; /* this server's folder in a tablespace */
	struct level level[PGTREE_DEPTH];
	size_t depth;
	char path[MANIFEST_PATH];
};

static int64_t
mtime_us(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000 +
	       st->st_mtim.tv_nsec / 1000;
}

static void
leave_out(struct walk *w, const char *why)
{
	if (w->ev->left_out != NULL)
		w->ev->left_out(w->ctx, w->path, why);
}

/* w->path becomes that of name in the folder at hand. */
static int
enter_path(struct walk *w, const char *name, struct fault *f)
{
	size_t at = w->level[w->depth - 1].path_len;
	size_t n = strlen(name);

	w->path[at] = '\0';
	if (n + 2 > sizeof w->path - at)
		return fault_set(
		    f, FAULT_CONFIG, "%s/%s: path too long", w->path, name);
	if (at > 0)
		w->path[at++] = '/';
	memcpy(w->path + at, name, n + 1);
	return 0;
}

static bool
is_loop(const struct walk *w, const struct stat *st)
{
	for (size_t i = 0; i < w->depth; i++) {
		if (w->level[i].dev == st->st_dev &&
		    w->level[i].ino == st->st_ino)
			return true;
	}
	return false;
}

/* Takes fd. */
static int
push(struct walk *w, int fd, enum pgtree_kind kind, const struct stat *st,
    uint32_t space, struct fault *f)
{
	struct level *l = &w->level[w->depth];

	if (w->depth == PGTREE_DEPTH) {
		(void)close(fd);
		return fault_set(f, FAULT_CONFIG,
		    "%s: folders lie more than %d deep", w->path, PGTREE_DEPTH);
	}
	l->dir = fdopendir(fd);
	if (l->dir == NULL) {
		int e = errno;

		(void)close(fd);
		return fault_errno(f, e, "%s", w->path);
	}
	l->kind = kind;
	l->path_len = strlen(w->path);
	l->space = space;
	l->dev = st->st_dev;
	l->ino = st->st_ino;
	w->depth++;
	return 0;
}

static int
failed(const struct walk *w, int e, struct fault *f)
{
	return fault_errno(f, e, "%s/%s", w->p->root, w->path);
}

static int
tell_folder(struct walk *w, const struct stat *st, struct fault *f)
{
	return w->ev->folder(
	    w->ctx, w->path, (uint32_t)st->st_mode & 0777, mtime_us(st), f);
}

/* Where pg_tblspc/OID leads to. With allow_in_place_tablespaces it may be a
 * folder: then it is a part of the data directory like others. */
static int
tell_space(struct walk *w, int at, const char *name, const struct stat *st,
    uint32_t *oid, struct fault *f)
{
	char target[4096];
	ssize_t n = readlinkat(at, name, target, sizeof target - 1);

	if (n < 0 && errno == EINVAL)
		return tell_folder(w, st, f);
	if (n < 0)
		return errno == ENOENT ? FAULT_ABSENT : failed(w, errno, f);
	target[n] = '\0';
	(void)relfile_oid(name, oid);
	return w->ev->space(w->ctx, *oid, target, f);
}

static int
on_folder(struct walk *w, int at, const char *name, const struct stat *st,
    struct fault *f)
{
	const struct level *in = &w->level[w->depth - 1];
	enum pgtree_kind kind = pgtree_rules_folder(in->kind, name, w->version);
	uint32_t space = in->space;
	int fd, rc;

	if (kind == PGTREE_LEAVE)
		return 0;
	if (is_loop(w, st)) {
		leave_out(w, "a link to a folder above it");
		return 0;
	}
	if (kind == PGTREE_SPACE)
		rc = tell_space(w, at, name, st, &space, f);
	else
		rc = tell_folder(w, st, f);
	if (rc != 0 || kind == PGTREE_EMPTY)
		return rc == FAULT_ABSENT ? 0 : rc;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : failed(w, errno, f);
	return push(w, fd, kind, st, space, f);
}

/* An unlogged relation is one that has an init fork beside it. */
static bool
is_unlogged(int at, const struct relfile *r)
{
	char init[24];
	struct stat st;

	if (r->fork == RELFILE_INIT)
		return false;
	snprintf(init, sizeof init, "%u_init", r->number);
	return fstatat(at, init, &st, 0) == 0;
}

static int
tell_file(struct walk *w, int at, const char *name, struct pgtree_file *file,
    struct fault *f)
{
	struct stat st;

	if (w->p->sizes_only) {
		if (fstatat(at, name, &st, 0) != 0)
			return errno == ENOENT ? 0 : failed(w, errno, f);
	} else {
		/* should a pipe have taken its place: do not wait for it */
		file->fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (file->fd < 0)
			return errno == ENOENT ? 0 : failed(w, errno, f);
		if (fstat(file->fd, &st) != 0) {
			int e = errno;

			(void)close(file->fd);
			return failed(w, e, f);
		}
	}
	file->path = w->path;
	file->size = (uint64_t)st.st_size;
	file->mode = (uint32_t)st.st_mode & 0777;
	file->mtime_us = mtime_us(&st);
	return w->ev->file(w->ctx, file, f);
}

static int
on_file(struct walk *w, int at, const char *name, struct fault *f)
{
	const struct level *in = &w->level[w->depth - 1];
	struct pgtree_file file = {.fd = -1, .space = in->space};
	struct relfile r;

	if (in->kind == PGTREE_GLOBAL || in->kind == PGTREE_DB)
		file.relation = relfile_parse(name, &r);
	if (file.relation) {
		if (is_unlogged(at, &r))
			return 0;
		file.segment = r.segment;
	}
	return tell_file(w, at, name, &file, f);
}

static int
on_name(struct walk *w, const char *name, struct fault *f)
{
	const struct level *in = &w->level[w->depth - 1];
	int at = dirfd(in->dir);
	struct stat st;
	int rc = enter_path(w, name, f);

	if (rc != 0)
		return rc;
	if (fstatat(at, name, &st, 0) != 0) {
		if (errno != ENOENT && errno != ELOOP)
			return pgtree_rules_leave(in->kind, name)
				   ? 0
				   : failed(w, errno, f);
		if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode))
			leave_out(w, "a link that leads nowhere");
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return on_folder(w, at, name, &st, f);
	if (pgtree_rules_leave(in->kind, name))
		return 0;
	if (S_ISREG(st.st_mode))
		return on_file(w, at, name, f);
	leave_out(w, "not a file");
	return 0;
}

static int
walk_all(struct walk *w, struct fault *f)
{
	int rc = 0;

	while (rc == 0 && w->depth > 0) {
		struct level *l = &w->level[w->depth - 1];
		const struct dirent *d;

		errno = 0;
		d = readdir(l->dir);
		if (d == NULL && errno != 0) {
			int e = errno;

			w->path[l->path_len] = '\0';
			return failed(w, e, f);
		}
		if (d == NULL) {
			(void)closedir(l->dir);
			w->depth--;
		} else if (strcmp(d->d_name, ".") != 0 &&
			   strcmp(d->d_name, "..") != 0) {
			rc = on_name(w, d->d_name, f);
		}
	}
	return rc;
}

int
pgtree_walk(const struct pgtree_params *p, const struct pgtree_events *ev,
    void *ctx, struct fault *f)
{
	struct walk *w = calloc(1, sizeof *w);
	struct stat st;
	int fd, rc;

	if (w == NULL)
		return fault_nomem(f);
	w->p = p;
	w->ev = ev;
	w->ctx = ctx;
	snprintf(w->version, sizeof w->version, "PG_%u_%u", p->major,
	    p->catalog_version);
	fd = open(p->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) {
		rc = failed(w, errno, f);
		if (fd >= 0)
			(void)close(fd);
	} else if ((rc = push(w, fd, PGTREE_ROOT, &st, 0, f)) == 0) {
		rc = walk_all(w, f);
	}
	while (w->depth > 0)
		(void)closedir(w->level[--w->depth].dir);
	free(w);
	return rc;
}
