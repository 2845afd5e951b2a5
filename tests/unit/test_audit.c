/* The audit trail: a chain that goes on whatever happens to its writer. */
#include "audit_world.h"

#include <unistd.h>

/* ---- the chain ---- */

static void
records_make_one_chain_in_which_nothing_is_wrong(void **state)
{
	struct audit_event e = AUDIT_EVENT("backup");
	const struct audit_pair details[] = {
	    {"first", "1"}, {"empty", NULL}, {"odd", "a\nb\xff\xc3\xbc"}};
	struct fault f = FAULT_INIT, why = FAULT_INIT;
	struct audit *a;

	(void)state;
	check(0);
	assert_int_equal(seen.heads, 0);
	assert_int_equal(audit_open(&a, repo, 0, "unit", &f), 0);
	e.object = "20261122T020000Z-full-1a2b3c4d";
	e.reason = "why";
	e.approved_by = "who";
	e.details = details;
	e.n_details = 3;
	assert_int_equal(audit_begin(a, &e, &never, &f), 0);
	assert_string_equal(audit_remark(a), "");
	check(0);
	assert_int_equal(seen.last.phase, AUDIT_BEGUN);
	assert_int_equal(seen.last.status, -1);
	assert_true(seen.last.bytes == AUDIT_UNKNOWN);
	e.bytes = UINT64_MAX - 1;
	e.checksum = "sha256:00";
	fault_set(&why, FAULT_AGAIN, "the server is gone");
	assert_int_equal(audit_end(a, &e, 4, &why, &never, &f), 0);
	check(0);
	assert_int_equal(seen.records, 2);
	assert_int_equal(seen.heads, 1);
	assert_int_equal(seen.head[0].sequence, 2);
	assert_int_equal(seen.last.phase, AUDIT_ENDED);
	assert_int_equal(seen.last.status, 4);
	assert_true(seen.last.duration_ms >= 0);
	assert_true(seen.last.bytes == UINT64_MAX - 1);
	assert_int_equal(seen.last.pid, getpid());
	assert_string_equal(seen.last.message, "the server is gone");
	assert_string_equal(seen.last.reason, "why");
	assert_string_equal(seen.last.approved_by, "who");
	assert_int_equal(layout_check_hold(seen.last.operation, &f), 0);
	assert_int_equal(seen.last.n_details, 3);
	assert_string_equal(seen.last.details[1].value, "");
	assert_string_equal(seen.last.details[2].value, "a?b?\xc3\xbc");
	audit_free(a);
	write_many(3);
	check(0);
	assert_string_equal(seen.objects, "20261122T020000Z-full-1a2b3c4d "
					  "20261122T020000Z-full-1a2b3c4d "
					  "1 2 3 ");
}

static void
a_host_that_cannot_read_goes_on_with_its_chain(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/recipient", dir);
	open_with(path);
	write_many(3);
	assert_int_equal(check_with(NULL, 0, false), FAULT_KEY);
	open_with(secret_key);
	write_many(1);
	check(0);
	assert_int_equal(seen.heads, 1);
	assert_int_equal(seen.head[0].sequence, 4);
}

static void
two_clusters_have_two_chains(void **state)
{
	const struct conf_cluster *c = repo_conf(repo);
	struct fault f = FAULT_INIT;

	(void)state;
	write_many(2);
	repo_free(repo);
	assert_int_equal(repo_open(&repo, c, 5, &f), 0);
	write_many(1);
	check(0);
	assert_int_equal(seen.head[0].sequence, 1);
}

/* ---- lost and stale states ---- */

static void
a_lost_state_begins_a_new_writer_which_says_so(void **state)
{
	char path[512], remark[AUDIT_TEXT];

	(void)state;
	write_many(2);
	state_path(path);
	assert_int_equal(unlink(path), 0);
	write_many(2);
	write_file(path, "{}", 2);
	assert_int_equal(write_one("x", remark), 0);
	assert_non_null(strstr(remark, "is damaged"));
	check(0);
	assert_int_equal(seen.heads, 3);
	for (size_t k = 0, firsts = 0; k < seen.records; k++) {
		firsts += seen.began[k][0] != '\0';
		assert_true(k + 1 < seen.records || firsts == 3);
	}
}

static void
a_state_of_long_ago_begins_a_new_writer(void **state)
{
	char path[512], remark[AUDIT_TEXT];
	struct fault f = FAULT_INIT;
	unsigned char *text;
	size_t len;

	(void)state;
	write_many(2);
	state_path(path);
	assert_int_equal(fdio_slurp(path, 1 << 20, &text, &len, &f), 0);
	write_many(2);
	write_file(path, (const char *)text, len);
	free(text);
	assert_int_equal(write_one("x", remark), 0);
	assert_non_null(strstr(remark, "taken by another"));
	write_many(1);
	check(0);
	assert_int_equal(seen.heads, 2);
	assert_int_equal(seen.records, 6);
}

static void
a_state_of_another_host_is_not_gone_on_with(void **state)
{
	struct audit_state s = {.writer = "other-00000000", .sequence = 7};
	char path[512], remark[AUDIT_TEXT];
	struct fault f = FAULT_INIT;

	(void)state;
	write_many(1);
	state_path(path);
	assert_int_equal(audit_state_save(path, &s, &f), 0);
	assert_int_equal(write_one("x", remark), 0);
	assert_non_null(strstr(remark, "another host's"));
	check(0);
	assert_int_equal(seen.heads, 2);
}

static void
without_a_place_for_the_state_records_are_written_all_the_same(void **state)
{
	struct audit_event e = AUDIT_EVENT("test");
	struct fault f = FAULT_INIT;
	struct audit *a;

	(void)state;
	/* A file where the folder should be: also for root. */
	assert_int_equal(rmdir(spool), 0);
	write_file(spool, "", 0);
	assert_int_equal(audit_open(&a, repo, 0, "unit", &f), 0);
	assert_int_equal(audit_begin(a, &e, &never, &f), 0);
	assert_non_null(strstr(audit_remark(a), "a new writer"));
	assert_int_equal(audit_end(a, &e, 0, NULL, &never, &f), 0);
	audit_free(a);
	check(0);
	assert_int_equal(seen.heads, 1);
	assert_int_equal(seen.head[0].sequence, 2);
	write_many(1);
	check(0);
	assert_int_equal(seen.heads, 2);
}

/* ---- puts that fail ---- */

/* Nothing is wrong with the one chain, and these are its records. */
static void
one_chain_of(const char *objects)
{
	check(0);
	assert_int_equal(seen.heads, 1);
	assert_string_equal(seen.objects, objects);
}

/* The next puts fail so, and a record is written. */
static void
put_fails(const char *object, enum fault_code code, bool after, int want)
{
	plan(1, code, after);
	assert_int_equal(write_one(object, NULL), want);
}

static void
a_record_that_arrived_unseen_is_part_of_the_chain(void **state)
{
	(void)state;
	write_many(1);
	put_fails("unseen", FAULT_AGAIN, true, FAULT_AGAIN);
	write_many(1);
	one_chain_of("1 unseen 1 ");
}

static void
an_answer_that_was_lost_makes_no_second_record(void **state)
{
	(void)state;
	put_fails("first", FAULT_EXISTS, true, 0);
	put_fails("second", FAULT_EXISTS, true, 0);
	put_fails("third", FAULT_AGAIN, true, FAULT_AGAIN);
	put_fails("fourth", FAULT_EXISTS, false, 0);
	one_chain_of("first second third fourth ");
}

/* The name of the pending record is taken, and the store fails when it is asked
 * by whom: that is no answer. */
static void
who_cannot_ask_now_asks_later(void **state)
{
	(void)state;
	write_many(1);
	plan(1, FAULT_AGAIN, true);
	assert_int_equal(write_one("unseen", NULL), FAULT_AGAIN);
	plan(1, FAULT_EXISTS, false);
	fail_gets = 1;
	get_code = FAULT_AGAIN;
	assert_int_equal(write_one("not yet", NULL), FAULT_AGAIN);
	assert_int_equal(write_one("next", NULL), 0);
	check(0);
	assert_string_equal(seen.objects, "1 unseen next ");
	/* The same with the record's own name. */
	plan(1, FAULT_EXISTS, true);
	fail_gets = 1;
	assert_int_equal(write_one("own", NULL), FAULT_AGAIN);
	/* Who may not read takes it for his. */
	fail_gets = 1;
	get_code = FAULT_DENIED;
	assert_int_equal(write_one("last", NULL), 0);
	check(0);
	assert_int_equal(seen.heads, 1);
	assert_string_equal(seen.objects, "1 unseen next own last ");
}

static void
a_record_that_did_not_arrive_is_sent_again(void **state)
{
	(void)state;
	plan(3, FAULT_AGAIN, false);
	assert_int_equal(write_one("first", NULL), FAULT_AGAIN);
	assert_int_equal(write_one("lost", NULL), FAULT_AGAIN);
	assert_int_equal(write_one("lost", NULL), FAULT_AGAIN);
	assert_int_equal(write_one("second", NULL), 0);
	one_chain_of("first second ");
}

static void
a_record_that_was_refused_leaves_no_gap(void **state)
{
	(void)state;
	put_fails("refused", FAULT_DENIED, false, FAULT_DENIED);
	write_many(1);
	put_fails("refused", FAULT_DENIED, false, FAULT_DENIED);
	write_many(1);
	one_chain_of("1 1 ");
}

static void
a_number_that_another_took_while_ours_was_on_its_way(void **state)
{
	char one[256], two[256], remark[AUDIT_TEXT];

	(void)state;
	write_many(1);
	put_fails("late", FAULT_AGAIN, false, FAULT_AGAIN);
	path_of(1, one);
	path_of(2, two);
	assert_int_equal(link(one, two), 0);
	assert_int_equal(write_one("new", remark), 0);
	assert_non_null(strstr(remark, "taken by another"));
	check(1);
	assert_int_equal(seen.finding[0].flaw, AUDIT_UNREADABLE);
	assert_int_equal(seen.heads, 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(records_make_one_chain_in_which_nothing_is_wrong),
	    T(a_host_that_cannot_read_goes_on_with_its_chain),
	    T(two_clusters_have_two_chains),
	    T(a_lost_state_begins_a_new_writer_which_says_so),
	    T(a_state_of_long_ago_begins_a_new_writer),
	    T(a_state_of_another_host_is_not_gone_on_with),
	    T(without_a_place_for_the_state_records_are_written_all_the_same),
	    T(a_record_that_arrived_unseen_is_part_of_the_chain),
	    T(an_answer_that_was_lost_makes_no_second_record),
	    T(who_cannot_ask_now_asks_later),
	    T(a_record_that_did_not_arrive_is_sent_again),
	    T(a_record_that_was_refused_leaves_no_gap),
	    T(a_number_that_another_took_while_ours_was_on_its_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
