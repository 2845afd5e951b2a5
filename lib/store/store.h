#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "conf.h"
#include "sink.h"

/*
 * A repository's bytes: objects with names, created once, never changed.
 * Three kinds behind one face: a directory, S3, memory (tests).
 *
 * Keys: 1 to 900 bytes of [A-Za-z0-9._/-] and '+'; no empty part, no "." or
 * ".." (else CONFIG).
 * Durable: put and commit return 0 only after the object would survive the
 * loss of power (directory: file and folders synced; S3: answered 200).
 * Whole: a reader never sees a part of an object.
 * Once: put and commit are EXISTS, and change nothing, when the name is taken.
 * Absence: get and stat are ABSENT only when the store itself says that there
 * is no such object; a directory whose root is not there is AGAIN (it may not
 * be mounted), and so is every doubt.
 * Threads: one handle per thread; store_clone makes another.
 * Deadlines: NULL never; else AGAIN when it passes.
 */

struct store;

int store_open(
    struct store **out, const struct conf_repo *repo, struct fault *f);
int store_open_memory(struct store **out, struct fault *f);
int store_clone(struct store **out, const struct store *s, struct fault *f);
void store_free(struct store *s);
const char *store_name(const struct store *s); /* the settings' name */
/* "file:///srv/x" or "s3://bucket/prefix": for messages. */
const char *store_url(const struct store *s);

int store_put(struct store *s, const char *key, const void *data, size_t len,
    const struct deadline *d, struct fault *f);

/* An object whose length is not known yet. Memory: at most 24 MiB, which is
 * also the size from which on S3 uses a multipart upload. Nothing is visible
 * before commit returns 0. free without commit removes what was written. */
struct store_upload;
int store_upload_begin(struct store_upload **out, struct store *s,
    const char *key, const struct deadline *d, struct fault *f);
/* A sink_fn; ctx is the struct store_upload. */
int store_upload_write(
    void *ctx, const unsigned char *data, size_t len, struct fault *f);
int store_upload_commit(struct store_upload *u, struct fault *f);
void store_upload_free(struct store_upload *u);

struct store_info {
	uint64_t size;       /* of the whole object */
	int64_t modified_us; /* CLOCK_NONE when not known */
};

/* As s3_get (s3.h): ranges, each byte once, resumed inside. */
int store_get(struct store *s, const char *key, uint64_t offset,
    uint64_t length, sink_fn sink, void *ctx, struct store_info *info,
    const struct deadline *d, struct fault *f);
int store_stat(struct store *s, const char *key, struct store_info *info,
    const struct deadline *d, struct fault *f);

/* All objects whose key begins with prefix (which ends in '/' or is empty),
 * in byte order of their keys. shallow: only the next level, folders as
 * is_folder with a trailing '/'. A prefix without objects lists nothing.
 * Memory does not grow with the number of objects, but for one folder of a
 * directory store. cb: 0 to go on, else the listing ends with that value. */
struct store_entry {
	const char *key;
	bool is_folder;
	uint64_t size;
	int64_t modified_us;
};
typedef int (*store_list_fn)(
    void *ctx, const struct store_entry *e, struct fault *f);
int store_list(struct store *s, const char *prefix, bool shallow,
    const char *start_after, store_list_fn cb, void *ctx,
    const struct deadline *d, struct fault *f);

/* Each key's own result to cb, in any order; absent keys count as deleted. */
typedef void (*store_delete_fn)(
    void *ctx, size_t i, const struct fault *result);
int store_delete(struct store *s, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *f);

#endif
