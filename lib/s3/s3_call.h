#ifndef S3_CALL_H
#define S3_CALL_H

#include "s3.h"
#include "s3_answer.h"
#include "s3_url.h"

/*
 * Inside lib/s3: one call to the store, signed, sent, judged and, where that
 * helps, tried again.
 */

struct s3_lock_headers;

struct s3 {
	struct http *http;
	struct s3_url url;
	char *name;
	char *bucket;
	char *region;
	char *storage_class; /* NULL: default */
	char *access_key_id;
	struct secret secret;
	struct secret token;
	int64_t clock_offset_us; /* the server's clock minus ours */
	unsigned page_size;      /* of a listing */
	bool no_conditional;     /* the store has no If-None-Match */
	bool look_first;         /* it has, and does not heed it */
	bool no_sha256;          /* it knows no x-amz-checksum-sha256 */
	char *lock_mode;         /* NULL: none */
	bool lock_checked;       /* the bucket has object lock */
	struct s3_terms terms;
};

struct s3_request {
	const char *method;
	const char *key;                   /* NULL: the bucket */
	const char *query;                 /* canonical; NULL: none */
	const char *permission;            /* for the hint when it is refused */
	const struct http_header *headers; /* signed with the rest */
	size_t n_headers;
	struct s3_lock_headers *kept; /* those of them that hold a time, which
					 is made anew for each try; may be
					 NULL */
	const void *body;
	size_t body_len;
	bool md5;         /* with Content-MD5 */
	bool sha256;      /* with x-amz-checksum-sha256 instead */
	bool conditional; /* with If-None-Match: * */
	bool aside;       /* about an object, not the object: a PUT's answer
			     has no ETag then */
	sink_fn sink;
	void *ctx;
	const char *root; /* of the document that is the answer; NULL: none */
	const struct deadline *d;
};

/* What is computed from the body once for all tries. */
struct s3_sums {
	char payload_hash[65];
	char md5[25];    /* "": not sent */
	char sha256[45]; /* the same */
};
int s3_call_sums(const struct s3 *s, const struct s3_request *rq,
    struct s3_sums *sums, struct fault *f);

/* One try. rs is to be freed whatever the result; *doc (may be NULL when
 * rq->root is) gets the answer's document. */
int s3_call_once(struct s3 *s, const struct s3_request *rq,
    const struct s3_sums *sums, struct http_response *rs, struct xml **doc,
    enum s3_next *next, struct fault *f);

/* After a failed try: pause, for as long as the store asks for, and say true,
 * or say false when it is over. Without a deadline it is over after S3_TRIES,
 * and a pause takes S3_WAIT_MS at most. */
#define S3_TRIES 10
#define S3_WAIT_MS (5 * 60 * 1000)
struct s3_retry {
	unsigned tries;
	bool clock_taken;
};
bool s3_call_again(struct s3 *s, struct s3_retry *r, enum s3_next next,
    const struct http_response *rs, const struct deadline *d);

/* Tries until it succeeds or nothing more can be done. rs (may be NULL): the
 * last answer, to be freed whatever the result. doc as above. *tries (may be
 * NULL): how many it took. */
int s3_call(struct s3 *s, const struct s3_request *rq, struct http_response *rs,
    struct xml **doc, unsigned *tries, struct fault *f);

/* "repository R: METHOD bucket/key: " in front of the fault. */
int s3_call_context(
    const struct s3 *s, const struct s3_request *rq, struct fault *f);

#endif
