#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "sink.h"

/*
 * One HTTP transfer at a time over a connection that stays warm, with a
 * deadline, over libcurl. No redirects, no proxies from the environment, no
 * cookies, no retries: those belong to the caller.
 *
 * Threads: one handle per thread. Limits: answer headers 64 KiB, the
 * body of what is no 2xx 1 MiB.
 * Faults: AGAIN for everything between us and the answer (refused, reset,
 * cut, timed out, name not found, no HTTP, beyond the limits); CONFIG for a
 * certificate or pin that does not fit, an unreadable CA file, a bad URL. Any
 * HTTP status is a success here. A sink's fault ends the transfer and is passed
 * on.
 */

struct http_tls {
	const char *ca_file;     /* NULL: the system's */
	const char *ca_path;     /* a hashed directory; NULL: the system's */
	const char *const *pins; /* "sha256//BASE64"; any one must fit */
	size_t n_pins;
	bool allow_tls12; /* otherwise 1.3 is the lowest */
};

/* Loads what the first connection needs, some milliseconds' work, while there
 * is something else to do. Any thread. What fails shows itself later. */
void http_warm(void);

struct http;
/* The strings are copied. tls may be NULL for http:// only. */
int http_new(struct http **out, const struct http_tls *tls, struct fault *f);
void http_free(struct http *h);

struct http_header {
	const char *name;
	const char *value;
};

struct http_request {
	const char *method; /* GET HEAD PUT POST DELETE */
	const char *url;
	const struct http_header *headers;
	size_t n_headers;
	const void *body; /* NULL: none */
	size_t body_len;
	sink_fn sink; /* gets the body of a 2xx answer; NULL: it is kept */
	void *ctx;
	size_t keep; /* kept answer body (errors, and all without sink): limit,
			AGAIN when crossed by a 2xx; errors are cut there */
	const struct deadline *deadline; /* NULL: never */
};

#define HTTP_FIELD 256

struct http_response {
	int status;
	unsigned char
	    *body; /* kept body, NUL after it; owned by the response */
	size_t body_len;
	uint64_t content_length; /* UINT64_MAX: not given */
	uint64_t received;       /* body bytes that came */
	/* Header fields, "" when absent or longer than HTTP_FIELD-1: */
	char etag[HTTP_FIELD];
	char content_range[HTTP_FIELD];
	char last_modified[HTTP_FIELD];
	char date[HTTP_FIELD];
	char retry_after[HTTP_FIELD];
	char request_id[HTTP_FIELD];    /* x-amz-request-id */
	char bucket_region[HTTP_FIELD]; /* x-amz-bucket-region */
	char storage_class[HTTP_FIELD]; /* x-amz-storage-class */
	char version[HTTP_FIELD];       /* x-amz-version-id */
	char sha256[HTTP_FIELD];        /* x-amz-checksum-sha256 */
	char lock_until[HTTP_FIELD]; /* x-amz-object-lock-retain-until-date */
	char legal_hold[HTTP_FIELD]; /* x-amz-object-lock-legal-hold */
};

/* A body shorter than its Content-Length is AGAIN, not a success. Status and
 * header fields in rs are set before the sink is called for the first time. rs
 * is to be freed whatever the result. */
int http_perform(struct http *h, const struct http_request *rq,
    struct http_response *rs, struct fault *f);
void http_response_free(struct http_response *rs);

#endif
