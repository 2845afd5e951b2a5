#include "http_lib.h"

#include <pthread.h>
#include <stdio.h>

#include "dynlib.h"

static pthread_once_t http_lib_once = PTHREAD_ONCE_INIT;
static struct http_lib http_lib;
static char http_lib_error[200]; /* "": it is loaded, and has started */

static void
lib_load(void)
{
	const struct dynlib_symbol symbols[] = {
	    DYNLIB_SYMBOL(http_lib, curl_global_init),
	    DYNLIB_SYMBOL(http_lib, curl_easy_init),
	    DYNLIB_SYMBOL(http_lib, curl_easy_cleanup),
	    DYNLIB_SYMBOL(http_lib, curl_easy_perform),
	    DYNLIB_SYMBOL(http_lib, curl_easy_strerror),
	    DYNLIB_SYMBOL(http_lib, curl_slist_append),
	    DYNLIB_SYMBOL(http_lib, curl_slist_free_all),
	    {"curl_easy_setopt", &http_lib.set},
	    {"curl_easy_getinfo", &http_lib.ask},
	};
	CURLcode c;

	if (dynlib_load(CURL_SONAME, symbols,
		sizeof(symbols) / sizeof(*symbols), http_lib_error,
		sizeof(http_lib_error)) != 0)
		return;
	c = http_lib.curl_global_init(CURL_GLOBAL_SSL);
	if (c != CURLE_OK)
		snprintf(http_lib_error, sizeof(http_lib_error), "%s",
		    http_lib.curl_easy_strerror(c));
}

int
http_lib_get(const struct http_lib **out, struct fault *f)
{
	pthread_once(&http_lib_once, lib_load);
	if (http_lib_error[0] != '\0')
		return fault_set(f, FAULT_SYSTEM, "libcurl cannot be used: %s",
		    http_lib_error);
	*out = &http_lib;
	return 0;
}
