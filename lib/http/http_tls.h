#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "http_answer.h"

/* Inside lib/http: whom to trust, and how old a protocol to speak. CONFIG for
 * a pin that is none. */
int http_tls_apply(struct http *h, const struct http_tls *tls, struct fault *f);

#endif
