#include "store_contract.h"

#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "store_file_faults.h"
#include "store_file.h"

/* A state's own: the folder above the repository's root. */
static const char *
above(void **state)
{
	return contract_of(state)->own;
}

static char *
path_of(void **state, const char *below)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/repo/%s", above(state), below);
	return path;
}

static struct store *
open_at(const char *path)
{
	struct conf_repo r = {.name = "local", .kind = CONF_STORE_FILE};
	struct fault f = FAULT_INIT;
	struct store *s;

	r.path = path;
	assert_ok(store_file_open(&s, &r, &f), f);
	return s;
}

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct contract *c = calloc(1, sizeof(*c));
	char root[PATH_MAX], *dir;

	assert_true(asprintf(&dir, "%s/store.XXXXXX", tmp ? tmp : "/tmp") > 0);
	assert_non_null(mkdtemp(dir));
	snprintf(root, sizeof(root), "%s/repo", dir);
	faults_clear();
	c->own = dir;
	c->s = open_at(root);
	*state = c;
	return mkdir(root, 0700);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	(void)type;
	(void)w;
	return remove(path);
}

static int
teardown(void **state)
{
	struct contract *c = *state;
	int rc;

	faults_clear();
	store_free(c->s);
	rc = nftw(c->own, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(c->own);
	free(c);
	return rc;
}

static unsigned names_seen, temps_seen;

static int
count_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	if (type != FTW_D)
		names_seen++;
	if (strncmp(path + w->base, ".tmp-", 5) == 0)
		temps_seen++;
	return 0;
}

/* Files of any name below the root. */
static unsigned
files(void **state)
{
	names_seen = temps_seen = 0;
	assert_int_equal(nftw(path_of(state, ""), count_one, 16, FTW_PHYS), 0);
	return names_seen;
}

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

/* ---- durable ---- */

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

/* ---- processes ---- */

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
	    test(nothing_has_a_name_before_its_bytes_are_on_disk),
	    test(folders_that_others_made_are_synced_too),
	    test(a_full_disk_leaves_nothing_behind),
	    test(a_folder_that_cannot_be_synced_is_no_success),
	    test(an_upload_that_fails_leaves_nothing_behind),
	    test(interrupted_and_short_writes_lose_nothing),
	    test(without_o_tmpfile_a_named_file_serves),
	    test(a_link_whose_answer_was_lost_is_a_success),
	    test(a_folder_that_goes_meanwhile_is_made_again),
	    test(deleting_takes_empty_folders_along),
	    test(deleting_removes_what_was_left_a_day_ago),
	    test(what_is_being_written_is_locked),
	    test(one_of_many_processes_wins),
	    test(a_killed_put_leaves_a_whole_object_or_none),
	    test(a_killed_put_leaves_nothing_that_is_listed),
	    test(deletes_do_not_disturb_puts),
	    test(many_names_are_listed_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
