/* What is known of a push, until later objects tell it. */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_journal.h"
#include "repo_world.h"

static char path[128];
static struct repo *other;

static int
setup(void **state)
{
	struct fault f = FAULT_INIT;
	const struct conf_cluster *c;

	(void)state;
	repo_world_dir("journal");
	snprintf(path, sizeof path, "%s/main-7.pushed", dir);
	c = repo_world_conf(SPOOL_REPO, dir, dir);
	assert_int_equal(repo_open(&repo, c, 7, &f), 0);
	return repo_open(&other, c, 8, &f);
}

static int
teardown(void **state)
{
	(void)state;
	repo_free(other);
	repo_world_close();
	unlink(path);
	snprintf(path, sizeof path, "%s/main-8.pushed", dir);
	unlink(path);
	return rmdir(dir);
}

static const struct archive_journal_seen here = {true, false, 0};

/* Segment n goes into the only repository; returns how many it carried. */
static size_t
push(struct repo *r, uint32_t n, uint32_t first[1])
{
	const struct walname name = {WALNAME_SEGMENT, 1, 0, n, 0};
	struct archive_journal_seen seen = here;
	struct archive_journal j;
	size_t carried;

	archive_journal_load(&j, r);
	carried = j.n;
	*first = j.n > 0 ? j.carried[0].seg : 0;
	seen.durable_ms = j.began_ms + 5;
	archive_journal_note(&j, &name, &seen, 1, 1, false);
	archive_journal_free(&j);
	return carried;
}

static size_t
waiting(void)
{
	struct archive_journal j;
	size_t n;

	archive_journal_load(&j, repo);
	n = j.n;
	archive_journal_free(&j);
	return n;
}

static void
each_push_is_told_by_the_next_one(void **state)
{
	uint32_t first;

	(void)state;
	assert_int_equal(push(repo, 1, &first), 0);
	assert_int_equal(push(repo, 2, &first), 1);
	assert_int_equal(first, 1);
	/* Another cluster's are another's. */
	assert_int_equal(push(other, 9, &first), 0);
	assert_int_equal(push(repo, 3, &first), 1);
	assert_int_equal(first, 2);
	assert_int_equal(waiting(), 1);
}

static void
what_an_object_carried_that_did_not_arrive_is_told_again(void **state)
{
	struct archive_journal j;
	uint32_t first;

	(void)state;
	push(repo, 1, &first);
	archive_journal_load(&j, repo);
	archive_journal_free(&j);
	assert_int_equal(push(repo, 2, &first), 1);
	assert_int_equal(first, 1);
}

static void
a_history_file_carries_and_leaves_nothing(void **state)
{
	const struct walname name = {WALNAME_HISTORY, 2, 0, 0, 0};
	struct archive_journal j;
	uint32_t first;

	(void)state;
	push(repo, 1, &first);
	archive_journal_load(&j, repo);
	assert_int_equal(j.n, 1);
	archive_journal_note(&j, &name, &here, 1, 1, false);
	archive_journal_free(&j);
	assert_int_equal(waiting(), 0);
}

/* It is an older object that is there, and carries nothing of this. */
static void
what_was_there_before_has_carried_nothing(void **state)
{
	const struct walname name = {WALNAME_SEGMENT, 1, 0, 2, 0};
	const struct archive_journal_seen seen[] = {
	    {true, true, 0}, {true, false, 0}};
	struct archive_journal j;
	uint32_t first;

	(void)state;
	push(repo, 1, &first);
	archive_journal_load(&j, repo);
	archive_journal_note(&j, &name, seen, 1, 1, false);
	assert_int_equal(waiting(), 1);
	archive_journal_note(&j, &name, seen, 2, 2, false);
	archive_journal_free(&j);
	assert_int_equal(waiting(), 2);
}

/* n of seen, quorum; -1: nothing is noted, otherwise after so many ms. */
static int64_t
noted(const struct archive_journal_seen *seen, size_t n, uint32_t quorum)
{
	const struct walname name = {WALNAME_SEGMENT, 1, 0, 1, 0};
	struct archive_journal_seen at[4];
	struct archive_journal j;
	int64_t ms = -1;

	unlink(path);
	archive_journal_begin(&j, repo);
	for (size_t i = 0; i < n; i++) {
		at[i] = seen[i];
		at[i].durable_ms += j.began_ms;
	}
	archive_journal_note(&j, &name, at, n, quorum, false);
	archive_journal_free(&j);
	archive_journal_load(&j, repo);
	if (j.n > 0) {
		ms = j.carried[0].duration_ms;
		assert_int_equal(j.carried[0].quorum, quorum);
		assert_int_equal(j.carried[0].asked, n);
	}
	archive_journal_free(&j);
	return ms;
}

static void
it_is_durable_when_the_quorum_has_it(void **state)
{
	const struct archive_journal_seen three[] = {
	    {true, false, 900}, {true, false, 20}, {true, false, 300}};
	const struct archive_journal_seen one[] = {
	    {false, false, 0}, {true, false, 20}, {false, false, 0}};
	const struct archive_journal_seen was[] = {
	    {true, true, 5}, {true, false, 20}, {true, false, 70}};

	(void)state;
	assert_int_equal(noted(three, 3, 1), 20);
	assert_int_equal(noted(three, 3, 2), 300);
	assert_int_equal(noted(three, 3, 3), 900);
	assert_int_equal(noted(one, 3, 1), 20);
	/* It was there before: when that was nobody saw. */
	assert_int_equal(noted(was, 3, 1), -1);
	assert_int_equal(noted(was, 3, 2), 20);
}

static void
the_clock_may_be_set_meanwhile(void **state)
{
	const struct walname name = {WALNAME_SEGMENT, 1, 0, 1, 0};
	struct archive_journal_seen seen = here;
	struct archive_journal j;

	(void)state;
	archive_journal_load(&j, repo);
	j.began_us = 1000000000; /* a clock of 1970 */
	seen.durable_ms = j.began_ms + 250;
	archive_journal_note(&j, &name, &seen, 1, 1, true);
	archive_journal_free(&j);
	archive_journal_load(&j, repo);
	assert_int_equal(j.n, 1);
	assert_int_equal(j.carried[0].durable_us, 1000250000);
	assert_int_equal(j.carried[0].flags, WALMETA_DRAINED);
	assert_int_equal(j.carried[0].duration_ms, WALMETA_UNKNOWN);
	archive_journal_free(&j);
}

/* ---- what may become of the file ---- */

static void
write_at(const void *p, size_t n, off_t at)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, p, n, at), n);
	close(fd);
}

/* Ten pushes of which none was carried. */
static void
ten(void)
{
	const struct walname name = {WALNAME_SEGMENT, 1, 0, 1, 0};
	struct archive_journal j;

	for (int i = 0; i < 10; i++) {
		archive_journal_begin(&j, repo);
		archive_journal_note(&j, &name, &here, 1, 1, false);
		archive_journal_free(&j);
	}
}

static void
a_slot_that_is_cut_or_none_is_passed_over(void **state)
{
	static const unsigned char zeros[40];
	struct stat st;
	uint32_t first;

	(void)state;
	ten();
	assert_int_equal(waiting(), 10);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 400);
	for (off_t cut = 399; cut >= 0; cut -= 13) {
		assert_int_equal(truncate(path, cut), 0);
		assert_int_equal(waiting(), cut / 40);
	}
	ten();
	for (off_t at = 3; at < 400; at += 40)
		write_at("x", 1, at);
	assert_int_equal(waiting(), 0);
	ten();
	write_at(zeros, 40, 80);
	assert_int_equal(waiting(), 9);
	/* The next push mends it. */
	assert_int_equal(push(repo, 2, &first), 9);
	assert_int_equal(waiting(), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 40);
}

static void
it_stays_small(void **state)
{
	const struct walname name = {WALNAME_SEGMENT, 1, 0, 1, 0};
	struct archive_journal j;
	struct stat st;

	(void)state;
	for (int i = 0; i < ARCHIVE_JOURNAL_MAX + 50; i++) {
		struct archive_journal_seen seen = here;

		archive_journal_begin(&j, repo);
		seen.durable_ms = j.began_ms + i;
		archive_journal_note(&j, &name, &seen, 1, 1, false);
		archive_journal_free(&j);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, ARCHIVE_JOURNAL_MAX * 40);
	/* The oldest went. */
	archive_journal_load(&j, repo);
	assert_int_equal(j.n, WALMETA_PUSHES);
	assert_int_equal(j.carried[0].duration_ms, 50);
	archive_journal_free(&j);
}

static void
nothing_in_the_way_is_followed_written_to_or_waited_for(void **state)
{
	char target[128];
	uint32_t first;
	struct stat st;
	int fd;

	(void)state;
	snprintf(target, sizeof target, "%s/target", dir);
	fd = open(target, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(push(repo, 1, &first), 0);
	assert_int_equal(stat(target, &st), 0);
	assert_int_equal(st.st_size, 0);
	unlink(path);
	unlink(target);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(push(repo, 1, &first), 0);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(push(repo, 1, &first), 0);
	rmdir(path);
	/* Somebody who was stopped holds the lock. */
	push(repo, 1, &first);
	fd = open(path, O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(push(repo, 2, &first), 1);
	close(fd);
	assert_int_equal(push(repo, 3, &first), 1);
	assert_int_equal(first, 1);
}

static void *
push_many(void *arg)
{
	const struct walname name = {WALNAME_SEGMENT, 1, 0, 1, 0};
	struct archive_journal j;

	(void)arg;
	for (int i = 0; i < 200; i++) {
		struct archive_journal_seen seen = here;

		archive_journal_load(&j, repo);
		for (size_t k = 0; k < j.n; k++)
			assert_true(j.carried[k].timeline == 1 &&
				    j.carried[k].held == 1);
		seen.durable_ms = j.began_ms;
		archive_journal_note(&j, &name, &seen, 1, 1, false);
		archive_journal_free(&j);
	}
	return NULL;
}

static void
several_at_once_leave_it_whole(void **state)
{
	pthread_t t[6];
	struct stat st;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(
		    pthread_create(&t[i], NULL, push_many, NULL), 0);
	for (size_t i = 0; i < 6; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size % 40, 0);
	assert_int_equal(waiting(), st.st_size / 40 > WALMETA_PUSHES
					? WALMETA_PUSHES
					: st.st_size / 40);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(each_push_is_told_by_the_next_one),
	    TEST(what_an_object_carried_that_did_not_arrive_is_told_again),
	    TEST(a_history_file_carries_and_leaves_nothing),
	    TEST(what_was_there_before_has_carried_nothing),
	    TEST(it_is_durable_when_the_quorum_has_it),
	    TEST(the_clock_may_be_set_meanwhile),
	    TEST(a_slot_that_is_cut_or_none_is_passed_over),
	    TEST(it_stays_small),
	    TEST(nothing_in_the_way_is_followed_written_to_or_waited_for),
	    TEST(several_at_once_leave_it_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
