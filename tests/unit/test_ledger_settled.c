/* A pruning that named a backup and did not delete it. */
#include "ledger.h"
#include "unit.h"

#define A "20260101T020000Z-full-00000001"
#define B "20260102T020000Z-full-00000002"
#define DAY (86400 * INT64_C(1000000))
#define NOW INT64_C(1767960000000000) /* 2026-01-09 12:00 */

static void
prune(struct ledger *l, enum audit_phase phase, const char *what, int64_t at_us)
{
	struct audit_record r = {
	    .action = "prune", .phase = phase, .at_us = at_us, .n_details = 2};
	struct fault f = FAULT_INIT;

	layout_new_hold(at_us, 1, r.operation);
	strcpy(r.details[0].name, LEDGER_COUNT);
	strcpy(r.details[0].value, "1");
	strcpy(r.details[1].name, what);
	strcpy(r.details[1].value, A);
	assert_int_equal(ledger_take(l, &r, &f), 0);
}

static bool
misses(struct ledger *l, const char *id)
{
	const struct ledger_backup *b;

	ledger_settle(l);
	b = ledger_find(l, id);
	return b != NULL && ledger_misses(b);
}

/* A report of that moment, at which A and B were there. */
static struct json *
report(struct ledger *l, int64_t now_us)
{
	struct fault f = FAULT_INIT;
	struct json *j;

	assert_int_equal(ledger_there(l, A, 10, 1, &f), 0);
	assert_int_equal(ledger_there(l, B, 20, 1, &f), 0);
	ledger_settle(l);
	assert_int_equal(json_new(&j, &f), 0);
	assert_int_equal(json_put_i64(j, "begun_us", now_us, &f), 0);
	assert_int_equal(ledger_put(l, now_us, j, &f), 0);
	ledger_free(l);
	return j;
}

static void
recall(struct ledger *l, const struct json *j, bool instead)
{
	struct fault f = FAULT_INIT;

	ledger_begin(l);
	assert_int_equal(ledger_recall(l, j, instead, &f), 0);
}

static void
test_killed(void **state)
{
	struct ledger l;
	struct json *j, *next;

	(void)state;
	ledger_begin(&l);
	prune(&l, AUDIT_BEGUN, LEDGER_LET_GO, NOW - DAY / 2);
	j = report(&l, NOW);
	/* It may be deleting still. */
	recall(&l, j, true);
	assert_false(misses(&l, A));
	assert_true(misses(&l, B));
	next = report(&l, NOW + DAY);
	/* It was not. */
	recall(&l, next, true);
	assert_true(misses(&l, A));
	ledger_free(&l);
	recall(&l, next, false);
	prune(&l, AUDIT_BEGUN, LEDGER_LET_GO, NOW - DAY / 2);
	assert_true(misses(&l, A));
	/* The next one does. */
	prune(&l, AUDIT_BEGUN, LEDGER_LET_GO, NOW + DAY + 1);
	assert_false(misses(&l, A));
	ledger_free(&l);
	json_free(j);
	json_free(next);
}

/* One that could not delete counts neither now nor later, whichever of its
 * records a day ends between. */
static void
test_denied(void **state)
{
	struct ledger l;
	struct json *j;

	(void)state;
	ledger_begin(&l);
	prune(&l, AUDIT_BEGUN, LEDGER_LET_GO, NOW - 2 * DAY);
	prune(&l, AUDIT_ENDED, LEDGER_STAYED, NOW - 2 * DAY);
	j = report(&l, NOW);
	recall(&l, j, false);
	prune(&l, AUDIT_BEGUN, LEDGER_LET_GO, NOW - 2 * DAY);
	prune(&l, AUDIT_ENDED, LEDGER_STAYED, NOW - 2 * DAY);
	assert_true(misses(&l, A));
	prune(&l, AUDIT_BEGUN, LEDGER_LET_GO, NOW + 1);
	assert_false(misses(&l, A));
	ledger_free(&l);
	json_free(j);
}

/* What was given up stays so, and what was not known to be there counts. */
static void
test_forgotten(void **state)
{
	struct ledger l;
	struct json *j;

	(void)state;
	ledger_begin(&l);
	j = report(&l, NOW);
	recall(&l, j, false);
	prune(&l, AUDIT_BEGUN, LEDGER_FORGOT, NOW - 2 * DAY);
	assert_false(misses(&l, A));
	assert_true(misses(&l, B));
	ledger_free(&l);
	json_free(j);
}

/* A head that does not open was no backup's, so nobody misses it. */
static void
test_garbage(void **state)
{
	struct fault f = FAULT_INIT;
	struct ledger l;
	struct json *j;

	(void)state;
	ledger_begin(&l);
	assert_int_equal(ledger_there(&l, A, CLOCK_NONE, 0, &f), 0);
	ledger_settle(&l);
	assert_int_equal(json_new(&j, &f), 0);
	assert_int_equal(ledger_put(&l, NOW, j, &f), 0);
	ledger_free(&l);
	recall(&l, j, true);
	assert_false(misses(&l, A));
	ledger_free(&l);
	json_free(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_killed),
	    cmocka_unit_test(test_denied),
	    cmocka_unit_test(test_forgotten),
	    cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
