/* Signatures against the examples that AWS publishes: the Signature Version 4
 * test suite, and "Signature calculations for the authorization header" of the
 * S3 API reference. */
#include "unit.h"

#include <stdio.h>

#include "sigv4.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct vector {
	const char *name, *method, *path, *query;
	struct http_header headers[2];
	size_t n_headers;
	const char *payload_hash, *signature, *signed_headers;
};

static const struct vector suite[] = {
    {"get-vanilla", "GET", "/", "", {{0}}, 0, EMPTY,
	"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	"host;x-amz-date"},
    {"get-vanilla-query-order-key-case", "GET", "/",
	"Param1=value1&Param2=value2", {{0}}, 0, EMPTY,
	"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
	"host;x-amz-date"},
    {"post-vanilla", "POST", "/", "", {{0}}, 0, EMPTY,
	"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
	"host;x-amz-date"},
    {"post-header-key-sort", "POST", "/", "", {{"My-Header1", "value1"}}, 1,
	EMPTY,
	"c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
	"host;my-header1;x-amz-date"},
    {"get-header-value-trim", "GET", "/", "",
	{{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}, 2, EMPTY,
	"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
	"host;my-header1;my-header2;x-amz-date"},
};

#define S3_SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

static const struct vector s3[] = {
    {"GET object with a range", "GET", "/test.txt", "",
	{{"Range", "bytes=0-9"}}, 1, EMPTY,
	"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
	"host;range;x-amz-content-sha256;x-amz-date"},
    {"PUT object", "PUT", "/test%24file.text", "",
	{{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
	    {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
	2, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
	"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
	"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class"},
    {"GET bucket lifecycle", "GET", "/", "lifecycle=", {{0}}, 0, EMPTY,
	"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
	"host;x-amz-content-sha256;x-amz-date"},
    {"list objects", "GET", "/", "max-keys=2&prefix=J", {{0}}, 0, EMPTY,
	"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
	"host;x-amz-content-sha256;x-amz-date"},
};

static void
check(const struct vector *v, const struct sigv4_request *base,
    const struct sigv4_credentials *cred, const char *scope)
{
	struct sigv4_request rq = *base;
	struct sigv4_result rs;
	struct fault f = FAULT_INIT;
	char want[SIGV4_AUTH];

	rq.method = v->method;
	rq.path = v->path;
	rq.query = v->query;
	rq.headers = v->headers;
	rq.n_headers = v->n_headers;
	rq.payload_hash = v->payload_hash;
	assert_int_equal(sigv4_sign(&rq, cred, &rs, &f), 0);
	if (strcmp(rs.signature, v->signature) != 0)
		fail_msg("%s: %s", v->name, rs.signature);
	snprintf(want, sizeof want,
	    "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, "
	    "Signature=%s",
	    cred->access_key_id, scope, v->signed_headers, v->signature);
	assert_string_equal(rs.authorization, want);
}

static const struct sigv4_credentials suite_cred = {"AKIDEXAMPLE",
    (const unsigned char *)"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", 40,
    NULL};
static const struct sigv4_request suite_base = {.host = "example.amazonaws.com",
    .region = "us-east-1",
    .service = "service",
    .now_us = 1440938160LL * 1000000};

static void
signs_the_test_suite_as_published(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof suite / sizeof *suite; i++)
		check(&suite[i], &suite_base, &suite_cred,
		    "20150830/us-east-1/service/aws4_request");
}

static void
signs_the_s3_examples_as_published(void **state)
{
	struct sigv4_credentials cred = {"AKIAIOSFODNN7EXAMPLE",
	    (const unsigned char *)S3_SECRET, strlen(S3_SECRET), NULL};
	struct sigv4_request base = {.host = "examplebucket.s3.amazonaws.com",
	    .region = "us-east-1",
	    .service = "s3",
	    .now_us = 1369353600LL * 1000000};

	(void)state;
	for (size_t i = 0; i < sizeof s3 / sizeof *s3; i++)
		check(
		    &s3[i], &base, &cred, "20130524/us-east-1/s3/aws4_request");
}

/* post-sts-header-before of the suite */
static void
a_session_token_is_signed(void **state)
{
	struct sigv4_credentials cred = suite_cred;
	const struct vector v = {"post-sts-header-before", "POST", "/", "",
	    {{0}}, 0, EMPTY,
	    "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
	    "host;x-amz-date;x-amz-security-token"};

	(void)state;
	cred.session_token =
	    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwd"
	    "QWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/k"
	    "McGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXD"
	    "vp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64"
	    "lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2I"
	    "CCR/oLxBA==";
	check(
	    &v, &suite_base, &cred, "20150830/us-east-1/service/aws4_request");
}

static void
too_long_credentials_are_refused(void **state)
{
	struct sigv4_credentials cred = suite_cred;
	struct sigv4_request rq = suite_base;
	struct sigv4_result rs;
	struct fault f = FAULT_INIT;
	char id[1200];

	(void)state;
	memset(id, 'A', sizeof id);
	id[sizeof id - 1] = '\0';
	cred.access_key_id = id;
	rq.method = "GET";
	rq.path = "/";
	rq.query = "";
	rq.payload_hash = EMPTY;
	assert_int_equal(sigv4_sign(&rq, &cred, &rs, &f), FAULT_CONFIG);
}

static void
encodes_all_but_unreserved_bytes(void **state)
{
	char out[64];

	(void)state;
	sigv4_encode("aZ0-._~/ +%\xc3\xa4", 1, out);
	assert_string_equal(out, "aZ0-._~/%20%2B%25%C3%A4");
	sigv4_encode("a/b", 0, out);
	assert_string_equal(out, "a%2Fb");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signs_the_test_suite_as_published),
	    cmocka_unit_test(signs_the_s3_examples_as_published),
	    cmocka_unit_test(a_session_token_is_signed),
	    cmocka_unit_test(too_long_credentials_are_refused),
	    cmocka_unit_test(encodes_all_but_unreserved_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
