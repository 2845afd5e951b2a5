#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <curl/curl.h>

#include "http.h"

/* Inside lib/http: whom to trust, and how old a protocol to speak. CONFIG for
 * a pin that is none. */
int http_tls_apply(CURL *e, const struct http_tls *tls, struct fault *f);

#endif
