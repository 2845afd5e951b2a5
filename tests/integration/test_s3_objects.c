/* Objects of a real S3 server: put, got, listed, deleted, in parts. */

#include "s3_world.h"

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
	buf_free(&b);
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

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
	    T(put_comes_back_whole_and_by_range),
	    T(put_never_replaces),
	    T(an_empty_object_is_one),
	    T(absent_is_said_only_of_a_key),
	    T(a_sinks_fault_is_passed_on_unchanged),
	    T(long_listings_and_deletions_are_complete),
	    T(an_upload_in_parts_appears_whole_and_once),
	};

	return run_named(argc, argv, tests, sizeof tests / sizeof *tests);
}
