/* A repository that does not answer, and that the quorum can do without: who
 * pushes goes on, and what it holds is freed when it is over. */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "../lib/walmake.h"

#define SYSTEM 7000000000000000000ULL
#define SIZE ((size_t)1 << 20)
#define NAME "000000030000000000000005"

static char dir[64], path[128], note[128];
static struct conf *conf;
static struct repo *repo, *sender;
static unsigned char segment[SIZE];

/* The far repository hangs while this is held. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned asked, ended;

int __real_store_put(struct store *s, const char *key, const void *data,
    size_t len, const struct deadline *d, struct fault *f);
int __wrap_store_put(struct store *s, const char *key, const void *data,
    size_t len, const struct deadline *d, struct fault *f);

int
__wrap_store_put(struct store *s, const char *key, const void *data, size_t len,
    const struct deadline *d, struct fault *f)
{
	if (strstr(store_url(s), "/far") != NULL && strstr(key, "/wal/")) {
		pthread_mutex_lock(&lock);
		asked++;
		pthread_mutex_unlock(&lock);
		pthread_mutex_lock(&gate);
		pthread_mutex_unlock(&gate);
	}
	return __real_store_put(s, key, data, len, d, f);
}

static void
over(void *ctx)
{
	repo_free(ctx);
	pthread_mutex_lock(&lock);
	ended++;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

static int
world(const char *quorum)
{
	struct fault f = FAULT_INIT;
	const struct conf_cluster *c;
	struct walmake m;
	char text[512];
	int fd;

	strcpy(dir, "/tmp/test-late-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/near", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/far", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/" NAME, dir);
	snprintf(note, sizeof(note), "%s/marks", dir);
	snprintf(text, sizeof(text),
	    "[cluster main]\nrepo = near\nrepo = far\nencryption = off\n"
	    "push_quorum = %s\n"
	    "[repo near]\nurl = file://%s/near\n"
	    "[repo far]\nurl = file://%s/far\n",
	    quorum, dir, dir);
	assert_int_equal(conf_parse(&conf, "test", text, strlen(text), &f), 0);
	assert_int_equal(conf_cluster(conf, NULL, &c, &f), 0);
	assert_int_equal(repo_open(&repo, c, SYSTEM, &f), 0);
	walmake_begin(&m, segment, SIZE, 8192, 0);
	while (m.at < SIZE)
		walmake_filler(&m, 5000);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, segment, SIZE), (ssize_t)SIZE);
	close(fd);
	asked = ended = 0;
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	return world("1");
}

static int
setup_both(void **state)
{
	(void)state;
	return world("2");
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	repo_free(repo);
	conf_free(conf);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static int
push(const bool without[CONF_LIST], struct archive_result *res, bool *may)
{
	struct deadline never = deadline_never();
	struct fault f = FAULT_INIT;
	struct archive_push *p;
	int rc;

	assert_int_equal(repo_clone(&sender, repo, &f), 0);
	rc = archive_push_begin(&p, sender, path, 1, NULL, &f);
	if (rc != 0)
		fail_msg("%s", f.text);
	*may = archive_push_without(p, without);
	archive_push_after(p, over, sender);
	rc = archive_push_end(p, note, &never, res, &f);
	if (!res->busy)
		repo_free(sender);
	return rc;
}

static bool
is_late(void)
{
	char late[160];

	snprintf(late, sizeof(late), "%s.late-far", note);
	return access(late, F_OK) == 0;
}

static void
is_stored(const char *name, bool want)
{
	struct deadline never = deadline_never();
	struct fault f = FAULT_INIT;
	uint64_t stored;
	size_t i = strcmp(name, "far") == 0;

	assert_int_equal(archive_look(repo, i, NAME, NULL, &stored, &never, &f),
	    want ? 0 : FAULT_ABSENT);
}

static void
what_waits_is_freed_when_it_is_over(void **state)
{
	static const bool none[CONF_LIST];
	struct archive_result res;
	bool may;

	(void)state;
	pthread_mutex_lock(&gate);
	assert_int_equal(push(none, &res, &may), 0);
	assert_true(may);
	assert_true(res.busy);
	assert_false(res.late[0]);
	assert_true(res.late[1]);
	assert_int_equal(res.durable_in, 1);
	assert_true(is_late());
	pthread_mutex_lock(&lock);
	assert_int_equal(asked, 1);
	assert_int_equal(ended, 0);
	pthread_mutex_unlock(&gate);
	while (ended == 0)
		pthread_cond_wait(&changed, &lock);
	assert_int_equal(ended, 1);
	pthread_mutex_unlock(&lock);
	is_stored("far", true);
}

static void
what_is_left_out_gets_nothing_and_is_told(void **state)
{
	bool without[CONF_LIST] = {false, true};
	struct archive_result res;
	bool may;

	(void)state;
	assert_int_equal(push(without, &res, &may), 0);
	assert_true(may);
	assert_false(res.busy);
	assert_int_equal(res.durable_in, 1);
	assert_non_null(strstr(res.warning, "far: got nothing"));
	assert_int_equal(asked, 0);
	is_stored("near", true);
	is_stored("far", false);
}

/* It has not answered in time, and so is as late as it was. */
static void
what_is_left_out_is_as_late_as_it_was(void **state)
{
	bool without[CONF_LIST] = {false, true};
	struct archive_result res;
	char late[160];
	bool may;
	int fd;

	(void)state;
	snprintf(late, sizeof(late), "%s.late-far", note);
	fd = open(late, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(push(without, &res, &may), 0);
	assert_true(is_late());
	without[1] = false;
	assert_int_equal(push(without, &res, &may), 0);
	assert_false(is_late());
	is_stored("far", true);
}

static void
what_the_quorum_needs_is_not_left_out(void **state)
{
	bool without[CONF_LIST] = {false, true};
	struct archive_result res;
	bool may;

	(void)state;
	assert_int_equal(push(without, &res, &may), 0);
	assert_false(may);
	assert_int_equal(res.durable_in, 2);
	is_stored("far", true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_waits_is_freed_when_it_is_over, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_is_left_out_gets_nothing_and_is_told, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_is_left_out_is_as_late_as_it_was, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_the_quorum_needs_is_not_left_out, setup_both, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
