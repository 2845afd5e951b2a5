/* What recovery has read is counted, in a file that others take over. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "repo_world.h"
#include "tally.h"

#define DAY TALLY_DAY_US
#define THEN INT64_C(1800000000000000)

static char home[96];

static int
setup(void **state)
{
	struct fault f = FAULT_INIT;
	const struct conf_cluster *c;

	(void)state;
	repo_world_dir("tally");
	snprintf(home, sizeof home, "%s/home", dir);
	assert_int_equal(mkdir(home, 0700), 0);
	c = repo_world_conf(SPOOL_REPO, dir, dir);
	return repo_open(&repo, c, 7, &f);
}

static int
teardown(void **state)
{
	(void)state;
	repo_world_close();
	(void)rmdir(home);
	return rmdir(dir);
}

static void
segment(struct tally *t, unsigned n, int64_t at)
{
	char name[WALNAME_SIZE];

	snprintf(name, sizeof name, "0000000100000000%08X", n);
	tally_add(t, name, 1 << 20, at);
}

static void
records_of_a_recovery_are_few(void **state)
{
	struct tally t;
	unsigned sums = 0;

	(void)state;
	tally_begin(&t, home, THEN, 1);
	assert_false(tally_is_due_at_end(&t, THEN));
	/* A worker that ends each minute, for ten days. */
	for (unsigned n = 0; n < 10 * 24 * 60; n++) {
		int64_t now = THEN + n * (DAY / (24 * 60));

		segment(&t, n, now);
		assert_false(tally_is_due(&t, now) && n == 0);
		if (!tally_is_due_at_end(&t, now))
			continue;
		sums++;
		tally_summed(&t, now, n);
	}
	assert_int_equal(sums, 10);
}

static void
a_worker_that_never_ends_sums_up_each_day(void **state)
{
	struct tally t;
	unsigned sums = 0;

	(void)state;
	tally_begin(&t, home, THEN, 1);
	for (unsigned n = 0; n < 10 * 24; n++) {
		int64_t now = THEN + n * (DAY / 24);

		segment(&t, n, now);
		if (!tally_is_due(&t, now))
			continue;
		sums++;
		assert_in_range(t.segments, 24, 25);
		tally_summed(&t, now, n);
	}
	assert_int_equal(sums, 9);
}

static void
what_is_counted_is_what_was_read(void **state)
{
	struct tally t, more;

	(void)state;
	tally_begin(&t, home, THEN, 1);
	tally_begin(&more, home, THEN, 2);
	tally_join(&t, &more);
	assert_int_equal(t.segments, 0);
	segment(&more, 5, THEN + 1);
	segment(&more, 6, THEN + 2);
	tally_join(&t, &more);
	segment(&t, 7, THEN + 3);
	assert_int_equal(t.segments, 3);
	assert_int_equal(t.bytes, 3 << 20);
	assert_string_equal(t.first, "000000010000000000000005");
	assert_string_equal(t.last, "000000010000000000000007");
	assert_int_equal(t.since_us, THEN + 1);
	tally_summed(&t, THEN + 4, 9);
	assert_int_equal(t.segments, 0);
	assert_string_equal(t.first, "");
	assert_string_not_equal(t.operation, t.recovery);
}

static void
a_clock_that_was_set_back_holds_nothing_up(void **state)
{
	struct tally t;

	(void)state;
	tally_begin(&t, home, THEN, 1);
	segment(&t, 1, THEN);
	tally_summed(&t, THEN, 2);
	segment(&t, 2, THEN);
	assert_true(tally_is_due(&t, THEN - DAY));
	assert_true(tally_is_due_at_end(&t, THEN - DAY));
	assert_true(tally_is_over(&t, THEN - 1));
}

static void
a_slot_is_read_as_it_was_written_or_not_at_all(void **state)
{
	unsigned char slot[TALLY_SIZE];
	struct tally t, u;

	(void)state;
	tally_begin(&t, home, THEN, 1);
	segment(&t, 1, THEN);
	t.begun = true;
	tally_encode(&t, slot);
	assert_int_equal(tally_decode(slot, sizeof slot, &u), 0);
	assert_memory_equal(&t, &u, sizeof t);
	assert_int_equal(tally_decode(slot, sizeof slot - 1, &u), -1);
	for (size_t i = 0; i < sizeof slot; i++) {
		slot[i] ^= 1;
		assert_int_equal(tally_decode(slot, sizeof slot, &u), -1);
		slot[i] ^= 1;
	}
}

static void
a_file_is_one_counter_s_and_the_next_ones_after_it(void **state)
{
	struct tally_file x = TALLY_FILE_INIT, y = TALLY_FILE_INIT;
	struct fault f = FAULT_INIT;
	struct tally t, u;
	bool found = true;

	(void)state;
	assert_int_equal(tally_open(&x, repo, home, &t, &found, &f), 0);
	assert_false(found);
	assert_int_equal(
	    tally_open(&y, repo, home, &u, &found, &f), FAULT_EXISTS);
	tally_begin(&t, home, THEN, 1);
	segment(&t, 1, THEN);
	tally_save(&x, &t);
	tally_close(&x);
	assert_int_equal(tally_open(&y, repo, home, &u, &found, &f), 0);
	assert_true(found);
	assert_memory_equal(&t, &u, sizeof t);
	tally_remove(&y);
	/* The name is another file's now, and so is the lock. */
	assert_int_equal(tally_open(&x, repo, home, &t, &found, &f), 0);
	assert_false(found);
	tally_remove(&x);
	tally_close(&x);
	tally_close(&y);
}

static void
collect(void *ctx, const struct tally *t)
{
	*(uint64_t *)ctx += t->segments;
}

static void
what_nobody_goes_on_with_is_found(void **state)
{
	struct tally_file x = TALLY_FILE_INIT;
	struct fault f = FAULT_INIT;
	uint64_t seen = 0;
	struct tally t;
	bool found;

	(void)state;
	assert_int_equal(tally_open(&x, repo, home, &t, &found, &f), 0);
	tally_begin(&t, home, THEN, 1);
	segment(&t, 1, THEN);
	segment(&t, 2, THEN);
	tally_save(&x, &t);
	assert_int_equal(rmdir(home), 0);
	tally_strays(repo, THEN, collect, &seen);
	assert_int_equal(seen, 0); /* somebody counts */
	tally_close(&x);
	assert_int_equal(mkdir(home, 0700), 0);
	tally_begin(&t, home, THEN, 1);
	segment(&t, 1, THEN);
	assert_int_equal(tally_open(&x, repo, home, &t, &found, &f), 0);
	if (!found) { /* the new directory is another inode */
		tally_begin(&t, home, THEN, 1);
		segment(&t, 1, THEN);
		segment(&t, 2, THEN);
		tally_save(&x, &t);
	}
	tally_close(&x);
	seen = 0;
	tally_strays(repo, THEN + DAY, collect, &seen);
	assert_in_range(seen, 2, 4);
	seen = 0;
	tally_strays(repo, THEN + DAY, collect, &seen);
	assert_int_equal(seen, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_of_a_recovery_are_few),
	    cmocka_unit_test(a_worker_that_never_ends_sums_up_each_day),
	    cmocka_unit_test(what_is_counted_is_what_was_read),
	    cmocka_unit_test(a_clock_that_was_set_back_holds_nothing_up),
	    cmocka_unit_test(a_slot_is_read_as_it_was_written_or_not_at_all),
	    cmocka_unit_test(
		a_file_is_one_counter_s_and_the_next_ones_after_it),
	    cmocka_unit_test(what_nobody_goes_on_with_is_found),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
