#ifndef STORE_FILE_WORLD_H
#define STORE_FILE_WORLD_H

/* A directory as a store, made and removed for each test. */

#include "store_contract.h"

#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "store_file_faults.h"
#include "store_file.h"

/* A state's own: the folder above the repository's root. */
static inline const char *
above(void **state)
{
	return contract_of(state)->own;
}

static inline char *
path_of(void **state, const char *below)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/repo/%s", above(state), below);
	return path;
}

static inline struct store *
open_at(const char *path)
{
	struct conf_repo r = {.name = "local", .kind = CONF_STORE_FILE};
	struct fault f = FAULT_INIT;
	struct store *s;

	r.path = path;
	assert_ok(store_file_open(&s, &r, &f), f);
	return s;
}

static inline int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct contract *c = calloc(1, sizeof(*c));
	char root[PATH_MAX], *dir;

	assert_true(asprintf(&dir, "%s/store.XXXXXX", tmp ? tmp : "/tmp") > 0);
	assert_non_null(mkdtemp(dir));
	snprintf(root, sizeof(root), "%s/repo", dir);
	faults_clear();
	c->own = dir;
	c->s = open_at(root);
	*state = c;
	return mkdir(root, 0700);
}

static inline int
remove_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	(void)type;
	(void)w;
	return remove(path);
}

static inline int
teardown(void **state)
{
	struct contract *c = *state;
	int rc;

	faults_clear();
	store_free(c->s);
	rc = nftw(c->own, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(c->own);
	free(c);
	return rc;
}

static unsigned names_seen, temps_seen;

static inline int
count_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	if (type != FTW_D)
		names_seen++;
	if (strncmp(path + w->base, ".tmp-", 5) == 0)
		temps_seen++;
	return 0;
}

/* Files of any name below the root. */
static inline unsigned
files(void **state)
{
	names_seen = temps_seen = 0;
	assert_int_equal(nftw(path_of(state, ""), count_one, 16, FTW_PHYS), 0);
	return names_seen;
}

#endif
