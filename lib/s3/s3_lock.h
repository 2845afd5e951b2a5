#ifndef S3_LOCK_H
#define S3_LOCK_H

#include "s3_call.h"

/* Inside lib/s3: the headers that a new object is made with. */

struct s3_lock_headers {
	struct http_header h[3];
	size_t n;
	char until[CLOCK_TEXT_SIZE];
};

/* What the terms ask for; the bucket is looked at where they ask for a lock. */
int s3_lock_headers(struct s3 *s, struct s3_lock_headers *out,
    const struct deadline *d, struct fault *f);

/* The lock begins now, by the store's clock: our own may have been found wrong
 * since, and nobody can shorten a lock. */
void s3_lock_renew(const struct s3 *s, struct s3_lock_headers *h);

/* A put with these headers failed with rc: some stores answer a class that they
 * do not have with no more than 400 InvalidArgument. The fault to return. */
int s3_lock_explain(
    const struct s3_lock_headers *h, int status, int rc, struct fault *f);

/* "2026-12-22T07:53:01Z", not before the moment. */
void s3_lock_date(int64_t us, char out[CLOCK_TEXT_SIZE]);

/* The answer to a question about an object's lock. ABSENT: it has none. */
int s3_lock_read(
    const struct xml *doc, char mode[16], int64_t *until_us, struct fault *f);

#endif
