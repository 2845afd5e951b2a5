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
	assert_int_equal(layout_wal_prefix("main", UINT64_MAX, key, &f), 0);
	assert_string_equal(key, "main/18446744073709551615/wal/");
	assert_int_equal(layout_mark("main", 1, key, &f), 0);
	assert_string_equal(key, "main/1/archive");
}

static void
holds_have_computed_names(void **state)
{
	char key[LAYOUT_KEY], id[LAYOUT_ID];
	struct fault f = FAULT_INIT;

	(void)state;
	layout_new_hold(0, 0x1a2b3c4d, id);
	assert_string_equal(id, "19700101T000000Z-1a2b3c4d");
	assert_int_equal(layout_hold("main", 5, id, "placed", key, &f), 0);
	assert_string_equal(
	    key, "main/5/hold/19700101T000000Z-1a2b3c4d/placed");
	assert_int_equal(layout_verify("main", 5, id, key, &f), 0);
	assert_string_equal(
	    key, "main/5/verify/19700101T000000Z-1a2b3c4d/report");
	assert_int_equal(layout_verify_prefix("main", 5, key, &f), 0);
	assert_string_equal(key, "main/5/verify/");
	assert_int_equal(layout_verify("main", 5, "x", key, &f), FAULT_CONFIG);
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
each_host_makes_a_writer_and_each_record_has_a_computed_name(void **state)
{
	static const struct {
		const char *host;
		const char *writer;
	} rows[] = {
	    {"db1.example.com", "db1.example.com-0000001f"},
	    {"", "host-0000001f"},
	    {".hidden", "-hidden-0000001f"},
	    {"a/b c\xff", "a-b-c--0000001f"},
	    {"0123456789012345678901234567890123456789012345678901234567890123"
	     "456789",
		"012345678901234567890123456789012345678901234567890123456789"
		"012-0000001f"},
	};
	static const char *const wrong[] = {"", "x", "x/1", "x-0000001f/1",
	    "x-0000001f/000000000000", "-0000001f/000000000001",
	    ".x-0000001f/000000000001", "x-0000001F/000000000001",
	    "x-0000001f/0000000000001", "x-0000001f/000000000001/x",
	    "x y-0000001f/000000000001"};
	char key[LAYOUT_KEY], name[LAYOUT_KEY], writer[LAYOUT_WRITER];
	struct fault f = FAULT_INIT;
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		layout_new_writer(rows[i].host, 31, writer);
		assert_string_equal(writer, rows[i].writer);
		assert_int_equal(layout_check_writer(writer, &f), 0);
		assert_int_equal(
		    layout_audit_name(writer, 999999999999, name, &f), 0);
		assert_int_equal(layout_audit_parse(name, writer, &n, &f), 0);
		assert_string_equal(writer, rows[i].writer);
		assert_true(n == 999999999999);
	}
	assert_int_equal(layout_audit("main", 5, "a-0000001f", 7, key, &f), 0);
	assert_string_equal(key, "main/5/audit/a-0000001f/000000000007");
	assert_int_equal(layout_audit_prefix("main", 5, key, &f), 0);
	assert_string_equal(key, "main/5/audit/");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(layout_audit_parse(wrong[i], writer, &n, &f),
		    FAULT_CORRUPT);
	assert_int_equal(
	    layout_audit("main", 5, "a-0000001f", 0, key, &f), FAULT_CONFIG);
	assert_int_equal(
	    layout_audit("main", 5, "a-0000001f", 1000000000000, key, &f),
	    FAULT_CONFIG);
	assert_int_equal(
	    layout_audit("main", 5, "..", 1, key, &f), FAULT_CONFIG);
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
	    cmocka_unit_test(
		each_host_makes_a_writer_and_each_record_has_a_computed_name),
	    cmocka_unit_test(a_backups_objects_have_computed_names),
	    cmocka_unit_test(holds_have_computed_names),
	    cmocka_unit_test(a_name_that_could_leave_its_cluster_is_refused),
	    cmocka_unit_test(ids_sort_by_start_and_others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
