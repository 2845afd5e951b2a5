/* How long a store may keep us waiting. */
#include "s3_call.h"
#include "unit.h"

static int64_t slept_ms;

void __wrap_clock_sleep_ms(int64_t ms);
void
__wrap_clock_sleep_ms(int64_t ms)
{
	slept_ms = ms;
}

/* What is slept after an answer with that Retry-After; -1: nothing more is
 * tried. */
static int64_t
pause_after(const char *retry_after, const struct deadline *d)
{
	struct http_response rs = {.status = 503};
	struct s3_retry r = {0, false};
	struct s3 s = {.name = NULL};

	assert_true(strlen(retry_after) < sizeof(rs.retry_after));
	strcpy(rs.retry_after, retry_after);
	slept_ms = 0;
	if (!s3_call_again(&s, &r, S3_NEXT_RETRY, &rs, d))
		return -1;
	return slept_ms;
}

static void
a_store_is_given_the_time_it_asks_for(void **state)
{
	struct deadline never = deadline_never(), d = deadline_in_ms(900000);

	(void)state;
	assert_int_equal(pause_after("7", &never), 7000);
	assert_int_equal(pause_after("7", &d), 7000);
	assert_in_range(pause_after("", &never), 50, 100);
	assert_in_range(pause_after("soon", &never), 50, 100);
}

static void
but_not_beyond_the_deadline(void **state)
{
	struct deadline d = deadline_in_ms(60000);

	(void)state;
	assert_int_equal(pause_after("3600", &d), -1);
	assert_int_equal(pause_after("4294967295", &d), -1);
}

/* A command without a deadline would wait for days, or for ever, and say
 * nothing. */
static void
nor_for_ever_without_one(void **state)
{
	struct deadline never = deadline_never();

	(void)state;
	assert_int_equal(pause_after("4294967295", &never), 300000);
	assert_int_equal(pause_after("86400", &never), 300000);
	assert_int_equal(
	    pause_after("Fri, 31 Dec 9999 23:59:59 GMT", &never), 300000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_store_is_given_the_time_it_asks_for),
	    cmocka_unit_test(but_not_beyond_the_deadline),
	    cmocka_unit_test(nor_for_ever_without_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
