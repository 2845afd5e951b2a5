/* A directory as a store: processes side by side, and such as are killed. */
#include "store_file_world.h"

static void
one_of_many_processes_wins(void **state)
{
	struct store *s = contract_of(state)->s;
	pid_t pids[8];
	int go[2];

	for (int round = 0; round < 10; round++) {
		int winner = -1, status;
		char key[64];

		snprintf(key, sizeof(key), "new%d/x/k", round);
		assert_int_equal(pipe(go), 0);
		for (int i = 0; i < 8; i++) {
			pids[i] = fork();
			assert_true(pids[i] >= 0);
			if (pids[i] == 0) {
				struct fault f = FAULT_INIT;
				unsigned char *p =
				    contract_bytes(300000, (uint64_t)i);
				char c;

				close(go[1]);
				(void)!read(go[0], &c, 1);
				close(go[0]);
				status = store_put(
				    s, key, p, 300000 - (size_t)i, NULL, &f);
				free(p);
				_exit(status);
			}
		}
		close(go[0]);
		close(go[1]);
		for (int i = 0; i < 8; i++) {
			waitpid(pids[i], &status, 0);
			assert_true(WIFEXITED(status));
			if (WEXITSTATUS(status) == 0) {
				assert_int_equal(winner, -1);
				winner = i;
			} else {
				assert_int_equal(
				    WEXITSTATUS(status), FAULT_EXISTS);
			}
		}
		assert_true(winner >= 0);
		{
			unsigned char *p =
			    contract_bytes(300000, (uint64_t)winner);

			contract_expect(s, key, p, 300000 - (size_t)winner);
			free(p);
		}
	}
	assert_int_equal(files(state), 10);
}

#define KILLED_SIZE ((size_t)1 << 20)

/* A child that puts three objects, if it is not killed before. */
static void
put_three(struct store *s, bool apart, const unsigned char *p)
{
	faults.short_write = KILLED_SIZE / 4;
	for (unsigned i = 0; i < 3; i++) {
		struct fault f = FAULT_INIT;
		char key[64];

		/* In folders of their own, or in one. */
		snprintf(key, sizeof(key), "r/f%u/o%u", apart ? i : 0, i);
		if (store_put(s, key, p, KILLED_SIZE, NULL, &f) != 0)
			_exit(1);
	}
	_exit(0);
}

struct whole {
	struct store *s;
	const unsigned char *p;
	unsigned n;
};

static int
is_whole(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct whole *w = ctx;

	(void)f;
	assert_int_equal(e->size, KILLED_SIZE);
	contract_expect(w->s, e->key, w->p, KILLED_SIZE);
	w->n++;
	return 0;
}

/* What a child left that was killed before its call number at; false: it came
 * to its end. */
static bool
kill_at(void **state, int at, bool named, struct whole *w)
{
	struct fault f = FAULT_INIT;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (named)
			faults.tmpfile =
			    (struct faults_plan){EOPNOTSUPP, 0, INT_MAX};
		faults.kill_in = at;
		put_three(w->s, at % 2, w->p);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || status == 0);
	assert_ok(store_list(w->s, "", false, NULL, is_whole, w, NULL, &f), f);
	files(state);
	assert_int_equal(names_seen, w->n + temps_seen);
	nftw(path_of(state, ""), remove_one, 16, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(mkdir(path_of(state, ""), 0700), 0);
	return WIFSIGNALED(status);
}

/* At every call, until it is not killed in either way of naming. */
static void
kill_puts(void **state, bool named)
{
	unsigned char *p = contract_bytes(KILLED_SIZE, 3);
	unsigned objects[4] = {0}, temps = 0, whole = 0;

	for (int at = 1; whole < 2; at++) {
		struct whole w = {contract_of(state)->s, p, 0};

		if (kill_at(state, at, named, &w))
			whole = 0;
		else
			whole++;
		assert_true(w.n <= 3 && (whole == 0 || w.n == 3));
		objects[w.n]++;
		temps += temps_seen;
	}
	/* It was killed in each of the three, and after the last. */
	for (size_t n = 0; n < 4; n++)
		assert_true(objects[n] > 0);
	assert_int_equal(temps > 0, named);
	free(p);
}

static void
a_killed_put_leaves_a_whole_object_or_none(void **state)
{
	kill_puts(state, false);
}

static void
a_killed_put_leaves_nothing_that_is_listed(void **state)
{
	kill_puts(state, true);
}

static void
deletes_do_not_disturb_puts(void **state)
{
	struct store *s = contract_of(state)->s;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	for (int i = 0; i < 300; i++) {
		struct contract_deleted d = {{0}, 0};
		struct fault f = FAULT_INIT;
		char key[64];
		const char *k = key;
		int rc;

		snprintf(key, sizeof(key), "d/e/f/%d-%d", pid == 0, i);
		rc = store_put(s, key, "x", 1, NULL, &f);
		if (rc == 0)
			rc = store_stat(s, key, NULL, NULL, &f);
		if (rc == 0)
			rc = store_delete(
			    s, &k, 1, contract_note_deleted, &d, NULL, &f);
		if (rc != 0 || d.bad) {
			print_error("%d: %s\n", i, f.text);
			if (pid == 0)
				_exit(1);
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			fail_msg("%d: %s", i, f.text);
		}
	}
	if (pid == 0)
		_exit(0);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	contract_list(s, "", false, NULL, "");
	assert_int_equal(access(path_of(state, "d"), F_OK), -1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    test(one_of_many_processes_wins),
	    test(a_killed_put_leaves_a_whole_object_or_none),
	    test(a_killed_put_leaves_nothing_that_is_listed),
	    test(deletes_do_not_disturb_puts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
