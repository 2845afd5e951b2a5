#ifndef S3_ANSWER_H
#define S3_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "xml.h"

/*
 * What an answer of the store means. Pure: bytes in, verdict out.
 * Source: Amazon S3 API Reference, "Error responses", and what other stores
 * send in its place.
 */

struct s3_answer {
	int status;
	char code[64];     /* "" when the answer has none */
	char message[161]; /* likewise */
	char region[64];   /* the bucket's, where the answer names it */
	char request_id[128];
};

/* What the request was about, for the line and for the hints. */
struct s3_subject {
	const char *repo;
	const char *method;
	const char *bucket;
	const char *key;        /* NULL: the bucket */
	const char *permission; /* what it takes: "s3:PutObject" */
	bool conditional;       /* If-None-Match: * */
};

enum s3_next {
	S3_NEXT_GIVE_UP,
	S3_NEXT_RETRY, /* the same may go through later */
	S3_NEXT_CLOCK, /* take the server's clock, then try at once */
};

/* Never fails: what cannot be understood leaves the fields empty. */
void s3_answer_read(struct s3_answer *a, const struct http_response *rs);

/* Is this the code of the error that was answered? */
bool s3_answer_says(const struct http_response *rs, const char *code);

/* A body that begins like HTML or XML. */
bool s3_answer_is_page(const struct http_response *rs);

/* 0 for a 2xx that carries no error; otherwise the fault, and what next. */
int s3_answer_judge(const struct s3_answer *a, const struct s3_subject *s,
    enum s3_next *next, struct fault *f);

/* The document of a 2xx answer with that root element; CORRUPT otherwise. */
int s3_answer_document(const struct http_response *rs, const char *root,
    struct xml **out, struct fault *f);

/* "bytes A-B/T". 0, or -1 when it is not that or makes no sense. */
struct s3_range {
	uint64_t first, last, total;
};
int s3_answer_range(const char *s, struct s3_range *r);

/* Seconds or a date; -1 when it is neither. now: wall clock. */
int64_t s3_answer_retry_after_ms(const char *s, int64_t now_us);

/* One result of a multi-delete: the fault for a key's own <Error>. */
int s3_answer_deletion(const struct s3_subject *s, const char *code,
    const char *message, struct fault *f);

#endif
