#ifndef STORE_CONTRACT_H
#define STORE_CONTRACT_H

/*
 * What store.h promises of every kind of store: one table of tests, run over
 * each.
 */

#include "store_contract_keys.h"
#include "store_contract_objects.h"

#define contract_test(name, setup, teardown)                                   \
	{                                                                      \
#name, contract_##name, setup, teardown, NULL                  \
	}
#define CONTRACT_TESTS(setup, teardown)                                        \
	contract_test(what_was_put_comes_back, setup, teardown),               \
	    contract_test(a_taken_name_keeps_its_content, setup, teardown),    \
	    contract_test(what_only_we_can_have_put_is_ours, setup, teardown), \
	    contract_test(ranges, setup, teardown),                            \
	    contract_test(keys_are_checked, setup, teardown),                  \
	    contract_test(lists_in_byte_order, setup, teardown),               \
	    contract_test(lists_one_level, setup, teardown),                   \
	    contract_test(deletes_tell_each_key, setup, teardown),             \
	    contract_test(uploads_show_only_when_committed, setup, teardown),  \
	    contract_test(the_sinks_fault_ends_a_get, setup, teardown),        \
	    contract_test(a_passed_deadline_is_again, setup, teardown),        \
	    contract_test(one_of_many_puts_wins, setup, teardown)

#endif
