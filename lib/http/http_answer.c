#include "http_answer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "text.h"

/* A server that answers in two small writes waits 40 ms for our delayed
 * acknowledgement of the first; the kernel forgets QUICKACK, so it is asked
 * for again with everything that comes. */
static void
ack_now(struct http_transfer *t)
{
	int one = 1;
	curl_socket_t s;

	if (t->sock == CURL_SOCKET_BAD) {
		t->sock = t->h->sock;
		if (HTTP_LIB_ASK(t->h, CURLINFO_ACTIVESOCKET, &s) == CURLE_OK &&
		    s != CURL_SOCKET_BAD)
			t->sock = s;
	}
	if (t->sock != CURL_SOCKET_BAD)
		(void)setsockopt(
		    t->sock, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
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
	    {"x-amz-storage-class", rs->storage_class},
	    {"x-amz-version-id", rs->version},
	    {"x-amz-checksum-sha256", rs->sha256},
	    {"x-amz-object-lock-retain-until-date", rs->lock_until},
	    {"x-amz-object-lock-legal-hold", rs->legal_hold},
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

void
http_answer_reset(struct http_response *rs)
{
	memset(rs, 0, sizeof *rs);
	rs->content_length = UINT64_MAX;
}

size_t
http_answer_header(char *p, size_t size, size_t n, void *ctx)
{
	struct http_transfer *t = ctx;
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
		http_answer_reset(t->rs); /* what an interim answer said */
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
keep_body(struct http_transfer *t, bool good, const char *p, size_t n)
{
	size_t room = t->rq->keep - t->kept.len;

	if (n > room && good)
		return fault_set(t->f, FAULT_AGAIN,
		    "answer longer than %zu bytes", t->rq->keep);
	/* Nobody needs the rest, but the connection is of no use without. */
	if (!good && t->rs->received > HTTP_ERROR_MAX)
		return fault_set(t->f, FAULT_AGAIN,
		    "status %d with more than 1 MiB to say why", t->rs->status);
	if (n > room)
		n = room;
	return n == 0 ? 0 : buf_put(&t->kept, p, n, t->f);
}

size_t
http_answer_body(char *p, size_t size, size_t n, void *ctx)
{
	struct http_transfer *t = ctx;
	long status = 0;
	bool good;
	int rc;

	n *= size;
	ack_now(t);
	if (t->rs->status == 0 &&
	    HTTP_LIB_ASK(t->h, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK)
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
