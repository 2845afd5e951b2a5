/*
 * lib/s3 against a real S3 server, and through a proxy that damages what
 * passes. Called by tests/e2e/10-s3.t: without an argument it prints the names
 * of its tests, with a name it runs that one. The server's variables
 * (tests/servers/ceph), S3_BUCKET, PROXY_URL and PROXY_RULES come in by the
 * environment; without them every test fails.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "../unit/unit.h"

#include "buf.h"
#include "s3.h"
#include "s3_list.h"
#include "secret.h"

static const char *
env(const char *name)
{
	const char *s = getenv(name);

	if (s == NULL || s[0] == '\0')
		fail_msg("%s is not set", name);
	return s;
}

static struct s3_config
config(void)
{
	struct s3_config c = {.name = "test",
	    .endpoint = env("S3_HTTPS"),
	    .region = env("S3_REGION"),
	    .bucket = env("S3_BUCKET"),
	    .tls.ca_file = env("S3_CA_FILE"),
	    .access_key_id = env("S3_ACCESS_KEY_ID")};
	struct fault f = FAULT_INIT;

	if (secret_load_line(&c.secret, env("S3_SECRET_FILE"), &f) != 0)
		fail_msg("%s", f.text);
	return c;
}

static struct s3 *
client(struct s3_config *c)
{
	struct fault f = FAULT_INIT;
	struct s3 *s = NULL;

	if (s3_new(&s, c, &f) != 0)
		fail_msg("%s", f.text);
	secret_free(&c->secret);
	return s;
}

static struct s3 *
usual(void)
{
	struct s3_config c = config();

	return client(&c);
}

static struct s3 *
proxied(void)
{
	struct s3_config c = config();

	c.endpoint = env("PROXY_URL");
	return client(&c);
}

static void
rules(const char *json)
{
	char temp[4096];
	FILE *o;

	snprintf(temp, sizeof temp, "%s.new", env("PROXY_RULES"));
	o = fopen(temp, "w");
	assert_non_null(o);
	fputs(json, o);
	assert_int_equal(fclose(o), 0);
	assert_int_equal(rename(temp, env("PROXY_RULES")), 0);
}

/* A name no other test, and no earlier run, uses. */
static const char *
fresh(const char *what)
{
	static char names[4][100];
	static unsigned turn;
	char *name = names[turn++ % 4];

	snprintf(name, sizeof names[0], "it-%s/%d-%lld+x", what, (int)getpid(),
	    (long long)clock_now_us());
	return name;
}

static unsigned char *
noise(size_t n)
{
	unsigned char *p = malloc(n);
	uint32_t x = 2463534242U;

	assert_non_null(p);
	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		p[i] = (unsigned char)x;
	}
	return p;
}

/* No call needs so long; a machine may. */
static struct deadline
soon(void)
{
	return deadline_in_ms(120000);
}

#define OK(call, f)                                                            \
	do {                                                                   \
		if ((call) != 0)                                               \
			fail_msg("%s: %s", #call, (f).text);                   \
	} while (0)

/* The fault has that code and its line has that word. */
#define FAILS(call, want, word, f)                                             \
	do {                                                                   \
		int rc_ = (call);                                              \
		if (rc_ != (int)(want) || (f).code != (want) ||                \
		    strstr((f).text, (word)) == NULL)                          \
			fail_msg("%s: %d, %s", #call, rc_, (f).text);          \
	} while (0)

/*
 * The same of a call that is tried until its deadline d is over: one that is
 * soon over, or as late as this machine takes to hear what the store says.
 */
#define FAILS_AT_LAST(d, call, want, word, f)                                  \
	do {                                                                   \
		for (int64_t ms_ = 400; ms_ < 120000; ms_ *= 2) {              \
			(d) = deadline_in_ms(ms_);                             \
			if ((call) != (int)(want) ||                           \
			    strstr((f).text, (word)) != NULL)                  \
				break;                                         \
		}                                                              \
		if ((f).code != (want) || strstr((f).text, (word)) == NULL)    \
			fail_msg("%s: %s", #call, (f).text);                   \
	} while (0)

static void
put_comes_back_whole_and_by_range(void **state)
{
	struct fault f = FAULT_INIT;
	struct s3 *s = usual();
	struct deadline d = soon();
	const char *key = fresh("range");
	const size_t n = 3 << 20;
	unsigned char *p = noise(n);
	struct buf b = BUF_INIT(8 << 20);
	struct s3_info info;

	(void)state;
	OK(s3_put(s, key, p, n, &d, &f), f);
	OK(s3_get(s, key, 0, UINT64_MAX, buf_sink, &b, &info, &d, &f), f);
	assert_int_equal(b.len, n);
	assert_memory_equal(b.data, p, n);
	assert_int_equal(info.size, n);
	assert_true(info.etag[0] == '"');
	assert_true(info.modified_us > clock_now_us() - 600 * 1000000LL);
	buf_clear(&b);
	OK(s3_get(s, key, 1000, 5000, buf_sink, &b, &info, &d, &f), f);
	assert_int_equal(b.len, 5000);
	assert_memory_equal(b.data, p + 1000, 5000);
	assert_int_equal(info.size, n);
	buf_clear(&b);
	OK(s3_get(s, key, n - 10, 5000, buf_sink, &b, NULL, &d, &f), f);
	assert_int_equal(b.len, 10);
	assert_memory_equal(b.data, p + n - 10, 10);
	buf_clear(&b);
	OK(s3_get(s, key, n - 7, UINT64_MAX, buf_sink, &b, NULL, &d, &f), f);
	assert_int_equal(b.len, 7);
	FAILS(s3_get(s, key, n, 10, buf_sink, &b, NULL, &d, &f), FAULT_CORRUPT,
	    "shorter", f);
	buf_clear(&b);
	OK(s3_get(s, key, 5, 0, buf_sink, &b, &info, &d, &f), f);
	assert_int_equal(b.len, 0);
	OK(s3_head(s, key, &info, &d, &f), f);
	assert_int_equal(info.size, n);
	buf_free(&b);
	s3_free(s);
	free(p);
}

static void
put_never_replaces(void **state)
{
	struct fault f = FAULT_INIT;
	struct s3 *s = usual();
	struct deadline d = soon();
	const char *key = fresh("twice");
	struct buf b = BUF_INIT(100);

	(void)state;
	OK(s3_put(s, key, "first", 5, &d, &f), f);
	FAILS(s3_put(s, key, "other", 5, &d, &f), FAULT_EXISTS, key, f);
	OK(s3_get(s, key, 0, UINT64_MAX, buf_sink, &b, NULL, &d, &f), f);
	assert_memory_equal(b.data, "first", 5);
	buf_free(&b);
	s3_free(s);
}

static void
an_empty_object_is_one(void **state)
{
	struct fault f = FAULT_INIT;
	struct s3 *s = usual();
	struct deadline d = soon();
	const char *key = fresh("empty");
	struct buf b = BUF_INIT(100);
	struct s3_info info;

	(void)state;
	OK(s3_put(s, key, "", 0, &d, &f), f);
	OK(s3_get(s, key, 0, UINT64_MAX, buf_sink, &b, &info, &d, &f), f);
	assert_int_equal(b.len, 0);
	assert_int_equal(info.size, 0);
	OK(s3_head(s, key, &info, &d, &f), f);
	assert_int_equal(info.size, 0);
	s3_free(s);
}

static void
absent_is_said_only_of_a_key(void **state)
{
	struct fault f = FAULT_INIT;
	struct s3_config c = config();
	struct s3 *s;
	struct deadline d = soon();
	struct buf b = BUF_INIT(100);
	struct s3_info info;

	(void)state;
	s = usual();
	FAILS(s3_get(s, "no/such", 0, UINT64_MAX, buf_sink, &b, NULL, &d, &f),
	    FAULT_ABSENT, "NoSuchKey", f);
	FAILS(
	    s3_head(s, "no/such", &info, &d, &f), FAULT_ABSENT, "NoSuchKey", f);
	s3_free(s);
	c.bucket = "there-is-no-such-bucket";
	s = client(&c);
	FAILS(s3_get(s, "no/such", 0, UINT64_MAX, buf_sink, &b, NULL, &d, &f),
	    FAULT_CONFIG, "NoSuchBucket", f);
	FAILS(s3_head(s, "no/such", &info, &d, &f), FAULT_CONFIG,
	    "NoSuchBucket", f);
	FAILS(s3_put(s, "no/such", "x", 1, &d, &f), FAULT_CONFIG,
	    "NoSuchBucket", f);
	s3_free(s);
}

static void
a_wrong_secret_is_denied_and_not_printed(void **state)
{
	struct fault f = FAULT_INIT;
	struct s3_config c = config();
	struct deadline d = soon();
	struct s3_info info;
	const size_t n = 8 << 20;
	unsigned char *p = noise(n);
	struct s3 *s;

	(void)state;
	secret_free(&c.secret);
	OK(secret_copy(&c.secret, "thewrongone", 11, &f), f);
	s = client(&c);
	FAILS(s3_put(s, "denied", "x", 1, &d, &f), FAULT_DENIED,
	    "secret_access_key", f);
	assert_null(strstr(f.text, "thewrongone"));
	FAILS(s3_put(s, "denied", p, n, &d, &f), FAULT_DENIED,
	    "SignatureDoesNotMatch", f);
	FAILS(s3_head(s, "denied", &info, &d, &f), FAULT_DENIED,
	    "SignatureDoesNotMatch", f);
	s3_free(s);
	c = config();
	c.access_key_id = "NOBODY";
	s = client(&c);
	FAILS(s3_put(s, "denied", "x", 1, &d, &f), FAULT_DENIED,
	    "access_key_id", f);
	s3_free(s);
	free(p);
}

static void
only_the_right_server_is_talked_to(void **state)
{
	static const char *const wrong[] = {
	    "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
	const char *right[] = {wrong[0], env("S3_PIN")};
	struct fault f = FAULT_INIT;
	struct s3_config c = config();
	struct deadline d = soon();
	struct s3_info info;
	struct s3 *s;

	(void)state;
	c.tls.pins = wrong;
	c.tls.n_pins = 1;
	s = client(&c);
	FAILS(
	    s3_head(s, "x", &info, &d, &f), FAULT_CONFIG, "that pin names", f);
	s3_free(s);
	c = config();
	c.tls.pins = right;
	c.tls.n_pins = 2;
	s = client(&c);
	FAILS(s3_head(s, "x", &info, &d, &f), FAULT_ABSENT, "x", f);
	s3_free(s);
	c = config();
	c.tls.ca_file = NULL; /* the system's know nothing of ours */
	s = client(&c);
	FAILS(s3_head(s, "x", &info, &d, &f), FAULT_CONFIG, "with ca_file", f);
	s3_free(s);
	c = config();
	c.tls.ca_file = "/no/such/file";
	s = client(&c);
	FAILS(s3_head(s, "x", &info, &d, &f), FAULT_CONFIG, "/no/such/file", f);
	s3_free(s);
	c = config();
	c.tls.ca_file = NULL;
	c.tls.ca_path = env("S3_CA_PATH");
	s = client(&c);
	FAILS(s3_head(s, "x", &info, &d, &f), FAULT_ABSENT, "x", f);
	s3_free(s);
}

static void
an_unreachable_store_is_again_in_time(void **state)
{
	struct fault f = FAULT_INIT;
	struct s3_config c = config();
	struct deadline d;
	struct s3 *s;

	(void)state;
	c.endpoint = "https://127.0.0.1:9";
	s = client(&c);
	FAILS_AT_LAST(
	    d, s3_put(s, "x", "x", 1, &d, &f), FAULT_AGAIN, "127.0.0.1", f);
	s3_free(s);
}

static void
a_silent_store_is_again_in_time(void **state)
{
	struct fault f = FAULT_INIT;
	struct s3 *s = proxied();
	struct deadline d;

	(void)state;
	rules("[{\"action\":\"hang\"}]");
	d = deadline_in_ms(500);
	FAILS(s3_put(s, fresh("hang"), "x", 1, &d, &f), FAULT_AGAIN, "time", f);
	rules("");
	s3_free(s);
}

struct seen {
	unsigned n, prefixes;
	uint64_t bytes;
	unsigned stop_at;
	char last[300];
};

static int
see(void *ctx, const char *key, bool is_prefix, uint64_t size, int64_t modified,
    struct fault *f)
{
	struct seen *x = ctx;

	if (strlen(key) >= sizeof x->last || strcmp(key, x->last) <= 0 ||
	    (!is_prefix && modified == CLOCK_NONE))
		return fault_set(f, FAULT_CORRUPT, "%s", key);
	strcpy(x->last, key);
	x->n++;
	x->prefixes += is_prefix;
	x->bytes += size;
	if (x->n == x->stop_at)
		return fault_set(f, FAULT_FOREIGN, "enough");
	return 0;
}

struct results {
	unsigned n, good;
	struct fault last;
};

static void
result(void *ctx, size_t i, const struct fault *r)
{
	struct results *x = ctx;

	(void)i;
	x->n++;
	x->good += r->code == FAULT_NONE;
	if (r->code != FAULT_NONE)
		x->last = *r;
}

/* 1100 objects, in pages and in folders; then they are deleted. */
static void
long_listings_and_deletions_are_complete(void **state)
{
	enum {
		N = 1100
	};
	static char names[N][200];
	const char *keys[N];
	struct fault f = FAULT_INIT;
	struct deadline d = soon();
	struct s3 *s = usual();
	struct seen x = {0};
	struct results r = {0};
	char root[100], *slash;

	(void)state;
	strcpy(root, fresh("list"));
	slash = strrchr(root, '+');
	strcpy(slash, "/");
	for (unsigned i = 0; i < N; i++) {
		snprintf(names[i], sizeof names[i],
		    "%s%s%u/a b+c%%&<\xc3\xa4%04u", root, i % 2 ? "dir" : "Dir",
		    i % 7, i);
		keys[i] = names[i];
		OK(s3_put(s, keys[i], "abc", 3, &d, &f), f);
	}
	OK(s3_list(s, root, NULL, NULL, see, &x, &d, &f), f);
	assert_int_equal(x.n, N);
	assert_int_equal(x.bytes, 3 * N);
	s3_list_page_size(s, 7);
	memset(&x, 0, sizeof x);
	OK(s3_list(s, root, NULL, NULL, see, &x, &d, &f), f);
	assert_int_equal(x.n, N);
	memset(&x, 0, sizeof x);
	OK(s3_list(s, root, "/", NULL, see, &x, &d, &f), f);
	assert_int_equal(x.n, 14);
	assert_int_equal(x.prefixes, 14);
	memset(&x, 0, sizeof x);
	s3_list_page_size(s, 1000);
	OK(s3_list(s, root, NULL, keys[N - 1], see, &x, &d, &f), f);
	assert_true(x.n > 0 && x.n < N);
	assert_true(strcmp(x.last, keys[N - 1]) > 0);
	memset(&x, 0, sizeof x);
	x.stop_at = 5;
	FAILS(s3_list(s, root, NULL, NULL, see, &x, &d, &f), FAULT_FOREIGN,
	    "enough", f);
	assert_string_equal(f.text, "enough");
	OK(s3_delete(s, keys, 1000, result, &r, &d, &f), f);
	assert_int_equal(r.good, 1000);
	OK(s3_delete(s, keys + 999, N - 999, result, &r, &d, &f), f);
	assert_int_equal(r.n, 1000 + N - 999);
	if (r.good != r.n)
		fail_msg("%s", r.last.text);
	memset(&x, 0, sizeof x);
	OK(s3_list(s, root, NULL, NULL, see, &x, &d, &f), f);
	assert_int_equal(x.n, 0);
	s3_free(s);
}

static void
upload(struct s3 *s, const char *key, const unsigned char *p, size_t n,
    struct s3_multipart **m)
{
	struct deadline d = soon();
	struct fault f = FAULT_INIT;
	size_t part;

	OK(s3_multipart_begin(m, s, key, &d, &f), f);
	for (size_t at = 0; at < n; at += part) {
		part = n - at < 5 << 20 ? n - at : 5 << 20;
		OK(s3_multipart_part(*m, p + at, part, &d, &f), f);
	}
}

static void
an_upload_in_parts_appears_whole_and_once(void **state)
{
	struct fault f = FAULT_INIT;
	struct deadline d = soon();
	struct s3 *s = usual();
	const char *key = fresh("parts");
	const size_t n = (12 << 20) + 5;
	unsigned char *p = noise(n);
	struct buf b = BUF_INIT(16 << 20);
	struct s3_multipart *m, *again;
	struct s3_info info;

	(void)state;
	upload(s, key, p, n, &m);
	FAILS(s3_head(s, key, &info, &d, &f), FAULT_ABSENT, key, f);
	OK(s3_multipart_complete(m, &d, &f), f);
	s3_multipart_free(m);
	OK(s3_get(s, key, 0, UINT64_MAX, buf_sink, &b, &info, &d, &f), f);
	assert_int_equal(b.len, n);
	assert_memory_equal(b.data, p, n);
	upload(s, key, p, 100, &again);
	FAILS(s3_multipart_complete(again, &d, &f), FAULT_EXISTS, key, f);
	s3_multipart_abort(again, &d);
	FAILS(s3_multipart_complete(again, &d, &f), FAULT_EXISTS, key, f);
	s3_multipart_free(again);
	key = fresh("aborted");
	upload(s, key, p, 100, &m);
	s3_multipart_abort(m, &d);
	/* Ceph 16 says 500, others NoSuchUpload. */
	FAILS_AT_LAST(d, s3_multipart_complete(m, &d, &f), FAULT_AGAIN, key, f);
	s3_multipart_free(m);
	buf_free(&b);
	s3_free(s);
	free(p);
}

/* An upload in parts that is completed under that rule. */
static void
completes_under(
    struct s3 *s, const char *rule, const char *key, const unsigned char *p)
{
	struct fault f = FAULT_INIT;
	struct deadline d = soon();
	struct s3_multipart *m;

	upload(s, key, p, 6 << 20, &m);
	rules(rule);
	OK(s3_multipart_complete(m, &d, &f), f);
	s3_multipart_free(m);
}

/* The store did what it was asked, and its answer was lost. */
static void
lost_answers_are_settled(void **state)
{
	struct fault f = FAULT_INIT;
	struct deadline d = soon();
	struct s3 *s = proxied();
	const char *key = fresh("lost");
	unsigned char *p = noise(6 << 20);
	struct s3_info info;

	(void)state;
	rules("[{\"method\":\"PUT\",\"nth\":1,\"action\":\"drop-response\"}]");
	FAILS(s3_put(s, key, p, 1 << 20, &d, &f), FAULT_EXISTS, key, f);
	completes_under(s,
	    "[{\"method\":\"POST\",\"nth\":1,\"action\":\"drop-response\"}]",
	    fresh("lost2"), p);
	completes_under(s,
	    "[{\"method\":\"POST\",\"nth\":1,\"action\":\"after-status\","
	    "\"status\":500}]",
	    fresh("lost3"), p);
	/* libcurl may have sent it twice by itself: what is seen is the answer
	 * to the second. */
	key = fresh("lost4");
	completes_under(s,
	    "[{\"method\":\"POST\",\"nth\":1,\"action\":\"after-status\","
	    "\"status\":404,\"code\":\"NoSuchUpload\"}]",
	    key, p);
	rules("");
	OK(s3_head(s, key, &info, &d, &f), f);
	assert_int_equal(info.size, 6 << 20);
	s3_free(s);
	free(p);
}

/* An answer of 200 is not yet a success. */
static void
errors_inside_a_200_are_errors(void **state)
{
	struct fault f = FAULT_INIT;
	struct deadline d = soon(), brief;
	struct s3 *s = proxied();
	const char *key = fresh("err200");
	const char *keys[] = {key};
	struct s3_multipart *m;
	struct s3_info info;
	struct results r = {0};
	struct seen x = {0};

	(void)state;
	rules("[{\"method\":\"POST\",\"path\":\"uploadId\","
	      "\"action\":\"200error\",\"code\":\"InternalError\"}]");
	upload(s, key, (const unsigned char *)"abc", 3, &m);
	FAILS_AT_LAST(brief, s3_multipart_complete(m, &brief, &f), FAULT_AGAIN,
	    "InternalError", f);
	rules("[{\"method\":\"POST\",\"path\":\"uploadId\",\"nth\":1,"
	      "\"action\":\"200error\",\"code\":\"InternalError\"}]");
	OK(s3_multipart_complete(m, &d, &f), f);
	s3_multipart_free(m);
	rules("[{\"method\":\"POST\",\"action\":\"200error\","
	      "\"code\":\"AccessDenied\"}]");
	brief = deadline_in_ms(400);
	assert_int_not_equal(s3_delete(s, keys, 1, result, &r, &brief, &f), 0);
	assert_int_equal(r.n, 0);
	rules("[{\"method\":\"POST\",\"action\":\"empty200\"}]");
	brief = deadline_in_ms(400);
	assert_int_not_equal(s3_delete(s, keys, 1, result, &r, &brief, &f), 0);
	assert_int_equal(r.n, 0);
	rules("[{\"method\":\"GET\",\"action\":\"empty200\"}]");
	FAILS(s3_list(s, "", NULL, NULL, see, &x, &d, &f), FAULT_CORRUPT,
	    "ListBucketResult", f);
	rules("[{\"method\":\"PUT\",\"action\":\"200error\","
	      "\"code\":\"AccessDenied\"}]");
	FAILS_AT_LAST(brief, s3_put(s, fresh("e"), "x", 1, &brief, &f),
	    FAULT_AGAIN, "AccessDenied", f);
	rules("");
	OK(s3_head(s, key, &info, &d, &f), f);
	s3_free(s);
}

static void
broken_reads_go_on_where_they_broke(void **state)
{
	static const char *const faults[] = {
	    "{\"first\":3,\"action\":\"cut\",\"bytes\":700000}",
	    "{\"first\":3,\"action\":\"cut\",\"bytes\":70000,\"reset\":true}",
	    "{\"first\":2,\"action\":\"status\",\"status\":503,"
	    "\"code\":\"SlowDown\"}",
	    "{\"first\":2,\"action\":\"drop-request\",\"reset\":true}",
	    "{\"nth\":1,\"action\":\"status\",\"status\":503,"
	    "\"headers\":{\"Retry-After\":\"1\"}}",
	};
	struct fault f = FAULT_INIT;
	struct s3 *s = proxied();
	struct deadline d = soon();
	const char *key = fresh("resume");
	const size_t n = 3 << 20;
	unsigned char *p = noise(n);
	struct buf b = BUF_INIT(8 << 20);
	char rule[300];

	(void)state;
	rules("");
	OK(s3_put(s, key, p, n, &d, &f), f);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		d = soon();
		snprintf(rule, sizeof rule, "[%s]", faults[i]);
		rules(rule);
		buf_clear(&b);
		OK(s3_get(s, key, 0, UINT64_MAX, buf_sink, &b, NULL, &d, &f),
		    f);
		assert_int_equal(b.len, n);
		assert_memory_equal(b.data, p, n);
		rules(rule);
		buf_clear(&b);
		OK(s3_get(s, key, 100, n - 200, buf_sink, &b, NULL, &d, &f), f);
		assert_int_equal(b.len, n - 200);
		assert_memory_equal(b.data, p + 100, n - 200);
	}
	rules("");
	buf_free(&b);
	s3_free(s);
	free(p);
}

static void
wrong_ranges_and_other_objects_are_noticed(void **state)
{
	struct fault f = FAULT_INIT;
	struct s3 *s = proxied();
	struct deadline d = soon();
	const char *key = fresh("lie");
	unsigned char *p = noise(1 << 20);
	struct buf b = BUF_INIT(8 << 20);

	(void)state;
	rules("");
	OK(s3_put(s, key, p, 1 << 20, &d, &f), f);
	rules("[{\"action\":\"headers\",\"headers\":{\"Content-Range\":"
	      "\"bytes 11-20/1048576\"}}]");
	FAILS(s3_get(s, key, 10, 10, buf_sink, &b, NULL, &d, &f), FAULT_CORRUPT,
	    "another range", f);
	rules(
	    "[{\"action\":\"headers\",\"headers\":{\"Content-Range\":null}}]");
	FAILS(s3_get(s, key, 10, 10, buf_sink, &b, NULL, &d, &f), FAULT_CORRUPT,
	    "Content-Range", f);
	assert_int_equal(b.len, 0);
	rules("[{\"action\":\"wronglen\",\"delta\":-5}]");
	FAILS(s3_get(s, key, 10, 10, buf_sink, &b, NULL, &d, &f), FAULT_CORRUPT,
	    "another range", f);
	assert_int_equal(b.len, 0);
	rules("[{\"nth\":1,\"action\":\"cut\",\"bytes\":1000},"
	      "{\"nth\":1,\"action\":\"headers\",\"headers\":{\"ETag\":"
	      "\"\\\"00000000000000000000000000000000\\\"\"}}]");
	FAILS(s3_get(s, key, 0, UINT64_MAX, buf_sink, &b, NULL, &d, &f),
	    FAULT_CORRUPT, "replaced", f);
	rules("[{\"action\":\"status\",\"status\":200,"
	      "\"body\":\"0123456789\"}]");
	buf_clear(&b);
	OK(s3_get(s, key, 3, 4, buf_sink, &b, NULL, &d, &f), f);
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "3456", 4);
	FAILS(s3_get(s, key, 10, 4, buf_sink, &b, NULL, &d, &f), FAULT_CORRUPT,
	    "shorter", f);
	rules("");
	buf_free(&b);
	s3_free(s);
	free(p);
}

static int
refuse(void *ctx, const unsigned char *data, size_t n, struct fault *f)
{
	(void)ctx;
	(void)data;
	(void)n;
	return fault_set(f, FAULT_KEY, "as it was");
}

static void
a_sinks_fault_is_passed_on_unchanged(void **state)
{
	struct fault f = FAULT_INIT;
	struct s3 *s = usual();
	struct deadline d = soon();
	const char *key = fresh("sink");
	struct buf b = BUF_INIT(100);

	(void)state;
	OK(s3_put(s, key, "hello", 5, &d, &f), f);
	FAILS(s3_get(s, key, 0, UINT64_MAX, refuse, NULL, NULL, &d, &f),
	    FAULT_KEY, "as it was", f);
	assert_string_equal(f.text, "as it was");
	OK(s3_get(s, key, 0, UINT64_MAX, buf_sink, &b, NULL, &d, &f), f);
	assert_memory_equal(b.data, "hello", 5);
	buf_free(&b);
	s3_free(s);
}

static void
the_servers_clock_is_taken_once(void **state)
{
	struct fault f = FAULT_INIT;
	struct s3 *s = proxied();
	struct deadline d = soon();
	time_t now = time(NULL);
	char date[64], rule[300];
	const char *key;
	struct tm parts;

	(void)state;
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT",
	    gmtime_r(&now, &parts));
	for (unsigned i = 0; i < 2; i++) {
		snprintf(rule, sizeof rule,
		    "[{\"first\":%u,\"action\":\"status\",\"status\":403,"
		    "\"code\":\"RequestTimeTooSkewed\","
		    "\"headers\":{\"Date\":\"%s\"}}]",
		    i + 1, date);
		rules(rule);
		key = fresh("clock");
		if (i == 0)
			OK(s3_put(s, key, "x", 1, &d, &f), f);
		else
			FAILS(s3_put(s, key, "x", 1, &d, &f), FAULT_DENIED,
			    "clock", f);
	}
	rules("");
	s3_free(s);
}

static void
a_body_damaged_on_the_way_is_not_stored(void **state)
{
	struct fault f = FAULT_INIT;
	struct s3 *s = proxied();
	struct deadline d = soon();
	const char *key = fresh("flip");
	unsigned char *p = noise(1 << 20);
	struct buf b = BUF_INIT(2 << 20);

	(void)state;
	rules("[{\"method\":\"PUT\",\"nth\":1,\"action\":\"flip-request\","
	      "\"offset\":5000,\"bit\":3}]");
	OK(s3_put(s, key, p, 1 << 20, &d, &f), f);
	rules("");
	OK(s3_get(s, key, 0, UINT64_MAX, buf_sink, &b, NULL, &d, &f), f);
	assert_memory_equal(b.data, p, 1 << 20);
	buf_free(&b);
	s3_free(s);
	free(p);
}

static void
the_bucket_may_stand_in_the_host_name(void **state)
{
	struct fault f = FAULT_INIT;
	struct s3_config c = config();
	struct deadline d = soon();
	const char *key = fresh("host");
	struct s3_info info;
	char url[300];
	struct seen x = {0};
	struct s3 *s;

	(void)state;
	snprintf(url, sizeof url, "http://localhost%s",
	    strrchr(env("S3_HTTP"), ':'));
	c.endpoint = url;
	c.host_style = true;
	s = client(&c);
	OK(s3_put(s, key, "hello", 5, &d, &f), f);
	OK(s3_list(s, key, NULL, NULL, see, &x, &d, &f), f);
	assert_int_equal(x.n, 1);
	s3_free(s);
	s = usual();
	OK(s3_head(s, key, &info, &d, &f), f);
	assert_int_equal(info.size, 5);
	s3_free(s);
}

static void
a_plain_http_endpoint_works_with_signed_bodies(void **state)
{
	struct fault f = FAULT_INIT;
	struct s3_config c = config();
	struct deadline d = soon();
	const char *key = fresh("http");
	unsigned char *p = noise(1 << 20);
	struct buf b = BUF_INIT(2 << 20);
	char url[300];
	struct s3 *s;

	(void)state;
	c.endpoint = env("S3_HTTP");
	s = client(&c);
	OK(s3_put(s, key, p, 1 << 20, &d, &f), f);
	OK(s3_get(s, key, 0, UINT64_MAX, buf_sink, &b, NULL, &d, &f), f);
	assert_memory_equal(b.data, p, 1 << 20);
	s3_free(s);
	c = config();
	snprintf(url, sizeof url, "https:%s", strstr(env("S3_HTTP"), "//"));
	c.endpoint = url;
	s = client(&c);
	FAILS(s3_put(s, key, p, 1, &d, &f), FAULT_CONFIG, "SSL", f);
	buf_free(&b);
	s3_free(s);
	free(p);
}

#define T(name) cmocka_unit_test(name)
static const struct CMUnitTest tests[] = {
    T(put_comes_back_whole_and_by_range),
    T(put_never_replaces),
    T(an_empty_object_is_one),
    T(absent_is_said_only_of_a_key),
    T(a_wrong_secret_is_denied_and_not_printed),
    T(only_the_right_server_is_talked_to),
    T(an_unreachable_store_is_again_in_time),
    T(a_silent_store_is_again_in_time),
    T(long_listings_and_deletions_are_complete),
    T(an_upload_in_parts_appears_whole_and_once),
    T(lost_answers_are_settled),
    T(errors_inside_a_200_are_errors),
    T(broken_reads_go_on_where_they_broke),
    T(wrong_ranges_and_other_objects_are_noticed),
    T(a_sinks_fault_is_passed_on_unchanged),
    T(the_servers_clock_is_taken_once),
    T(a_body_damaged_on_the_way_is_not_stored),
    T(the_bucket_may_stand_in_the_host_name),
    T(a_plain_http_endpoint_works_with_signed_bodies),
};

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
		if (argc < 2) {
			puts(tests[i].name);
		} else if (strcmp(argv[1], tests[i].name) == 0) {
			const struct CMUnitTest one[] = {tests[i]};

			return cmocka_run_group_tests(one, NULL, NULL);
		}
	}
	return argc < 2 ? 0 : 2;
}
