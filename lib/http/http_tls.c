#include "http_tls.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "text.h"

#define HTTP_SYSTEM_CA "/etc/ssl/certs"
/* update-ca-certificates writes this file and the hashed names together, so
 * where it is, the directory can be searched. */
#define HTTP_SYSTEM_CA_MARK HTTP_SYSTEM_CA "/ca-certificates.crt"

/* The pins in one string, as libcurl wants them. */
static int
pins_join(const struct http_tls *tls, char **out, struct fault *f)
{
	struct buf b = BUF_INIT(16384);
	int rc = 0;

	for (size_t i = 0; i < tls->n_pins && rc == 0; i++) {
		if (!text_prefix(tls->pins[i], "sha256//") ||
		    strchr(tls->pins[i], ';') != NULL)
			rc = fault_set(f, FAULT_CONFIG,
			    "pin is not sha256//BASE64: %s", tls->pins[i]);
		else
			rc = buf_printf(
			    &b, f, "%s%s", i == 0 ? "" : ";", tls->pins[i]);
	}
	if (rc == 0)
		rc = buf_terminate(&b, f);
	if (rc == 0 && (*out = strdup((char *)b.data)) == NULL)
		rc = fault_nomem(f);
	buf_free(&b);
	return rc;
}

/* A copy of what may not be there. */
static int
keep(char **to, const char *from, struct fault *f)
{
	if (from != NULL && (*to = strdup(from)) == NULL)
		return fault_nomem(f);
	return 0;
}

int
http_tls_apply(struct http *h, const struct http_tls *tls, struct fault *f)
{
	char *pins = NULL;
	CURLcode c;
	int rc;

	HTTP_LIB_MUST(h, CURLOPT_SSLVERSION,
	    tls->allow_tls12 ? (long)CURL_SSLVERSION_TLSv1_2
			     : (long)CURL_SSLVERSION_TLSv1_3,
	    f);
	HTTP_LIB_MUST(h, CURLOPT_SSL_VERIFYPEER, 1L, f);
	HTTP_LIB_MUST(h, CURLOPT_SSL_VERIFYHOST, 2L, f);
	if ((rc = keep(&h->ca_file, tls->ca_file, f)) != 0 ||
	    (rc = keep(&h->ca_path, tls->ca_path, f)) != 0)
		return rc;
	if (tls->ca_file != NULL || tls->ca_path != NULL) {
		HTTP_LIB_MUST(h, CURLOPT_CAINFO, tls->ca_file, f);
		HTTP_LIB_MUST(h, CURLOPT_CAPATH, tls->ca_path, f);
	} else if (access(HTTP_SYSTEM_CA_MARK, R_OK) == 0) {
		/* Reading the whole bundle takes 24 ms, a search nothing. */
		HTTP_LIB_MUST(h, CURLOPT_CAINFO, NULL, f);
		HTTP_LIB_MUST(h, CURLOPT_CAPATH, HTTP_SYSTEM_CA, f);
	}
	if (tls->n_pins > 0) {
		rc = pins_join(tls, &pins, f);
		if (rc != 0)
			return rc;
		c = HTTP_LIB_SET(h, CURLOPT_PINNEDPUBLICKEY, pins);
		free(pins);
		if (c != CURLE_OK)
			return fault_set(f, FAULT_SYSTEM,
			    "libcurl refuses the pins: %s",
			    h->lib->curl_easy_strerror(c));
	}
	return 0;
}

bool
http_tls_blame(const struct http *h, CURLcode c, struct fault *f)
{
	if (c == CURLE_SSL_CACERT_BADFILE && h->ca_file != NULL) {
		if (access(h->ca_file, R_OK) != 0)
			fault_set(f, FAULT_CONFIG,
			    "ca_file %s: %s; name a file that holds the "
			    "certificate of the CA and that this user can read",
			    h->ca_file, strerror(errno));
		else
			fault_set(f, FAULT_CONFIG,
			    "ca_file %s: it holds no certificate in PEM form",
			    h->ca_file);
		return true;
	}
	/* libcurl passes over a directory that is not there. */
	if (c == CURLE_PEER_FAILED_VERIFICATION && h->ca_path != NULL &&
	    access(h->ca_path, R_OK | X_OK) != 0) {
		fault_set(f, FAULT_CONFIG,
		    "ca_path %s: %s; name a directory made by \"openssl "
		    "rehash\" that this user can read",
		    h->ca_path, strerror(errno));
		return true;
	}
	return false;
}
