#ifndef TREE_H
#define TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "manifest.h"
#include "pathset.h"

/*
 * A data directory being made: paths of a manifest to folders and files below
 * a root. pg_tblspc/OID leads to the folder given for that tablespace; below
 * the root and those folders no symbolic link is ever followed, and the links
 * themselves are made last (tree_links).
 *
 * Or one that exists and becomes what the manifest says: what is of another
 * kind than it must be (a link for a folder), and files that have a second name
 * somewhere, make way for new ones; files get the size and the mode they must
 * have.
 *
 * Threads: a tree may be shared once it is made; each thread has a tree_file.
 */

struct tree;

struct tree_space {
	uint32_t oid;
	const char *dir; /* absolute; exists */
};

struct tree_existing {
	const char *wal; /* where the link pg_wal leads; NULL: it is none */
};

/* existing NULL: root and the tablespaces' folders are new. */
int tree_new(struct tree **out, const char *root,
    const struct tree_space *spaces, size_t n,
    const struct tree_existing *existing, struct fault *f);
void tree_free(struct tree *t);

int tree_folder(
    struct tree *t, const char *path, uint32_t mode, struct fault *f);
int tree_empty_file(
    struct tree *t, const char *path, uint32_t mode, struct fault *f);
int tree_link(
    struct tree *t, const char *path, const char *target, struct fault *f);
/* pg_tblspc/OID -> dir, for all spaces. */
int tree_space_links(struct tree *t, struct fault *f);
/* Remove what is not in keep, except what stands beside the server's own folder
 * in that of a tablespace, and lost+found. */
int tree_sweep(struct tree *t, const struct pathset *keep, struct fault *f);
/* name in the folder fd, with all that is below; links are not followed. */
int tree_sweep_remove(int fd, const char *name, struct fault *f);
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
/* Whether the file holds the piece; buffer: p->length bytes, aligned as content
 * is. In existing trees. */
int tree_file_holds(struct tree *t, struct tree_file *w,
    const struct manifest_piece *p, unsigned char *buffer, bool *holds,
    struct fault *f);
int tree_file_write(struct tree *t, struct tree_file *w,
    const struct manifest_piece *p, const unsigned char *content,
    struct fault *f);
int tree_file_close(struct tree *t, struct tree_file *w, struct fault *f);

#endif
