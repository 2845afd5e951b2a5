#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store_file.h"

/*
 * Runs of keys in the same folder, as they come from a listing, share one sync
 * of that folder. A key is told of after that sync: gone means gone.
 */

#define RUN 256

static size_t
folder_length(const char *key)
{
	return (size_t)(store_file_leaf(key) - key);
}

/* How many of keys, from the first on, lie in the first one's folder. */
static size_t
run_length(const char *const *keys, size_t n)
{
	size_t len = folder_length(keys[0]);
	size_t i = 1;

	while (i < n && i < RUN && folder_length(keys[i]) == len &&
	       memcmp(keys[i], keys[0], len) == 0)
		i++;
	return i;
}

/* Remove the folders above key from the deepest on, as far as they are empty.
 * A put that wants one of them makes it again. Whatever stands in the way is
 * no fault: the objects are gone. */
static void
remove_folders(const struct store_file *s, const char *key)
{
	char path[STORE_KEY_MAX + 1];
	char *slash;
	struct fault ignored;

	memcpy(path, key, strlen(key) + 1);
	while ((slash = strrchr(path, '/'))) {
		int dir, rc;

		*slash = '\0';
		if (store_file_folder(
			s, path, STORE_FILE_LOOK, &dir, &ignored) != 0)
			return;
		rc = unlinkat(dir, store_file_leaf(path), AT_REMOVEDIR);
		close(dir);
		if (rc != 0)
			return;
	}
}

static void
tell_all(size_t first, size_t n, store_delete_fn cb, void *ctx,
    const struct fault *result)
{
	for (size_t i = 0; i < n; i++)
		cb(ctx, first + i, result);
}

/* keys[first], …, n of them in one folder. */
static int
remove_run(struct store_file *s, const char *const *keys, size_t first,
    size_t n, store_delete_fn cb, void *ctx, struct fault *f)
{
	static const struct fault good = FAULT_INIT;
	struct fault bad;
	int errnums[RUN];
	int dir;
	int rc = store_file_folder(s, keys[first], STORE_FILE_LOOK, &dir, f);

	if (rc == FAULT_ABSENT) {
		tell_all(first, n, cb, ctx, &good);
		return 0;
	}
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		const char *leaf = store_file_leaf(keys[first + i]);

		errnums[i] = unlinkat(dir, leaf, 0) == 0 ? 0 : errno;
	}
	store_file_sweep(dir);
	rc = store_file_sync(s, dir, keys[first], f);
	close(dir);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (errnums[i] && errnums[i] != ENOENT) {
			store_file_fault(s, errnums[i], keys[first + i],
			    "cannot delete", &bad);
			cb(ctx, first + i, &bad);
		} else {
			cb(ctx, first + i, &good);
		}
	}
	remove_folders(s, keys[first]);
	return 0;
}

int
store_file_remove(struct store *base, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *f)
{
	struct store_file *s = (struct store_file *)base;

	for (size_t at = 0; at < n;) {
		size_t run = run_length(keys + at, n - at);
		int rc = store_file_late(d, s, keys[at], f);

		if (rc == 0)
			rc = remove_run(s, keys, at, run, cb, ctx, f);
		if (rc)
			return rc;
		at += run;
	}
	return 0;
}
