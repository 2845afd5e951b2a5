#ifndef STORE_S3_H
#define STORE_S3_H

#include "s3.h"
#include "store_ops.h"

/* The S3 store; only store_s3*.c include this. */

#define STORE_S3_KEY_MAX 1024 /* the prefix included */

struct store_s3_account;

struct store_s3 {
	struct store base;
	struct store_s3_account *account;
	struct s3 *s3;
	char *prefix; /* "" or with a '/' at its end */
	size_t prefix_len;
	bool look_first;
	struct s3_terms terms;
	enum {
		STORE_S3_UNKNOWN,
		STORE_S3_PLAIN,
		STORE_S3_VERSIONS, /* deleted by version, so that space is free
				    */
	} versions;
};

/* The key within the bucket. */
int store_s3_key(const struct store_s3 *s, const char *key,
    char out[STORE_S3_KEY_MAX + 1], struct fault *f);

/* The same with the client that takes it; NULL when it is too long. */
struct s3 *store_s3_at(struct store *base, const char *key,
    char full[STORE_S3_KEY_MAX + 1], struct fault *f);

/* store_s3_upload.c */
int store_s3_upload_begin(void **out, struct store *base, const char *key,
    const struct deadline *d, struct fault *f);
int store_s3_upload_write(
    void *u, const unsigned char *data, size_t len, struct fault *f);
void store_s3_upload_deadline(void *u, const struct deadline *d);
int store_s3_upload_commit(void *u, struct fault *f);
void store_s3_upload_free(void *u);

/* store_s3_remains.c */
int store_s3_remains(struct store *base, const char *prefix,
    store_remains_fn cb, void *ctx, const struct deadline *d, struct fault *f);
int store_s3_remains_remove(struct store *base, const char *key, const char *id,
    const struct deadline *d, struct fault *f);

/* store_s3_class.c */
int store_s3_class_move(struct store *base, const char *key, const char *class,
    bool *done, const struct deadline *d, struct fault *f);
int store_s3_class_spares(struct store *base, const char *prefix,
    store_list_fn cb, void *ctx, const struct deadline *d, struct fault *f);

/* store_s3_remove.c; learn: s->versions is known with 0 */
int store_s3_remove_learn(
    struct store_s3 *s, const struct deadline *d, struct fault *f);
int store_s3_remove(struct store *base, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *f);

#endif
