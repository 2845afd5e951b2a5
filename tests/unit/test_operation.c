/*
 * What people are told of a command's records, and who goes on without them.
 * The trail is made up here: it stores or refuses as a test says.
 */
#include "unit.h"

#include <stdio.h>

#include "audit_details.h"
#include "operation.h"

struct audit {
	int unused;
};

static struct audit trail;
static const char *remark;
static enum fault_code refuse; /* every call from now on */
static char calls[64];         /* "open begin end:4 " */
static char told[1024];        /* lines */
static struct fault f;
static struct deadline d;
static struct audit_event event = AUDIT_EVENT("prune");

/* The details of the last record. */
static char details[256];

static int
answer(const char *call)
{
	strncat(calls, call, sizeof calls - strlen(calls) - 1);
	return refuse == 0 ? 0 : fault_set(&f, refuse, "refused");
}

int __wrap_audit_open(struct audit **out, struct repo *r, size_t i,
    const char *program, struct fault *x);
void __wrap_audit_free(struct audit *a);
const char *__wrap_audit_remark(const struct audit *a);
int __wrap_audit_begin(struct audit *a, const struct audit_event *e,
    const struct deadline *limit, struct fault *x);
int __wrap_audit_end(struct audit *a, const struct audit_event *e, int status,
    const struct fault *why, const struct deadline *limit, struct fault *x);
int __wrap_audit_note(struct audit *a, const struct audit_event *e, int status,
    const struct fault *why, const struct deadline *limit, struct fault *x);
void __wrap_log_line(int level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

int
__wrap_audit_open(struct audit **out, struct repo *r, size_t i,
    const char *program, struct fault *x)
{
	(void)r;
	(void)i;
	(void)program;
	(void)x;
	if (answer("open ") != 0)
		return (int)f.code;
	*out = &trail;
	return 0;
}

void
__wrap_audit_free(struct audit *a)
{
	assert_true(a == NULL || a == &trail);
}

const char *
__wrap_audit_remark(const struct audit *a)
{
	assert_ptr_equal(a, &trail);
	return remark;
}

int
__wrap_audit_begin(struct audit *a, const struct audit_event *e,
    const struct deadline *limit, struct fault *x)
{
	assert_ptr_equal(a, &trail);
	assert_ptr_equal(limit, &d);
	assert_ptr_equal(x, &f);
	details[0] = '\0';
	for (size_t i = 0; i < e->n_details; i++) {
		strcat(details, e->details[i].name);
		strcat(details, "=");
		strcat(details, e->details[i].value);
		strcat(details, " ");
	}
	return answer("begin ");
}

static int
conclude(const char *call, int status, const struct fault *why)
{
	char text[32];

	assert_true((status == 0) == (why == NULL));
	snprintf(text, sizeof text, "%s:%d ", call, status);
	return answer(text);
}

int
__wrap_audit_end(struct audit *a, const struct audit_event *e, int status,
    const struct fault *why, const struct deadline *limit, struct fault *x)
{
	(void)a;
	(void)e;
	(void)limit;
	(void)x;
	return conclude("end", status, why);
}

int
__wrap_audit_note(struct audit *a, const struct audit_event *e, int status,
    const struct fault *why, const struct deadline *limit, struct fault *x)
{
	(void)a;
	(void)e;
	(void)limit;
	(void)x;
	return conclude("note", status, why);
}

void
__wrap_log_line(int level, const char *fmt, ...)
{
	size_t len = strlen(told);
	va_list ap;

	assert_int_equal(level, 0);
	va_start(ap, fmt);
	vsnprintf(told + len, sizeof told - len, fmt, ap);
	va_end(ap);
	strncat(told, "\n", sizeof told - strlen(told) - 1);
}

static int
setup(void **state)
{
	(void)state;
	remark = "";
	refuse = FAULT_NONE;
	calls[0] = told[0] = '\0';
	fault_clear(&f);
	return 0;
}

static struct operation
opened(const char *without)
{
	struct operation o = {.without = without};

	assert_int_equal(operation_open(&o, NULL, 0, "test", &f), 0);
	return o;
}

static void
a_new_writer_is_told_of_once(void **state)
{
	struct operation o = opened(NULL);

	(void)state;
	remark = "a new writer";
	assert_int_equal(operation_begin(&o, &event, &d, &f), 0);
	assert_int_equal(operation_end(&o, &event, 0, NULL, &d, &f), 0);
	operation_free(&o);
	assert_string_equal(told, "a new writer\n");
	assert_string_equal(calls, "open begin end:0 ");
}

static void
what_needs_its_record_fails_without(void **state)
{
	struct operation o = opened(NULL);

	(void)state;
	refuse = FAULT_DENIED;
	assert_int_equal(operation_begin(&o, &event, &d, &f), FAULT_DENIED);
	operation_free(&o);
	assert_int_equal(operation_open(&o, NULL, 0, "test", &f), FAULT_DENIED);
	assert_string_equal(told, "");
}

static void
what_goes_on_without_warns_once(void **state)
{
	struct operation o = opened("the backup goes on");

	(void)state;
	refuse = FAULT_AGAIN;
	assert_int_equal(operation_begin(&o, &event, &d, &f), 0);
	assert_int_equal(f.code, FAULT_NONE);
	assert_int_equal(operation_end(&o, &event, 0, NULL, &d, &f), 0);
	operation_free(&o);
	assert_string_equal(told,
	    "WARNING: the backup goes on, but without its record in the "
	    "audit trail: refused\n");
	/* It may be there all the same: the end is an end. */
	assert_string_equal(calls, "open begin end:0 ");
}

static void
one_that_does_not_open_is_left_out(void **state)
{
	struct operation o = {.without = "this goes on"};

	(void)state;
	refuse = FAULT_SYSTEM;
	assert_int_equal(operation_open(&o, NULL, 0, "test", &f), 0);
	assert_int_equal(operation_begin(&o, &event, &d, &f), 0);
	assert_int_equal(operation_end(&o, &event, 0, NULL, &d, &f), 0);
	operation_free(&o);
	assert_string_equal(calls, "open ");
	assert_non_null(strstr(told, "WARNING: this goes on"));
}

static void
the_end_has_the_exit_status(void **state)
{
	struct operation o = opened(NULL);
	struct fault why = FAULT_INIT;

	(void)state;
	fault_set(&why, FAULT_CORRUPT, "damaged");
	assert_int_equal(
	    operation_end(&o, &event, FAULT_CORRUPT, &why, &d, &f), 0);
	/* What was overcome is no result. */
	assert_int_equal(operation_end(&o, &event, 0, &why, &d, &f), 0);
	operation_free(&o);
	assert_string_equal(calls, "open note:5 note:0 ");
}

static void
details_stand_as_they_were_put(void **state)
{
	struct operation o = opened(NULL);
	struct audit_event e = AUDIT_EVENT("prune");
	struct audit_details many, x;

	(void)state;
	audit_details_put(&x, &e, "of", "plan");
	audit_details_put_u64(&x, &e, "most", UINT64_MAX);
	audit_details_put_u64(&x, &e, "none", 0);
	assert_int_equal(operation_begin(&o, &e, &d, &f), 0);
	operation_free(&o);
	assert_string_equal(
	    details, "of=plan most=18446744073709551615 none=0 ");
	e = (struct audit_event)AUDIT_EVENT("prune");
	for (unsigned i = 0; i < AUDIT_DETAILS + 2; i++)
		audit_details_put_u64(&many, &e, "n", i);
	audit_details_put(&many, &e, "n", "text");
	assert_int_equal(e.n_details, AUDIT_DETAILS);
	assert_string_equal(e.details[AUDIT_DETAILS - 1].value, "15");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_new_writer_is_told_of_once, setup),
	    cmocka_unit_test_setup(what_needs_its_record_fails_without, setup),
	    cmocka_unit_test_setup(what_goes_on_without_warns_once, setup),
	    cmocka_unit_test_setup(one_that_does_not_open_is_left_out, setup),
	    cmocka_unit_test_setup(the_end_has_the_exit_status, setup),
	    cmocka_unit_test_setup(details_stand_as_they_were_put, setup),
	};

	return cmocka_run_group_tests_name("operation", tests, NULL, NULL);
}
