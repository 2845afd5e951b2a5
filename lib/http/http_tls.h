#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "http_answer.h"

/* Inside lib/http: whom to trust, and how old a protocol to speak. CONFIG for
 * a pin that is none. */
int http_tls_apply(struct http *h, const struct http_tls *tls, struct fault *f);
/* Is it for the certificates that the settings name that a transfer failed with
 * c? Then f tells which setting, and what to do: CONFIG. */
bool http_tls_blame(const struct http *h, CURLcode c, struct fault *f);

#endif
