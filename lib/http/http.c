#include "http.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "buf.h"
#include "http_tls.h"
#include "text.h"

#define HTTP_HEADERS_MAX (64U << 10)
#define HTTP_BUFFER (512L << 10)
#define HTTP_CONNECT_MS 10000
#define HTTP_STALL_S 30

struct http {
	CURL *easy;
	bool busy; /* a sink may call back into its own handle */
	char error[CURL_ERROR_SIZE];
	curl_socket_t sock; /* of the newest connection */
};

/* One transfer, for the callbacks. */
struct transfer {
	struct http *h;
	const struct http_request *rq;
	struct http_response *rs;
	struct buf kept;
	size_t header_bytes;
	curl_socket_t sock;
	bool failed; /* f below was filled by a callback */
	struct fault *f;
};

static pthread_once_t http_once = PTHREAD_ONCE_INIT;
static CURLcode http_once_result;

static void
global_init(void)
{
	http_once_result = curl_global_init(CURL_GLOBAL_SSL);
}

/* A server that answers in two small writes waits 40 ms for our delayed
 * acknowledgement of the first; the kernel forgets QUICKACK, so it is asked
 * for again with everything that comes. */
static void
ack_now(struct transfer *t)
{
	int one = 1;
	curl_socket_t s;

	if (t->sock == CURL_SOCKET_BAD) {
		t->sock = t->h->sock;
		if (curl_easy_getinfo(t->h->easy, CURLINFO_ACTIVESOCKET, &s) ==
			CURLE_OK &&
		    s != CURL_SOCKET_BAD)
			t->sock = s;
	}
	if (t->sock != CURL_SOCKET_BAD)
		(void)setsockopt(
		    t->sock, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
}

static int
on_socket(void *ctx, curl_socket_t sock, curlsocktype purpose)
{
	struct http *h = ctx;

	(void)purpose;
	h->sock = sock;
	return CURL_SOCKOPT_OK;
}

static void
field_set(char out[HTTP_FIELD], const char *v, size_t n)
{
	if (n >= HTTP_FIELD)
		n = 0;
	memcpy(out, v, n);
	out[n] = '\0';
}

static void
on_field(struct http_response *rs, const char *name, size_t n, const char *v,
    size_t vn)
{
	char digits[24];
	const struct {
		const char *name;
		char *out;
	} fields[] = {
	    {"etag", rs->etag},
	    {"content-range", rs->content_range},
	    {"last-modified", rs->last_modified},
	    {"date", rs->date},
	    {"retry-after", rs->retry_after},
	    {"x-amz-request-id", rs->request_id},
	    {"x-amz-bucket-region", rs->bucket_region},
	};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (n == strlen(fields[i].name) &&
		    strncasecmp(name, fields[i].name, n) == 0)
			field_set(fields[i].out, v, vn);
	if (n == 14 && strncasecmp(name, "content-length", n) == 0 &&
	    vn < sizeof digits) {
		memcpy(digits, v, vn);
		digits[vn] = '\0';
		if (text_u64(digits, &rs->content_length) != 0)
			rs->content_length = UINT64_MAX;
	}
}

static void
response_reset(struct http_response *rs)
{
	memset(rs, 0, sizeof *rs);
	rs->content_length = UINT64_MAX;
}

static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	const char *colon, *v;
	size_t vn;

	n *= size;
	ack_now(t);
	t->header_bytes += n;
	if (t->header_bytes > HTTP_HEADERS_MAX) {
		t->failed = true;
		fault_set(t->f, FAULT_AGAIN, "answer headers above 64 KiB");
		return 0;
	}
	if (t->rs->received > 0) /* a trailer */
		return n;
	if (n > 5 && memcmp(p, "HTTP/", 5) == 0) {
		response_reset(t->rs); /* what an interim answer said */
		return n;
	}
	colon = memchr(p, ':', n);
	if (colon == NULL)
		return n;
	v = colon + 1;
	vn = n - (size_t)(v - p);
	while (vn > 0 && strchr(" \t\r\n", v[vn - 1]) != NULL)
		vn--;
	while (vn > 0 && (*v == ' ' || *v == '\t'))
		v++, vn--;
	on_field(t->rs, p, (size_t)(colon - p), v, vn);
	return n;
}

static int
keep_body(struct transfer *t, bool good, const char *p, size_t n)
{
	size_t room = t->rq->keep - t->kept.len;

	if (n > room && good)
		return fault_set(t->f, FAULT_AGAIN,
		    "answer longer than %zu bytes", t->rq->keep);
	if (n > room)
		n = room;
	return n == 0 ? 0 : buf_put(&t->kept, p, n, t->f);
}

static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	long status = 0;
	bool good;
	int rc;

	n *= size;
	ack_now(t);
	if (t->rs->status == 0 &&
	    curl_easy_getinfo(t->h->easy, CURLINFO_RESPONSE_CODE, &status) ==
		CURLE_OK)
		t->rs->status = (int)status;
	good = t->rs->status >= 200 && t->rs->status < 300;
	t->rs->received += n;
	if (good && t->rq->sink != NULL)
		rc = t->rq->sink(t->rq->ctx, (const unsigned char *)p, n, t->f);
	else
		rc = keep_body(t, good, p, n);
	if (rc != 0) {
		t->failed = true;
		return n == 0 ? 1 : 0;
	}
	return n;
}

#define SET(option, value)                                                     \
	do {                                                                   \
		if (curl_easy_setopt(e, option, value) != CURLE_OK)            \
			return fault_set(                                      \
			    f, FAULT_SYSTEM, "libcurl refuses " #option);      \
	} while (0)

static int
set_fixed(struct http *h, struct fault *f)
{
	CURL *e = h->easy;

	SET(CURLOPT_ERRORBUFFER, h->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PATH_AS_IS, 1L); /* the path is signed as it stands */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_MAXCONNECTS, 1L);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, 30L);
	SET(CURLOPT_TCP_KEEPINTVL, 10L);
	SET(CURLOPT_BUFFERSIZE, HTTP_BUFFER);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, HTTP_BUFFER);
	SET(CURLOPT_SOCKOPTFUNCTION, on_socket);
	SET(CURLOPT_SOCKOPTDATA, h);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_USERAGENT, "pitrkit/" PITRKIT_VERSION);
	return 0;
}

int
http_new(struct http **out, const struct http_tls *tls, struct fault *f)
{
	struct http *h;
	int rc;

	pthread_once(&http_once, global_init);
	if (http_once_result != CURLE_OK)
		return fault_set(f, FAULT_SYSTEM, "libcurl does not start: %s",
		    curl_easy_strerror(http_once_result));
	h = calloc(1, sizeof *h);
	if (h == NULL)
		return fault_nomem(f);
	h->sock = CURL_SOCKET_BAD;
	h->easy = curl_easy_init();
	if (h->easy == NULL)
		rc = fault_nomem(f);
	else
		rc = set_fixed(h, f);
	if (rc == 0 && tls != NULL)
		rc = http_tls_apply(h->easy, tls, f);
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
		curl_easy_cleanup(h->easy);
	free(h);
}

static int
set_times(CURL *e, const struct deadline *d, struct fault *f)
{
	int64_t left = d == NULL ? INT64_MAX : deadline_left_ms(d);
	bool never = d == NULL || d->at_ms == INT64_MAX;
	int64_t most = (int64_t)(LONG_MAX / 2);

	if (left <= 0)
		return fault_set(
		    f, FAULT_AGAIN, "the time allowed was used up");
	if (left > most)
		left = most;
	SET(CURLOPT_TIMEOUT_MS, never ? 0L : (long)left);
	SET(CURLOPT_CONNECTTIMEOUT_MS,
	    left < HTTP_CONNECT_MS ? (long)left : (long)HTTP_CONNECT_MS);
	/* A connection that has gone silent is given up while there is time
	 * for another one. */
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME,
	    left >= 2 * HTTP_STALL_S * 1000 ? (long)HTTP_STALL_S : 0L);
	return 0;
}

static int
set_method(CURL *e, const struct http_request *rq, struct fault *f)
{
	bool body = rq->body != NULL || strcmp(rq->method, "PUT") == 0 ||
		    strcmp(rq->method, "POST") == 0;

	SET(CURLOPT_NOBODY, 0L);
	SET(CURLOPT_POSTFIELDS, NULL);
	SET(CURLOPT_CUSTOMREQUEST, NULL);
	if (body) {
		/* From memory; a connection that broke while idle is replaced
		 * without asking us to rewind. */
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body_len);
		SET(CURLOPT_POSTFIELDS, rq->body == NULL ? "" : rq->body);
		SET(CURLOPT_CUSTOMREQUEST, rq->method);
	} else if (strcmp(rq->method, "HEAD") == 0) {
		SET(CURLOPT_HTTPGET, 1L);
		SET(CURLOPT_NOBODY, 1L);
	} else {
		SET(CURLOPT_HTTPGET, 1L);
		SET(CURLOPT_CUSTOMREQUEST, rq->method);
	}
	return 0;
}

static int
headers_make(
    const struct http_request *rq, struct curl_slist **out, struct fault *f)
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
		longer = curl_slist_append(list, (char *)line.data);
		if (longer == NULL)
			rc = fault_nomem(f);
		else
			list = longer;
	}
	buf_wipe(&line); /* it held the session token */
	if (rc != 0) {
		curl_slist_free_all(list);
		return rc;
	}
	*out = list;
	return 0;
}

static enum fault_code
code_of(CURLcode c, const char *text)
{
	switch (c) {
	case CURLE_UNSUPPORTED_PROTOCOL:
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

static int
outcome(struct transfer *t, CURLcode c)
{
	struct http_response *rs = t->rs;
	const char *text =
	    t->h->error[0] != '\0' ? t->h->error : curl_easy_strerror(c);

	if (t->failed)
		return (int)t->f->code;
	if (c == CURLE_OUT_OF_MEMORY)
		return fault_nomem(t->f);
	if (c != CURLE_OK)
		return fault_set(t->f, code_of(c, text), "%s", text);
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
	struct transfer t = {
	    .h = h, .rq = rq, .rs = rs, .f = f, .sock = CURL_SOCKET_BAD};
	struct curl_slist *headers = NULL;
	CURL *e = h->easy;
	CURLcode c;
	long status = 0;
	int rc;

	response_reset(rs);
	if (h->busy)
		return fault_set(f, FAULT_SYSTEM,
		    "%s: a transfer was begun in the middle of another over "
		    "the same handle",
		    rq->url);
	buf_init(&t.kept, rq->keep);
	rc = set_times(e, rq->deadline, f);
	if (rc == 0)
		rc = set_method(e, rq, f);
	if (rc == 0)
		rc = headers_make(rq, &headers, f);
	if (rc != 0)
		return rc;
	h->error[0] = '\0';
	if (curl_easy_setopt(e, CURLOPT_URL, rq->url) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_HEADERDATA, &t) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_WRITEDATA, &t) != CURLE_OK) {
		rc = fault_nomem(f);
	} else {
		h->busy = true;
		c = curl_easy_perform(e);
		h->busy = false;
		if (curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status) ==
		    CURLE_OK)
			rs->status = (int)status;
		rc = outcome(&t, c);
	}
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, NULL);
	(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, NULL);
	for (struct curl_slist *l = headers; l != NULL; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(headers);
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
