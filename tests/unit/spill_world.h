#ifndef SPILL_WORLD_H
#define SPILL_WORLD_H

/* A spill and one repository, with disks that fail when they are told to. */

#include "repo_world.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fdio.h"
#include "spill.h"

/* pg_wal, and on another file system all else. */
static char wal[64];
static struct spill *spill;
static struct fault f;
static struct statvfs room;
static bool bad_disk;   /* the note cannot be synced */
static bool bad_file;   /* nor its bytes */
static bool stranger;   /* this user is another than the files' */
static char order[256]; /* first letters of what was copied */
static unsigned removed, removed_early;

uid_t __wrap_geteuid(void);
uid_t __real_geteuid(void);
int __wrap_statvfs(const char *path, struct statvfs *out);
int __wrap_fdio_sync_parent(const char *path, struct fault *why);
int __real_fdio_sync_parent(const char *path, struct fault *why);
int __wrap_fdio_sync(int fd, const char *path, struct fault *why);
int __real_fdio_sync(int fd, const char *path, struct fault *why);
int __wrap_store_delete(struct store *s, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *why);
int __real_store_delete(struct store *s, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *why);
int __wrap_archive_copy(struct repo *r, struct repo *from, const char *name,
    const char *note, const struct deadline *d, struct archive_result *res,
    struct fault *why);
int __real_archive_copy(struct repo *r, struct repo *from, const char *name,
    const char *note, const struct deadline *d, struct archive_result *res,
    struct fault *why);

uid_t
__wrap_geteuid(void)
{
	return __real_geteuid() + stranger;
}

int
__wrap_statvfs(const char *path, struct statvfs *out)
{
	(void)path;
	*out = room;
	return 0;
}

int
__wrap_fdio_sync_parent(const char *path, struct fault *why)
{
	if (bad_disk && strstr(path, ".spill") != NULL)
		return fault_set(why, FAULT_SYSTEM, "%s: I/O error", path);
	return __real_fdio_sync_parent(path, why);
}

int
__wrap_fdio_sync(int fd, const char *path, struct fault *why)
{
	if (bad_file && strstr(path, ".spill") != NULL)
		return fault_set(why, FAULT_SYSTEM, "%s: I/O error", path);
	return __real_fdio_sync(fd, path, why);
}

int
__wrap_store_delete(struct store *s, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *why)
{
	struct fault ignored = FAULT_INIT;
	uint64_t stored;

	removed++;
	if (archive_look(repo, 0, strrchr(keys[0], '/') + 1, NULL, &stored,
		NULL, &ignored) != 0)
		removed_early++;
	return __real_store_delete(s, keys, n, cb, ctx, d, why);
}

int
__wrap_archive_copy(struct repo *r, struct repo *from, const char *name,
    const char *note, const struct deadline *d, struct archive_result *res,
    struct fault *why)
{
	strncat(order, name, 8);
	strcat(order, strchr(name, '.') != NULL ? "h " : " ");
	return __real_archive_copy(r, from, name, note, d, res, why);
}

static char *
in(const char *what)
{
	static char path[4][128];
	static unsigned n;
	char *p = path[n++ % 4];

	snprintf(p, 128, "%s/%s", dir, what);
	return p;
}

static inline void
settings(const char *more)
{
	spill_free(spill);
	repo_world_open("[cluster main]\nrepo = r\nencryption = off\n"
			"spill_dir = %s/spill\nspool_dir = %s/spool\n%s"
			"[repo r]\nurl = file://%s/repo\n",
	    dir, dir, more, dir);
	assert_int_equal(spill_open(&spill, repo, &f), 0);
}

static inline int
setup(void **state)
{
	(void)state;
	strcpy(wal, "/dev/shm/test-spill-XXXXXX");
	assert_non_null(mkdtemp(wal));
	repo_world_dir("spill");
	assert_int_equal(mkdir(in("repo"), 0700), 0);
	fault_clear(&f);
	bad_disk = bad_file = false;
	order[0] = '\0';
	removed = removed_early = 0;
	settings("");
	return 0;
}

static inline int
teardown(void **state)
{
	char command[96];

	(void)state;
	spill_free(spill);
	spill = NULL;
	snprintf(command, sizeof(command), "rm -rf '%s'", wal);
	return repo_world_end() != 0 ? -1 : system(command);
}

/* A file of WAL that takes no segment to make. */
static inline const char *
history(unsigned timeline)
{
	static char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%08X.history", wal, timeline);
	file = fopen(path, "w");
	assert_non_null(file);
	for (unsigned i = 1; i < timeline; i++)
		fprintf(file, "%u\t0/%X000000\tno reason\n", i, i);
	assert_int_equal(fclose(file), 0);
	return path;
}

static inline int
aside(const char *path)
{
	struct archive_result res;

	return spill_push(spill, path, NULL, &res, &f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
