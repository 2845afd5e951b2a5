#include "store_contract.h"

#include <limits.h>

#include "store_memory.h"

static int
setup(void **state)
{
	struct contract *c = calloc(1, sizeof(*c));
	struct fault f = FAULT_INIT;

	*state = c;
	return store_open_memory(&c->s, &f);
}

static int
teardown(void **state)
{
	struct contract *c = *state;

	store_free(c->s);
	free(c);
	return 0;
}

static void
puts_fail_as_planned(void **state)
{
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;

	contract_put(s, "a/0", "0");
	store_memory_plan(s, &(struct store_memory_plan){.op = STORE_MEMORY_PUT,
				 .key = "a/",
				 .skip = 1,
				 .times = 1,
				 .code = FAULT_AGAIN});
	store_memory_plan(s, &(struct store_memory_plan){.op = STORE_MEMORY_PUT,
				 .key = "b/",
				 .times = 1,
				 .code = FAULT_AGAIN,
				 .after = true});
	contract_put(s, "a/1", "one");
	contract_put(s, "c", "c");
	assert_fault(store_put(s, "a/2", "x", 1, NULL, &f), FAULT_AGAIN, f);
	contract_absent(s, "a/2");
	contract_put(s, "a/2", "12345");
	assert_fault(store_put(s, "b/1", "x", 1, NULL, &f), FAULT_AGAIN, f);
	assert_fault(store_put(s, "b/1", "x", 1, NULL, &f), FAULT_EXISTS, f);
}

/* Of what they give, as much as was planned comes before the fault. */
static void
plan_reads(struct store *s)
{
	store_memory_plan(s, &(struct store_memory_plan){.op = STORE_MEMORY_GET,
				 .times = 1,
				 .code = FAULT_AGAIN,
				 .deliver = 3});
	store_memory_plan(
	    s, &(struct store_memory_plan){.op = STORE_MEMORY_LIST,
		   .times = 1,
		   .code = FAULT_DENIED,
		   .deliver = 1});
	store_memory_plan(
	    s, &(struct store_memory_plan){.op = STORE_MEMORY_DELETE,
		   .times = UINT_MAX,
		   .code = FAULT_DENIED});
}

static void
reads_and_deletions_fail_as_planned(void **state)
{
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	struct buf b = BUF_INIT(100);
	struct contract_listing l = {"", 0, 0};
	struct contract_deleted d = {{0}, 0};
	const char *key = "a/2";

	contract_put(s, "a/0", "0");
	contract_put(s, key, "12345");
	plan_reads(s);
	store_memory_forget(s);
	contract_expect(s, key, "12345", 5);
	store_memory_forget(s);
	plan_reads(s);
	assert_fault(
	    store_get(s, key, 0, UINT64_MAX, buf_sink, &b, NULL, NULL, &f),
	    FAULT_AGAIN, f);
	assert_int_equal(b.len, 3);
	buf_free(&b);
	contract_expect(s, key, "12345", 5);
	assert_fault(
	    store_list(s, "", false, NULL, contract_listed, &l, NULL, &f),
	    FAULT_DENIED, f);
	assert_string_equal(l.text, "a/0|");
	assert_ok(
	    store_delete(s, &key, 1, contract_note_deleted, &d, NULL, &f), f);
	assert_int_equal(d.bad, 1);
	contract_expect(s, key, "12345", 5);
	assert_int_equal(store_memory_count(s, STORE_MEMORY_LIST), 1);
	assert_int_equal(store_memory_count(s, STORE_MEMORY_GET), 3);
	assert_int_equal(store_memory_count(s, STORE_MEMORY_PUT), 0);
}

static void
damage_is_done_as_asked(void **state)
{
	struct store *s = contract_of(state)->s;

	contract_put(s, "k", "abc");
	assert_int_equal(store_memory_flip(s, "k", 1, 1), 0);
	contract_expect(s, "k", "acc", 3);
	assert_int_equal(store_memory_flip(s, "k", 3, 1), -1);
	assert_int_equal(store_memory_resize(s, "k", 2), 0);
	contract_expect(s, "k", "ac", 2);
	assert_int_equal(store_memory_resize(s, "k", 4), 0);
	contract_expect(s, "k", "ac\0\0", 4);
	assert_int_equal(store_memory_replace(s, "k", "new", 3), 0);
	contract_expect(s, "k", "new", 3);
	assert_int_equal(store_memory_objects(s), 1);
	assert_int_equal(store_memory_drop(s, "k"), 0);
	contract_absent(s, "k");
	assert_int_equal(store_memory_drop(s, "k"), -1);
	assert_int_equal(store_memory_resize(s, "k", 1), -1);
}

static void
clones_share_the_objects_to_the_last(void **state)
{
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	struct store *c;

	contract_put(s, "k", "abc");
	assert_ok(store_clone(&c, s, &f), f);
	store_free(s);
	contract_of(state)->s = c;
	contract_expect(c, "k", "abc", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CONTRACT_TESTS(setup, teardown),
	    cmocka_unit_test_setup_teardown(
		puts_fail_as_planned, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		reads_and_deletions_fail_as_planned, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		damage_is_done_as_asked, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		clones_share_the_objects_to_the_last, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
