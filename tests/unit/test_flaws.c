/* What is wrong with the trail, and what of it was accepted. */
#include "flaws.h"
#include "unit.h"

static struct audit_finding
finding(enum audit_flaw flaw, const char *writer, uint64_t n, int byte)
{
	struct audit_finding x = {flaw, writer, n, n, {0}, "text"};

	memset(x.hash, byte, sizeof x.hash);
	return x;
}

static void
add(struct flaws *l, enum audit_flaw flaw, const char *writer, uint64_t n,
    int byte)
{
	const struct audit_finding x = finding(flaw, writer, n, byte);
	struct fault f = FAULT_INIT;

	assert_int_equal(flaws_add(l, &x, &f), 0);
}

static void
take(struct flaws *l, const char *writer, const char *action, int status,
    const char *name, int64_t at_us)
{
	struct audit_record r = {.at_us = at_us, .status = status};
	struct fault f = FAULT_INIT;

	strcpy(r.writer, writer);
	strcpy(r.action, action);
	strcpy(r.details[0].name, FLAWS_DETAIL);
	strcpy(r.details[0].value, name);
	r.n_details = 1;
	assert_int_equal(flaws_take(l, &r, &f), 0);
}

static void
what_is_accepted_is_that_flaw_and_no_other(void **state)
{
	struct flaws l = {0};
	char name[FLAWS_NAME];

	(void)state;
	add(&l, AUDIT_UNREADABLE, "host-1", 5, 0xaa);
	assert_true(flaws_is_at(&l.x[0], "host-1/000000000005"));
	assert_false(flaws_is_at(&l.x[0], "host-1/00000000000"));
	assert_false(flaws_is_at(&l.x[0], ""));
	strcpy(name, l.x[0].name);
	assert_int_equal(flaws_until(&l), INT64_MAX);
	/* Of another writer, behind it in the walk; one that failed; another
	 * action. */
	take(&l, "host-2", FLAWS_ACTION, 1, name, 100);
	take(&l, "host-2", "verify", 0, name, 100);
	flaws_settle(&l);
	assert_false(flaws_trail_whole(&l));
	take(&l, "host-2", FLAWS_ACTION, 0, name, 200);
	take(&l, "host-2", FLAWS_ACTION, 0, name, 300);
	flaws_settle(&l);
	assert_true(flaws_trail_whole(&l));
	assert_int_equal(l.n_accepted, 1);
	/* It may have been a record of what was before it was accepted. */
	assert_int_equal(flaws_until(&l), 200);
	add(&l, AUDIT_UNREADABLE, "host-1", 5, 0xab);
	flaws_settle(&l);
	assert_false(flaws_trail_whole(&l));
	assert_true(flaws_reports_whole(&l));
	flaws_free(&l);
}

static void
a_name_that_means_nothing_takes_nothing_from_the_trail(void **state)
{
	struct flaws l = {0};
	struct fault f = FAULT_INIT;

	(void)state;
	add(&l, AUDIT_STRAY, "", 0, 0);
	assert_int_equal(flaws_accept(&l, "", 1, &f), 0);
	flaws_settle(&l);
	assert_true(flaws_trail_whole(&l) && flaws_until(&l) == CLOCK_NONE);
	assert_true(l.x[0].accepted_us == CLOCK_NONE);
	flaws_free(&l);
}

static void
a_report_hands_on_what_is_gone_until_it_is_accepted(void **state)
{
	const unsigned char hash[AUDIT_HASH] = {7};
	struct flaws l = {0}, next = {0};
	struct fault f = FAULT_INIT;
	struct json *j, *list;
	size_t n;

	(void)state;
	add(&l, AUDIT_CUT, "host-1", 9, 1);
	add(&l, AUDIT_CUT, "host-2", 4, 2);
	assert_int_equal(flaws_add_report(&l, FLAWS_REPORT,
			     "20261122T020000Z-1a2b3c4d", hash, "x", &f),
	    0);
	take(&l, "host-3", FLAWS_ACTION, 0, l.x[0].name, 50);
	flaws_settle(&l);
	assert_false(flaws_reports_whole(&l));
	assert_int_equal(json_new(&j, &f), 0);
	assert_int_equal(flaws_put(&l, j, &f), 0);
	assert_int_equal(json_get_array(j, "audit_lost", &list, &n, &f), 0);
	assert_int_equal(n, 1);
	assert_int_equal(flaws_recall(&next, j, &f), 0);
	assert_int_equal(next.n_accepted, 1);
	assert_int_equal(flaws_until(&next), 50);
	add(&next, AUDIT_CUT, "host-1", 9, 1);
	flaws_settle(&next);
	assert_true(flaws_trail_whole(&next));
	json_free(j);
	flaws_free(&l);
	flaws_free(&next);
}

/* So many that nobody reads them: memory stays bounded, and nothing is taken
 * for whole. */
static void
flaws_without_end_are_not_taken_for_none(void **state)
{
	struct flaws l = {0};
	struct fault f = FAULT_INIT;

	(void)state;
	for (uint64_t i = 1; i <= FLAWS_MAX + 1; i++)
		add(&l, AUDIT_MISSING, "host-1", i, 0);
	for (size_t i = 0; i < l.n; i++)
		assert_int_equal(flaws_accept(&l, l.x[i].name, 1, &f), 0);
	flaws_settle(&l);
	assert_int_equal(l.n, FLAWS_MAX);
	assert_false(flaws_trail_whole(&l) || flaws_reports_whole(&l));
	assert_int_equal(flaws_until(&l), INT64_MAX);
	flaws_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_accepted_is_that_flaw_and_no_other),
	    cmocka_unit_test(
		a_name_that_means_nothing_takes_nothing_from_the_trail),
	    cmocka_unit_test(
		a_report_hands_on_what_is_gone_until_it_is_accepted),
	    cmocka_unit_test(flaws_without_end_are_not_taken_for_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
