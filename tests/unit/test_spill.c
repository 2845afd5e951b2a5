/* What the spill promises and no outside view shows: in what order things
 * happen, and what is asked of the disk. */
#include "repo_world.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fdio.h"
#include "spill.h"

/* pg_wal, and on another file system all else. */
static char wal[64];
static struct spill *spill;
static struct fault f;
static struct statvfs room;
static bool bad_disk;   /* the note cannot be synced */
static bool bad_file;   /* nor its bytes */
static bool stranger;   /* this user is another than the files' */
static char order[256]; /* first letters of what was copied */
static unsigned removed, removed_early;

uid_t __wrap_geteuid(void);
uid_t __real_geteuid(void);
int __wrap_statvfs(const char *path, struct statvfs *out);
int __wrap_fdio_sync_parent(const char *path, struct fault *why);
int __real_fdio_sync_parent(const char *path, struct fault *why);
int __wrap_fdio_sync(int fd, const char *path, struct fault *why);
int __real_fdio_sync(int fd, const char *path, struct fault *why);
int __wrap_store_delete(struct store *s, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *why);
int __real_store_delete(struct store *s, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *why);
int __wrap_archive_copy(struct repo *r, struct repo *from, const char *name,
    const char *note, const struct deadline *d, struct archive_result *res,
    struct fault *why);
int __real_archive_copy(struct repo *r, struct repo *from, const char *name,
    const char *note, const struct deadline *d, struct archive_result *res,
    struct fault *why);

uid_t
__wrap_geteuid(void)
{
	return __real_geteuid() + stranger;
}

int
__wrap_statvfs(const char *path, struct statvfs *out)
{
	(void)path;
	*out = room;
	return 0;
}

int
__wrap_fdio_sync_parent(const char *path, struct fault *why)
{
	if (bad_disk && strstr(path, ".spill") != NULL)
		return fault_set(why, FAULT_SYSTEM, "%s: I/O error", path);
	return __real_fdio_sync_parent(path, why);
}

int
__wrap_fdio_sync(int fd, const char *path, struct fault *why)
{
	if (bad_file && strstr(path, ".spill") != NULL)
		return fault_set(why, FAULT_SYSTEM, "%s: I/O error", path);
	return __real_fdio_sync(fd, path, why);
}

int
__wrap_store_delete(struct store *s, const char *const *keys, size_t n,
    store_delete_fn cb, void *ctx, const struct deadline *d, struct fault *why)
{
	struct fault ignored = FAULT_INIT;
	uint64_t stored;

	removed++;
	if (archive_look(repo, 0, strrchr(keys[0], '/') + 1, NULL, &stored,
		NULL, &ignored) != 0)
		removed_early++;
	return __real_store_delete(s, keys, n, cb, ctx, d, why);
}

int
__wrap_archive_copy(struct repo *r, struct repo *from, const char *name,
    const char *note, const struct deadline *d, struct archive_result *res,
    struct fault *why)
{
	strncat(order, name, 8);
	strcat(order, strchr(name, '.') != NULL ? "h " : " ");
	return __real_archive_copy(r, from, name, note, d, res, why);
}

static char *
in(const char *what)
{
	static char path[4][128];
	static unsigned n;
	char *p = path[n++ % 4];

	snprintf(p, 128, "%s/%s", dir, what);
	return p;
}

static void
settings(const char *more)
{
	spill_free(spill);
	repo_world_open("[cluster main]\nrepo = r\nencryption = off\n"
			"spill_dir = %s/spill\nspool_dir = %s/spool\n%s"
			"[repo r]\nurl = file://%s/repo\n",
	    dir, dir, more, dir);
	assert_int_equal(spill_open(&spill, repo, &f), 0);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(wal, "/dev/shm/test-spill-XXXXXX");
	assert_non_null(mkdtemp(wal));
	repo_world_dir("spill");
	assert_int_equal(mkdir(in("repo"), 0700), 0);
	fault_clear(&f);
	bad_disk = bad_file = false;
	order[0] = '\0';
	removed = removed_early = 0;
	settings("");
	return 0;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	spill_free(spill);
	spill = NULL;
	snprintf(command, sizeof(command), "rm -rf '%s'", wal);
	return repo_world_end() != 0 ? -1 : system(command);
}

/* A file of WAL that takes no segment to make. */
static const char *
history(unsigned timeline)
{
	static char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%08X.history", wal, timeline);
	file = fopen(path, "w");
	assert_non_null(file);
	for (unsigned i = 1; i < timeline; i++)
		fprintf(file, "%u\t0/%X000000\tno reason\n", i, i);
	assert_int_equal(fclose(file), 0);
	return path;
}

static const char *
label(unsigned timeline)
{
	static char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%08X0000000000000002.00000028.backup",
	    wal, timeline);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
	    "START WAL LOCATION: 0/2000028 (file %08X0000000000000002)\n"
	    "STOP WAL LOCATION: 0/2000100 (file %08X0000000000000002)\n"
	    "CHECKPOINT LOCATION: 0/2000060\nBACKUP METHOD: streamed\n"
	    "BACKUP FROM: primary\nSTART TIME: 2026-11-22 10:00:00 UTC\n"
	    "LABEL: x\nSTART TIMELINE: %u\n"
	    "STOP TIME: 2026-11-22 10:00:01 UTC\nSTOP TIMELINE: %u\n",
	    timeline, timeline, timeline, timeline);
	assert_int_equal(fclose(file), 0);
	return path;
}

static int
aside(const char *path)
{
	struct archive_result res;

	return spill_push(spill, path, NULL, &res, &f);
}

static uint64_t
held(void)
{
	struct spill_count n;

	assert_int_equal(spill_count(spill, &n, NULL, &f), 0);
	return n.files;
}

static int
drain(uint64_t files, struct spill_drained *out)
{
	const struct spill_limits l = {.files = files, .each_ms = 10000};

	return spill_drain(spill, repo, in("spool/marks"), &l, out, &f);
}

static void
room_is_what_the_settings_say(void **state)
{
	static const struct {
		const char *below;
		uint64_t blocks, unit, avail;
		bool is;
	} t[] = {
	    {"", 1000, 4096, 199, true},
	    {"", 1000, 4096, 200, false},
	    {"spill_below = 1%\n", 99, 4096, 0, false},
	    {"spill_below = 1%\n", 100, 4096, 0, true},
	    {"spill_below = 33%\n", 250, 4096, 81, true},
	    {"spill_below = 33%\n", 250, 4096, 82, false},
	    {"spill_below = 100%\n", 1000, 4096, 999, true},
	    {"spill_below = 100%\n", 1000, 4096, 1000, false},
	    {"spill_below = 50%\n", UINT64_MAX, 4096, UINT64_MAX / 2 - 1, true},
	    {"spill_below = 50%\n", UINT64_MAX, 4096, UINT64_MAX / 2 + 1,
		false},
	    {"spill_below = 1MB\n", 1000, 4096, 255, true},
	    {"spill_below = 1MB\n", 1000, 4096, 256, false},
	    {"spill_below = 10\n", 1000, 4096, 0, true},
	    {"spill_below = 10\n", 1000, 4096, 1, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		settings(t[i].below);
		room = (struct statvfs){.f_frsize = t[i].unit,
		    .f_blocks = t[i].blocks,
		    .f_bavail = t[i].avail};
		if (spill_below(spill, wal) != t[i].is)
			fail_msg("row %zu", i);
	}
}

static void
only_what_time_cures_is_put_aside(void **state)
{
	(void)state;
	assert_true(spill_suits(FAULT_AGAIN));
	assert_true(spill_suits(FAULT_DENIED));
	assert_true(spill_suits(FAULT_SYSTEM));
	assert_false(spill_suits(FAULT_NONE));
	assert_false(spill_suits(FAULT_EXISTS));
	assert_false(spill_suits(FAULT_FOREIGN));
	assert_false(spill_suits(FAULT_CORRUPT));
	assert_false(spill_suits(FAULT_KEY));
	assert_false(spill_suits(FAULT_CONFIG));
}

/* After a crash of the host a spill that is not mounted would look empty. */
static void
nothing_is_acknowledged_before_the_note_is_durable(void **state)
{
	(void)state;
	bad_disk = true;
	assert_int_equal(aside(history(2)), FAULT_SYSTEM);
	bad_disk = false;
	assert_int_equal(aside(history(2)), 0);
	bad_disk = true;
	assert_int_equal(aside(history(3)), FAULT_SYSTEM);
	bad_disk = false;
	/* Nor without one: its folder is a file. */
	assert_int_equal(rename(in("spool"), in("spool.away")), 0);
	assert_int_equal(creat(in("spool"), 0600) >= 0, 1);
	assert_int_equal(aside(history(4)), FAULT_SYSTEM);
	assert_non_null(strstr(f.text, "taken for empty"));
}

static const char *
note(void)
{
	static char path[128];

	snprintf(
	    path, sizeof(path), "%s/spool/main-%" PRIu64 ".spill", dir, SYSTEM);
	return path;
}

/* Each day it is written anew: a loss of power must not find one that has its
 * name and no bytes. */
static void
the_note_that_is_there_is_replaced_by_a_durable_one_only(void **state)
{
	struct stat before, after;
	FILE *file;

	(void)state;
	assert_int_equal(aside(history(2)), 0);
	file = fopen(note(), "w");
	assert_non_null(file);
	fprintf(file, "keys boot \nonce 1 file://%s/spill\n", dir);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(stat(note(), &before), 0);
	bad_file = true;
	assert_int_equal(aside(history(3)), FAULT_SYSTEM);
	assert_int_equal(stat(note(), &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	bad_file = false;
	assert_int_equal(aside(history(3)), 0);
	assert_int_equal(stat(note(), &after), 0);
	assert_int_not_equal(after.st_ino, before.st_ino);
}

/* The spill is not mounted, and what would tell that it should be is cut off,
 * or another user's, or on a disk that fails. */
static void
a_note_that_cannot_be_read_proves_nothing(void **state)
{
	bool has, pending;

	(void)state;
	assert_int_equal(aside(history(2)), 0);
	assert_int_equal(rename(in("spill"), in("away")), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(unlink(note()), 0);
		if (i == 0)
			assert_int_equal(mkdir(note(), 0700), 0);
		else
			assert_true(creat(note(), 0600) >= 0);
		if (i == 2) {
			assert_int_equal(truncate(note(), 100), 0);
			stranger = true;
		}
		assert_int_equal(
		    spill_peek(spill, "00000003.history", &has, NULL, &f),
		    FAULT_AGAIN);
		assert_int_equal(
		    spill_pending(spill, &pending, NULL, &f), FAULT_AGAIN);
		assert_non_null(strstr(f.text, "cannot be read"));
		stranger = false;
		if (i == 0) {
			assert_int_equal(rmdir(note()), 0);
			assert_true(creat(note(), 0600) >= 0);
		}
	}
	assert_int_equal(unlink(note()), 0);
	assert_int_equal(
	    spill_peek(spill, "00000003.history", &has, NULL, &f), 0);
	assert_false(has);
}

static void
histories_and_then_the_oldest_go_first(void **state)
{
	struct spill_drained out;

	(void)state;
	assert_int_equal(aside(label(3)), 0);
	assert_int_equal(aside(history(5)), 0);
	assert_int_equal(aside(label(1)), 0);
	assert_int_equal(aside(history(2)), 0);
	assert_int_equal(held(), 4);
	assert_int_equal(drain(3, &out), 0);
	assert_true(out.left);
	assert_int_equal(out.files, 3);
	assert_string_equal(order, "00000002h 00000005h 00000001h ");
	assert_int_equal(held(), 1);
	assert_int_equal(drain(0, &out), 0);
	assert_false(out.left);
	assert_int_equal(held(), 0);
	assert_int_equal(removed, 4);
	assert_int_equal(removed_early, 0);
}

static void
nothing_is_removed_that_no_repository_took(void **state)
{
	struct spill_drained out;

	(void)state;
	assert_int_equal(aside(history(2)), 0);
	assert_int_equal(rename(in("repo"), in("gone")), 0);
	assert_int_equal(symlink("/nowhere/at/all", in("repo")), 0);
	assert_int_not_equal(drain(0, &out), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(held(), 1);
}

static void
a_spill_that_was_used_is_not_empty_when_it_is_gone(void **state)
{
	bool has, pending;

	(void)state;
	assert_int_equal(
	    spill_peek(spill, "00000002.history", &has, NULL, &f), 0);
	assert_false(has);
	assert_int_equal(aside(history(2)), 0);
	assert_int_equal(
	    spill_peek(spill, "00000002.history", &has, NULL, &f), 0);
	assert_true(has);
	assert_int_equal(
	    spill_peek(spill, "00000003.history", &has, NULL, &f), 0);
	assert_false(has);
	assert_int_equal(f.code, FAULT_NONE);
	assert_int_equal(spill_pending(spill, &pending, NULL, &f), 0);
	assert_true(pending);
	assert_int_equal(rename(in("spill"), in("away")), 0);
	assert_int_equal(
	    spill_peek(spill, "00000003.history", &has, NULL, &f), FAULT_AGAIN);
	assert_int_equal(spill_pending(spill, &pending, NULL, &f), FAULT_AGAIN);
	assert_int_equal(mkdir(in("spill"), 0700), 0);
	assert_int_equal(
	    spill_peek(spill, "00000003.history", &has, NULL, &f), FAULT_AGAIN);
	assert_int_equal(aside(history(3)), FAULT_AGAIN);
	assert_int_equal(rmdir(in("spill")), 0); /* nothing was put there */
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(room_is_what_the_settings_say),
	    T(only_what_time_cures_is_put_aside),
	    T(nothing_is_acknowledged_before_the_note_is_durable),
	    T(the_note_that_is_there_is_replaced_by_a_durable_one_only),
	    T(a_note_that_cannot_be_read_proves_nothing),
	    T(histories_and_then_the_oldest_go_first),
	    T(nothing_is_removed_that_no_repository_took),
	    T(a_spill_that_was_used_is_not_empty_when_it_is_gone),
	};

	return cmocka_run_group_tests_name("spill", tests, NULL, NULL);
}
