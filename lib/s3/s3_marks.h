#ifndef S3_MARKS_H
#define S3_MARKS_H

#include <stdbool.h>

#include "buf.h"
#include "xml.h"

/*
 * Inside lib/s3: listings whose next page begins at a key and an id: versions
 * and unfinished uploads. Pure.
 */

#define S3_MARKS_NAME 3100 /* a key of 1024 bytes, percent-encoded */
/* Pages within one key, at most: a store that goes in circles is noticed. */
#define S3_MARKS_SAME 1000

struct s3_marks {
	const char *what; /* for faults: "listing of versions" */
	const char *prefix;
	const char *id;          /* element of an entry */
	const char *next_id;     /* and of the page */
	char key[S3_MARKS_NAME]; /* where the next page begins */
	char mark[S3_MARKS_NAME];
	unsigned same;
	bool more;
};

/* Each entry; n is its element. Another value than 0 ends the listing. */
typedef int (*s3_marks_fn)(void *ctx, const char *key, const char *id,
    const struct xml_node *n, struct fault *f);

/* All entries called element of a page. CORRUPT when one has no name, or was
 * not asked for. */
int s3_marks_entries(const struct s3_marks *m, const struct xml *doc,
    const char *element, s3_marks_fn cb, void *ctx, struct fault *f);
/* Then m->more, and where the next page begins. CORRUPT when that is left
 * open, or not further on. */
int s3_marks_end(struct s3_marks *m, const struct xml *doc, struct fault *f);

#endif
