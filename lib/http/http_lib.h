#ifndef HTTP_LIB_H
#define HTTP_LIB_H

#include <curl/curl.h>

#include "fault.h"

/*
 * libcurl, loaded when the first connection is wanted: with the thirty
 * libraries that it brings along it is most of the time that a program takes to
 * start, and a directory needs none of them. The functions that lib/http calls;
 * only lib/http includes this.
 */
struct http_lib {
	__typeof__(curl_global_init) *curl_global_init;
	__typeof__(curl_easy_init) *curl_easy_init;
	__typeof__(curl_easy_cleanup) *curl_easy_cleanup;
	__typeof__(curl_easy_perform) *curl_easy_perform;
	__typeof__(curl_easy_strerror) *curl_easy_strerror;
	__typeof__(curl_slist_append) *curl_slist_append;
	__typeof__(curl_slist_free_all) *curl_slist_free_all;
	/* by HTTP_LIB_SET and HTTP_LIB_ASK: */
	CURLcode (*set)(CURL *e, CURLoption option, ...);
	CURLcode (*ask)(CURL *e, CURLINFO info, ...);
};

/* SYSTEM when it cannot be loaded or does not start. Any thread; it stays until
 * the process ends. */
int http_lib_get(const struct http_lib **out, struct fault *f);

/* An option, or a result, of a struct http's transfer. libcurl's own macro,
 * which is not evaluated here, looks at the type of the value. */
#define HTTP_LIB_SET(h, option, value)                                         \
	((void)sizeof(curl_easy_setopt((h)->easy, (option), (value))),         \
	    (h)->lib->set((h)->easy, (option), (value)))
/* In a function that returns a fault of f. */
#define HTTP_LIB_MUST(h, option, value, f)                                     \
	do {                                                                   \
		if (HTTP_LIB_SET(h, option, value) != CURLE_OK)                \
			return fault_set(                                      \
			    f, FAULT_SYSTEM, "libcurl refuses " #option);      \
	} while (0)
#define HTTP_LIB_ASK(h, info, out)                                             \
	((void)sizeof(curl_easy_getinfo((h)->easy, (info), (out))),            \
	    (h)->lib->ask((h)->easy, (info), (out)))

#endif
