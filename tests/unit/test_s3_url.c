/* URLs and queries, as S3 wants them. */
#include "unit.h"

#include "s3_url.h"

static void
urls_are_made_as_they_are_signed(void **state)
{
	static const struct {
		const char *endpoint, *bucket, *base, *host, *path;
		bool host_style;
	} good[] = {
	    {"https://s3.example.com", "b-1", "https://s3.example.com",
		"s3.example.com", "/b-1/a%20b/c%2Bd", false},
	    {"https://s3.example.com/", "b", "https://b.s3.example.com",
		"b.s3.example.com", "/a%20b/c%2Bd", true},
	    {"https://s3.example.com:443", "b", "https://s3.example.com",
		"s3.example.com", "/b/a%20b/c%2Bd", false},
	    {"http://10.0.0.1:80", "b", "http://10.0.0.1", "10.0.0.1",
		"/b/a%20b/c%2Bd", false},
	    {"http://[::1]:9000", "b", "http://[::1]:9000", "[::1]:9000",
		"/b/a%20b/c%2Bd", false},
	    {"https://h:80", "b", "https://h:80", "h:80", "/b/a%20b/c%2Bd",
		false},
	};
	static const char *const bad[] = {"", "h", "ftp://h", "https://",
	    "https:///", "https://h/path", "https://u@h", "https://h:0",
	    "https://h:65536", "https://h:", "https://h:12x", "https://h?x=1",
	    "https://h#x", "https://[::1", "https://h\r\nX:", "https://a b"};
	struct fault f = FAULT_INIT;
	struct s3_url u;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct buf b = BUF_INIT(4096);

		assert_int_equal(s3_url_make(&u, good[i].endpoint,
				     good[i].bucket, good[i].host_style, &f),
		    0);
		assert_string_equal(u.base, good[i].base);
		assert_string_equal(u.host, good[i].host);
		assert_int_equal(s3_url_path(&u, "a b/c+d", &b, &f), 0);
		assert_string_equal((char *)b.data, good[i].path);
		s3_url_free(&u);
		buf_free(&b);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(
		    s3_url_make(&u, bad[i], "b", false, &f), FAULT_CONFIG);
	assert_int_equal(
	    s3_url_make(&u, "https://h", "a/b", false, &f), FAULT_CONFIG);
	assert_int_equal(
	    s3_url_make(&u, "https://h", "A_b", true, &f), FAULT_CONFIG);
}

static void
queries_and_names_are_coded_as_s3_does(void **state)
{
	struct fault f = FAULT_INIT;
	struct buf q = BUF_INIT(1000);
	char name[] = "a%20b+c%2Bd%c3%A4";
	char bad[][8] = {"%", "%2", "%zz", "a%00"};

	(void)state;
	assert_int_equal(s3_url_query(&q, "a", "x/y&", &f), 0);
	assert_int_equal(s3_url_query(&q, "prefix", "", &f), 0);
	assert_string_equal((char *)q.data, "a=x%2Fy%26&prefix=");
	buf_free(&q);
	assert_int_equal(s3_url_decode(name), 0);
	assert_string_equal(name, "a b c+d\xc3\xa4");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(s3_url_decode(bad[i]), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(urls_are_made_as_they_are_signed),
	    cmocka_unit_test(queries_and_names_are_coded_as_s3_does),
	};

	return cmocka_run_group_tests_name("s3_url", tests, NULL, NULL);
}
