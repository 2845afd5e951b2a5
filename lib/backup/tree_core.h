#ifndef TREE_CORE_H
#define TREE_CORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "tree.h"

/* Within the tree only. */

#define TREE_SPACES "pg_tblspc/"

/* What lies elsewhere: a tablespace, or pg_wal behind a link. */
struct tree_place {
	char prefix[24]; /* "pg_tblspc/16384" */
	bool is_space;
	char *dir;
	int fd;
};

struct tree {
	char *root;
	int fd;
	bool existing;
	struct tree_place *place;
	size_t n;
	bool sync_files; /* before Linux 5.8 syncfs does not tell of errors */
	atomic_bool no_direct; /* this file system writes through the cache */
	/* A file's mode is not what it will be; or what is in its way goes. */
	pthread_mutex_t lock;
};

/* The folder a path is below, and the rest of the path. A tablespace that was
 * not announced is CORRUPT: its files would land inside the data directory.
 * Nothing is ever made as pg_control: with it a tree could be started before it
 * is whole. */
int tree_path_locate(const struct tree *t, const char *path, int *fd,
    const char **rest, struct fault *f);
/* open below fd, without leaving it and without following any link. */
int tree_path_open(int fd, const char *path, int flags, mode_t mode);
/* The folder in which path is made, and its name there; the caller closes
 * *fd. */
int tree_path_parent(const struct tree *t, const char *path, int *fd,
    const char **name, struct fault *f);

#endif
