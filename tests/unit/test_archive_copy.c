/* A sealed object that goes from one repository to another: what was proven is
 * what is stored, also when it is too large to be kept and is read again. */
#include "repo_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "../lib/walmake.h"

#define SIZE ((size_t)32 << 20)
#define NAME "000000030000000000000005"

static char path[128];
static struct conf_cluster only[2];
static struct repo *repos[2];
static unsigned rot_in; /* this reading of the whole, from 1 */
static unsigned readings;
static uint64_t rot_at;

struct rot {
	sink_fn sink;
	void *ctx;
	uint64_t at;
};

int __real_store_get(struct store *s, const char *key, uint64_t offset,
    uint64_t length, sink_fn sink, void *ctx, struct store_info *info,
    const struct deadline *d, struct fault *f);
int __wrap_store_get(struct store *s, const char *key, uint64_t offset,
    uint64_t length, sink_fn sink, void *ctx, struct store_info *info,
    const struct deadline *d, struct fault *f);

static int
rot_bytes(void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct rot *r = ctx;
	unsigned char *copy = malloc(len);
	int rc;

	assert_non_null(copy);
	memcpy(copy, data, len);
	if (rot_at >= r->at && rot_at - r->at < len)
		copy[rot_at - r->at] ^= 1U;
	r->at += len;
	rc = r->sink(r->ctx, copy, len, f);
	free(copy);
	return rc;
}

int
__wrap_store_get(struct store *s, const char *key, uint64_t offset,
    uint64_t length, sink_fn sink, void *ctx, struct store_info *info,
    const struct deadline *d, struct fault *f)
{
	struct rot r = {sink, ctx, 0};

	if (strstr(key, NAME) == NULL || length != UINT64_MAX ||
	    ++readings != rot_in)
		return __real_store_get(
		    s, key, offset, length, sink, ctx, info, d, f);
	return __real_store_get(
	    s, key, offset, length, rot_bytes, &r, info, d, f);
}

static int
setup(void **state)
{
	static const char *const names[] = {"r0", "r1"};
	static unsigned char segment[SIZE];
	struct fault f = FAULT_INIT;
	const struct conf_cluster *c;
	struct archive_result res;
	struct walmake m;
	int fd;

	(void)state;
	repo_world_dir("copy");
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/repo%d", dir, i);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	c = repo_world_conf(
	    "[cluster main]\nrepo = r0\nrepo = r1\nencryption = off\n"
	    "compression = none\n"
	    "[repo r0]\nurl = file://%s/repo0\n"
	    "[repo r1]\nurl = file://%s/repo1\n",
	    dir, dir);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    conf_only_repos(c, &names[i], 1, &only[i], &f), 0);
		assert_int_equal(repo_open(&repos[i], &only[i], SYSTEM, &f), 0);
	}
	walmake_begin(&m, segment, SIZE, 8192, 0);
	while (m.at < SIZE)
		walmake_filler(&m, 500000);
	snprintf(path, sizeof(path), "%s/" NAME, dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, segment, SIZE), (ssize_t)SIZE);
	close(fd);
	if (archive_push(repos[0], path, NULL, NULL, &res, &f) != 0)
		fail_msg("%s", f.text);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	repo_free(repos[0]);
	repo_free(repos[1]);
	return repo_world_end();
}

static int
copy(unsigned reading, uint64_t at, struct fault *f)
{
	struct archive_result res;

	rot_in = reading;
	rot_at = at;
	readings = 0;
	return archive_copy(repos[1], repos[0], NAME, NULL, NULL, &res, f);
}

/* A disk that is failing: no two readings of it need be the same. */
static void
what_is_stored_is_what_was_proven(void **state)
{
	struct fault f = FAULT_INIT;
	uint64_t stored;

	(void)state;
	for (unsigned reading = 1; reading <= 2; reading++)
		for (uint64_t at = 500; at < SIZE; at += SIZE / 3) {
			fault_clear(&f);
			assert_int_equal(copy(reading, at, &f), FAULT_CORRUPT);
			assert_int_equal(readings, reading);
			assert_int_equal(archive_look(repos[1], 0, NAME, NULL,
					     &stored, NULL, &f),
			    FAULT_ABSENT);
		}
	fault_clear(&f);
	if (copy(0, 0, &f) != 0)
		fail_msg("%s", f.text);
	assert_int_equal(
	    archive_look(repos[1], 0, NAME, NULL, &stored, NULL, &f), 0);
}

/* It would be found to hold everything, and lose it when that is removed. */
static void
a_repository_is_not_copied_into_itself(void **state)
{
	struct fault f = FAULT_INIT;
	struct archive_result res;

	(void)state;
	assert_int_equal(
	    archive_copy(repos[0], repos[0], NAME, NULL, NULL, &res, &f),
	    FAULT_CONFIG);
	assert_non_null(strstr(f.text, "itself"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_stored_is_what_was_proven),
	    cmocka_unit_test(a_repository_is_not_copied_into_itself),
	};

	return cmocka_run_group_tests_name(
	    "archive_copy", tests, setup, teardown);
}
