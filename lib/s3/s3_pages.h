#ifndef S3_PAGES_H
#define S3_PAGES_H

#include "s3.h"
#include "s3_marks.h"

/* Inside lib/s3: a whole listing of the kind that s3_marks reads, page after
 * page. */
struct s3_pages {
	const char *kind;       /* the query's name: "versions" */
	const char *limit;      /* "max-keys" */
	const char *mark;       /* "version-id-marker" */
	const char *root;       /* of the answer */
	const char *permission; /* for the hint when it is refused */
	const char *entries[2]; /* its elements; the second may be NULL */
};

/* From m->key on, which may be ""; no page is asked for that begins beyond last
 * (NULL: to the end). cb as s3_marks_entries'. d may be NULL. */
int s3_pages_walk(struct s3 *s, const struct s3_pages *p, struct s3_marks *m,
    const char *last, s3_marks_fn cb, void *ctx, const struct deadline *d,
    struct fault *f);

#endif
