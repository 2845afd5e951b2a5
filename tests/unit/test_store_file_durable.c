/* A directory as a store: what is said to be stored is on disk, whole. */
#include "store_file_world.h"

static void
nothing_has_a_name_before_its_bytes_are_on_disk(void **state)
{
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;

	faults.record = 1;
	contract_put(s, "a/b/c", "x");
	/* Make a and b, each synced into its own; then once more the folder
	 * above the root, the root and a, as others may have made them. */
	assert_string_equal(faults.calls, "mSmSSSSwdlS");
	faults.calls[0] = '\0';
	contract_put(s, "a/b/d", "x");
	assert_string_equal(faults.calls, "wdlS");
	/* A name that is taken may have been given by a put that was killed
	 * before its last sync. */
	faults.calls[0] = '\0';
	assert_fault(store_put(s, "a/b/c", "y", 1, NULL, &f), FAULT_EXISTS, f);
	assert_string_equal(faults.calls, "sS");
	faults.fsync = (struct faults_plan){EIO, 1, 1};
	assert_fault(store_put(s, "a/b/c", "y", 1, NULL, &f), FAULT_SYSTEM, f);
}

static void
folders_that_others_made_are_synced_too(void **state)
{
	struct store *s = contract_of(state)->s;

	assert_int_equal(mkdir(path_of(state, "a"), 0700), 0);
	assert_int_equal(mkdir(path_of(state, "a/b"), 0700), 0);
	faults.record = 1;
	contract_put(s, "a/b/c", "x");
	assert_string_equal(faults.calls, "SSSwdlS");
	/* A folder of that name, but not the one that was synced. */
	assert_int_equal(unlink(path_of(state, "a/b/c")), 0);
	assert_int_equal(rmdir(path_of(state, "a/b")), 0);
	assert_int_equal(mkdir(path_of(state, "a/b"), 0700), 0);
	faults.calls[0] = '\0';
	contract_put(s, "a/b/c", "x");
	assert_string_equal(faults.calls, "SSSwdlS");
}

/* After any of these: a fault, no object, nothing left in the directory. */
static void
put_fails(void **state, enum fault_code code)
{
	unsigned char *p = contract_bytes(3 << 20, 5);
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;

	assert_fault(store_put(s, "w/1/seg", p, 3 << 20, NULL, &f), code, f);
	assert_int_equal(files(state), 0);
	contract_absent(s, "w/1/seg");
	free(p);
}

static void
a_full_disk_leaves_nothing_behind(void **state)
{
	static const int errors[] = {ENOSPC, EDQUOT, EIO, EFBIG};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		for (int named = 0; named < 2; named++) {
			for (int at = 0; at < 3; at++) {
				faults_clear();
				faults.tmpfile.error = EOPNOTSUPP;
				faults.tmpfile.times = named;
				faults.write =
				    (struct faults_plan){errors[i], at, 1};
				put_fails(state, FAULT_SYSTEM);
			}
			faults_clear();
			faults.tmpfile.error = EOPNOTSUPP;
			faults.tmpfile.times = named;
			faults.fdatasync =
			    (struct faults_plan){errors[i], 0, 1};
			put_fails(state, FAULT_SYSTEM);
			faults.tmpfile.times = named;
			faults.link = (struct faults_plan){errors[i], 0, 1};
			put_fails(state, FAULT_SYSTEM);
		}
	}
	faults_clear();
	faults.tmpfile = (struct faults_plan){EACCES, 0, 1};
	put_fails(state, FAULT_DENIED);
	faults.tmpfile = (struct faults_plan){EROFS, 0, 1};
	put_fails(state, FAULT_DENIED);
	faults.tmpfile = (struct faults_plan){ESTALE, 0, 1};
	put_fails(state, FAULT_AGAIN);
}

static void
a_folder_that_cannot_be_synced_is_no_success(void **state)
{
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;

	contract_put(s, "a/b", "x");
	faults.fsync = (struct faults_plan){EIO, 0, 1};
	assert_fault(store_put(s, "a/c", "y", 1, NULL, &f), FAULT_SYSTEM, f);
	/* It is there, though: others may have seen it. */
	contract_expect(s, "a/c", "y", 1);
	for (int at = 0; at < 5; at++) {
		char key[32];

		snprintf(key, sizeof(key), "n%d/x/y", at);
		faults.fsync = (struct faults_plan){EIO, at, 1};
		assert_fault(
		    store_put(s, key, "y", 1, NULL, &f), FAULT_SYSTEM, f);
		contract_absent(s, key);
	}
	/* Some file systems cannot sync folders, and write them through. */
	faults.fsync = (struct faults_plan){EINVAL, 0, 1};
	contract_put(s, "a/d", "x");
	assert_int_equal(faults.fsync.times, 0);
}

static void
an_upload_that_fails_leaves_nothing_behind(void **state)
{
	unsigned char *p = contract_bytes(9 << 20, 5);
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	struct store_upload *u;

	for (int named = 0; named < 2; named++) {
		faults_clear();
		faults.tmpfile.error = EOPNOTSUPP;
		faults.tmpfile.times = named;
		assert_ok(store_upload_begin(&u, s, "u/x", NULL, &f), f);
		assert_ok(store_upload_write(u, p, 9 << 20, &f), f);
		faults.write = (struct faults_plan){ENOSPC, 1, 1};
		assert_fault(
		    store_upload_write(u, p, 9 << 20, &f), FAULT_SYSTEM, f);
		/* It stays failed, though there is room again. */
		fault_clear(&f);
		assert_fault(store_upload_write(u, p, 1, &f), FAULT_SYSTEM, f);
		fault_clear(&f);
		assert_fault(store_upload_commit(u, &f), FAULT_SYSTEM, f);
		assert_non_null(strstr(f.text, "make room"));
		store_upload_free(u);
		contract_absent(s, "u/x");
		assert_int_equal(files(state), 0);
	}
	free(p);
}

static void
interrupted_and_short_writes_lose_nothing(void **state)
{
	unsigned char *p = contract_bytes(100000, 9);
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;

	faults.short_write = 777;
	faults.write = (struct faults_plan){EINTR, 3, 5};
	faults.pread = (struct faults_plan){EINTR, 0, 2};
	assert_ok(store_put(s, "a/b", p, 100000, NULL, &f), f);
	assert_int_equal(faults.write.times, 0);
	contract_expect(s, "a/b", p, 100000);
	assert_int_equal(faults.pread.times, 0);
	free(p);
}

/* ---- file systems with less ---- */

static void
without_o_tmpfile_a_named_file_serves(void **state)
{
	static const int errors[] = {EOPNOTSUPP, EISDIR, EINVAL, ENOSYS};
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		char key[32];

		snprintf(key, sizeof(key), "a/%zu", i);
		faults.tmpfile = (struct faults_plan){errors[i], 0, 1};
		contract_put(s, key, "x");
		contract_expect(s, key, "x", 1);
	}
	/* The name is taken between the look and the link. */
	{
		struct store_upload *u;

		faults.tmpfile = (struct faults_plan){EOPNOTSUPP, 0, 1};
		assert_ok(store_upload_begin(&u, s, "a/0", NULL, &f), f);
		assert_int_equal(files(state), 5);
		assert_int_equal(temps_seen, 1);
		contract_list(s, "", false, NULL, "a/0|a/1|a/2|a/3|");
		assert_fault(store_upload_commit(u, &f), FAULT_EXISTS, f);
		store_upload_free(u);
	}
	assert_int_equal(files(state), 4);
	/* Neither O_TMPFILE nor hard links. */
	faults.tmpfile = (struct faults_plan){EOPNOTSUPP, 0, 1};
	faults.link = (struct faults_plan){EPERM, 0, 1};
	faults.record = 1;
	contract_put(s, "a/r", "x");
	assert_string_equal(faults.calls, "wdlrS");
	contract_expect(s, "a/r", "x", 1);
	assert_int_equal(files(state), 5);
	assert_int_equal(temps_seen, 0);
	/* Nor a rename that does not replace. */
	faults.tmpfile = (struct faults_plan){EOPNOTSUPP, 0, 1};
	faults.link = (struct faults_plan){EPERM, 0, 1};
	faults.rename = (struct faults_plan){EINVAL, 0, 1};
	assert_fault(store_put(s, "a/s", "x", 1, NULL, &f), FAULT_CONFIG, f);
	assert_int_equal(files(state), 5);
}

static void
a_link_whose_answer_was_lost_is_a_success(void **state)
{
	struct store *s = contract_of(state)->s;

	for (int named = 0; named < 2; named++) {
		char key[32];

		snprintf(key, sizeof(key), "a/%d", named);
		faults.tmpfile = (struct faults_plan){EOPNOTSUPP, 0, named};
		faults.link = (struct faults_plan){EEXIST, 0, 1};
		faults.link_anyway = 1;
		contract_put(s, key, "x");
		contract_expect(s, key, "x", 1);
	}
	assert_int_equal(files(state), 2);
}

static void
a_folder_that_goes_meanwhile_is_made_again(void **state)
{
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	struct store_upload *u;

	faults.mkdir_lost = 5;
	contract_put(s, "a/b/c", "x");
	contract_expect(s, "a/b/c", "x", 1);
	assert_int_equal(faults.mkdir_lost, 0);
	assert_ok(store_upload_begin(&u, s, "q/r/s", NULL, &f), f);
	assert_int_equal(rmdir(path_of(state, "q/r")), 0);
	assert_int_equal(rmdir(path_of(state, "q")), 0);
	assert_ok(store_upload_commit(u, &f), f);
	store_upload_free(u);
	contract_expect(s, "q/r/s", "", 0);
	/* But not for ever. */
	faults.mkdir_lost = INT_MAX;
	assert_fault(store_put(s, "z/y/x", "x", 1, NULL, &f), FAULT_AGAIN, f);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    test(nothing_has_a_name_before_its_bytes_are_on_disk),
	    test(folders_that_others_made_are_synced_too),
	    test(a_full_disk_leaves_nothing_behind),
	    test(a_folder_that_cannot_be_synced_is_no_success),
	    test(an_upload_that_fails_leaves_nothing_behind),
	    test(interrupted_and_short_writes_lose_nothing),
	    test(without_o_tmpfile_a_named_file_serves),
	    test(a_link_whose_answer_was_lost_is_a_success),
	    test(a_folder_that_goes_meanwhile_is_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
