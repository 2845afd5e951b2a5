/* The audit trail: many who write one chain at a time, and who are killed. */
#include "audit_world.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

static void
processes_side_by_side_make_one_chain(void **state)
{
	enum {
		PROCESSES = 6,
		EACH = 8
	};
	pid_t pid[PROCESSES];

	(void)state;
	for (int k = 0; k < PROCESSES; k++) {
		pid[k] = fork();
		assert_true(pid[k] >= 0);
		if (pid[k] == 0) {
			for (int n = 0; n < EACH; n++)
				if (write_one("x", NULL) != 0)
					_exit(1);
			_exit(0);
		}
	}
	for (int k = 0; k < PROCESSES; k++) {
		int status;

		assert_int_equal(waitpid(pid[k], &status, 0), pid[k]);
		assert_int_equal(status, 0);
	}
	check(0);
	assert_int_equal(seen.records, PROCESSES * EACH);
	assert_int_equal(seen.heads, 1);
}

static size_t
files_in(const char *folder)
{
	DIR *d = opendir(folder);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* Killed at any moment, a writer leaves a chain that the next goes on with. */
static void
killed_writers_leave_no_flaw(void **state)
{
	enum {
		KILLS = 12
	};
	char folder[256];

	(void)state;
	write_many(1);
	path_of(1, folder);
	*strrchr(folder, '/') = '\0';
	for (int k = 0; k < KILLS; k++) {
		size_t before = files_in(folder);
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			while (write_one("x", NULL) == 0)
				;
			_exit(1);
		}
		/* Not before it has written something. */
		do
			clock_sleep_ms(k % 4);
		while (files_in(folder) == before);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	write_many(1);
	check(0);
	assert_int_equal(seen.heads, 1);
	assert_true(seen.records > KILLS);
}

static int
note_shared(struct audit *a, const char *object)
{
	struct audit_event e = AUDIT_EVENT("test");
	struct fault f = FAULT_INIT;

	e.object = object;
	return audit_note(a, &e, 0, NULL, &never, &f);
}

/* Two have seen the same end. */
static void
of_two_who_go_on_with_one_chain_the_second_is_told(void **state)
{
	struct audit_head end = {.writer = "all-00000000"};
	struct fault f = FAULT_INIT;
	struct audit *a, *b;

	(void)state;
	assert_int_equal(
	    audit_open_shared(&a, repo, 0, "unit", &end, "for all", &f), 0);
	assert_int_equal(
	    audit_open_shared(&b, repo, 0, "unit", &end, "for all", &f), 0);
	assert_int_equal(note_shared(a, "1"), 0);
	assert_int_equal(note_shared(b, "1"), FAULT_EXISTS);
	assert_int_equal(note_shared(a, "2"), 0);
	audit_free(a);
	audit_free(b);
	check(0);
	assert_int_equal(seen.heads, 1);
	assert_int_equal(seen.records, 2);
	assert_string_equal(seen.began[0], "for all");
	/* Who sees the end now goes on. */
	end = seen.head[0];
	assert_int_equal(
	    audit_open_shared(&b, repo, 0, "unit", &end, "for all", &f), 0);
	assert_int_equal(note_shared(b, "3"), 0);
	audit_free(b);
	check(0);
	assert_int_equal(seen.records, 3);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(processes_side_by_side_make_one_chain),
	    T(killed_writers_leave_no_flaw),
	    T(of_two_who_go_on_with_one_chain_the_second_is_told),
	};

	return cmocka_run_group_tests_name("audit_beside", tests, NULL, NULL);
}
