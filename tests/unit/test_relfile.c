#include "unit.h"

#include "relfile.h"

static void
names_of_relations_are_read(void **state)
{
	static const struct {
		const char *name;
		struct relfile want;
	} rows[] = {
	    {"16384", {16384, RELFILE_MAIN, 0, false}},
	    {"1", {1, RELFILE_MAIN, 0, false}},
	    {"4294967295", {4294967295U, RELFILE_MAIN, 0, false}},
	    {"16384.1", {16384, RELFILE_MAIN, 1, false}},
	    {"16384.131072", {16384, RELFILE_MAIN, 131072, false}},
	    {"16384_fsm", {16384, RELFILE_FSM, 0, false}},
	    {"16384_vm", {16384, RELFILE_VM, 0, false}},
	    {"16384_vm.2", {16384, RELFILE_VM, 2, false}},
	    {"16384_init", {16384, RELFILE_INIT, 0, false}},
	    {"t3_16384", {16384, RELFILE_MAIN, 0, true}},
	    {"t0_16384_fsm", {16384, RELFILE_FSM, 0, true}},
	    {"t12_16384.7", {16384, RELFILE_MAIN, 7, true}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct relfile r = {0};

		assert_true(relfile_parse(rows[i].name, &r));
		assert_int_equal(r.number, rows[i].want.number);
		assert_int_equal(r.fork, rows[i].want.fork);
		assert_int_equal(r.segment, rows[i].want.segment);
		assert_true(r.temporary == rows[i].want.temporary);
	}
}

static void
other_names_are_no_relations(void **state)
{
	static const char *const names[] = {"", "0", "01", "16384_", "16384.",
	    "16384.0", "16384.01", "16384_main", "16384_fsm_vm", "16384.1_fsm",
	    "16384 ", " 16384", "-1", "4294967296", "99999999999999999999",
	    "t16384", "t_16384", "t3_", "t3_0", "3_16384", "T3_16384",
	    "pg_filenode.map", "PG_VERSION", "pg_internal.init", "16384.1.1",
	    "16384_vmx"};
	struct relfile r;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_false(relfile_parse(names[i], &r));
}

static void
an_oid_is_digits_alone(void **state)
{
	uint32_t oid = 0;

	(void)state;
	assert_true(relfile_oid("16384", &oid));
	assert_int_equal(oid, 16384);
	assert_false(relfile_oid("16384_fsm", &oid));
	assert_false(relfile_oid("0", &oid));
	assert_false(relfile_oid("", &oid));
	assert_false(relfile_oid("pgsql_tmp", &oid));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_of_relations_are_read),
	    cmocka_unit_test(other_names_are_no_relations),
	    cmocka_unit_test(an_oid_is_digits_alone),
	};

	return cmocka_run_group_tests_name("relfile", tests, NULL, NULL);
}
