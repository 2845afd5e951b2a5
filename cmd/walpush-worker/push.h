#ifndef PUSH_H
#define PUSH_H

#include "archive.h"
#include "cli.h"

/* What a call and the worker that lingers do alike: push one file, and tell. */

/* What one call may take now. */
int64_t push_time(const struct conf_cluster *c);
/* archive_push_begin with as many hands as a file that is alone may have;
 * archive_push_end with the note about marks that belongs to r; and all of
 * archive_push. */
int push_begin(struct archive_push **out, struct repo *r, const char *path,
    struct fault *f);
int push_send(struct repo *r, struct archive_push *p, const struct deadline *d,
    struct archive_result *res, struct fault *f);
int push_file(struct repo *r, const char *path, const struct deadline *d,
    struct archive_result *res, struct fault *f);
/* The lines for standard error about a file that is durable, or failed. */
void push_tell(const char *path, int rc, const struct archive_result *res,
    const struct fault *f, int verbosity, char *lines, size_t cap);

/* The file's name in a path. */
const char *push_name(const char *path);

#endif
