/* Object lock: the headers of new objects, and what a store says of a lock. */
#include "s3_lock.h"
#include "unit.h"

static void
dates_are_whole_seconds_and_never_early(void **state)
{
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	s3_lock_date(INT64_C(1795348800000000), text);
	assert_string_equal(text, "2026-11-22T12:00:00Z");
	s3_lock_date(INT64_C(1795348800000001), text);
	assert_string_equal(text, "2026-11-22T12:00:01Z");
	s3_lock_date(INT64_C(1795348800999999), text);
	assert_string_equal(text, "2026-11-22T12:00:01Z");
}

static struct s3 *
client(const char *mode)
{
	struct s3_config c = {.name = "r",
	    .endpoint = "http://127.0.0.1:9",
	    .region = "us-east-1",
	    .bucket = "bucket",
	    .storage_class = "USUAL",
	    .lock_mode = mode,
	    .access_key_id = "a"};
	struct fault f = FAULT_INIT;
	struct s3 *s;

	assert_int_equal(secret_copy(&c.secret, "s", 1, &f), 0);
	assert_int_equal(s3_new(&s, &c, &f), 0);
	secret_free(&c.secret);
	s->lock_checked = true;
	return s;
}

static void
headers_are_what_the_terms_say(void **state)
{
	struct s3_lock_headers h;
	struct s3_terms t = {NULL, 3600 * INT64_C(1000000)};
	struct fault f = FAULT_INIT;
	struct s3 *s = client(NULL);
	int64_t now = clock_now_us(), until;

	(void)state;
	s3_set_terms(s, &t);
	assert_int_equal(s3_lock_headers(s, &h, NULL, &f), 0);
	assert_int_equal(h.n, 1);
	assert_string_equal(h.h[0].value, "USUAL");
	s3_free(s);

	s = client("COMPLIANCE");
	assert_int_equal(s3_lock_headers(s, &h, NULL, &f), 0);
	assert_int_equal(h.n, 1); /* no lock without a length */
	t.storage_class = "COLD";
	s3_set_terms(s, &t);
	assert_int_equal(s3_lock_headers(s, &h, NULL, &f), 0);
	assert_int_equal(h.n, 3);
	assert_string_equal(h.h[0].name, "x-amz-storage-class");
	assert_string_equal(h.h[0].value, "COLD");
	assert_string_equal(h.h[1].name, "x-amz-object-lock-mode");
	assert_string_equal(h.h[1].value, "COMPLIANCE");
	assert_string_equal(h.h[2].name, "x-amz-object-lock-retain-until-date");
	assert_int_equal(clock_parse(h.h[2].value, &until, NULL, &f), 0);
	assert_true(until >= now + t.lock_us);
	assert_true(until <= clock_now_us() + t.lock_us + 1000000);
	/* By the server's clock, when ours was found wrong. */
	s->clock_offset_us = 86400 * INT64_C(1000000);
	assert_int_equal(s3_lock_headers(s, &h, NULL, &f), 0);
	assert_int_equal(clock_parse(h.h[2].value, &until, NULL, &f), 0);
	assert_true(until >= now + t.lock_us + s->clock_offset_us);
	s3_free(s);
}

static int
read_lock(const char *text, char mode[16], int64_t *us)
{
	struct fault f = FAULT_INIT;
	struct xml *x;
	int rc;

	assert_int_equal(xml_parse(&x, text, strlen(text), &f), 0);
	rc = s3_lock_read(x, mode, us, &f);
	xml_free(x);
	return rc;
}

static void
answers_about_locks_are_read_strictly(void **state)
{
	static const char *const bad[] = {
	    "<Retention><Mode>GOVERNANCE</Mode></Retention>",
	    "<Retention><RetainUntilDate>2026-11-22T12:00:00Z"
	    "</RetainUntilDate></Retention>",
	    "<Retention><Mode>NONSENSENONSENSENONSENSE</Mode><RetainUntilDate>"
	    "2026-11-22T12:00:00Z</RetainUntilDate></Retention>",
	    "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>soon"
	    "</RetainUntilDate></Retention>",
	};
	char mode[16];
	int64_t us;

	(void)state;
	assert_int_equal(
	    read_lock("<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>"
		      "2026-11-22T12:00:00.000Z</RetainUntilDate></Retention>",
		mode, &us),
	    0);
	assert_string_equal(mode, "COMPLIANCE");
	assert_int_equal(us, INT64_C(1795348800000000));
	assert_int_equal(read_lock("<Retention/>", mode, &us), FAULT_ABSENT);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(read_lock(bad[i], mode, &us), FAULT_CORRUPT);
}

static void
a_class_that_is_not_there_is_thought_of(void **state)
{
	struct s3_lock_headers h = {
	    .h = {{"x-amz-storage-class", "COLD"}}, .n = 1};
	struct fault f = FAULT_INIT;

	(void)state;
	fault_set(&f, FAULT_AGAIN, "400 InvalidArgument");
	assert_int_equal(
	    s3_lock_explain(&h, 400, FAULT_AGAIN, &f), FAULT_CONFIG);
	assert_string_equal(f.text,
	    "400 InvalidArgument: check storage_class: does the store have a "
	    "class COLD?");
	/* Other faults stay what they are. */
	fault_set(&f, FAULT_AGAIN, "503");
	assert_int_equal(
	    s3_lock_explain(&h, 503, FAULT_AGAIN, &f), FAULT_AGAIN);
	assert_string_equal(f.text, "503");
	assert_int_equal(
	    s3_lock_explain(&h, 400, FAULT_DENIED, &f), FAULT_DENIED);
	assert_int_equal(s3_lock_explain(&h, 200, 0, &f), 0);
	h.n = 0;
	assert_int_equal(
	    s3_lock_explain(&h, 400, FAULT_AGAIN, &f), FAULT_AGAIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dates_are_whole_seconds_and_never_early),
	    cmocka_unit_test(headers_are_what_the_terms_say),
	    cmocka_unit_test(a_class_that_is_not_there_is_thought_of),
	    cmocka_unit_test(answers_about_locks_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
