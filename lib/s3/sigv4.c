#include "sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "clock.h"
#include "crypto.h"
#include "text.h"

#define SIGV4_MAX (64U << 10) /* canonical request */
#define SIGV4_HEADERS 24
#define SIGV4_ALGORITHM "AWS4-HMAC-SHA256"

static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static int
by_name(const void *a, const void *b)
{
	const struct http_header *x = a, *y = b;

	return strcasecmp(x->name, y->name);
}

static int
put_lower(struct buf *b, const char *s, struct fault *f)
{
	int rc = 0;

	for (; *s != '\0' && rc == 0; s++)
		rc = buf_put_u8(b, (uint8_t)lower((unsigned char)*s), f);
	return rc;
}

/* Outer blanks go, runs of inner ones become one. */
static int
put_trimmed(struct buf *b, const char *s, struct fault *f)
{
	int rc = 0;
	int pending = 0, any = 0;

	for (; *s != '\0' && rc == 0; s++) {
		if (*s == ' ' || *s == '\t') {
			pending = any;
			continue;
		}
		if (pending)
			rc = buf_put_u8(b, ' ', f);
		if (rc == 0)
			rc = buf_put_u8(b, (uint8_t)*s, f);
		pending = 0;
		any = 1;
	}
	return rc;
}

/* All that is signed, in the order in which it is signed. */
static int
collect(const struct sigv4_request *rq, const struct sigv4_credentials *cred,
    const char *date, struct http_header out[SIGV4_HEADERS], size_t *n,
    struct fault *f)
{
	size_t k = 0;

	if (rq->n_headers > SIGV4_HEADERS - 4)
		return fault_set(f, FAULT_CONFIG, "too many headers to sign");
	out[k++] = (struct http_header){"host", rq->host};
	out[k++] = (struct http_header){"x-amz-date", date};
	if (strcmp(rq->service, "s3") == 0)
		out[k++] = (struct http_header){
		    "x-amz-content-sha256", rq->payload_hash};
	if (cred->session_token != NULL)
		out[k++] = (struct http_header){
		    "x-amz-security-token", cred->session_token};
	for (size_t i = 0; i < rq->n_headers; i++)
		out[k++] = rq->headers[i];
	qsort(out, k, sizeof *out, by_name);
	*n = k;
	return 0;
}

static int
names_put(struct buf *b, const struct http_header *h, size_t n, struct fault *f)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		if (i > 0)
			rc = buf_put_u8(b, ';', f);
		if (rc == 0)
			rc = put_lower(b, h[i].name, f);
	}
	return rc;
}

/* Hex SHA-256 of the canonical request. */
static int
canonical_hash(const struct sigv4_request *rq, const struct http_header *h,
    size_t n, char hex[2 * CRYPTO_SHA256 + 1], struct fault *f)
{
	struct buf b = BUF_INIT(SIGV4_MAX);
	unsigned char hash[CRYPTO_SHA256];
	int rc;

	rc = buf_reserve(&b, 8192, f); /* so that no copy is left behind */
	if (rc == 0)
		rc = buf_printf(
		    &b, f, "%s\n%s\n%s\n", rq->method, rq->path, rq->query);
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = put_lower(&b, h[i].name, f);
		if (rc == 0)
			rc = buf_put_u8(&b, ':', f);
		if (rc == 0)
			rc = put_trimmed(&b, h[i].value, f);
		if (rc == 0)
			rc = buf_put_u8(&b, '\n', f);
	}
	if (rc == 0)
		rc = buf_put_u8(&b, '\n', f);
	if (rc == 0)
		rc = names_put(&b, h, n, f);
	if (rc == 0)
		rc = buf_printf(&b, f, "\n%s", rq->payload_hash);
	if (rc == 0)
		rc = crypto_sha256(b.data, b.len, hash, f);
	if (rc == 0)
		text_hex(hash, sizeof hash, hex);
	buf_wipe(&b); /* the session token is among the headers */
	return rc;
}

/* The day's key: HMAC over HMAC, from the secret down to the service. */
static int
signing_key(const struct sigv4_request *rq,
    const struct sigv4_credentials *cred, const char *day,
    unsigned char key[CRYPTO_SHA256], struct fault *f)
{
	const char *const steps[] = {
	    day, rq->region, rq->service, "aws4_request"};
	struct buf b = BUF_INIT(SIGV4_MAX);
	unsigned char next[CRYPTO_SHA256];
	int rc;

	rc = buf_reserve(&b, 4 + cred->secret_len, f);
	if (rc == 0)
		rc = buf_put_str(&b, "AWS4", f);
	if (rc == 0)
		rc = buf_put(&b, cred->secret, cred->secret_len, f);
	for (size_t i = 0; i < sizeof steps / sizeof *steps && rc == 0; i++) {
		rc = crypto_hmac(i == 0 ? b.data : key,
		    i == 0 ? b.len : CRYPTO_SHA256, steps[i], strlen(steps[i]),
		    next, f);
		if (rc == 0)
			memcpy(key, next, sizeof next);
	}
	secret_wipe(next, sizeof next);
	buf_wipe(&b);
	return rc;
}

int
sigv4_sign(const struct sigv4_request *rq, const struct sigv4_credentials *cred,
    struct sigv4_result *rs, struct fault *f)
{
	struct http_header h[SIGV4_HEADERS];
	char hex[2 * CRYPTO_SHA256 + 1], date[17], day[9];
	unsigned char key[CRYPTO_SHA256], mac[CRYPTO_SHA256];
	struct buf scope = BUF_INIT(SIGV4_AUTH), text = BUF_INIT(SIGV4_MAX);
	size_t n = 0;
	int rc;

	clock_format_compact(rq->now_us, date);
	memcpy(day, date, 8);
	day[8] = '\0';
	rc = collect(rq, cred, date, h, &n, f);
	if (rc == 0)
		rc = canonical_hash(rq, h, n, hex, f);
	if (rc == 0)
		rc = buf_printf(&scope, f, "%s/%s/%s/aws4_request", day,
		    rq->region, rq->service);
	if (rc == 0)
		rc = buf_terminate(&scope, f);
	if (rc == 0)
		rc = buf_printf(&text, f, SIGV4_ALGORITHM "\n%s\n%s\n%s", date,
		    (char *)scope.data, hex);
	if (rc == 0)
		rc = signing_key(rq, cred, day, key, f);
	if (rc == 0)
		rc = crypto_hmac(key, sizeof key, text.data, text.len, mac, f);
	if (rc == 0) {
		memcpy(rs->date, date, sizeof date);
		text_hex(mac, sizeof mac, rs->signature);
		buf_clear(&text);
		rc = buf_printf(&text, f,
		    SIGV4_ALGORITHM " Credential=%s/%s, SignedHeaders=",
		    cred->access_key_id, (char *)scope.data);
	}
	if (rc == 0)
		rc = names_put(&text, h, n, f);
	if (rc == 0)
		rc = buf_printf(&text, f, ", Signature=%s", rs->signature);
	if (rc == 0 && text.len >= sizeof rs->authorization)
		rc = fault_set(
		    f, FAULT_CONFIG, "access_key_id or region is too long");
	if (rc == 0) {
		memcpy(rs->authorization, text.data, text.len);
		rs->authorization[text.len] = '\0';
	}
	secret_wipe(key, sizeof key);
	buf_free(&scope);
	buf_free(&text);
	return rc;
}

void
sigv4_encode(const char *s, int keep_slash, char *out)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '.' ||
		    c == '_' || c == '~' || (c == '/' && keep_slash)) {
			*out++ = (char)c;
		} else {
			*out++ = '%';
			*out++ = digits[c >> 4];
			*out++ = digits[c & 15];
		}
	}
	*out = '\0';
}
