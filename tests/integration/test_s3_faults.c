/* What passes is lost, cut, late or altered. */

#include "s3_world.h"

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

/* One line of the answer's header is too long for libcurl, which calls that
 * "out of memory"; then one that is too long
 * for us. */
static void
a_header_without_end_is_told(void **state)
{
	const struct {
		size_t line;
		const char *told;
	} rows[] = {{200000, "header line above 100 kB"},
	    {90000, "answer headers above 64 KiB"}};
	struct fault f = FAULT_INIT;
	struct s3 *s = proxied();
	const char *key = fresh("header");
	const size_t room = 210000;
	char *rule = malloc(room);
	struct s3_info info;
	struct deadline d;

	(void)state;
	assert_non_null(rule);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(rule, room,
		    "[{\"action\":\"headers\",\"headers\":{\"X-Long\":"
		    "\"%0*d\"}}]",
		    (int)rows[i].line, 7);
		rules(rule);
		FAILS_AT_LAST(d, s3_head(s, key, &info, &d, &f), FAULT_AGAIN,
		    rows[i].told, f);
	}
	rules("");
	free(rule);
	s3_free(s);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
	    T(a_silent_store_is_again_in_time),
	    T(lost_answers_are_settled),
	    T(errors_inside_a_200_are_errors),
	    T(broken_reads_go_on_where_they_broke),
	    T(wrong_ranges_and_other_objects_are_noticed),
	    T(the_servers_clock_is_taken_once),
	    T(a_header_without_end_is_told),
	    T(a_body_damaged_on_the_way_is_not_stored),
	};

	return run_named(argc, argv, tests, sizeof tests / sizeof *tests);
}
