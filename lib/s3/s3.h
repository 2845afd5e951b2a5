#ifndef S3_H
#define S3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "http.h"
#include "secret.h"
#include "sink.h"

/*
 * The S3 calls pitrkit makes, each complete: signed afresh on every try,
 * retried with jittered pauses inside the deadline where the answer says that
 * it may pass (408, 429, 5xx, SlowDown, RequestTimeTooSkewed after taking the
 * server's clock, broken connections), and judged by status AND body.
 *
 * Keys are within the bucket; they are percent-encoded here.
 * Faults: ABSENT only for 404 with NoSuchKey (HEAD: 404) of this bucket;
 * NoSuchBucket is CONFIG; EXISTS for 412 of a conditional write (409
 * ConditionalRequestConflict is tried again); DENIED for 401 and 403, with a
 * hint; AGAIN for the rest, when the deadline is used up. A deadline of NULL or
 * never ends with the tenth failed try that brought nothing new.
 * Threads: one client per thread.
 */

struct s3_config {
	const char *name;     /* of the repository, for faults */
	const char *endpoint; /* https://HOST[:PORT] */
	const char *region;
	const char *bucket;
	bool host_style;
	const char *storage_class; /* NULL: default */
	const char *lock_mode; /* "GOVERNANCE", "COMPLIANCE"; NULL: no object
				  lock, whatever the terms */
	struct http_tls tls;
	const char *access_key_id;
	struct secret secret;        /* copied */
	struct secret session_token; /* may be empty; copied */
};

struct s3;
int s3_new(struct s3 **out, const struct s3_config *c, struct fault *f);
void s3_free(struct s3 *s);
/* The time by the store's clock, as far as an answer told that ours is wrong.
 */
int64_t s3_now_us(const struct s3 *s);

struct s3_info {
	uint64_t size; /* of the whole object */
	char etag[HTTP_FIELD];
	int64_t modified_us; /* CLOCK_NONE when not told */
};

/* PUT with If-None-Match: * (a look first, where the store answers that it has
 * no conditions) and the body's SHA-256 (MD5, where the store answers that it
 * does not know that). EXISTS also when an earlier try of
 * this very call stored it and the answer was lost: the caller compares. A 2xx
 * answer without an ETag, or with a page in it, is no success. */
int s3_put(struct s3 *s, const char *key, const void *data, size_t len,
    const struct deadline *d, struct fault *f);

/* How puts and multipart uploads that begin from now on are to be kept.
 * storage_class: NULL for that of the settings; must last. lock_us: object lock
 * for so long, 0 for none. Before the first object with a lock the bucket is
 * asked whether it has object lock, as a store without it would pass over the
 * headers: CONFIG when it has not. A key that may not ask goes on. */
struct s3_terms {
	const char *storage_class;
	int64_t lock_us;
};
void s3_set_terms(struct s3 *s, const struct s3_terms *t);

/* From now on every put looks first whether the name is free: for a store that
 * was seen to write a second time in spite of If-None-Match. */
void s3_look_first(struct s3 *s);

/* Bytes [offset, offset+length) into sink, each once and in order, resumed
 * with If-Match after a broken connection. length UINT64_MAX: to the end; a
 * range that begins beyond the end is CORRUPT; one that ends beyond it is cut.
 * offset 0 with UINT64_MAX is a plain GET. info may be NULL. */
int s3_get(struct s3 *s, const char *key, uint64_t offset, uint64_t length,
    sink_fn sink, void *ctx, struct s3_info *info, const struct deadline *d,
    struct fault *f);
int s3_head(struct s3 *s, const char *key, struct s3_info *info,
    const struct deadline *d, struct fault *f);

/* Keys (or, with delimiter "/", keys and common prefixes) in byte order, those
 * greater than start_after (NULL: all). cb returns 0 to go on; another value
 * ends the listing and is returned. CORRUPT when the store's answers are out of
 * order or leave open whether there is more. */
struct s3_entry {
	const char *key;
	bool is_prefix; /* then it has none of the following */
	uint64_t size;
	int64_t modified_us;       /* CLOCK_NONE when not told */
	const char *storage_class; /* as s3_class_of has it */
};
typedef int (*s3_list_fn)(void *ctx, const struct s3_entry *e, struct fault *f);
int s3_list(struct s3 *s, const char *prefix, const char *delimiter,
    const char *start_after, s3_list_fn cb, void *ctx, const struct deadline *d,
    struct fault *f);

/* Up to 1000 keys in one request; when it succeeds, cb is told each key's own
 * result, in any order: a code of NONE only where the store says that it is
 * deleted. When it fails, cb is not called. */
typedef void (*s3_delete_fn)(void *ctx, size_t i, const struct fault *result);
int s3_delete(struct s3 *s, const char *const *keys, size_t n, s3_delete_fn cb,
    void *ctx, const struct deadline *d, struct fault *f);

/* The same for single versions: a key may stand there more than once, and one
 * failure counts for all of it. */
int s3_delete_versions(struct s3 *s, const char *const *keys,
    const char *const *versions, size_t n, s3_delete_fn cb, void *ctx,
    const struct deadline *d, struct fault *f);

/* Does a plain deletion only hide objects here? True when versioning is, or
 * once was, on. */
int s3_versions_kept(
    struct s3 *s, bool *out, const struct deadline *d, struct fault *f);
/* The versions and delete markers of keys below prefix, from first on; those
 * beyond last may be told as well. cb as s3_list's. */
struct s3_version {
	const char *key;
	const char *id;
	bool is_newest;
	bool is_marker; /* of a deletion: it has no size */
	uint64_t size;
	const char *storage_class;
};
typedef int (*s3_versions_fn)(
    void *ctx, const struct s3_version *v, struct fault *f);
int s3_versions_list(struct s3 *s, const char *prefix, const char *first,
    const char *last, s3_versions_fn cb, void *ctx, const struct deadline *d,
    struct fault *f);

/* When the lock of an object ends; CLOCK_NONE: it has none. version: NULL for
 * the newest. */
int s3_lock_until(struct s3 *s, const char *key, const char *version,
    int64_t *until_us, const struct deadline *d, struct fault *f);
/* A legal hold: it has no end. */
int s3_lock_held(struct s3 *s, const char *key, const char *version, bool *on,
    const struct deadline *d, struct fault *f);
int s3_lock_hold(struct s3 *s, const char *key, bool on,
    const struct deadline *d, struct fault *f);
/* Later, never earlier: *done tells whether there was anything to do. */
int s3_lock_extend(struct s3 *s, const char *key, int64_t until_us, bool *done,
    const struct deadline *d, struct fault *f);

/* One that has no lock gets one for so long, from now on by the store's clock.
 */
int s3_lock_ensure(struct s3 *s, const char *key, int64_t lock_us,
    const struct deadline *d, struct fault *f);

/* A class as answers tell it. What is not told is STANDARD, as S3 has it; "?"
 * for what cannot be the name of one. Belongs to the argument. */
#define S3_CLASS 65
const char *s3_class_of(const char *told);

/* How an object is kept. */
struct s3_state {
	uint64_t size;
	char etag[HTTP_FIELD];
	char sha256[HTTP_FIELD]; /* "" when not told */
	char storage_class[S3_CLASS];
	char version[HTTP_FIELD]; /* "" when not told */
	int64_t locked_until_us;  /* CLOCK_NONE when not told of a lock */
	bool is_held;             /* by a legal hold that is told of */
};
/* version: NULL for the newest. Faults as s3_head's. */
int s3_class_look(struct s3 *s, const char *key, const char *version,
    struct s3_state *out, const struct deadline *d, struct fault *f);
/* Are these the same bytes, by what the store says of them? */
bool s3_class_same(const struct s3_state *a, const struct s3_state *b);
/* The store copies what was looked at onto its own name, into that class; where
 * versions are kept the one that was looked at stays. 0 only when the store
 * then says that the same bytes are there in that class: *now. A copy whose
 * answer was lost, or that was told to have failed, is one all the same if so.
 * CORRUPT when other bytes are there. CONFIG for a class that the store does
 * not know, and beyond 5 GiB, which is more than one request may copy. */
int s3_class_change(struct s3 *s, const char *key, const struct s3_state *from,
    const char *class, struct s3_state *now, const struct deadline *d,
    struct fault *f);

/* Multipart uploads below prefix that were neither completed nor aborted.
 * begun_us: CLOCK_NONE when not told. CORRUPT when the answers go in circles.
 * abort: 0 also when there is none (any more). */
typedef int (*s3_uploads_fn)(void *ctx, const char *key, const char *id,
    int64_t begun_us, struct fault *f);
int s3_uploads_list(struct s3 *s, const char *prefix, s3_uploads_fn cb,
    void *ctx, const struct deadline *d, struct fault *f);
int s3_uploads_abort(struct s3 *s, const char *key, const char *id,
    const struct deadline *d, struct fault *f);

/* Multipart. Parts are numbered from 1. Complete is conditional
 * (If-None-Match: *) and preceded by a HEAD, as older stores ignore the
 * condition; its 200 answer's body is read for an error. With a lock in the
 * terms it is looked whether the object has one, else it is set. abort also
 * after a failed complete. */
struct s3_multipart;
int s3_multipart_begin(struct s3_multipart **out, struct s3 *s, const char *key,
    const struct deadline *d, struct fault *f);
int s3_multipart_part(struct s3_multipart *m, const void *data, size_t len,
    const struct deadline *d, struct fault *f);
int s3_multipart_complete(
    struct s3_multipart *m, const struct deadline *d, struct fault *f);
void s3_multipart_abort(struct s3_multipart *m, const struct deadline *d);
void s3_multipart_free(struct s3_multipart *m);

#endif
