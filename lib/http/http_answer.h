#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include "buf.h"
#include "http.h"
#include "http_lib.h"

/* Inside lib/http: an answer as it comes in. */

#define HTTP_HEADERS_MAX (64U << 10) /* of a request, too */
#define HTTP_ERROR_MAX (1U << 20)

struct http {
	const struct http_lib *lib;
	CURL *easy;
	bool busy; /* a sink may call back into its own handle */
	char error[CURL_ERROR_SIZE];
	curl_socket_t sock; /* of the newest connection */
	char *ca_file;      /* as the settings name them; NULL */
	char *ca_path;
};

/* One transfer, for the callbacks. */
struct http_transfer {
	struct http *h;
	const struct http_request *rq;
	struct http_response *rs;
	struct buf kept;
	size_t header_bytes;
	curl_socket_t sock;
	bool failed; /* f below was filled by a callback */
	struct fault *f;
};

void http_answer_reset(struct http_response *rs);
/* libcurl's callbacks; ctx is the transfer. */
size_t http_answer_header(char *p, size_t size, size_t n, void *ctx);
size_t http_answer_body(char *p, size_t size, size_t n, void *ctx);

#endif
