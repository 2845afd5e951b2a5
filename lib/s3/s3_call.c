#include "s3_call.h"

#include <string.h>
#include <sys/random.h>

#include "crypto.h"
#include "s3_lock.h"
#include "sigv4.h"
#include "text.h"

#define S3_HEADERS 16
#define S3_URL_MAX (64U << 10)
#define S3_ERROR_MAX (64U << 10)
/* Below this a body's SHA-256 costs nothing worth saving. */
#define S3_HASH_ALWAYS (64U << 10)
#define S3_EMPTY_SHA256                                                        \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

int
s3_call_context(
    const struct s3 *s, const struct s3_request *rq, struct fault *f)
{
	return fault_prefix(f, "repository %s: %s %s%s%s", s->name, rq->method,
	    s->bucket, rq->key != NULL ? "/" : "",
	    rq->key != NULL ? rq->key : "");
}

int
s3_call_sums(const struct s3 *s, const struct s3_request *rq,
    struct s3_sums *sums, struct fault *f)
{
	unsigned char hash[CRYPTO_SHA256], md5[16];
	const void *body = rq->body == NULL ? "" : rq->body;
	int rc = 0;

	sums->md5[0] = sums->sha256[0] = '\0';
	if (rq->body_len == 0 && !rq->sha256) {
		strcpy(sums->payload_hash, S3_EMPTY_SHA256);
	} else if (rq->body_len > S3_HASH_ALWAYS && !s->url.insecure &&
		   !rq->sha256) {
		strcpy(sums->payload_hash, "UNSIGNED-PAYLOAD");
	} else {
		rc = crypto_sha256(body, rq->body_len, hash, f);
		if (rc == 0)
			text_hex(hash, sizeof hash, sums->payload_hash);
		if (rc == 0 && rq->sha256)
			text_base64(hash, sizeof hash, sums->sha256);
	}
	if (rc == 0 && rq->md5) {
		rc = crypto_md5(body, rq->body_len, md5, f);
		if (rc == 0)
			text_base64(md5, sizeof md5, sums->md5);
	}
	return rc;
}

/* The headers of a try: the request's own, then what the signature adds. */
static int
sign(struct s3 *s, const struct s3_request *rq, const struct s3_sums *sums,
    const char *path, struct sigv4_result *sig,
    struct http_header h[S3_HEADERS], size_t *n, struct fault *f)
{
	struct sigv4_credentials cred = {s->access_key_id, s->secret.data,
	    s->secret.len,
	    s->token.len > 0 ? (const char *)s->token.data : NULL};
	struct sigv4_request sr = {.method = rq->method,
	    .host = s->url.host,
	    .path = path,
	    .query = rq->query == NULL ? "" : rq->query,
	    .headers = h,
	    .payload_hash = sums->payload_hash,
	    .region = s->region,
	    .service = "s3"};
	size_t k = 0;
	int rc;

	if (rq->n_headers > S3_HEADERS - 7)
		return fault_set(f, FAULT_CONFIG, "too many headers");
	for (size_t i = 0; i < rq->n_headers; i++)
		h[k++] = rq->headers[i];
	if (sums->md5[0] != '\0')
		h[k++] = (struct http_header){"content-md5", sums->md5};
	if (sums->sha256[0] != '\0')
		h[k++] =
		    (struct http_header){"x-amz-checksum-sha256", sums->sha256};
	if (rq->conditional)
		h[k++] = (struct http_header){"if-none-match", "*"};
	sr.n_headers = k;
	sr.now_us = s3_now_us(s);
	rc = sigv4_sign(&sr, &cred, sig, f);
	if (rc != 0)
		return rc;
	h[k++] = (struct http_header){"x-amz-date", sig->date};
	h[k++] =
	    (struct http_header){"x-amz-content-sha256", sums->payload_hash};
	if (cred.session_token != NULL)
		h[k++] = (struct http_header){
		    "x-amz-security-token", cred.session_token};
	h[k++] = (struct http_header){"authorization", sig->authorization};
	*n = k;
	return 0;
}

/* So that a sink's own fault can be told from one of the connection. */
struct guard {
	sink_fn sink;
	void *ctx;
	bool failed;
};

static int
guard_sink(void *ctx, const unsigned char *data, size_t n, struct fault *f)
{
	struct guard *g = ctx;
	int rc = g->sink(g->ctx, data, n, f);

	g->failed = rc != 0;
	return rc;
}

/* Has the store taken an object? It says so (202 is a promise, 206 is about
 * something else), tells its ETag, and nothing else. Something in between that
 * says 200 by itself tells none, or serves a page with it. NULL, or what is
 * wrong. */
static const char *
not_taken(const struct http_response *rs)
{
	if (rs->status != 200 && rs->status != 201 && rs->status != 204)
		return "for an object";
	if (rs->etag[0] == '\0' || strcmp(rs->etag, "\"\"") == 0)
		return "without an ETag";
	return s3_answer_is_page(rs) ? "with a page" : NULL;
}

static int
judge(struct s3 *s, const struct s3_request *rq, const struct http_response *rs,
    struct xml **doc, enum s3_next *next, struct fault *f)
{
	struct s3_subject about = {s->name, rq->method, s->bucket, rq->key,
	    rq->permission, rq->conditional};
	struct s3_answer a;
	const char *wrong = NULL;
	int rc;

	s3_answer_read(&a, rs);
	rc = s3_answer_judge(&a, &about, next, f);
	if (rc != 0)
		return rc;
	if (strcmp(rq->method, "PUT") == 0 && !rq->aside)
		wrong = not_taken(rs);
	if (wrong != NULL) {
		*next = S3_NEXT_RETRY;
		fault_set(f, FAULT_AGAIN, "status %d %s is no store's answer",
		    rs->status, wrong);
		return s3_call_context(s, rq, f);
	}
	if (rq->root == NULL)
		return 0;
	rc = s3_answer_document(rs, rq->root, doc, f);
	return rc == 0 ? 0 : s3_call_context(s, rq, f);
}

int
s3_call_once(struct s3 *s, const struct s3_request *rq,
    const struct s3_sums *sums, struct http_response *rs, struct xml **doc,
    enum s3_next *next, struct fault *f)
{
	struct buf path = BUF_INIT(S3_URL_MAX), url = BUF_INIT(S3_URL_MAX);
	bool query = rq->query != NULL && rq->query[0] != '\0';
	struct http_header h[S3_HEADERS];
	struct guard g = {rq->sink, rq->ctx, false};
	struct http_request hr = {.method = rq->method,
	    .headers = h,
	    .body = rq->body,
	    .body_len = rq->body_len,
	    .sink = rq->sink != NULL ? guard_sink : NULL,
	    .ctx = &g,
	    .keep = rq->sink != NULL ? S3_ERROR_MAX : XML_MAX,
	    .deadline = rq->d};
	struct sigv4_result sig;
	int rc;

	memset(rs, 0, sizeof *rs);
	*next = S3_NEXT_GIVE_UP;
	if (rq->kept != NULL)
		s3_lock_renew(s, rq->kept);
	rc = s3_url_path(&s->url, rq->key, &path, f);
	if (rc == 0)
		rc = buf_printf(&url, f, "%s%s%s%s", s->url.base,
		    (char *)path.data, query ? "?" : "",
		    query ? rq->query : "");
	if (rc == 0)
		rc = buf_terminate(&url, f);
	if (rc == 0)
		rc = sign(
		    s, rq, sums, (char *)path.data, &sig, h, &hr.n_headers, f);
	if (rc == 0) {
		hr.url = (char *)url.data;
		rc = http_perform(s->http, &hr, rs, f);
		if (rc == FAULT_AGAIN && !g.failed)
			*next = S3_NEXT_RETRY;
	}
	if (rc != 0 && !g.failed)
		(void)s3_call_context(s, rq, f);
	if (rc == 0)
		rc = judge(s, rq, rs, doc, next, f);
	buf_free(&path);
	buf_free(&url);
	return rc;
}

bool
s3_call_again(struct s3 *s, struct s3_retry *r, enum s3_next next,
    const struct http_response *rs, const struct deadline *d)
{
	int64_t left = deadline_left_ms(d), pause, wanted, server;
	uint32_t random = 0;

	r->tries++;
	if (next == S3_NEXT_CLOCK && !r->clock_taken &&
	    clock_parse_http(rs->date, &server) == 0) {
		s->clock_offset_us = server - clock_now_us();
		r->clock_taken = true;
		return left > 0;
	}
	if (next != S3_NEXT_RETRY)
		return false;
	if (d->at_ms == INT64_MAX && r->tries >= S3_TRIES)
		return false;
	if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
		random = (uint32_t)clock_now_us();
	pause = deadline_pause_ms(d, r->tries, random);
	wanted = s3_answer_retry_after_ms(rs->retry_after, s3_now_us(s));
	/* Where nothing else ends it, and nobody is told what it waits for. */
	if (d->at_ms == INT64_MAX && wanted > S3_WAIT_MS)
		wanted = S3_WAIT_MS;
	if (wanted > pause)
		pause = wanted;
	if (pause >= left)
		return false;
	clock_sleep_ms(pause);
	return true;
}

int
s3_call(struct s3 *s, const struct s3_request *rq, struct http_response *rs,
    struct xml **doc, unsigned *tries, struct fault *f)
{
	struct http_response answer;
	struct s3_retry r = {0, false};
	struct s3_sums sums;
	enum s3_next next;
	int rc;

	if (rs != NULL)
		memset(rs, 0, sizeof *rs);
	rc = s3_call_sums(s, rq, &sums, f);
	if (rc != 0)
		return s3_call_context(s, rq, f);
	for (;;) {
		rc = s3_call_once(s, rq, &sums, &answer, doc, &next, f);
		if (rc == 0 || !s3_call_again(s, &r, next, &answer, rq->d))
			break;
		http_response_free(&answer);
	}
	if (tries != NULL)
		*tries = r.tries + (rc == 0);
	if (rs != NULL)
		*rs = answer;
	else
		http_response_free(&answer);
	return rc;
}
