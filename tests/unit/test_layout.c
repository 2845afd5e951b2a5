#include "unit.h"

#include "layout.h"

#define ID "20261122T020000Z-full-1a2b3c4d"

static void
each_kind_of_wal_file_has_one_computed_name(void **state)
{
	static const struct {
		const char *name;
		const char *key;
	} rows[] = {
	    {"0000000A00000012000000FE",
		"main/7301234567890123456/wal/0000000A/0000000A00000012/"
		"0000000A00000012000000FE"},
	    {"0000000A00000012000000FE.partial",
		"main/7301234567890123456/wal/0000000A/0000000A00000012/"
		"0000000A00000012000000FE.partial"},
	    {"0000000A00000012000000FE.00000028.backup",
		"main/7301234567890123456/wal/0000000A/0000000A00000012/"
		"0000000A00000012000000FE.00000028.backup"},
	    {"0000000A.history",
		"main/7301234567890123456/wal/0000000A/0000000A.history"},
	};
	char key[LAYOUT_KEY];
	struct walname n;
	struct fault f = FAULT_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(walname_parse(rows[i].name, &n, &f), 0);
		assert_int_equal(layout_wal("main", 7301234567890123456,
				     rows[i].name, &n, key, &f),
		    0);
		assert_string_equal(key, rows[i].key);
	}
	assert_int_equal(layout_wal_folder("main", 1, &n, key, &f), 0);
	assert_int_equal(layout_wal_prefix("main", UINT64_MAX, key, &f), 0);
	assert_string_equal(key, "main/18446744073709551615/wal/");
	assert_int_equal(layout_mark("main", 1, key, &f), 0);
	assert_string_equal(key, "main/1/archive");
}

static void
holds_and_prunings_have_computed_names(void **state)
{
	char key[LAYOUT_KEY], id[LAYOUT_ID];
	struct fault f = FAULT_INIT;

	(void)state;
	layout_new_hold(0, 0x1a2b3c4d, id);
	assert_string_equal(id, "19700101T000000Z-1a2b3c4d");
	assert_int_equal(layout_hold("main", 5, id, "placed", key, &f), 0);
	assert_string_equal(
	    key, "main/5/hold/19700101T000000Z-1a2b3c4d/placed");
	assert_int_equal(layout_prune("main", 5, id, "begun", key, &f), 0);
	assert_string_equal(
	    key, "main/5/prune/19700101T000000Z-1a2b3c4d/begun");
	assert_int_equal(layout_hold_name(id, "placed", key, &f), 0);
	assert_string_equal(key, "19700101T000000Z-1a2b3c4d/placed");
	assert_int_equal(layout_hold_prefix("main", 5, key, &f), 0);
	assert_string_equal(key, "main/5/hold/");
	assert_int_equal(
	    layout_hold("main", 5, "../x", "placed", key, &f), FAULT_CONFIG);
	assert_int_equal(
	    layout_check_hold("19700101T000000Z-1a2b3c4d0", &f), FAULT_CONFIG);
	assert_int_equal(layout_check_hold(ID, &f), FAULT_CONFIG);
}

static void
a_backups_objects_have_computed_names(void **state)
{
	char key[LAYOUT_KEY], what[16];
	struct fault f = FAULT_INIT;

	(void)state;
	layout_pack(1, what);
	assert_string_equal(what, "pack/00000001");
	assert_int_equal(layout_base("main", 5, ID, what, key, &f), 0);
	assert_string_equal(key, "main/5/base/" ID "/pack/00000001");
	assert_int_equal(layout_base_name(ID, "head", key, &f), 0);
	assert_string_equal(key, ID "/head");
	assert_int_equal(layout_base_prefix("main", 5, key, &f), 0);
	assert_string_equal(key, "main/5/base/");
	layout_pack(UINT32_MAX, what);
	assert_string_equal(what, "pack/4294967295");
}

static void
a_name_that_could_leave_its_cluster_is_refused(void **state)
{
	static const char *const bad[] = {"", ".", "..", ".x", "a/b", "/"};
	char key[LAYOUT_KEY], longest[LAYOUT_KEY + 1];
	struct fault f = FAULT_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(layout_mark(bad[i], 1, key, &f), FAULT_CONFIG);
	memset(longest, 'x', sizeof(longest));
	longest[LAYOUT_KEY] = '\0';
	assert_int_equal(layout_mark(longest, 1, key, &f), FAULT_CONFIG);
}

static void
ids_sort_by_start_and_others_are_refused(void **state)
{
	static const char *const bad[] = {"", "latest", ID "0", ID "/x",
	    "20261122T020000Z-full-1A2B3C4D", "20261122T020000Z-log-1a2b3c4d",
	    "20261122T020000Z-fullx1a2b3c4d", "../../../../../../etc/passwd",
	    "20261122 020000Z-full-1a2b3c4d", "20261122T020000Z-full-1a2b3c4"};
	char a[LAYOUT_ID], b[LAYOUT_ID];
	struct fault f = FAULT_INIT;

	(void)state;
	layout_new_id(1795312800000000, "full", 0x1a2b3c4d, a);
	assert_string_equal(a, ID);
	layout_new_id(1795312801000000, "diff", 0, b);
	assert_true(strcmp(a, b) < 0);
	assert_int_equal(layout_check_id(a, &f), 0);
	assert_int_equal(layout_check_id(b, &f), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(layout_check_id(bad[i], &f), FAULT_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_kind_of_wal_file_has_one_computed_name),
	    cmocka_unit_test(a_backups_objects_have_computed_names),
	    cmocka_unit_test(holds_and_prunings_have_computed_names),
	    cmocka_unit_test(a_name_that_could_leave_its_cluster_is_refused),
	    cmocka_unit_test(ids_sort_by_start_and_others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
