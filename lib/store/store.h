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
 * Keys: 1 to STORE_KEY_MAX bytes of [A-Za-z0-9._/-] and '+'; at most
 * STORE_KEY_PARTS parts, each of 1 to 255 bytes and not beginning with '.'
 * (else CONFIG). No key may be the folder of another.
 * Durable: put and commit return 0 only after the object would survive the
 * loss of power (directory: file and folders synced; S3: answered 200).
 * Whole: a reader never sees a part of an object.
 * Once: put and commit are EXISTS, and change nothing, when the name is taken.
 * Absence: get and stat are ABSENT only when the store itself says that there
 * is no such object; a directory whose root is not there is AGAIN (it may not
 * be mounted), and so is every doubt. An empty root cannot be told from the
 * mount point of a file system that is not mounted: who must not confuse the
 * two keeps an object of its own to look for.
 * Threads: one handle per thread; store_clone makes another.
 * Deadlines: NULL never; else AGAIN when it passes. A directory looks at the
 * clock between blocks of a file and names of a folder: a call into a file
 * system that hangs (NFS, hard mounts) cannot be cut off.
 *
 * A directory store makes its root (mode 0700) at the first put when the
 * folder above it is there, and never more than that one level. Files are
 * 0600 and regular; nothing below the root is reached through a symbolic link
 * (CORRUPT). Names that cannot be part of a key are not objects: so are the
 * ".tmp-" files of a killed put, which only file systems without O_TMPFILE
 * ever show. Folders that a delete leaves empty are removed.
 */

#define STORE_KEY_MAX 900
#define STORE_KEY_PARTS 32

struct store;

/* repo must live as long as the store and its clones. Opening touches no
 * disk and no network, but reads an S3 repository's secrets. */
int store_open(
    struct store **out, const struct conf_repo *repo, struct fault *f);
/* Before it is opened, by another thread: what takes time and meets neither
 * disk nor network. */
void store_warm(const struct conf_repo *repo);
int store_open_memory(struct store **out, struct fault *f);
int store_clone(struct store **out, const struct store *s, struct fault *f);
void store_free(struct store *s);
const char *store_name(const struct store *s); /* the settings' name */
/* "file:///srv/x" or "s3://bucket/prefix": for messages. */
const char *store_url(const struct store *s);

/* How objects are kept, by a store that has such things; a directory has none
 * and passes over it. For all puts and for the uploads that begin from now on,
 * until other terms are set; clones have the terms of their original. */
struct store_terms {
	const char *storage_class; /* NULL: the repository's; must last */
	int64_t lock_us; /* object lock for so long from the put on, where the
			    repository's settings want a lock; 0: none */
};
void store_set_terms(struct store *s, const struct store_terms *t);

/* Object lock. has: do the settings want it? The others are CONFIG without.
 * until: CLOCK_NONE when the object has no lock (retention, apart from a legal
 * hold). extend: never shortens; *done (may be NULL) tells whether there was
 * something to do. A difference of less than an hour is nothing to do. */
bool store_has_lock(const struct store *s);
/* The time by the store's clock, as far as it is known to be another than that
 * of this host: what a lock's end is counted from. */
int64_t store_now_us(const struct store *s);
int store_lock_until(struct store *s, const char *key, int64_t *until_us,
    const struct deadline *d, struct fault *f);
int store_lock_extend(struct store *s, const char *key, int64_t until_us,
    bool *done, const struct deadline *d, struct fault *f);
/* One that has no lock gets that of the terms, as if it was put now. */
int store_lock_ensure(struct store *s, const char *key,
    const struct deadline *d, struct fault *f);

/* A legal hold of the store: the object cannot be deleted until it is taken
 * off. *done as above. */
int store_legal_held(struct store *s, const char *key, bool *on,
    const struct deadline *d, struct fault *f);
int store_legal_hold(struct store *s, const char *key, bool on, bool *done,
    const struct deadline *d, struct fault *f);

int store_put(struct store *s, const char *key, const void *data, size_t len,
    const struct deadline *d, struct fault *f);
/* For what nobody can make a second time, as sealed objects, which begin with a
 * key of their own: 0 as well when what has the name is as long and begins the
 * same. Then it came from a try of this very call of which the answer was lost,
 * and which put can only call EXISTS. */
int store_put_own(struct store *s, const char *key, const void *data,
    size_t len, const struct deadline *d, struct fault *f);

/* Some S3 stores take a condition and pass over it: there "once" is not to be
 * had from the store alone. look_first: from now on each put looks whether the
 * name is free before it writes, which keeps it for all who do not write the
 * same name in the same moment. Clones made later do so too. may_rewrite: can
 * a store of this kind have that habit? */
bool store_may_rewrite(const struct store *s);
void store_look_first(struct store *s);

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
/* Another deadline for the calls that follow: an upload may last for hours and
 * yet none of its steps may hang. */
void store_upload_deadline(struct store_upload *u, const struct deadline *d);
void store_upload_free(struct store_upload *u);

struct store_info {
	uint64_t size;       /* of the whole object */
	int64_t modified_us; /* CLOCK_NONE when not known */
};

/* As s3_get (s3.h): ranges, each byte once, resumed inside. A range that begins
 * at or beyond the end is CORRUPT, but for offset 0; length 0 is a stat. info
 * (may be NULL) is set on success. */
int store_get(struct store *s, const char *key, uint64_t offset,
    uint64_t length, sink_fn sink, void *ctx, struct store_info *info,
    const struct deadline *d, struct fault *f);
int store_stat(struct store *s, const char *key, struct store_info *info,
    const struct deadline *d, struct fault *f);

/* All objects whose key begins with prefix (which ends in '/' or is empty),
 * in byte order of their keys. shallow: only the next level, folders as
 * is_folder with a trailing '/'. A prefix without objects lists nothing.
 * Only entries whose key is greater than start_after (NULL: all). A folder
 * that cannot be read, or a name that is neither file nor folder, is a fault
 * and never left out; but lost+found in the root of a directory is.
 * Memory does not grow with the number of objects, but for one folder of a
 * directory store. cb: 0 to go on, else the listing ends with that value. */
struct store_entry {
	const char *key;
	bool is_folder;
	uint64_t size;
	int64_t modified_us;
	const char *storage_class; /* NULL: a kind that has none, a folder */
};
typedef int (*store_list_fn)(
    void *ctx, const struct store_entry *e, struct fault *f);
int store_list(struct store *s, const char *prefix, bool shallow,
    const char *start_after, store_list_fn cb, void *ctx,
    const struct deadline *d, struct fault *f);

/* Uploads that were begun and neither committed nor given up: no objects, but
 * they take space. Kinds without such things have none. cb as store_list's. */
struct store_remain {
	const char *key;
	const char *id;
	int64_t begun_us; /* CLOCK_NONE when not known */
};
typedef int (*store_remains_fn)(
    void *ctx, const struct store_remain *r, struct fault *f);
int store_remains(struct store *s, const char *prefix, store_remains_fn cb,
    void *ctx, const struct deadline *d, struct fault *f);
/* 0 also when it is gone. */
int store_remains_remove(struct store *s, const char *key, const char *id,
    const struct deadline *d, struct fault *f);

/* Puts an object that is there into another storage class: the store copies it
 * onto itself. 0 only when the store then says that the same bytes (by size and
 * ETag or checksum) are in that class, and no older version with these bytes
 * takes space any more. *done: was there something to do? May be called again
 * after any fault, or a crash. EXISTS, and nothing is done: the version that
 * would be left is locked, with the time, or under a legal hold of the store.
 * CONFIG: a kind without classes, or a class that the store has not. */
int store_class_move(struct store *s, const char *key, const char *class,
    bool *done, const struct deadline *d, struct fault *f);
/* What a move that was cut off may have left: older versions, as long as the
 * newest, of objects below prefix; with the class of the older one. cb as
 * store_list's. */
int store_class_spares(struct store *s, const char *prefix, store_list_fn cb,
    void *ctx, const struct deadline *d, struct fault *f);

/* Each key's own result to cb, in any order; absent keys count as deleted. In a
 * bucket that keeps versions all versions of the keys go, so that their space
 * is free; EXISTS, with the time or the word, for one that object lock or a
 * legal hold protects. 0
 * when every key's result was told; after a fault the others are unknown. */
typedef void (*store_delete_fn)(
    void *ctx, size_t i, const struct fault *result);
int store_delete(struct store *s, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *f);

#endif
