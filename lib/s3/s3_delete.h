#ifndef S3_DELETE_H
#define S3_DELETE_H

#include "s3.h"
#include "s3_answer.h"
#include "xml.h"

/* Inside lib/s3: each key's own result out of the answer to a multi-delete. s
 * describes the bucket. A key that is not mentioned is AGAIN; one that is
 * named as deleted and as failed has failed. */
int s3_delete_read(const struct s3_subject *s, const struct xml *doc,
    const char *const *keys, size_t n, s3_delete_fn cb, void *ctx,
    struct fault *f);

#endif
