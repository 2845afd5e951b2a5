/* A directory as a store: the contract, and what is its own. */
#include "store_file_world.h"

/* ---- the root ---- */

static void
a_root_that_is_not_there_is_again(void **state)
{
	struct store *s = contract_of(state)->s;
	struct contract_listing l = {"", 0, 0};
	struct contract_deleted d = {{0}, 0};
	struct buf b = BUF_INIT(10);
	struct fault f = FAULT_INIT;
	const char *key = "a/b";

	assert_int_equal(rmdir(path_of(state, "")), 0);
	assert_fault(store_get(s, key, 0, 1, buf_sink, &b, NULL, NULL, &f),
	    FAULT_AGAIN, f);
	assert_fault(store_stat(s, key, NULL, NULL, &f), FAULT_AGAIN, f);
	assert_fault(
	    store_list(s, "", false, NULL, contract_listed, &l, NULL, &f),
	    FAULT_AGAIN, f);
	assert_fault(
	    store_list(s, "a/", false, NULL, contract_listed, &l, NULL, &f),
	    FAULT_AGAIN, f);
	assert_fault(
	    store_delete(s, &key, 1, contract_note_deleted, &d, NULL, &f),
	    FAULT_AGAIN, f);
	assert_int_equal(d.told[0], 0);
	assert_int_equal(access(path_of(state, ""), F_OK), -1);
	/* The first put makes it. */
	faults.record = 1;
	contract_put(s, key, "x");
	/* The root, synced into the folder above it; a, synced into it. */
	assert_true(text_prefix(faults.calls, "SmS"));
	contract_expect(s, key, "x", 1);
}

static void
a_put_conjures_no_mount_point(void **state)
{
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	char root[PATH_MAX];
	struct stat st;

	assert_int_equal(rmdir(path_of(state, "")), 0);
	assert_int_equal(rmdir(above(state)), 0);
	assert_fault(store_put(s, "a/b", "x", 1, NULL, &f), FAULT_AGAIN, f);
	assert_non_null(strstr(f.text, "mounted"));
	assert_int_equal(stat(above(state), &st), -1);
	assert_int_equal(mkdir(above(state), 0700), 0);
	/* A file in its place. */
	snprintf(root, sizeof(root), "%s/repo", above(state));
	assert_int_equal(close(creat(root, 0600)), 0);
	assert_fault(store_put(s, "a/b", "x", 1, NULL, &f), FAULT_CONFIG, f);
	assert_fault(store_stat(s, "a/b", NULL, NULL, &f), FAULT_CONFIG, f);
}

static void
what_cannot_be_reached_is_never_absent(void **state)
{
	static const struct {
		int error;
		enum fault_code code;
	} t[] = {{ESTALE, FAULT_AGAIN}, {ETIMEDOUT, FAULT_AGAIN},
	    {ENOTCONN, FAULT_AGAIN}, {EIO, FAULT_SYSTEM},
	    {EACCES, FAULT_DENIED}, {EPERM, FAULT_DENIED},
	    {EMFILE, FAULT_SYSTEM}, {ENOTDIR, FAULT_CORRUPT},
	    {ELOOP, FAULT_CORRUPT}};
	struct store *s = contract_of(state)->s;
	struct contract_listing l = {"", 0, 0};
	struct fault f = FAULT_INIT;

	contract_put(s, "a/b/c", "x");
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		for (int at = 0; at < 3; at++) {
			faults.openat = (struct faults_plan){t[i].error, at, 1};
			assert_fault(store_stat(s, "a/b/c", NULL, NULL, &f),
			    t[i].code, f);
		}
		for (int at = 0; at < 2; at++) {
			faults.openat = (struct faults_plan){t[i].error, at, 1};
			assert_fault(store_list(s, "", false, NULL,
					 contract_listed, &l, NULL, &f),
			    t[i].code, f);
			assert_string_equal(l.text, "");
		}
	}
	faults_clear();
	faults.pread = (struct faults_plan){EIO, 0, 1};
	assert_fault(
	    store_get(s, "a/b/c", 0, 1, contract_choke, NULL, NULL, NULL, &f),
	    FAULT_SYSTEM, f);
}

/* ---- what else lies in the directory ---- */

static void
only_objects_are_listed(void **state)
{
	struct store *s = contract_of(state)->s;

	contract_put(s, "a/b", "x");
	assert_int_equal(mkdir(path_of(state, "lost+found"), 0), 0);
	assert_int_equal(
	    close(creat(path_of(state, "a/.tmp-0123456789abcdef"), 0600)), 0);
	assert_int_equal(close(creat(path_of(state, "a/with blank"), 0)), 0);
	assert_int_equal(mkdir(path_of(state, ".snapshot"), 0), 0);
	assert_int_equal(mkdir(path_of(state, "empty"), 0700), 0);
	assert_int_equal(mkdir(path_of(state, "empty/too"), 0700), 0);
	assert_int_equal(close(creat(path_of(state, "empty/.tmp-1"), 0)), 0);
	contract_list(s, "", false, NULL, "a/b|");
	contract_list(s, "", true, NULL, "a/|");
	contract_list(s, "a/", true, NULL, "a/b|");
	assert_int_equal(chmod(path_of(state, "lost+found"), 0700), 0);
	assert_int_equal(chmod(path_of(state, ".snapshot"), 0700), 0);
}

static void
links_and_pipes_are_not_followed(void **state)
{
	struct store *s = contract_of(state)->s;
	struct contract_listing l = {"", 0, 0};
	struct buf b = BUF_INIT(100);
	struct fault f = FAULT_INIT;

	contract_put(s, "a/b", "x");
	assert_int_equal(symlink("b", path_of(state, "a/link")), 0);
	assert_int_equal(symlink("a", path_of(state, "folder")), 0);
	assert_int_equal(symlink("nowhere", path_of(state, "dangling")), 0);
	assert_int_equal(mkfifo(path_of(state, "pipe"), 0600), 0);
	{
		static const char *const keys[] = {"a/link", "folder/b",
		    "folder/new", "dangling", "pipe", "a/b/c", "a"};

		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
			assert_fault(store_get(s, keys[i], 0, 1, buf_sink, &b,
					 NULL, NULL, &f),
			    FAULT_CORRUPT, f);
			assert_fault(store_stat(s, keys[i], NULL, NULL, &f),
			    FAULT_CORRUPT, f);
			assert_fault(store_put(s, keys[i], "y", 1, NULL, &f),
			    FAULT_CORRUPT, f);
		}
	}
	assert_int_equal(access(path_of(state, "a/new"), F_OK), -1);
	contract_expect(s, "a/b", "x", 1);
	/* A listing that hides something is worse than none. */
	assert_fault(
	    store_list(s, "", false, NULL, contract_listed, &l, NULL, &f),
	    FAULT_CORRUPT, f);
	assert_int_equal(unlink(path_of(state, "pipe")), 0);
	assert_int_equal(unlink(path_of(state, "dangling")), 0);
	assert_int_equal(unlink(path_of(state, "folder")), 0);
	assert_int_equal(unlink(path_of(state, "a/link")), 0);
	contract_list(s, "", false, NULL, "a/b|");
}

static void
files_are_the_owners_alone(void **state)
{
	struct store *s = contract_of(state)->s;
	mode_t mask = umask(0);
	struct stat st;

	contract_put(s, "a/b", "x");
	faults.tmpfile = (struct faults_plan){EOPNOTSUPP, 0, 1};
	contract_put(s, "a/c", "x");
	umask(mask);
	assert_int_equal(stat(path_of(state, "a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(path_of(state, "a/b"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(path_of(state, "a/c"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
}

/* ---- listing and deleting ---- */

static void
deleting_takes_empty_folders_along(void **state)
{
	struct store *s = contract_of(state)->s;
	struct contract_deleted d = {{0}, 0};
	struct fault f = FAULT_INIT;
	const char *const keys[] = {"a/b/c/1", "a/b/c/2", "a/x"};

	contract_put(s, "a/b/c/1", "x");
	contract_put(s, "a/b/c/2", "x");
	contract_put(s, "a/b/k", "x");
	faults.record = 1;
	assert_ok(
	    store_delete(s, keys, 3, contract_note_deleted, &d, NULL, &f), f);
	assert_string_equal(faults.calls, "SS"); /* one for each folder */
	assert_int_equal(access(path_of(state, "a/b/c"), F_OK), -1);
	assert_int_equal(access(path_of(state, "a/b/k"), F_OK), 0);
	/* What cannot be deleted is told, and the others are gone. */
	assert_int_equal(mkdir(path_of(state, "a/f"), 0700), 0);
	memset(&d, 0, sizeof(d));
	assert_ok(store_delete(s, (const char *const[]){"a/f", "a/b/k"}, 2,
		      contract_note_deleted, &d, NULL, &f),
	    f);
	assert_int_equal(d.bad, 1);
	assert_int_equal(access(path_of(state, "a/b"), F_OK), -1);
	/* Not synced: not said to be gone. */
	contract_put(s, "w/1", "x");
	memset(&d, 0, sizeof(d));
	faults.fsync = (struct faults_plan){EIO, 0, 1};
	assert_fault(store_delete(s, (const char *const[]){"w/1"}, 1,
			 contract_note_deleted, &d, NULL, &f),
	    FAULT_SYSTEM, f);
	assert_int_equal(d.told[0], 0);
}

static void
many_names_are_listed_in_order(void **state)
{
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	struct contract_listing l = {"", 0, 1};
	char path[64];

	assert_int_equal(mkdir(path_of(state, "m"), 0700), 0);
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(path, sizeof(path), "m/%08X", i * 7919 % 5000);
		assert_int_equal(close(creat(path_of(state, path), 0600)), 0);
	}
	contract_list(s, "m/", false, "m/00001384",
	    "m/00001385|m/00001386|"
	    "m/00001387|");
	assert_fault(
	    store_list(s, "m/", false, NULL, contract_listed, &l, NULL, &f),
	    FAULT_FOREIGN, f);
	assert_string_equal(l.text, "m/00000000|");
}

/* A put that was killed on a file system without O_TMPFILE leaves its file,
 * which kept the folder from going with its last object. */
static int
leftover(void **state, const char *below, int64_t age_s)
{
	struct timespec t[2];
	int fd = open(path_of(state, below), O_CREAT | O_RDWR, 0600);

	assert_true(fd >= 0);
	t[0].tv_sec = t[1].tv_sec = time(NULL) - age_s;
	t[0].tv_nsec = t[1].tv_nsec = 0;
	assert_int_equal(futimens(fd, t), 0);
	return fd;
}

static void
deleting_removes_what_was_left_a_day_ago(void **state)
{
	struct store *s = contract_of(state)->s;
	const char *const keys[] = {"a/1", "a/2", "a/3"};
	const int64_t day = 24 * 60 * 60;
	struct contract_deleted deleted = {{0}, 0};
	struct fault f = FAULT_INIT;
	int held;

	for (size_t i = 0; i < 3; i++)
		assert_ok(store_put(s, keys[i], "x", 1, NULL, &f), f);
	close(leftover(state, "a/.tmp-0123456789abcdef", day + 60));
	close(leftover(state, "a/.tmp-0000000000000001", day - 60));
	close(leftover(state, "a/.tmp-0000000000000001x", day + 60));
	close(leftover(state, "a/.tmp-notours", day + 60));
	held = leftover(state, "a/.tmp-0000000000000002", day + 60);
	assert_int_equal(flock(held, LOCK_EX), 0);
	assert_ok(
	    store_delete(s, keys, 1, contract_note_deleted, &deleted, NULL, &f),
	    f);
	assert_int_equal(
	    access(path_of(state, "a/.tmp-0123456789abcdef"), F_OK), -1);
	assert_int_equal(
	    access(path_of(state, "a/.tmp-0000000000000001"), F_OK), 0);
	assert_int_equal(
	    access(path_of(state, "a/.tmp-0000000000000001x"), F_OK), 0);
	assert_int_equal(access(path_of(state, "a/.tmp-notours"), F_OK), 0);
	assert_int_equal(
	    access(path_of(state, "a/.tmp-0000000000000002"), F_OK), 0);
	close(held);
	unlink(path_of(state, "a/.tmp-0000000000000001"));
	unlink(path_of(state, "a/.tmp-0000000000000001x"));
	unlink(path_of(state, "a/.tmp-notours"));
	assert_ok(store_delete(s, keys + 1, 2, contract_note_deleted, &deleted,
		      NULL, &f),
	    f);
	assert_int_equal(deleted.bad, 0);
	assert_int_equal(access(path_of(state, "a"), F_OK), -1);
}

/* What is being written is locked, so that it is no leftover. */
static void
what_is_being_written_is_locked(void **state)
{
	struct store *s = contract_of(state)->s;
	struct store_upload *u = NULL;
	struct fault f = FAULT_INIT;
	struct dirent *e;
	unsigned locked = 0;
	DIR *d;
	int fd;

	faults.tmpfile = (struct faults_plan){EOPNOTSUPP, 0, 1};
	assert_ok(store_upload_begin(&u, s, "a/1", NULL, &f), f);
	assert_ok(store_upload_write(u, (const unsigned char *)"x", 1, &f), f);
	d = opendir(path_of(state, "a"));
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, STORE_FILE_TEMP, 5) != 0)
			continue;
		fd = openat(dirfd(d), e->d_name, O_WRONLY);
		assert_true(fd >= 0);
		locked += flock(fd, LOCK_EX | LOCK_NB) != 0;
		close(fd);
	}
	closedir(d);
	assert_int_equal(locked, 1);
	assert_ok(store_upload_commit(u, &f), f);
	store_upload_free(u);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CONTRACT_TESTS(setup, teardown),
	    test(a_root_that_is_not_there_is_again),
	    test(a_put_conjures_no_mount_point),
	    test(what_cannot_be_reached_is_never_absent),
	    test(only_objects_are_listed),
	    test(links_and_pipes_are_not_followed),
	    test(files_are_the_owners_alone),
	    test(deleting_takes_empty_folders_along),
	    test(many_names_are_listed_in_order),
	    test(deleting_removes_what_was_left_a_day_ago),
	    test(what_is_being_written_is_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
