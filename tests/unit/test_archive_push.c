/* What walpush must notice while it works. */
#include "repo_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "archive_dest.h"
#include "fdio.h"
#include "../lib/walmake.h"

#define SIZE ((size_t)4 << 20)
#define NAME "000000030000000000000005"

static char path[128];
static unsigned char segment[SIZE];
static long change_at = -1; /* while the second chunk is sealed */
static unsigned chunks;

int __real_object_seal_chunk(struct object_sealer *s, const void *content,
    size_t len, struct object_extent *e, struct fault *f);
int __wrap_object_seal_chunk(struct object_sealer *s, const void *content,
    size_t len, struct object_extent *e, struct fault *f);

int
__wrap_object_seal_chunk(struct object_sealer *s, const void *content,
    size_t len, struct object_extent *e, struct fault *f)
{
	if (++chunks == 2 && change_at >= 0) {
		unsigned char byte = segment[change_at] ^ 1U;
		int fd = open(path, O_WRONLY);

		assert_true(fd >= 0);
		assert_int_equal(pwrite(fd, &byte, 1, change_at), 1);
		close(fd);
	}
	return __real_object_seal_chunk(s, content, len, e, f);
}

static int
setup(void **state)
{
	struct walmake m;

	(void)state;
	repo_world_dir("push");
	/* The store's root, as absence is proven only while it is there. */
	snprintf(path, sizeof(path), "%s/repo", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/" NAME, dir);
	repo_world_open(ONE_REPO, dir);
	walmake_begin(&m, segment, SIZE, 8192, 0);
	while (m.at < SIZE)
		walmake_filler(&m, 5000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return repo_world_end();
}

static int
push(long change, struct fault *f)
{
	struct archive_result res;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, segment, SIZE), (ssize_t)SIZE);
	close(fd);
	change_at = change;
	chunks = 0;
	return archive_push(repo, path, NULL, NULL, &res, f);
}

/* Wherever: in what is sealed already it does no harm. */
static void
a_file_that_changes_is_not_stored_unchecked(void **state)
{
	struct fault f = FAULT_INIT;
	uint64_t stored;

	(void)state;
	for (long at = (1L << 20) + 100; at < (long)SIZE; at += 1L << 20) {
		assert_int_equal(push(at, &f), FAULT_SYSTEM);
		assert_non_null(strstr(f.text, "was changed while"));
		assert_int_equal(
		    archive_look(repo, 0, NAME, NULL, &stored, &never, &f),
		    FAULT_ABSENT);
	}
	if (push(-1, &f) != 0)
		fail_msg("%s", f.text);
	assert_int_equal(
	    archive_look(repo, 0, NAME, NULL, &stored, &never, &f), 0);
}

void __wrap_archive_dest_expect(const struct archive_dest *d, uint64_t size);
void __real_archive_dest_expect(const struct archive_dest *d, uint64_t size);

static uint64_t expected; /* how large what is fetched will be */

void
__wrap_archive_dest_expect(const struct archive_dest *d, uint64_t size)
{
	assert_int_equal(expected, 0);
	expected = size;
	__real_archive_dest_expect(d, size);
}

static unsigned widened;

static void
widen(void *ctx)
{
	(void)ctx;
	widened++;
}

/* How often it asked for more. */
static unsigned
push_narrow(const char *compression)
{
	const struct archive_room room = {.bytes = 8U << 20, .widen = widen};
	struct archive_push *p = NULL;
	struct archive_result res;
	struct fault f = FAULT_INIT;
	char back[160];
	unsigned char *data;
	size_t len;

	repo_world_open(
	    "[cluster main]\nrepo = r\nencryption = off\ncompression = %s\n"
	    "[repo r]\nurl = file://%s/%s\n",
	    compression, dir, compression);
	snprintf(back, sizeof(back), "%s/%s", dir, compression);
	assert_int_equal(mkdir(back, 0700), 0);
	widened = 0;
	if (archive_push_begin(&p, repo, path, 1, &room, &f) != 0 ||
	    archive_push_end(p, NULL, &never, &res, &f) != 0)
		fail_msg("%s", f.text);
	strcat(back, ".back");
	expected = 0;
	if (archive_fetch(repo, NAME, back, &never, &f) != 0)
		fail_msg("%s", f.text);
	assert_int_equal(fdio_slurp(back, SIZE, &data, &len, &f), 0);
	assert_int_equal(len, SIZE);
	assert_int_equal(expected, SIZE);
	assert_memory_equal(data, segment, SIZE);
	free(data);
	return widened;
}

static void
what_grows_out_of_its_room_asks_for_more_once(void **state)
{
	(void)state;
	assert_int_equal(push_narrow("zstd"), 0);
	assert_int_equal(push_narrow("none"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_that_changes_is_not_stored_unchecked),
	    cmocka_unit_test(what_grows_out_of_its_room_asks_for_more_once),
	};

	return cmocka_run_group_tests_name(
	    "archive_push", tests, setup, teardown);
}
