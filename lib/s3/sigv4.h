#ifndef SIGV4_H
#define SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "http.h"
#include "secret.h"

/*
 * AWS Signature Version 4, header form. Pure: the time comes in.
 * Source: AWS General Reference, "Signing AWS API requests"; for S3 the path
 * is percent-encoded once and not normalised.
 */

struct sigv4_credentials {
	const char *access_key_id;
	const unsigned char *secret;
	size_t secret_len;
	const char *session_token; /* NULL: none */
};

struct sigv4_request {
	const char *method;
	const char *host;  /* with port unless it is the scheme's own */
	const char *path;  /* as sent: already percent-encoded, begins with / */
	const char *query; /* canonical: sorted, encoded, without '?' */
	const struct http_header
	    *headers; /* to sign besides host and x-amz-* */
	size_t n_headers;
	const char *payload_hash; /* hex SHA-256, or UNSIGNED-PAYLOAD */
	const char *region;
	const char *service; /* "s3" */
	int64_t now_us;
};

#define SIGV4_AUTH 1024
struct sigv4_result {
	char date[20]; /* x-amz-date */
	char authorization[SIGV4_AUTH];
	char signature[65];
};

int sigv4_sign(const struct sigv4_request *rq,
    const struct sigv4_credentials *cred, struct sigv4_result *rs,
    struct fault *f);

/* Percent-encode as S3 wants it: all but A-Z a-z 0-9 - . _ ~ ; '/' is kept
 * when keep_slash. out needs 3*strlen+1 bytes. */
void sigv4_encode(const char *s, int keep_slash, char *out);

#endif
