/*
 * Is there room for a restore? What an unfinished one left counts as free, as
 * the next run removes it first. The file system's word is made up here.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../../cmd/pitr-restore/folder.c"
#include "../../cmd/pitr-restore/room.c"

#define MIB (1U << 20)

static char dir[64];
static char root[80];
static char space[80];
static uint64_t free_mib;

int __wrap_statvfs(const char *path, struct statvfs *out);

int
__wrap_statvfs(const char *path, struct statvfs *out)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return -1;
	memset(out, 0, sizeof *out);
	out->f_frsize = MIB;
	out->f_bavail = free_mib;
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test-room.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(root, sizeof root, "%s/root", dir);
	snprintf(space, sizeof space, "%s/space", dir);
	return 0;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

static void
file(const char *folder, const char *name, size_t mib)
{
	static char block[MIB];
	char path[128];
	int fd;

	/* Noise: some file systems compress. */
	for (size_t k = 0; k < sizeof block; k++)
		block[k] = (char)(random() >> 7);
	mkdir(folder, 0700);
	snprintf(path, sizeof path, "%s/sub", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/sub/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (mib-- > 0)
		assert_int_equal(write(fd, block, MIB), MIB);
	assert_int_equal(fsync(fd), 0);
	close(fd);
}

/* A backup of 100 MiB, 40 of them in the tablespace. */
static int
check(struct fault *f)
{
	struct tree_space s = {16384, space};
	struct place p = {.root = root, .spaces = &s, .n_spaces = 1};
	struct head_tablespace t = {16384, NULL, 40ULL * MIB};
	struct head h = {.tablespaces = &t, .n_tablespaces = 1};

	h.totals.bytes = 100ULL * MIB;
	fault_clear(f);
	return room_check(&p, &h, f);
}

static void
an_empty_place_needs_all_of_it(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	free_mib = 100;
	assert_int_equal(check(&f), 0);
	free_mib = 99;
	assert_int_equal(check(&f), FAULT_CONFIG);
	assert_non_null(strstr(f.text, "only 99.0"));
}

static void
what_the_run_removes_is_free(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	file(root, "a", 5);
	file(space, "b", 7);
	free_mib = 89;
	assert_int_equal(check(&f), 0);
	free_mib = 80;
	assert_int_equal(check(&f), FAULT_CONFIG);
}

/* A second name keeps the blocks, a link leads elsewhere. */
static void
what_stays_elsewhere_is_not(void **state)
{
	struct fault f = FAULT_INIT;
	char from[128];
	char to[128];

	(void)state;
	file(dir, "kept", 12);
	mkdir(root, 0700);
	snprintf(from, sizeof from, "%s/sub/kept", dir);
	snprintf(to, sizeof to, "%s/second", root);
	assert_int_equal(link(from, to), 0);
	snprintf(to, sizeof to, "%s/link", root);
	snprintf(from, sizeof from, "%s/sub", dir);
	assert_int_equal(symlink(from, to), 0);
	free_mib = 95;
	assert_int_equal(check(&f), FAULT_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		an_empty_place_needs_all_of_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_the_run_removes_is_free, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_stays_elsewhere_is_not, setup, teardown),
	};

	return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
