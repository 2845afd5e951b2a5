#include "place.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Is a the same folder as b, or inside of it? */
static bool
within(const char *a, const char *b)
{
	size_t n = strlen(b);

	if (strncmp(a, b, n) != 0)
		return false;
	return a[n] == '\0' || a[n] == '/' || b[n - 1] == '/';
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

			if (within(a, b) || within(b, a))
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

static int
plan_spaces(struct place *p, const struct place_map *map, size_t n_map,
    const struct head *h, struct fault *f)
{
	size_t k;
	size_t j;
	int rc = 0;

	p->n_spaces = 0;
	p->spaces = calloc(h->n_tablespaces + 1, sizeof *p->spaces);
	if (p->spaces == NULL)
		return fault_nomem(f);
	for (k = 0; rc == 0 && k < h->n_tablespaces; k++) {
		const char *dir = h->tablespaces[k].path;

		for (j = 0; j < n_map; j++)
			if (map[j].oid == h->tablespaces[k].oid)
				dir = map[j].dir;
		p->spaces[k].oid = h->tablespaces[k].oid;
		p->spaces[k].dir = absolute(dir);
		p->n_spaces = k + 1;
		if (p->spaces[k].dir == NULL)
			return fault_nomem(f);
		rc = folder_check(p->spaces[k].dir, true, f);
		if (rc != 0)
			fault_prefix(f,
			    "tablespace %u (give --tablespace %u=DIR to put it "
			    "elsewhere)",
			    p->spaces[k].oid, p->spaces[k].oid);
	}
	return rc;
}

int
place_plan(struct place *p, const char *target_dir, const struct place_map *map,
    size_t n_map, const struct head *h, struct fault *f)
{
	int rc;

	memset(p, 0, sizeof *p);
	p->root = absolute(target_dir);
	rc = p->root == NULL ? fault_nomem(f) : check_maps(map, n_map, h, f);
	if (rc == 0)
		rc = folder_check(p->root, false, f);
	if (rc == 0)
		rc = plan_spaces(p, map, n_map, h, f);
	if (rc == 0)
		rc = check_apart(p, f);
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
	free(p->locks);
	free(p->spaces);
	free(p->root);
	memset(p, 0, sizeof *p);
}

static int
prepare_one(struct place *p, const char *dir, bool tablespace, const char *id,
    struct fault *f)
{
	int rc = folder_prepare(
	    dir, p->root, tablespace, id, &p->locks[p->n_locks], f);

	if (rc == 0)
		p->n_locks++;
	return rc;
}

int
place_prepare(struct place *p, const struct head *h, struct fault *f)
{
	size_t k;
	int rc;

	p->locks = calloc(p->n_spaces + 1, sizeof *p->locks);
	if (p->locks == NULL)
		return fault_nomem(f);
	rc = prepare_one(p, p->root, false, h->id, f);
	for (k = 0; rc == 0 && k < p->n_spaces; k++)
		rc = prepare_one(p, p->spaces[k].dir, true, h->id, f);
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

	for (k = 0; rc == 0 && k < p->n_spaces; k++)
		rc = folder_unmark(p->spaces[k].dir, f);
	if (rc == 0)
		rc = folder_unmark(p->root, f);
	return rc;
}
