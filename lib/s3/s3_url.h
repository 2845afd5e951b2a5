#ifndef S3_URL_H
#define S3_URL_H

#include <stdbool.h>

#include "buf.h"

/* Where a bucket is, and how its requests are spelled. Pure. */

struct s3_url {
	char *base; /* "https://HOST[:PORT]" as connected to */
	char *host; /* "HOST[:PORT]" as signed: a default port is left out */
	char *root; /* "/bucket", or "" when the host names the bucket */
	bool insecure;
};

/* endpoint: http[s]://HOST[:PORT][/], nothing else. CONFIG otherwise, and for
 * a bucket name that cannot be one. */
int s3_url_make(struct s3_url *u, const char *endpoint, const char *bucket,
    bool host_style, struct fault *f);
void s3_url_free(struct s3_url *u);

/* The encoded path of a key (NULL: of the bucket), with NUL. */
int s3_url_path(
    const struct s3_url *u, const char *key, struct buf *out, struct fault *f);

/* Append NAME=VALUE, encoded, to a query; in the order of the names, as the
 * signature wants it. With NUL. */
int s3_url_query(
    struct buf *q, const char *name, const char *value, struct fault *f);

/* Undo percent-encoding, and '+' for a blank, in place. -1 when it is none. */
int s3_url_decode(char *s);

#endif
