/* What the store's answers mean, without a store. */
#include "unit.h"

#include <stdio.h>

#include "s3_answer.h"
#include "s3_delete.h"

static struct http_response
answer(int status, const char *body)
{
	struct http_response rs;

	memset(&rs, 0, sizeof rs);
	rs.status = status;
	rs.content_length = UINT64_MAX;
	rs.body = (unsigned char *)(uintptr_t)body;
	rs.body_len = strlen(body);
	strcpy(rs.request_id, "req-17");
	return rs;
}

#define E(code) "<?xml version=\"1.0\"?>\n<Error><Code>" code "</Code></Error>"

struct verdict {
	const char *method;
	const char *key;
	bool conditional;
	int status;
	const char *body;
	enum fault_code fault;
	enum s3_next next;
	const char *word; /* in the line */
};

static const struct verdict verdicts[] = {
    {"PUT", "k", true, 200, "", FAULT_NONE, S3_NEXT_GIVE_UP, ""},
    {"PUT", "k", true, 200, E("InternalError"), FAULT_AGAIN, S3_NEXT_RETRY,
	"InternalError"},
    {"PUT", "k", true, 200, " \r\n<Error><Code>SlowDown</Code></Error>",
	FAULT_AGAIN, S3_NEXT_RETRY, "SlowDown"},
    {"PUT", "k", true, 200, "<Error/>", FAULT_AGAIN, S3_NEXT_RETRY, "200"},
    {"GET", "k", false, 404, E("NoSuchKey"), FAULT_ABSENT, S3_NEXT_GIVE_UP,
	"b/k"},
    /* not proofs of absence */
    {"GET", "k", false, 404, "", FAULT_AGAIN, S3_NEXT_GIVE_UP, "404"},
    {"GET", "k", false, 404, "<html>not here</html>", FAULT_AGAIN,
	S3_NEXT_GIVE_UP, "404"},
    {"GET", "k", false, 404, "<Error><Code>NoSuchKey</Code>", FAULT_AGAIN,
	S3_NEXT_GIVE_UP, "404"},
    {"GET", "k", false, 403, E("NoSuchKey"), FAULT_AGAIN, S3_NEXT_GIVE_UP,
	"unexpected"},
    {"GET", NULL, false, 404, E("NoSuchKey"), FAULT_AGAIN, S3_NEXT_GIVE_UP,
	"unexpected"},
    {"PUT", "k", true, 404, E("NoSuchKey"), FAULT_AGAIN, S3_NEXT_GIVE_UP,
	"unexpected"},
    {"GET", "k", false, 404, E("NoSuchBucket"), FAULT_CONFIG, S3_NEXT_GIVE_UP,
	"bucket"},
    {"PUT", "k", true, 412, E("PreconditionFailed"), FAULT_EXISTS,
	S3_NEXT_GIVE_UP, "taken"},
    {"PUT", "k", true, 412, "", FAULT_EXISTS, S3_NEXT_GIVE_UP, "taken"},
    {"GET", "k", false, 412, "", FAULT_CORRUPT, S3_NEXT_GIVE_UP, "replaced"},
    {"PUT", "k", true, 409, E("ConditionalRequestConflict"), FAULT_AGAIN,
	S3_NEXT_RETRY, "409"},
    {"GET", "k", false, 416, "", FAULT_CORRUPT, S3_NEXT_GIVE_UP, "shorter"},
    {"PUT", "k", true, 403, E("SignatureDoesNotMatch"), FAULT_DENIED,
	S3_NEXT_GIVE_UP, "secret_access_key"},
    {"PUT", "k", true, 403, E("InvalidAccessKeyId"), FAULT_DENIED,
	S3_NEXT_GIVE_UP, "access_key_id"},
    {"PUT", "k", true, 403, E("AccessDenied"), FAULT_DENIED, S3_NEXT_GIVE_UP,
	"s3:Some"},
    {"PUT", "k", true, 401, "", FAULT_DENIED, S3_NEXT_GIVE_UP, "s3:Some"},
    {"PUT", "k", true, 403, E("RequestTimeTooSkewed"), FAULT_DENIED,
	S3_NEXT_CLOCK, "clock"},
    {"PUT", "k", true, 301,
	"<Error><Code>PermanentRedirect</Code>"
	"<Endpoint>x</Endpoint></Error>",
	FAULT_CONFIG, S3_NEXT_GIVE_UP, "region"},
    {"PUT", "k", true, 400,
	"<Error><Code>AuthorizationHeaderMalformed</Code>"
	"<Region>eu-west-9</Region></Error>",
	FAULT_CONFIG, S3_NEXT_GIVE_UP, "eu-west-9"},
    {"PUT", "k", true, 501, E("NotImplemented"), FAULT_CONFIG, S3_NEXT_GIVE_UP,
	"cannot"},
    {"PUT", "k", true, 400, E("BadDigest"), FAULT_AGAIN, S3_NEXT_RETRY,
	"damaged"},
    {"PUT", "k", true, 400, E("SomethingNew"), FAULT_AGAIN, S3_NEXT_GIVE_UP,
	"SomethingNew (request req-17)"},
    {"PUT", "k", true, 408, "", FAULT_AGAIN, S3_NEXT_RETRY, "408"},
    {"PUT", "k", true, 429, "", FAULT_AGAIN, S3_NEXT_RETRY, "429"},
    {"PUT", "k", true, 500, "", FAULT_AGAIN, S3_NEXT_RETRY, "500"},
    {"PUT", "k", true, 502, "<html>", FAULT_AGAIN, S3_NEXT_RETRY, "502"},
    {"PUT", "k", true, 503, E("SlowDown"), FAULT_AGAIN, S3_NEXT_RETRY, "busy"},
    {"PUT", "k", true, 504, "", FAULT_AGAIN, S3_NEXT_RETRY, "504"},
};

static void
every_answer_has_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
		const struct verdict *v = &verdicts[i];
		struct s3_subject s = {
		    "r", v->method, "b", v->key, "s3:Some", v->conditional};
		struct http_response rs = answer(v->status, v->body);
		struct fault f = FAULT_INIT;
		struct s3_answer a;
		enum s3_next next;
		int rc;

		s3_answer_read(&a, &rs);
		rc = s3_answer_judge(&a, &s, &next, &f);
		if (rc != (int)v->fault || next != v->next ||
		    strstr(f.text, v->word) == NULL)
			fail_msg("%zu: %d %d: %s", i, rc, next, f.text);
	}
}

static void
a_long_hostile_error_stays_a_line(void **state)
{
	struct s3_subject s = {"r", "GET", "b", "k", NULL, false};
	struct fault f = FAULT_INIT;
	struct http_response rs;
	struct s3_answer a;
	enum s3_next next;
	static char body[9000];

	(void)state;
	strcpy(body, "<Error><Code>");
	memset(body + strlen(body), 'C', 4000);
	strcat(body, "</Code><Message>\n\n");
	memset(body + strlen(body), 'M', 4000);
	strcat(body, "</Message></Error>");
	rs = answer(400, body);
	s3_answer_read(&a, &rs);
	assert_int_equal(strlen(a.code), sizeof a.code - 1);
	assert_int_equal(s3_answer_judge(&a, &s, &next, &f), FAULT_AGAIN);
	assert_null(strchr(f.text, '\n'));
}

static void
content_range_is_read_strictly(void **state)
{
	static const char *const bad[] = {"", "bytes", "bytes 1-2",
	    "bytes 1-2/*", "bytes */5", "bytes 2-1/5", "bytes 0-5/5",
	    "bytes 0-4/5 ", "bytes -1-4/5", "bytes 0-4/99999999999999999999999",
	    "bytes 0-18446744073709551616/5", "items 0-4/5"};
	struct s3_range r;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(s3_answer_range(bad[i], &r), -1);
	assert_int_equal(s3_answer_range("bytes 0-4/5", &r), 0);
	assert_int_equal(
	    s3_answer_range("bytes 3-9/18446744073709551615", &r), 0);
	assert_int_equal(r.first, 3);
	assert_int_equal(r.last, 9);
	assert_true(r.total == UINT64_MAX);
}

static void
retry_after_is_seconds_or_a_date(void **state)
{
	const int64_t now = 1440938160LL * 1000000;

	(void)state;
	assert_int_equal(s3_answer_retry_after_ms("7", now), 7000);
	assert_int_equal(s3_answer_retry_after_ms("", now), -1);
	assert_int_equal(s3_answer_retry_after_ms("soon", now), -1);
	assert_int_equal(
	    s3_answer_retry_after_ms("Sun, 30 Aug 2015 12:36:05 GMT", now),
	    5000);
	assert_int_equal(
	    s3_answer_retry_after_ms("Sun, 30 Aug 2015 12:35:00 GMT", now), 0);
}

static void
note(void *ctx, size_t i, const struct fault *r)
{
	enum fault_code *codes = ctx;

	codes[i] = r->code;
}

static void
every_key_of_a_deletion_has_its_own_result(void **state)
{
	static const char *const keys[] = {
	    "gone", "locked", "silent", "busy", "both", "gone", "new"};
	static const char doc[] =
	    "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
	    "<Deleted><Key>gone</Key></Deleted><Deleted/>"
	    "<Deleted><Key>never-asked</Key></Deleted>"
	    "<Deleted><Key>both</Key></Deleted>"
	    "<Error><Key>both</Key><Code>InternalError</Code></Error>"
	    "<Error><Key>locked</Key><Code>AccessDenied</Code></Error>"
	    "<Error><Key>busy</Key><Code>SlowDown</Code></Error>"
	    "<Error><Key>new</Key></Error></DeleteResult>";
	const struct s3_subject s = {"r", "POST", "b", NULL, NULL, false};
	enum fault_code codes[7];
	struct fault f = FAULT_INIT;
	struct xml *x;

	(void)state;
	memset(codes, 0xff, sizeof codes);
	assert_int_equal(xml_parse(&x, doc, sizeof doc - 1, &f), 0);
	assert_int_equal(s3_delete_read(&s, x, keys, 7, note, codes, &f), 0);
	xml_free(x);
	assert_int_equal(codes[0], FAULT_NONE);
	assert_int_equal(codes[1], FAULT_DENIED);
	assert_int_equal(codes[2], FAULT_AGAIN);
	assert_int_equal(codes[3], FAULT_AGAIN);
	assert_int_equal(codes[4], FAULT_AGAIN);
	assert_int_equal(codes[5], FAULT_NONE);
	assert_int_equal(codes[6], FAULT_AGAIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_answer_has_its_verdict),
	    cmocka_unit_test(a_long_hostile_error_stays_a_line),
	    cmocka_unit_test(content_range_is_read_strictly),
	    cmocka_unit_test(retry_after_is_seconds_or_a_date),
	    cmocka_unit_test(every_key_of_a_deletion_has_its_own_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
