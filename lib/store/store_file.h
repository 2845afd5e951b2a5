#ifndef STORE_FILE_H
#define STORE_FILE_H

#include "store_ops.h"

/*
 * The directory store; only store_file*.c include this. Every call opens the
 * root afresh, so that a file system mounted meanwhile is seen, and walks down
 * folder by folder without following a symbolic link.
 */

struct store_file {
	struct store base;
	char *root;
	/* The last folder whose own entry and those above are known to be on
	 * disk. The open descriptor keeps its inode number from being given
	 * to another folder of that name. */
	char *synced;
	int synced_fd;
};

/* store_file_path.c */

/* A fault for errnum at root/key. what: "cannot read". */
int store_file_fault(const struct store_file *s, int errnum, const char *key,
    const char *what, struct fault *f);
int store_file_late(const struct deadline *d, const struct store_file *s,
    const char *key, struct fault *f);

enum store_file_walk {
	STORE_FILE_LOOK, /* ABSENT when a folder is missing */
	STORE_FILE_MAKE, /* make what is missing, each synced into its own */
	STORE_FILE_SYNC, /* the same, and sync all the others too */
};
/* Open the folder that holds key, or that key names when it ends in '/'. */
int store_file_folder(const struct store_file *s, const char *key,
    enum store_file_walk how, int *fd, struct fault *f);
/* As STORE_FILE_SYNC, but without effort for the folder of the last call. */
int store_file_durable_folder(
    struct store_file *s, const char *key, int *fd, struct fault *f);
/* The part after the last '/'. */
const char *store_file_leaf(const char *key);
/* Open the object; *st is a regular file's. ABSENT only when the root is
 * there. */
struct stat;
int store_file_object(const struct store_file *s, const char *key, int *fd,
    struct stat *st, struct fault *f);
int64_t store_file_modified_us(const struct stat *st);
int store_file_sync(
    const struct store_file *s, int fd, const char *key, struct fault *f);

/* store_file_put.c */
int store_file_put(struct store *base, const char *key, const void *data,
    size_t len, const struct deadline *d, struct fault *f);
int store_file_upload_begin(void **out, struct store *base, const char *key,
    const struct deadline *d, struct fault *f);
int store_file_upload_write(
    void *u, const unsigned char *data, size_t len, struct fault *f);
void store_file_upload_deadline(void *u, const struct deadline *d);
int store_file_upload_commit(void *u, struct fault *f);
void store_file_upload_free(void *u);

/* store_file_list.c */
int store_file_list(struct store *base, const char *prefix, bool shallow,
    const char *start_after, store_list_fn cb, void *ctx,
    const struct deadline *d, struct fault *f);

/* store_file_remove.c */
int store_file_remove(struct store *base, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *f);

/* store_file_sweep.c */

/* Files that puts write to where O_TMPFILE is not to be had, each locked by who
 * writes it: this and 16 hexadecimal digits. */
#define STORE_FILE_TEMP ".tmp-"
/* Remove those that were left a day ago or longer. */
void store_file_sweep(int dir);

#endif
