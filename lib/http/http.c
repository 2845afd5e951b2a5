#include "http.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "http_answer.h"
#include "http_tls.h"

#define HTTP_BUFFER (512L << 10)
#define HTTP_CONNECT_MS 10000
#define HTTP_STALL_S 30

static int
on_socket(void *ctx, curl_socket_t sock, curlsocktype purpose)
{
	struct http *h = ctx;

	(void)purpose;
	h->sock = sock;
	return CURL_SOCKOPT_OK;
}

static int
set_fixed(struct http *h, struct fault *f)
{
	HTTP_LIB_MUST(h, CURLOPT_ERRORBUFFER, h->error, f);
	HTTP_LIB_MUST(h, CURLOPT_NOSIGNAL, 1L, f);
	HTTP_LIB_MUST(h, CURLOPT_PROTOCOLS_STR, "http,https", f);
	HTTP_LIB_MUST(h, CURLOPT_PROXY, "", f);
	HTTP_LIB_MUST(h, CURLOPT_FOLLOWLOCATION, 0L, f);
	HTTP_LIB_MUST(
	    h, CURLOPT_PATH_AS_IS, 1L, f); /* the path is signed as it stands */
	HTTP_LIB_MUST(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1, f);
	HTTP_LIB_MUST(h, CURLOPT_MAXCONNECTS, 1L, f);
	HTTP_LIB_MUST(h, CURLOPT_TCP_NODELAY, 1L, f);
	HTTP_LIB_MUST(h, CURLOPT_TCP_KEEPALIVE, 1L, f);
	HTTP_LIB_MUST(h, CURLOPT_TCP_KEEPIDLE, 30L, f);
	HTTP_LIB_MUST(h, CURLOPT_TCP_KEEPINTVL, 10L, f);
	HTTP_LIB_MUST(h, CURLOPT_BUFFERSIZE, HTTP_BUFFER, f);
	HTTP_LIB_MUST(h, CURLOPT_UPLOAD_BUFFERSIZE, HTTP_BUFFER, f);
	HTTP_LIB_MUST(h, CURLOPT_SOCKOPTFUNCTION, on_socket, f);
	HTTP_LIB_MUST(h, CURLOPT_SOCKOPTDATA, h, f);
	HTTP_LIB_MUST(h, CURLOPT_HEADERFUNCTION, http_answer_header, f);
	HTTP_LIB_MUST(h, CURLOPT_WRITEFUNCTION, http_answer_body, f);
	HTTP_LIB_MUST(h, CURLOPT_USERAGENT, "pitrkit/" PITRKIT_VERSION, f);
	return 0;
}

void
http_warm(void)
{
	const struct http_lib *lib;
	struct fault ignored = FAULT_INIT;

	(void)http_lib_get(&lib, &ignored);
}

int
http_new(struct http **out, const struct http_tls *tls, struct fault *f)
{
	const struct http_lib *lib;
	struct http *h;
	int rc;

	if ((rc = http_lib_get(&lib, f)) != 0)
		return rc;
	h = calloc(1, sizeof *h);
	if (h == NULL)
		return fault_nomem(f);
	h->lib = lib;
	h->sock = CURL_SOCKET_BAD;
	h->easy = lib->curl_easy_init();
	if (h->easy == NULL)
		rc = fault_nomem(f);
	else
		rc = set_fixed(h, f);
	if (rc == 0 && tls != NULL)
		rc = http_tls_apply(h, tls, f);
	if (rc != 0) {
		http_free(h);
		return rc;
	}
	*out = h;
	return 0;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	if (h->easy != NULL)
		h->lib->curl_easy_cleanup(h->easy);
	free(h->ca_file);
	free(h->ca_path);
	free(h);
}

static int
set_times(struct http *h, const struct deadline *d, struct fault *f)
{
	int64_t left = d == NULL ? INT64_MAX : deadline_left_ms(d);
	bool never = d == NULL || d->at_ms == INT64_MAX;
	int64_t most = (int64_t)(LONG_MAX / 2);

	if (left <= 0)
		return fault_set(
		    f, FAULT_AGAIN, "the time allowed was used up");
	if (left > most)
		left = most;
	HTTP_LIB_MUST(h, CURLOPT_TIMEOUT_MS, never ? 0L : (long)left, f);
	HTTP_LIB_MUST(h, CURLOPT_CONNECTTIMEOUT_MS,
	    left < HTTP_CONNECT_MS ? (long)left : (long)HTTP_CONNECT_MS, f);
	/* A connection that has gone silent is given up while there is time
	 * for another one. */
	HTTP_LIB_MUST(h, CURLOPT_LOW_SPEED_LIMIT, 1L, f);
	HTTP_LIB_MUST(h, CURLOPT_LOW_SPEED_TIME,
	    left >= 2 * HTTP_STALL_S * 1000 ? (long)HTTP_STALL_S : 0L, f);
	return 0;
}

static int
set_method(struct http *h, const struct http_request *rq, struct fault *f)
{
	bool body = rq->body != NULL || strcmp(rq->method, "PUT") == 0 ||
		    strcmp(rq->method, "POST") == 0;

	HTTP_LIB_MUST(h, CURLOPT_NOBODY, 0L, f);
	HTTP_LIB_MUST(h, CURLOPT_POSTFIELDS, NULL, f);
	HTTP_LIB_MUST(h, CURLOPT_CUSTOMREQUEST, NULL, f);
	if (body) {
		/* From memory; a connection that broke while idle is replaced
		 * without asking us to rewind. */
		HTTP_LIB_MUST(h, CURLOPT_POST, 1L, f);
		HTTP_LIB_MUST(h, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)rq->body_len, f);
		HTTP_LIB_MUST(
		    h, CURLOPT_POSTFIELDS, rq->body == NULL ? "" : rq->body, f);
		HTTP_LIB_MUST(h, CURLOPT_CUSTOMREQUEST, rq->method, f);
	} else if (strcmp(rq->method, "HEAD") == 0) {
		HTTP_LIB_MUST(h, CURLOPT_HTTPGET, 1L, f);
		HTTP_LIB_MUST(h, CURLOPT_NOBODY, 1L, f);
	} else {
		HTTP_LIB_MUST(h, CURLOPT_HTTPGET, 1L, f);
		HTTP_LIB_MUST(h, CURLOPT_CUSTOMREQUEST, rq->method, f);
	}
	return 0;
}

static int
headers_make(const struct http *h, const struct http_request *rq,
    struct curl_slist **out, struct fault *f)
{
	struct buf line = BUF_INIT(HTTP_HEADERS_MAX);
	struct curl_slist *list = NULL, *longer;
	int rc = 0;

	for (size_t i = 0; i < rq->n_headers + 2 && rc == 0; i++) {
		buf_clear(&line);
		if (i < rq->n_headers)
			rc = buf_printf(&line, f, "%s: %s", rq->headers[i].name,
			    rq->headers[i].value);
		else /* libcurl's own ideas, off */
			rc = buf_put_str(&line,
			    i == rq->n_headers ? "Expect:" : "Content-Type:",
			    f);
		if (rc == 0)
			rc = buf_terminate(&line, f);
		if (rc != 0)
			break;
		longer = h->lib->curl_slist_append(list, (char *)line.data);
		if (longer == NULL)
			rc = fault_nomem(f);
		else
			list = longer;
	}
	buf_wipe(&line); /* it held the session token */
	if (rc != 0) {
		h->lib->curl_slist_free_all(list);
		return rc;
	}
	*out = list;
	return 0;
}

static enum fault_code
code_of(CURLcode c, const char *text)
{
	switch (c) {
	case CURLE_URL_MALFORMAT:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return FAULT_CONFIG;
	case CURLE_SSL_CONNECT_ERROR:
		/* Broken handshakes may pass; peers that cannot agree will
		 * not. libcurl has one code for both. */
		if (strstr(text, "protocol version") != NULL ||
		    strstr(text, "unsupported protocol") != NULL ||
		    strstr(text, "wrong version number") != NULL)
			return FAULT_CONFIG;
		return FAULT_AGAIN;
	default:
		return FAULT_AGAIN;
	}
}

/* What whoever reads it can do. */
static const char *
advice(CURLcode c)
{
	switch (c) {
	case CURLE_PEER_FAILED_VERIFICATION:
		return ": if that is the right server, name the CA that signed"
		       " its certificate with ca_file";
	case CURLE_SSL_CACERT_BADFILE:
		return ": install the system's CA certificates, or name the CA"
		       " with ca_file";
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return ": the server's key is none of those that pin names";
	case CURLE_UNSUPPORTED_PROTOCOL:
		return ": what answers speaks no HTTP, or TLS where endpoint"
		       " says http://";
	default:
		return "";
	}
}

/* libcurl says "out of memory" of a header line above 100 kB as well. */
static bool
memory_left(void)
{
	void *volatile p = malloc(HTTP_BUFFER);
	bool left = p != NULL;

	free(p);
	return left;
}

static int
outcome(struct http_transfer *t, CURLcode c)
{
	struct http_response *rs = t->rs;
	const char *text = t->h->error[0] != '\0'
			       ? t->h->error
			       : t->h->lib->curl_easy_strerror(c);

	if (t->failed)
		return (int)t->f->code;
	if (c == CURLE_OUT_OF_MEMORY && !memory_left())
		return fault_nomem(t->f);
	if (c == CURLE_OUT_OF_MEMORY)
		return fault_set(t->f, FAULT_AGAIN,
		    "answer with a header line above 100 kB");
	if (c != CURLE_OK && http_tls_blame(t->h, c, t->f))
		return (int)t->f->code;
	if (c != CURLE_OK)
		return fault_set(
		    t->f, code_of(c, text), "%s%s", text, advice(c));
	if (rs->status < 100)
		return fault_set(t->f, FAULT_AGAIN, "answer without a status");
	if (strcmp(t->rq->method, "HEAD") != 0 && rs->status != 304 &&
	    rs->content_length != UINT64_MAX &&
	    rs->received != rs->content_length)
		return fault_set(t->f, FAULT_AGAIN,
		    "answer cut after %llu of %llu bytes",
		    (unsigned long long)rs->received,
		    (unsigned long long)rs->content_length);
	return 0;
}

int
http_perform(struct http *h, const struct http_request *rq,
    struct http_response *rs, struct fault *f)
{
	struct http_transfer t = {
	    .h = h, .rq = rq, .rs = rs, .f = f, .sock = CURL_SOCKET_BAD};
	struct curl_slist *headers = NULL;
	CURLcode c;
	long status = 0;
	int rc;

	http_answer_reset(rs);
	if (h->busy)
		return fault_set(f, FAULT_SYSTEM,
		    "%s: a transfer was begun in the middle of another over "
		    "the same handle",
		    rq->url);
	buf_init(&t.kept, rq->keep);
	rc = set_times(h, rq->deadline, f);
	if (rc == 0)
		rc = set_method(h, rq, f);
	if (rc == 0)
		rc = headers_make(h, rq, &headers, f);
	if (rc != 0)
		return rc;
	h->error[0] = '\0';
	if (HTTP_LIB_SET(h, CURLOPT_URL, rq->url) != CURLE_OK ||
	    HTTP_LIB_SET(h, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
	    HTTP_LIB_SET(h, CURLOPT_HEADERDATA, &t) != CURLE_OK ||
	    HTTP_LIB_SET(h, CURLOPT_WRITEDATA, &t) != CURLE_OK) {
		rc = fault_nomem(f);
	} else {
		h->busy = true;
		c = h->lib->curl_easy_perform(h->easy);
		h->busy = false;
		if (HTTP_LIB_ASK(h, CURLINFO_RESPONSE_CODE, &status) ==
		    CURLE_OK)
			rs->status = (int)status;
		rc = outcome(&t, c);
	}
	(void)HTTP_LIB_SET(h, CURLOPT_HTTPHEADER, NULL);
	(void)HTTP_LIB_SET(h, CURLOPT_POSTFIELDS, NULL);
	for (struct curl_slist *l = headers; l != NULL; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	h->lib->curl_slist_free_all(headers);
	if (rc == 0 && t.kept.len > 0)
		rc = buf_terminate(&t.kept, f);
	if (rc != 0) {
		buf_free(&t.kept);
		return rc;
	}
	rs->body = t.kept.data;
	rs->body_len = t.kept.len;
	return 0;
}

void
http_response_free(struct http_response *rs)
{
	struct buf b = BUF_INIT(0);

	b.data = rs->body;
	b.cap = b.len = rs->body_len;
	buf_free(&b);
	rs->body = NULL;
	rs->body_len = 0;
}
