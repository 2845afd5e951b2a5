/* libcurl is not there: a store of that kind cannot be used, and says why. */
#include "unit.h"

#include "http.h"

void *__wrap_dlopen(const char *name, int flags);
void *
__wrap_dlopen(const char *name, int flags)
{
	(void)name;
	(void)flags;
	return NULL;
}

static void
a_connection_is_a_fault_of_the_system(void **state)
{
	struct fault f = FAULT_INIT;
	struct http *h = NULL;

	(void)state;
	http_warm();
	assert_int_equal(http_new(&h, NULL, &f), FAULT_SYSTEM);
	assert_null(h);
	assert_non_null(strstr(f.text, "libcurl"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_connection_is_a_fault_of_the_system),
	};

	return cmocka_run_group_tests_name("http_lib", tests, NULL, NULL);
}
