#include "place.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delta_wal.h"
#include "fdio.h"
#include "folder.h"
#include "room.h"

/* Absolute, without trailing slashes; the path need not exist. */
static char *
absolute(const char *path)
{
	char *cwd;
	char *full;
	size_t n;

	if (path[0] == '/') {
		full = strdup(path);
	} else {
		cwd = getcwd(NULL, 0);
		full = cwd == NULL ? NULL : fdio_join(cwd, path);
		free(cwd);
	}
	if (full == NULL)
		return NULL;
	for (n = strlen(full); n > 1 && full[n - 1] == '/'; n--)
		full[n - 1] = '\0';
	return full;
}

static int
check_maps(const struct place_map *map, size_t n_map, const struct head *h,
    struct fault *f)
{
	size_t k;
	size_t j;

	for (k = 0; k < n_map; k++) {
		for (j = 0; j < k; j++)
			if (map[j].oid == map[k].oid)
				return fault_set(f, FAULT_CONFIG,
				    "--tablespace %u is given twice",
				    map[k].oid);
		for (j = 0; j < h->n_tablespaces; j++)
			if (h->tablespaces[j].oid == map[k].oid)
				break;
		if (j == h->n_tablespaces)
			return fault_set(f, FAULT_CONFIG,
			    "--tablespace %u: backup %s has no such tablespace",
			    map[k].oid, h->id);
	}
	return 0;
}

/* Folders inside each other would be emptied or filled by one another. */
static int
check_apart(const struct place *p, struct fault *f)
{
	size_t k;
	size_t j;

	for (k = 0; k < p->n_spaces; k++) {
		for (j = 0; j <= k; j++) {
			const char *a = p->spaces[k].dir;
			const char *b = j < k ? p->spaces[j].dir : p->root;

			if (fdio_lies_in(a, b) || fdio_lies_in(b, a))
				return fault_set(f, FAULT_CONFIG,
				    "tablespace %u cannot go to %s, %s goes to "
				    "%s: give --tablespace %u=DIR",
				    p->spaces[k].oid, a,
				    j < k ? "another tablespace"
					  : "the data directory",
				    b, p->spaces[k].oid);
		}
	}
	return 0;
}

/* A repository would be emptied, or hold files that are none of its own. */
static int
check_repositories(
    const char *dir, const struct conf_cluster *c, struct fault *f)
{
	for (size_t i = 0; i < c->n_repos; i++) {
		const struct conf_repo *r = c->repos[i];

		if (r->kind == CONF_STORE_FILE &&
		    (fdio_lies_in(dir, r->path) || fdio_lies_in(r->path, dir)))
			return fault_set(f, FAULT_CONFIG,
			    "%s and repository %s, %s, lie in each other: "
			    "restore into another directory",
			    dir, r->name, r->path);
	}
	return 0;
}

/* Where the tablespace goes: as it was said, where the cluster that is there
 * has it, where it was. */
static char *
choose_space(const struct place *p, const struct place_want *want,
    const struct head_tablespace *t, bool *named)
{
	char *dir;

	*named = true;
	for (size_t k = 0; k < want->n_map; k++)
		if (want->map[k].oid == t->oid)
			return absolute(want->map[k].dir);
	*named = false;
	dir = p->delta ? delta_space(&p->before, p->root, t->oid) : NULL;
	return dir != NULL ? dir : absolute(t->path);
}

static int
check_space(const struct place *p, uint32_t oid, const char *dir, bool named,
    struct fault *f)
{
	bool there = false;
	int rc = 0;

	if (p->delta)
		rc = delta_check_space(
		    &p->before, p->root, oid, dir, named, &there, f);
	if (rc != 0 || there)
		return rc;
	rc = folder_check(dir, true, f);
	if (rc != 0)
		fault_prefix(f,
		    "tablespace %u (give --tablespace %u=DIR to put it "
		    "elsewhere)",
		    oid, oid);
	return rc;
}

static int
plan_spaces(struct place *p, const struct place_want *want,
    const struct head *h, struct fault *f)
{
	bool named;
	size_t k;
	int rc = 0;

	p->n_spaces = 0;
	p->spaces = calloc(h->n_tablespaces + 1, sizeof *p->spaces);
	if (p->spaces == NULL)
		return fault_nomem(f);
	for (k = 0; rc == 0 && k < h->n_tablespaces; k++) {
		const struct head_tablespace *t = &h->tablespaces[k];

		p->spaces[k].oid = t->oid;
		p->spaces[k].dir = choose_space(p, want, t, &named);
		p->n_spaces = k + 1;
		if (p->spaces[k].dir == NULL)
			return fault_nomem(f);
		rc = check_space(p, t->oid, p->spaces[k].dir, named, f);
	}
	return rc;
}

static int
check_root(struct place *p, const struct place_want *want, const struct head *h,
    bool told, struct fault *f)
{
	struct fault ignored = FAULT_INIT;
	int rc = 0;

	delta_free(&p->before);
	p->delta = false;
	if (want->delta)
		rc = delta_check(p->root, want->conf->pgdata, h, told,
		    &p->before, &p->delta, f);
	/* An unfinished run has looked, and may have begun to remove it; but
	 * not in a cluster that is whole, whatever mark it has. */
	if (rc == 0 && p->delta && !want->discard_wal &&
	    folder_check(p->root, false, &ignored) != 0)
		rc = delta_wal_check(p->root, f);
	if (rc == 0 && !p->delta)
		rc = folder_check(p->root, false, f);
	return rc;
}

int
place_plan(struct place *p, const struct place_want *want, const struct head *h,
    struct fault *f)
{
	int rc;

	memset(p, 0, sizeof *p);
	p->root = absolute(want->target_dir);
	rc = p->root == NULL ? fault_nomem(f)
			     : check_maps(want->map, want->n_map, h, f);
	if (rc == 0)
		rc = check_root(p, want, h, true, f);
	if (rc == 0)
		rc = plan_spaces(p, want, h, f);
	if (rc == 0)
		rc = check_apart(p, f);
	if (rc == 0)
		rc = check_repositories(p->root, want->conf, f);
	for (size_t k = 0; rc == 0 && k < p->n_spaces; k++)
		rc = check_repositories(p->spaces[k].dir, want->conf, f);
	if (rc == 0)
		rc = room_check(p, h, f);
	if (rc != 0)
		place_free(p);
	return rc;
}

void
place_free(struct place *p)
{
	size_t k;

	for (k = 0; k < p->n_spaces; k++)
		free((void *)(uintptr_t)p->spaces[k].dir);
	for (k = 0; k < p->n_locks; k++)
		close(p->locks[k]);
	delta_free(&p->before);
	free(p->locks);
	free(p->spaces);
	free(p->root);
	memset(p, 0, sizeof *p);
}

static int
claim(struct place *p, const char *dir, struct fault *f)
{
	int rc = folder_claim(dir, &p->locks[p->n_locks], f);

	if (rc == 0)
		p->n_locks++;
	return rc;
}

static int
begin_root(struct place *p, const char *id, struct fault *f)
{
	int rc = folder_mark(p->root, p->root, id, f);

	if (rc == 0)
		rc = p->delta ? delta_begin(p->root, f)
			      : folder_empty(p->root, p->locks[0], f);
	return rc;
}

static int
begin_space(struct place *p, size_t k, const char *id, struct fault *f)
{
	const char *dir = p->spaces[k].dir;
	int rc = folder_mark(dir, p->root, id, f);

	if (rc == 0 && !p->delta)
		rc = folder_empty(dir, p->locks[k + 1], f);
	return rc;
}

int
place_prepare(struct place *p, const struct place_want *want,
    const struct head *h, struct fault *f)
{
	bool delta = p->delta;
	size_t k;
	int rc;

	p->locks = calloc(p->n_spaces + 1, sizeof *p->locks);
	if (p->locks == NULL)
		return fault_nomem(f);
	rc = claim(p, p->root, f);
	for (k = 0; rc == 0 && k < p->n_spaces; k++)
		rc = claim(p, p->spaces[k].dir, f);
	/* What was seen before they were locked may be over. */
	if (rc == 0)
		rc = check_root(p, want, h, false, f);
	if (rc == 0 && p->delta != delta)
		rc = fault_set(f, FAULT_CONFIG,
		    "%s was changed by somebody else: see what is there, and "
		    "run it again",
		    p->root);
	for (k = 0; rc == 0 && k < p->n_spaces; k++)
		rc =
		    check_space(p, p->spaces[k].oid, p->spaces[k].dir, true, f);
	if (rc == 0)
		rc = begin_root(p, h->id, f);
	for (k = 0; rc == 0 && k < p->n_spaces; k++)
		rc = begin_space(p, k, h->id, f);
	/* PostgreSQL insists on 0700 or 0750. */
	for (k = 0; rc == 0 && k < p->n_locks; k++)
		if (fchmod(p->locks[k], 0700) != 0)
			rc = fault_errno(f, errno, "%s", p->root);
	return rc;
}

int
place_modes(const struct place *p, struct fault *f)
{
	char *global = fdio_join(p->root, "global");
	struct stat st;
	size_t k;
	int rc = 0;

	if (global == NULL)
		return fault_nomem(f);
	if (stat(global, &st) != 0)
		rc = fault_errno(f, errno, "%s", global);
	for (k = 0; rc == 0 && (st.st_mode & 0050) != 0 && k < p->n_locks; k++)
		if (fchmod(p->locks[k], 0750) != 0)
			rc = fault_errno(f, errno, "%s", p->root);
	free(global);
	return rc;
}

int
place_finish(const struct place *p, struct fault *f)
{
	size_t k;
	int rc = 0;

	if (p->delta)
		rc = delta_end(p->root, f);
	for (k = 0; rc == 0 && k < p->n_spaces; k++)
		rc = folder_unmark(p->spaces[k].dir, f);
	if (rc == 0)
		rc = folder_unmark(p->root, f);
	return rc;
}
