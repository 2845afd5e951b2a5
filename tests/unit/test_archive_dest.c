/* walfetch's destination, on a system without /proc as well. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_dest.h"

static bool no_proc, no_room;
static off_t room; /* that was asked for */
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

int __wrap_fallocate(int fd, int mode, off_t at, off_t len);
int __real_fallocate(int fd, int mode, off_t at, off_t len);

int
__wrap_fallocate(int fd, int mode, off_t at, off_t len)
{
	assert_int_equal(at, 0);
	room = len;
	errno = EOPNOTSUPP;
	if (no_room)
		return -1;
	return len > (16 << 20) ? 0 : __real_fallocate(fd, mode, at, len);
}

static void
deliver(const char *text, uint64_t expected)
{
	struct fault f = FAULT_INIT;
	struct archive_dest d;
	char got[64] = "";
	int fd;

	assert_int_equal(archive_dest_begin(&d, path, &f), 0);
	archive_dest_expect(&d, expected);
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
		deliver("first", 5);
		deliver("and second", 10);
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

/* 16 MiB are not made room for in pieces of 4 KiB. What was expected has no say
 * in what is delivered, nor has a file system that has no such call. */
static void
room_for_a_segment_is_asked_for_at_once(void **state)
{
	static const uint64_t ask[] = {16U << 20, 1U << 30};
	static const uint64_t none[] = {0, 4096, (1U << 30) + 1, UINT64_MAX};

	(void)state;
	for (int i = 0; i < 4; i++) {
		no_proc = (i & 1) != 0;
		no_room = (i & 2) != 0;
		for (size_t k = 0; k < sizeof(ask) / sizeof(*ask); k++) {
			room = 0;
			deliver("short", ask[k]);
			assert_int_equal(room, ask[k]);
		}
		for (size_t k = 0; k < sizeof(none) / sizeof(*none); k++) {
			room = 0;
			deliver("other", none[k]);
			assert_int_equal(room, 0);
		}
	}
	no_proc = no_room = false;
	assert_int_equal(unlink(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_there_whole_and_replaces_what_was),
	    cmocka_unit_test(given_up_it_leaves_nothing),
	    cmocka_unit_test(room_for_a_segment_is_asked_for_at_once),
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
