/* walfetch's destination, on a system without /proc as well. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_dest.h"

static bool no_proc;
static char dir[64], path[128];

static int
hidden(const char *p)
{
	if (!no_proc || strncmp(p, "/proc/", 6) != 0)
		return 0;
	errno = ENOENT;
	return 1;
}

int __real_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags);
int __real_access(const char *p, int mode);
int __wrap_access(const char *p, int mode);

int
__wrap_linkat(int a, const char *from, int b, const char *to, int flags)
{
	return hidden(from) ? -1 : __real_linkat(a, from, b, to, flags);
}

int
__wrap_access(const char *p, int mode)
{
	return hidden(p) ? -1 : __real_access(p, mode);
}

static void
deliver(const char *text)
{
	struct fault f = FAULT_INIT;
	struct archive_dest d;
	char got[64] = "";
	int fd;

	assert_int_equal(archive_dest_begin(&d, path, &f), 0);
	assert_int_equal(archive_dest_write(
			     &d, (const unsigned char *)text, strlen(text), &f),
	    0);
	if (archive_dest_publish(&d, &f) != 0)
		fail_msg("%s", f.text);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, got, sizeof(got)), (ssize_t)strlen(text));
	assert_string_equal(got, text);
	close(fd);
}

static void
it_is_there_whole_and_replaces_what_was(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		no_proc = i == 1;
		deliver("first");
		deliver("and second");
		assert_int_equal(unlink(path), 0);
		/* Nothing else was left behind. */
		assert_int_equal(rmdir(dir), 0);
		assert_int_equal(mkdir(dir, 0700), 0);
	}
}

static void
given_up_it_leaves_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct fault f = FAULT_INIT;
		struct archive_dest d;

		no_proc = i == 1;
		assert_int_equal(archive_dest_begin(&d, path, &f), 0);
		assert_int_equal(
		    archive_dest_write(&d, (const unsigned char *)"x", 1, &f),
		    0);
		archive_dest_abort(&d);
		assert_int_equal(rmdir(dir), 0);
		assert_int_equal(mkdir(dir, 0700), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_there_whole_and_replaces_what_was),
	    cmocka_unit_test(given_up_it_leaves_nothing),
	};
	int rc;

	strcpy(dir, "/tmp/test-dest-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/RECOVERYXLOG", dir);
	rc = cmocka_run_group_tests_name("archive_dest", tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return rc;
}
