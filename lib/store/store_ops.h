#ifndef STORE_OPS_H
#define STORE_OPS_H

#include "store.h"

/*
 * What a kind of store does; only lib/store includes this. store.c has checked
 * keys and prefixes, d is never NULL, start_after is NULL or not empty, get's
 * length is not 0, info is never NULL.
 */
struct store_ops {
	/* Required. */
	int (*clone)(
	    struct store **out, const struct store *s, struct fault *f);
	void (*free)(struct store *s);
	int (*put)(struct store *s, const char *key, const void *data,
	    size_t len, const struct deadline *d, struct fault *f);
	int (*get)(struct store *s, const char *key, uint64_t offset,
	    uint64_t length, sink_fn sink, void *ctx, struct store_info *info,
	    const struct deadline *d, struct fault *f);
	int (*stat)(struct store *s, const char *key, struct store_info *info,
	    const struct deadline *d, struct fault *f);
	int (*list)(struct store *s, const char *prefix, bool shallow,
	    const char *start_after, store_list_fn cb, void *ctx,
	    const struct deadline *d, struct fault *f);
	int (*remove)(struct store *s, const char *const *keys, size_t n,
	    store_delete_fn cb, void *ctx, const struct deadline *d,
	    struct fault *f);

	/* Optional: for kinds that may write a name a second time. */
	void (*look_first)(struct store *s);

	/* Optional: terms of keeping. */
	void (*set_terms)(struct store *s, const struct store_terms *t);
	bool (*has_lock)(const struct store *s);
	int (*lock_until)(struct store *s, const char *key, int64_t *until_us,
	    const struct deadline *d, struct fault *f);
	int (*lock_extend)(struct store *s, const char *key, int64_t until_us,
	    bool *done, const struct deadline *d, struct fault *f);
	int64_t (*now_us)(const struct store *s);
	int (*lock_ensure)(struct store *s, const char *key,
	    const struct deadline *d, struct fault *f);
	int (*legal_held)(struct store *s, const char *key, bool *on,
	    const struct deadline *d, struct fault *f);
	int (*legal_hold)(struct store *s, const char *key, bool on,
	    const struct deadline *d, struct fault *f);

	/* Optional, both or none: storage classes. */
	int (*class_move)(struct store *s, const char *key, const char *class,
	    bool *done, const struct deadline *d, struct fault *f);
	int (*class_spares)(struct store *s, const char *prefix,
	    store_list_fn cb, void *ctx, const struct deadline *d,
	    struct fault *f);

	/* Optional, both or none. */
	int (*remains)(struct store *s, const char *prefix, store_remains_fn cb,
	    void *ctx, const struct deadline *d, struct fault *f);
	int (*remains_remove)(struct store *s, const char *key, const char *id,
	    const struct deadline *d, struct fault *f);

	/* Optional, all five or none: without them an upload is collected in
	 * memory and put. upload_free also after a commit. */
	int (*upload_begin)(void **out, struct store *s, const char *key,
	    const struct deadline *d, struct fault *f);
	int (*upload_write)(
	    void *u, const unsigned char *data, size_t len, struct fault *f);
	void (*upload_deadline)(void *u, const struct deadline *d);
	int (*upload_commit)(void *u, struct fault *f);
	void (*upload_free)(void *u);
};

/* The first member of every kind's own struct. */
struct store {
	const struct store_ops *ops;
	char *name;
	char *url;
};

/* store_key.c */
int store_key_check(const char *key, struct fault *f);
/* "", or a key with a '/' after it. */
int store_key_check_prefix(const char *prefix, struct fault *f);
bool store_key_part_ok(const char *part, size_t len);

/* The kinds. */
int store_file_open(
    struct store **out, const struct conf_repo *repo, struct fault *f);
int store_s3_open(
    struct store **out, const struct conf_repo *repo, struct fault *f);

#endif
