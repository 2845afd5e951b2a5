#ifndef S3_LIST_H
#define S3_LIST_H

#include "s3.h"
#include "xml.h"

/* Inside lib/s3: reading a listing page by page. Pure but for s3_list. */

struct s3_list_state {
	const char *prefix;
	const char *start_after; /* NULL: from the beginning */
	s3_list_fn cb;
	void *ctx;
	int stopped; /* what cb returned, when not 0 */
	bool more;   /* there is another page, at token */
	bool any;
	char last[3100];
	char token[4096];
};

/* One page to l->cb; then l->more and l->token are set. CORRUPT when names are
 * out of order, not under the prefix, or the page leaves open what follows. */
int s3_list_read(
    struct s3_list_state *l, const struct xml *doc, struct fault *f);

/* Keys per page; tests ask for few. */
void s3_list_page_size(struct s3 *s, unsigned n);

#endif
