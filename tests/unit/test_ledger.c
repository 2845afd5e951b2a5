/* Which backups were finished, and which were let go. */
#include <stdio.h>

#include "ledger.h"
#include "unit.h"

#define A "20260101T020000Z-full-00000001"
#define B "20260102T020000Z-full-00000002"
#define C "20260103T020000Z-full-00000003"

static struct audit_record
record(const char *action, enum audit_phase phase, int64_t at_us)
{
	struct audit_record r = {.phase = phase, .at_us = at_us};

	strcpy(r.action, action);
	return r;
}

static void
detail(struct audit_record *r, const char *name, const char *value)
{
	strcpy(r->details[r->n_details].name, name);
	strcpy(r->details[r->n_details++].value, value);
}

static void
take(struct ledger *l, const struct audit_record *r)
{
	struct fault f = FAULT_INIT;

	assert_int_equal(ledger_take(l, r, &f), 0);
}

static void
finish(struct ledger *l, const char *id, int64_t at_us, int status)
{
	struct audit_record r = record("backup", AUDIT_ENDED, at_us);

	strcpy(r.object, id);
	r.status = status;
	take(l, &r);
}

static void
prune(
    struct ledger *l, enum audit_phase phase, const char *what, const char *ids)
{
	struct audit_record r = record("prune", phase, 1000);

	detail(&r, LEDGER_COUNT, "1");
	detail(&r, what, ids);
	take(l, &r);
}

static bool
misses(struct ledger *l, const char *id)
{
	const struct ledger_backup *b;

	ledger_settle(l);
	b = ledger_find(l, id);
	return b != NULL && ledger_misses(b);
}

static void
flaw_of(struct ledger *l, const struct audit_finding *x)
{
	struct fault f = FAULT_INIT;

	assert_int_equal(ledger_flaw(l, x, &f), 0);
}

static void
test_records(void **state)
{
	struct fault f = FAULT_INIT;
	struct ledger l;

	(void)state;
	ledger_begin(&l);
	ledger_settle(&l);
	assert_null(ledger_find(&l, A));
	finish(&l, A, 10, 0);
	finish(&l, B, 20, 1);
	finish(&l, "no id", 30, 0);
	assert_true(misses(&l, A));
	/* It was begun, and failed. */
	assert_false(misses(&l, B));
	assert_true(ledger_find(&l, B)->failed);
	assert_int_equal(l.n, 2);
	/* What is there is not missed, and says best when it ended. */
	assert_int_equal(ledger_there(&l, A, 9, 3, &f), 0);
	assert_false(misses(&l, A));
	assert_int_equal(ledger_find(&l, A)->stop_us, 9);
	assert_int_equal(ledger_find(&l, A)->timeline, 3);
	assert_int_equal(ledger_there(&l, A, CLOCK_NONE, 0, &f), 0);
	ledger_settle(&l);
	assert_int_equal(ledger_find(&l, A)->stop_us, 9);
	ledger_free(&l);
}

/* In whatever order the chains of several writers tell it. */
static void
test_let_go(void **state)
{
	struct ledger l;

	(void)state;
	ledger_begin(&l);
	prune(&l, AUDIT_BEGUN, LEDGER_LET_GO, A " " B);
	finish(&l, A, 10, 0);
	finish(&l, B, 20, 0);
	finish(&l, C, 30, 0);
	assert_false(misses(&l, A) || misses(&l, B));
	assert_true(misses(&l, C));
	/* One could not be deleted, so it was not let go. */
	prune(&l, AUDIT_ENDED, LEDGER_STAYED, B);
	assert_true(misses(&l, B));
	assert_false(misses(&l, A));
	prune(&l, AUDIT_BEGUN, LEDGER_LET_GO, B);
	assert_false(misses(&l, B));
	prune(&l, AUDIT_BEGUN, LEDGER_FORGOT, C);
	assert_false(misses(&l, C));
	assert_true(l.silent_us == CLOCK_NONE);
	ledger_free(&l);
}

static void
test_silent(void **state)
{
	struct audit_record r = record("prune", AUDIT_BEGUN, 25);
	struct ledger l;

	(void)state;
	ledger_begin(&l);
	take(&l, &r);
	assert_int_equal(l.silent_us, 25);
	r.at_us = 5;
	take(&l, &r);
	r.phase = AUDIT_ENDED;
	r.at_us = 99;
	take(&l, &r);
	assert_int_equal(l.silent_us, 25);
	ledger_free(&l);
}

/* What a report hands on, with the records behind it, tells the same as all
 * records. */
static void
test_report(void **state)
{
	struct fault f = FAULT_INIT;
	const struct audit_finding flaw = {
	    AUDIT_MISSING, "host-1", 1, 1, {0}, ""};
	struct ledger l, next;
	struct json *j;

	(void)state;
	ledger_begin(&l);
	finish(&l, A, 10, 0);
	finish(&l, B, 20, 0);
	finish(&l, C, 30, 0);
	/* A is gone; B is still there, though a pruning is about to delete it;
	 * C was taken. */
	prune(&l, AUDIT_BEGUN, LEDGER_LET_GO, A " " B);
	assert_int_equal(ledger_there(&l, B, 20, 1, &f), 0);
	ledger_settle(&l);
	assert_int_equal(json_new(&j, &f), 0);
	assert_int_equal(ledger_put(&l, 1000, j, &f), 0);
	assert_true(ledger_known(j));
	ledger_free(&l);

	ledger_begin(&next);
	assert_int_equal(ledger_recall(&next, j, true, &f), 0);
	assert_true(misses(&next, C));
	assert_null(ledger_find(&next, A));
	assert_false(misses(&next, B));
	prune(&next, AUDIT_ENDED, LEDGER_STAYED, B);
	assert_true(misses(&next, B));
	ledger_free(&next);

	/* Beside the records it adds what they do not tell, and no more. */
	ledger_begin(&next);
	prune(&next, AUDIT_BEGUN, LEDGER_LET_GO, A " " B);
	prune(&next, AUDIT_ENDED, LEDGER_STAYED, B);
	assert_int_equal(ledger_recall(&next, j, false, &f), 0);
	assert_true(misses(&next, B) && misses(&next, C));
	flaw_of(&next, &flaw);
	ledger_settle(&next);
	json_free(j);
	assert_int_equal(json_new(&j, &f), 0);
	assert_false(ledger_known(j));
	assert_int_equal(ledger_put(&next, 1000, j, &f), 0);
	assert_false(ledger_known(j));
	ledger_free(&next);
	json_free(j);
	assert_false(ledger_known(NULL));
}

#define MINUTE (60 * INT64_C(1000000))

/* A record that is missing may be the end of a backup that began before the
 * next record of that chain, and of no other. */
static void
test_flaws(void **state)
{
	const struct audit_finding missing = {
	    AUDIT_MISSING, "host-1", 4, 5, {0}, ""};
	const struct audit_finding other = {
	    AUDIT_MISSING, "host-2", 1, 1, {0}, ""};
	const struct audit_finding cut = {AUDIT_CUT, "host-1", 9, 9, {0}, ""};
	const struct audit_finding stray = {AUDIT_STRAY, "", 0, 0, {0}, ""};
	struct audit_record r = record("verify", AUDIT_DONE, 100 * MINUTE);
	struct ledger l;

	(void)state;
	ledger_begin(&l);
	flaw_of(&l, &stray);
	assert_true(ledger_whole(&l) && ledger_proves(&l, 0));
	flaw_of(&l, &missing);
	assert_false(ledger_whole(&l) || ledger_proves(&l, 900 * MINUTE));
	strcpy(r.writer, "host-0");
	take(&l, &r);
	assert_false(ledger_proves(&l, 900 * MINUTE));
	strcpy(r.writer, "host-1");
	take(&l, &r);
	assert_false(ledger_whole(&l) || ledger_proves(&l, 99 * MINUTE));
	assert_false(ledger_proves(&l, 104 * MINUTE));
	assert_true(ledger_proves(&l, 106 * MINUTE));
	/* The last records of that one are missing. */
	flaw_of(&l, &missing);
	flaw_of(&l, &other);
	strcpy(r.writer, "host-2");
	take(&l, &r);
	assert_false(ledger_proves(&l, 900 * MINUTE));
	ledger_free(&l);
	flaw_of(&l, &cut);
	take(&l, &r);
	assert_false(ledger_proves(&l, 900 * MINUTE));
	ledger_free(&l);
}

/* Ten thousand backups, of each three records: each takes room once. */
static void
test_many(void **state)
{
	struct ledger l;

	(void)state;
	ledger_begin(&l);
	for (int k = 0; k < 3; k++)
		for (unsigned i = 0; i < 10000; i++) {
			char id[LAYOUT_ID];

			snprintf(
			    id, sizeof id, "20260101T020000Z-full-%08x", i);
			if (k == 1)
				prune(&l, AUDIT_BEGUN, LEDGER_LET_GO, id);
			else
				finish(&l, id, i, 0);
		}
	assert_true(l.cap <= 32768);
	ledger_settle(&l);
	assert_int_equal(l.n, 10000);
	for (size_t i = 0; i < l.n; i++)
		assert_false(ledger_misses(&l.b[i]));
	ledger_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_records),
	    cmocka_unit_test(test_let_go),
	    cmocka_unit_test(test_silent),
	    cmocka_unit_test(test_report),
	    cmocka_unit_test(test_flaws),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
