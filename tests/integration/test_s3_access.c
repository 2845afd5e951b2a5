/* Who is talked to, and as whom. */

#include "s3_world.h"

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
	FAILS(s3_head(s, "x", &info, &d, &f), FAULT_CONFIG,
	    "ca_file /no/such/file: No such file or directory; name a file", f);
	s3_free(s);
	c = config();
	c.tls.ca_file = "/etc/passwd";
	s = client(&c);
	FAILS(s3_head(s, "x", &info, &d, &f), FAULT_CONFIG,
	    "ca_file /etc/passwd: it holds no certificate", f);
	s3_free(s);
	c = config();
	c.tls.ca_file = NULL;
	c.tls.ca_path = "/no/such/folder";
	s = client(&c);
	FAILS(s3_head(s, "x", &info, &d, &f), FAULT_CONFIG,
	    "ca_path /no/such/folder: No such file or directory; name a ", f);
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

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
	    T(a_wrong_secret_is_denied_and_not_printed),
	    T(only_the_right_server_is_talked_to),
	    T(an_unreachable_store_is_again_in_time),
	    T(the_bucket_may_stand_in_the_host_name),
	    T(a_plain_http_endpoint_works_with_signed_bodies),
	};

	return run_named(argc, argv, tests, sizeof tests / sizeof *tests);
}
