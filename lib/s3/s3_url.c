#include "s3_url.h"

#include <stdlib.h>
#include <string.h>

#include "sigv4.h"
#include "text.h"

#define S3_KEY_MAX 1024
#define S3_QUERY_MAX (32U << 10)

static bool
name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static int
check_bucket(const char *bucket, bool host_style, struct fault *f)
{
	size_t n = strlen(bucket);
	bool good = n >= 1 && n <= 255;

	for (size_t i = 0; i < n && good; i++)
		good = name_char(bucket[i]) &&
		       (!host_style ||
			   (bucket[i] != '_' &&
			       !(bucket[i] >= 'A' && bucket[i] <= 'Z')));
	if (!good || bucket[0] == '.')
		return fault_set(f, FAULT_CONFIG, "not a bucket name%s: %s",
		    host_style ? " that can stand in a host name" : "", bucket);
	return 0;
}

/* HOST or [IPv6], then :PORT or nothing. *host_len without the port. */
static int
check_host(const char *p, size_t n, size_t *host_len, uint32_t *port)
{
	char digits[6];
	size_t i = 0;

	if (n > 0 && p[0] == '[') {
		for (i = 1; i < n && p[i] != ']'; i++)
			if (strchr("0123456789abcdefABCDEF:.", p[i]) == NULL)
				return -1;
		if (i == n || i == 1)
			return -1;
		i++;
	} else {
		while (i < n && name_char(p[i]))
			i++;
	}
	if (i == 0)
		return -1;
	*host_len = i;
	*port = 0;
	if (i == n)
		return 0;
	if (p[i] != ':' || n - i - 1 >= sizeof digits)
		return -1;
	memcpy(digits, p + i + 1, n - i - 1);
	digits[n - i - 1] = '\0';
	return text_u32(digits, port) == 0 && *port > 0 && *port < 65536 ? 0
									 : -1;
}

static char *
take(struct buf *b, struct fault *f)
{
	char *s = NULL;

	if (buf_terminate(b, f) == 0 && (s = strdup((char *)b->data)) == NULL)
		fault_nomem(f);
	buf_clear(b);
	return s;
}

int
s3_url_make(struct s3_url *u, const char *endpoint, const char *bucket,
    bool host_style, struct fault *f)
{
	struct buf b = BUF_INIT(4096);
	struct s3_url r = {NULL, NULL, NULL, false};
	const char *p = endpoint;
	size_t n, host_len;
	uint32_t port;
	int rc;

	rc = check_bucket(bucket, host_style, f);
	if (rc != 0)
		return rc;
	r.insecure = text_prefix(p, "http://");
	if (!r.insecure && !text_prefix(p, "https://"))
		goto bad;
	p = strstr(p, "//") + 2;
	n = strlen(p);
	if (n > 0 && p[n - 1] == '/')
		n--;
	if (n > 512 || check_host(p, n, &host_len, &port) != 0)
		goto bad;
	if (host_style && p[0] == '[')
		goto bad;
	rc = buf_printf(&b, f, "%s%s%.*s", host_style ? bucket : "",
	    host_style ? "." : "", (int)host_len, p);
	if (rc == 0 && port != 0 && port != (r.insecure ? 80U : 443U))
		rc = buf_printf(&b, f, ":%u", port);
	if (rc == 0 && (r.host = take(&b, f)) != NULL &&
	    buf_printf(&b, f, "http%s://%s", r.insecure ? "" : "s", r.host) ==
		0 &&
	    (r.base = take(&b, f)) != NULL &&
	    buf_printf(&b, f, "%s%s", host_style ? "" : "/",
		host_style ? "" : bucket) == 0)
		r.root = take(&b, f);
	buf_free(&b);
	if (r.root == NULL) {
		s3_url_free(&r);
		return (int)f->code;
	}
	*u = r;
	return 0;
bad:
	return fault_set(f, FAULT_CONFIG,
	    "endpoint is not https://HOST[:PORT]: %s", endpoint);
}

void
s3_url_free(struct s3_url *u)
{
	free(u->base);
	free(u->host);
	free(u->root);
	u->base = u->host = u->root = NULL;
}

int
s3_url_path(
    const struct s3_url *u, const char *key, struct buf *out, struct fault *f)
{
	char encoded[3 * S3_KEY_MAX + 1];
	int rc;

	if (key != NULL && (key[0] == '\0' || strlen(key) > S3_KEY_MAX))
		return fault_set(f, FAULT_CONFIG, "a key has 1 to %d bytes: %s",
		    S3_KEY_MAX, key);
	rc = buf_put_str(out, u->root, f);
	if (rc == 0 && (key != NULL || u->root[0] == '\0'))
		rc = buf_put_u8(out, '/', f);
	if (rc == 0 && key != NULL) {
		sigv4_encode(key, 1, encoded);
		rc = buf_put_str(out, encoded, f);
	}
	return rc != 0 ? rc : buf_terminate(out, f);
}

int
s3_url_query(
    struct buf *q, const char *name, const char *value, struct fault *f)
{
	size_t n = strlen(value);
	int rc;

	if (n > S3_QUERY_MAX)
		return fault_set(
		    f, FAULT_CONFIG, "value of %s is too long", name);
	rc = buf_printf(q, f, "%s%s=", q->len > 0 ? "&" : "", name);
	if (rc == 0)
		rc = buf_reserve(q, 3 * n + 1, f);
	if (rc == 0) {
		sigv4_encode(value, 0, (char *)q->data + q->len);
		q->len += strlen((char *)q->data + q->len);
		rc = buf_terminate(q, f);
	}
	return rc;
}

int
s3_url_decode(char *s)
{
	char *out = s;
	char two[3] = "";
	unsigned char c;

	for (; *s != '\0'; s++) {
		if (*s == '+') {
			*out++ = ' ';
		} else if (*s != '%') {
			*out++ = *s;
		} else {
			if (s[1] == '\0' || s[2] == '\0')
				return -1;
			memcpy(two, s + 1, 2);
			if (text_unhex(two, &c, 1) != 0 || c == '\0')
				return -1;
			*out++ = (char)c;
			s += 2;
		}
	}
	*out = '\0';
	return 0;
}
