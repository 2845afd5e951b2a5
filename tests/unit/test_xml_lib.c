/* libxml2 is not there: nothing is taken for what it is not. */
#include "unit.h"

#include "s3_answer.h"

void *__wrap_dlopen(const char *name, int flags);
void *
__wrap_dlopen(const char *name, int flags)
{
	(void)name;
	(void)flags;
	return NULL;
}

static const char absent[] = "<Error><Code>NoSuchKey</Code></Error>";

static void
a_document_is_a_fault_of_the_system(void **state)
{
	struct fault f = FAULT_INIT;
	struct xml *x = NULL;

	(void)state;
	assert_int_equal(
	    xml_parse(&x, absent, sizeof(absent) - 1, &f), FAULT_SYSTEM);
	assert_null(x);
	assert_non_null(strstr(f.text, "libxml2"));
}

static void
an_answer_that_cannot_be_read_proves_no_absence(void **state)
{
	struct s3_subject about = {"r", "GET", "b", "k", NULL, false};
	struct http_response rs = {.status = 404,
	    .body = (unsigned char *)(uintptr_t)absent,
	    .body_len = sizeof(absent) - 1};
	struct fault f = FAULT_INIT;
	struct s3_answer a;
	enum s3_next next;

	(void)state;
	s3_answer_read(&a, &rs);
	assert_int_equal(s3_answer_judge(&a, &about, &next, &f), FAULT_AGAIN);
	assert_non_null(strstr(f.text, "libxml2"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_document_is_a_fault_of_the_system),
	    cmocka_unit_test(an_answer_that_cannot_be_read_proves_no_absence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
