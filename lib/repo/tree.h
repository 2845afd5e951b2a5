#ifndef TREE_H
#define TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "manifest.h"

/*
 * A data directory being made: paths of a manifest to folders and files below
 * a root. pg_tblspc/OID leads to the folder given for that tablespace; below
 * the root and those folders no symbolic link is ever followed, and the links
 * themselves are made last (tree_links).
 *
 * Threads: a tree may be shared once it is made; each thread has a tree_file.
 */

struct tree;

struct tree_space {
	uint32_t oid;
	const char *dir; /* absolute; exists */
};

int tree_new(struct tree **out, const char *root,
    const struct tree_space *spaces, size_t n, struct fault *f);
void tree_free(struct tree *t);

int tree_folder(
    struct tree *t, const char *path, uint32_t mode, struct fault *f);
int tree_empty_file(
    struct tree *t, const char *path, uint32_t mode, struct fault *f);
int tree_link(
    struct tree *t, const char *path, const char *target, struct fault *f);
/* pg_tblspc/OID -> dir, for all spaces. */
int tree_space_links(struct tree *t, struct fault *f);
/* Everything to disk: one sync per file system, after which nothing of what
 * was written is in doubt (DESIGN, 6). */
int tree_sync(struct tree *t, struct fault *f);

/* The file a thread writes to at the moment; kept open from piece to piece. */
struct tree_file {
	int fd;
	bool direct; /* past the page cache */
	char path[MANIFEST_PATH];
};
#define TREE_FILE_INIT                                                         \
	{                                                                      \
		-1, false, ""                                                  \
	}
/* Content that begins at a multiple of this in memory, too, is written past the
 * page cache where the file system can do that. */
#define TREE_ALIGN 4096
int tree_file_write(struct tree *t, struct tree_file *w,
    const struct manifest_piece *p, const unsigned char *content,
    struct fault *f);
int tree_file_close(struct tree *t, struct tree_file *w, struct fault *f);

#endif
