/* The audit trail: a chain that goes on whatever happens to its writer, and in
 * which nothing can be changed unseen. */
#include "unit.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit.h"
#include "audit_state.h"
#include "fdio.h"

#define SYSTEM UINT64_C(7000000000000000000)

static char dir[64], secret_key[128], spool[128];
static struct conf *conf;
static struct repo *repo;
static struct deadline never;

/* The next puts: fail before or after the object is there. */
static unsigned fail_puts;
static bool fail_after;
static enum fault_code fail_code;

int __real_store_put(struct store *s, const char *key, const void *data,
    size_t len, const struct deadline *d, struct fault *f);
int __wrap_store_put(struct store *s, const char *key, const void *data,
    size_t len, const struct deadline *d, struct fault *f);

int
__wrap_store_put(struct store *s, const char *key, const void *data, size_t len,
    const struct deadline *d, struct fault *f)
{
	if (fail_puts == 0)
		return __real_store_put(s, key, data, len, d, f);
	fail_puts--;
	if (fail_after)
		assert_int_equal(__real_store_put(s, key, data, len, d, f), 0);
	return fault_set(f, fail_code, "as it was planned");
}

/* So the next gets. */
static unsigned fail_gets;
static enum fault_code get_code;

int __real_store_get(struct store *s, const char *key, uint64_t offset,
    uint64_t length, sink_fn sink, void *ctx, struct store_info *info,
    const struct deadline *d, struct fault *f);
int __wrap_store_get(struct store *s, const char *key, uint64_t offset,
    uint64_t length, sink_fn sink, void *ctx, struct store_info *info,
    const struct deadline *d, struct fault *f);

int
__wrap_store_get(struct store *s, const char *key, uint64_t offset,
    uint64_t length, sink_fn sink, void *ctx, struct store_info *info,
    const struct deadline *d, struct fault *f)
{
	if (fail_gets == 0)
		return __real_store_get(
		    s, key, offset, length, sink, ctx, info, d, f);
	fail_gets--;
	return fault_set(f, get_code, "as it was planned");
}

static void
plan(unsigned puts, enum fault_code code, bool after)
{
	fail_puts = puts;
	fail_code = code;
	fail_after = after;
}

/* ---- a repository ---- */

static void
write_file(const char *path, const char *text, size_t len)
{
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	assert_int_equal(fwrite(text, 1, len, fp), len);
	assert_int_equal(fclose(fp), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static void
open_with(const char *key_file)
{
	struct fault f = FAULT_INIT;
	const struct conf_cluster *c;
	char text[1024];

	repo_free(repo);
	conf_free(conf);
	snprintf(text, sizeof text,
	    "[cluster main]\nrepo = r\nkey_file = %s\nspool_dir = %s\n"
	    "[repo r]\nurl = file://%s/repo\n",
	    key_file, spool, dir);
	assert_int_equal(conf_parse(&conf, "test", text, strlen(text), &f), 0);
	assert_int_equal(conf_cluster(conf, NULL, &c, &f), 0);
	assert_int_equal(repo_open(&repo, c, SYSTEM, &f), 0);
}

static int
setup(void **state)
{
	struct fault f = FAULT_INIT;
	struct keyring *k;
	char path[128], *text;
	size_t len;

	(void)state;
	never = deadline_never();
	fail_puts = 0;
	strcpy(dir, "/tmp/test-audit-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(spool, sizeof spool, "%s/spool", dir);
	snprintf(secret_key, sizeof secret_key, "%s/key", dir);
	snprintf(path, sizeof path, "%s/repo", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mkdir(spool, 0700), 0);
	assert_int_equal(keyring_generate(1, &text, &len, &f), 0);
	write_file(secret_key, text, len);
	assert_int_equal(keyring_parse(&k, "key", text, len, &f), 0);
	free(text);
	assert_int_equal(keyring_recipient_text(k, &text, &len, &f), 0);
	snprintf(path, sizeof path, "%s/recipient", dir);
	write_file(path, text, len);
	free(text);
	keyring_free(k);
	open_with(secret_key);
	return 0;
}

static int
teardown(void **state)
{
	char command[192];

	(void)state;
	repo_free(repo);
	conf_free(conf);
	repo = NULL;
	conf = NULL;
	snprintf(
	    command, sizeof command, "chmod -R u+w %s; rm -rf %s", dir, dir);
	return system(command);
}

/* ---- writing ---- */

static int
write_one(const char *object, char remark[AUDIT_TEXT])
{
	struct audit_event e = AUDIT_EVENT("test");
	struct fault f = FAULT_INIT;
	struct audit *a;
	int rc;

	e.object = object;
	assert_int_equal(audit_open(&a, repo, 0, "unit", &f), 0);
	rc = audit_note(a, &e, 0, NULL, &never, &f);
	if (remark != NULL)
		strcpy(remark, audit_remark(a));
	audit_free(a);
	assert_true(
	    rc == 0 || strncmp(f.text, "audit record not stored", 23) == 0);
	return rc;
}

static void
write_many(unsigned n)
{
	char object[16];

	for (unsigned k = 1; k <= n; k++) {
		snprintf(object, sizeof object, "%u", k);
		assert_int_equal(write_one(object, NULL), 0);
	}
}

/* ---- what a check says ---- */

#define MOST 64
static struct {
	size_t n;
	struct {
		enum audit_flaw flaw;
		uint64_t first, last;
		char text[512];
	} finding[MOST];
	size_t heads;
	struct audit_head head[MOST];
	size_t records;
	char objects[4096];
	char began[MOST][AUDIT_TEXT];
	struct audit_record last;
} seen;

static int
on_finding(void *ctx, const struct audit_finding *x, struct fault *f)
{
	(void)ctx;
	(void)f;
	assert_true(seen.n < MOST);
	seen.finding[seen.n].flaw = x->flaw;
	seen.finding[seen.n].first = x->first;
	seen.finding[seen.n].last = x->last;
	snprintf(seen.finding[seen.n++].text, 512, "%s", x->text);
	return 0;
}

static int
on_head(void *ctx, const struct audit_head *h, struct fault *f)
{
	(void)ctx;
	(void)f;
	assert_true(seen.heads < MOST);
	seen.head[seen.heads++] = *h;
	return 0;
}

static int
on_record(void *ctx, const struct audit_record *r, struct fault *f)
{
	(void)ctx;
	(void)f;
	if (seen.records < MOST)
		strcpy(seen.began[seen.records], r->began);
	seen.records++;
	if (strlen(seen.objects) + strlen(r->object) + 2 <
	    sizeof seen.objects) {
		strcat(seen.objects, r->object);
		strcat(seen.objects, " ");
	}
	seen.last = *r;
	return 0;
}

static int
check_with(const struct audit_head *known, size_t n, bool since)
{
	const struct audit_check c = {
	    .known = known,
	    .n_known = n,
	    .since_known = since,
	    .finding = on_finding,
	    .head = on_head,
	    .record = on_record,
	};
	struct fault f = FAULT_INIT;

	memset(&seen, 0, sizeof seen);
	return audit_check(repo, 0, &c, &never, &f);
}

static void
check(size_t findings)
{
	assert_int_equal(check_with(NULL, 0, false), 0);
	if (seen.n != findings)
		for (size_t k = 0; k < seen.n; k++)
			print_message("# %s\n", seen.finding[k].text);
	assert_int_equal(seen.n, findings);
}

/* The only writer's file of a number. */
static void
path_of(unsigned number, char path[256])
{
	check_with(NULL, 0, false);
	assert_true(seen.heads >= 1);
	snprintf(path, 256, "%s/repo/main/%" PRIu64 "/audit/%s/%012u", dir,
	    SYSTEM, seen.head[0].writer, number);
}

static void
move(const char *from, const char *to)
{
	assert_int_equal(rename(from, to), 0);
}

/* The state's file. */
static void
state_path(char path[512])
{
	struct fault f = FAULT_INIT;
	char *p;

	assert_int_equal(audit_state_path(repo, 0, &p, &f), 0);
	snprintf(path, 512, "%s", p);
	free(p);
}

/* ---- the chain ---- */

static void
records_make_one_chain_in_which_nothing_is_wrong(void **state)
{
	struct audit_event e = AUDIT_EVENT("backup");
	const struct audit_pair details[] = {
	    {"first", "1"}, {"empty", NULL}, {"odd", "a\nb\xff\xc3\xbc"}};
	struct fault f = FAULT_INIT, why = FAULT_INIT;
	struct audit *a;

	(void)state;
	check(0);
	assert_int_equal(seen.heads, 0);
	assert_int_equal(audit_open(&a, repo, 0, "unit", &f), 0);
	e.object = "20261122T020000Z-full-1a2b3c4d";
	e.reason = "why";
	e.approved_by = "who";
	e.details = details;
	e.n_details = 3;
	assert_int_equal(audit_begin(a, &e, &never, &f), 0);
	assert_string_equal(audit_remark(a), "");
	check(0);
	assert_int_equal(seen.last.phase, AUDIT_BEGUN);
	assert_int_equal(seen.last.status, -1);
	assert_true(seen.last.bytes == AUDIT_UNKNOWN);
	e.bytes = UINT64_MAX - 1;
	e.checksum = "sha256:00";
	fault_set(&why, FAULT_AGAIN, "the server is gone");
	assert_int_equal(audit_end(a, &e, 4, &why, &never, &f), 0);
	check(0);
	assert_int_equal(seen.records, 2);
	assert_int_equal(seen.heads, 1);
	assert_int_equal(seen.head[0].sequence, 2);
	assert_int_equal(seen.last.phase, AUDIT_ENDED);
	assert_int_equal(seen.last.status, 4);
	assert_true(seen.last.duration_ms >= 0);
	assert_true(seen.last.bytes == UINT64_MAX - 1);
	assert_int_equal(seen.last.pid, getpid());
	assert_string_equal(seen.last.message, "the server is gone");
	assert_string_equal(seen.last.reason, "why");
	assert_string_equal(seen.last.approved_by, "who");
	assert_int_equal(layout_check_hold(seen.last.operation, &f), 0);
	assert_int_equal(seen.last.n_details, 3);
	assert_string_equal(seen.last.details[1].value, "");
	assert_string_equal(seen.last.details[2].value, "a?b?\xc3\xbc");
	audit_free(a);
	write_many(3);
	check(0);
	assert_string_equal(seen.objects, "20261122T020000Z-full-1a2b3c4d "
					  "20261122T020000Z-full-1a2b3c4d "
					  "1 2 3 ");
}

static void
a_host_that_cannot_read_goes_on_with_its_chain(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/recipient", dir);
	open_with(path);
	write_many(3);
	assert_int_equal(check_with(NULL, 0, false), FAULT_KEY);
	open_with(secret_key);
	write_many(1);
	check(0);
	assert_int_equal(seen.heads, 1);
	assert_int_equal(seen.head[0].sequence, 4);
}

static void
two_clusters_have_two_chains(void **state)
{
	const struct conf_cluster *c = repo_conf(repo);
	struct fault f = FAULT_INIT;

	(void)state;
	write_many(2);
	repo_free(repo);
	assert_int_equal(repo_open(&repo, c, 5, &f), 0);
	write_many(1);
	check(0);
	assert_int_equal(seen.head[0].sequence, 1);
}

/* ---- lost and stale states ---- */

static void
a_lost_state_begins_a_new_writer_which_says_so(void **state)
{
	char path[512], remark[AUDIT_TEXT];

	(void)state;
	write_many(2);
	state_path(path);
	assert_int_equal(unlink(path), 0);
	write_many(2);
	write_file(path, "{}", 2);
	assert_int_equal(write_one("x", remark), 0);
	assert_non_null(strstr(remark, "is damaged"));
	check(0);
	assert_int_equal(seen.heads, 3);
	for (size_t k = 0, firsts = 0; k < seen.records; k++) {
		firsts += seen.began[k][0] != '\0';
		assert_true(k + 1 < seen.records || firsts == 3);
	}
}

static void
a_state_of_long_ago_begins_a_new_writer(void **state)
{
	char path[512], remark[AUDIT_TEXT];
	struct fault f = FAULT_INIT;
	unsigned char *text;
	size_t len;

	(void)state;
	write_many(2);
	state_path(path);
	assert_int_equal(fdio_slurp(path, 1 << 20, &text, &len, &f), 0);
	write_many(2);
	write_file(path, (const char *)text, len);
	free(text);
	assert_int_equal(write_one("x", remark), 0);
	assert_non_null(strstr(remark, "taken by another"));
	write_many(1);
	check(0);
	assert_int_equal(seen.heads, 2);
	assert_int_equal(seen.records, 6);
}

static void
a_state_of_another_host_is_not_gone_on_with(void **state)
{
	struct audit_state s = {.writer = "other-00000000", .sequence = 7};
	char path[512], remark[AUDIT_TEXT];
	struct fault f = FAULT_INIT;

	(void)state;
	write_many(1);
	state_path(path);
	assert_int_equal(audit_state_save(path, &s, &f), 0);
	assert_int_equal(write_one("x", remark), 0);
	assert_non_null(strstr(remark, "another host's"));
	check(0);
	assert_int_equal(seen.heads, 2);
}

static void
without_a_place_for_the_state_records_are_written_all_the_same(void **state)
{
	struct audit_event e = AUDIT_EVENT("test");
	struct fault f = FAULT_INIT;
	struct audit *a;

	(void)state;
	/* A file where the folder should be: also for root. */
	assert_int_equal(rmdir(spool), 0);
	write_file(spool, "", 0);
	assert_int_equal(audit_open(&a, repo, 0, "unit", &f), 0);
	assert_int_equal(audit_begin(a, &e, &never, &f), 0);
	assert_non_null(strstr(audit_remark(a), "a new writer"));
	assert_int_equal(audit_end(a, &e, 0, NULL, &never, &f), 0);
	audit_free(a);
	check(0);
	assert_int_equal(seen.heads, 1);
	assert_int_equal(seen.head[0].sequence, 2);
	write_many(1);
	check(0);
	assert_int_equal(seen.heads, 2);
}

/* ---- puts that fail ---- */

/* Nothing is wrong with the one chain, and these are its records. */
static void
one_chain_of(const char *objects)
{
	check(0);
	assert_int_equal(seen.heads, 1);
	assert_string_equal(seen.objects, objects);
}

/* The next puts fail so, and a record is written. */
static void
put_fails(const char *object, enum fault_code code, bool after, int want)
{
	plan(1, code, after);
	assert_int_equal(write_one(object, NULL), want);
}

static void
a_record_that_arrived_unseen_is_part_of_the_chain(void **state)
{
	(void)state;
	write_many(1);
	put_fails("unseen", FAULT_AGAIN, true, FAULT_AGAIN);
	write_many(1);
	one_chain_of("1 unseen 1 ");
}

static void
an_answer_that_was_lost_makes_no_second_record(void **state)
{
	(void)state;
	put_fails("first", FAULT_EXISTS, true, 0);
	put_fails("second", FAULT_EXISTS, true, 0);
	put_fails("third", FAULT_AGAIN, true, FAULT_AGAIN);
	put_fails("fourth", FAULT_EXISTS, false, 0);
	one_chain_of("first second third fourth ");
}

/* The name of the pending record is taken, and the store fails when it is asked
 * by whom: that is no answer. */
static void
who_cannot_ask_now_asks_later(void **state)
{
	(void)state;
	write_many(1);
	plan(1, FAULT_AGAIN, true);
	assert_int_equal(write_one("unseen", NULL), FAULT_AGAIN);
	plan(1, FAULT_EXISTS, false);
	fail_gets = 1;
	get_code = FAULT_AGAIN;
	assert_int_equal(write_one("not yet", NULL), FAULT_AGAIN);
	assert_int_equal(write_one("next", NULL), 0);
	check(0);
	assert_string_equal(seen.objects, "1 unseen next ");
	/* The same with the record's own name. */
	plan(1, FAULT_EXISTS, true);
	fail_gets = 1;
	assert_int_equal(write_one("own", NULL), FAULT_AGAIN);
	/* Who may not read takes it for his. */
	fail_gets = 1;
	get_code = FAULT_DENIED;
	assert_int_equal(write_one("last", NULL), 0);
	check(0);
	assert_int_equal(seen.heads, 1);
	assert_string_equal(seen.objects, "1 unseen next own last ");
}

static void
a_record_that_did_not_arrive_is_sent_again(void **state)
{
	(void)state;
	plan(3, FAULT_AGAIN, false);
	assert_int_equal(write_one("first", NULL), FAULT_AGAIN);
	assert_int_equal(write_one("lost", NULL), FAULT_AGAIN);
	assert_int_equal(write_one("lost", NULL), FAULT_AGAIN);
	assert_int_equal(write_one("second", NULL), 0);
	one_chain_of("first second ");
}

static void
a_record_that_was_refused_leaves_no_gap(void **state)
{
	(void)state;
	put_fails("refused", FAULT_DENIED, false, FAULT_DENIED);
	write_many(1);
	put_fails("refused", FAULT_DENIED, false, FAULT_DENIED);
	write_many(1);
	one_chain_of("1 1 ");
}

static void
a_number_that_another_took_while_ours_was_on_its_way(void **state)
{
	char one[256], two[256], remark[AUDIT_TEXT];

	(void)state;
	write_many(1);
	put_fails("late", FAULT_AGAIN, false, FAULT_AGAIN);
	path_of(1, one);
	path_of(2, two);
	assert_int_equal(link(one, two), 0);
	assert_int_equal(write_one("new", remark), 0);
	assert_non_null(strstr(remark, "taken by another"));
	check(1);
	assert_int_equal(seen.finding[0].flaw, AUDIT_UNREADABLE);
	assert_int_equal(seen.heads, 2);
}

/* ---- many at a time ---- */

static void
processes_side_by_side_make_one_chain(void **state)
{
	enum {
		PROCESSES = 6,
		EACH = 8
	};
	pid_t pid[PROCESSES];

	(void)state;
	for (int k = 0; k < PROCESSES; k++) {
		pid[k] = fork();
		assert_true(pid[k] >= 0);
		if (pid[k] == 0) {
			for (int n = 0; n < EACH; n++)
				if (write_one("x", NULL) != 0)
					_exit(1);
			_exit(0);
		}
	}
	for (int k = 0; k < PROCESSES; k++) {
		int status;

		assert_int_equal(waitpid(pid[k], &status, 0), pid[k]);
		assert_int_equal(status, 0);
	}
	check(0);
	assert_int_equal(seen.records, PROCESSES * EACH);
	assert_int_equal(seen.heads, 1);
}

static size_t
files_in(const char *folder)
{
	DIR *d = opendir(folder);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* Killed at any moment, a writer leaves a chain that the next goes on with. */
static void
killed_writers_leave_no_flaw(void **state)
{
	enum {
		KILLS = 12
	};
	char folder[256];

	(void)state;
	write_many(1);
	path_of(1, folder);
	*strrchr(folder, '/') = '\0';
	for (int k = 0; k < KILLS; k++) {
		size_t before = files_in(folder);
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			while (write_one("x", NULL) == 0)
				;
			_exit(1);
		}
		/* Not before it has written something. */
		do
			clock_sleep_ms(k % 4);
		while (files_in(folder) == before);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	write_many(1);
	check(0);
	assert_int_equal(seen.heads, 1);
	assert_true(seen.records > KILLS);
}

/* ---- tampering ---- */

static void
a_removed_record_is_found(void **state)
{
	char path[256];

	(void)state;
	write_many(6);
	path_of(1, path);
	assert_int_equal(unlink(path), 0);
	path_of(3, path);
	assert_int_equal(unlink(path), 0);
	path_of(4, path);
	assert_int_equal(unlink(path), 0);
	check(2);
	assert_int_equal(seen.finding[0].flaw, AUDIT_MISSING);
	assert_int_equal(seen.finding[0].first, 1);
	assert_int_equal(seen.finding[0].last, 1);
	assert_int_equal(seen.finding[1].flaw, AUDIT_MISSING);
	assert_int_equal(seen.finding[1].first, 3);
	assert_int_equal(seen.finding[1].last, 4);
}

static void
altered_bytes_are_found(void **state)
{
	struct fault f = FAULT_INIT;
	unsigned char *text;
	char path[256];
	size_t len;

	(void)state;
	write_many(3);
	path_of(2, path);
	assert_int_equal(fdio_slurp(path, 1 << 20, &text, &len, &f), 0);
	/* Each single one is test_object's. */
	for (size_t k = 0; k < len; k += 7) {
		text[k] ^= 1;
		assert_int_equal(unlink(path), 0);
		write_file(path, (const char *)text, len);
		check(1);
		assert_int_equal(seen.finding[0].flaw, AUDIT_UNREADABLE);
		assert_int_equal(seen.finding[0].first, 2);
		text[k] ^= 1;
	}
	for (size_t k = 0; k < len; k += 97) {
		assert_int_equal(unlink(path), 0);
		write_file(path, (const char *)text, k);
		check(1);
		assert_int_equal(seen.finding[0].flaw, AUDIT_UNREADABLE);
	}
	free(text);
}

static void
swapped_records_are_found(void **state)
{
	char one[256], two[256], aside[256];

	(void)state;
	write_many(4);
	path_of(2, one);
	path_of(3, two);
	snprintf(aside, sizeof aside, "%s/aside", dir);
	move(one, aside);
	move(two, one);
	move(aside, two);
	check(2);
	assert_int_equal(seen.finding[0].flaw, AUDIT_UNREADABLE);
	assert_int_equal(seen.finding[0].first, 2);
	assert_int_equal(seen.finding[1].flaw, AUDIT_UNREADABLE);
	assert_int_equal(seen.finding[1].first, 3);
}

/* Who has the keys can seal what he likes; not so that it fits. */
static void
put_forged(const char *writer, unsigned number, const char *as_writer,
    unsigned as_number, const char *previous, const char *began)
{
	char text[1024], name[128], key[LAYOUT_KEY];
	struct fault f = FAULT_INIT;

	snprintf(text, sizeof text,
	    "{\"format\":1,\"writer\":\"%s\",\"sequence\":%u,"
	    "\"previous\":\"%s\",\"began\":\"%s\",\"at_us\":1,\"at\":\"\","
	    "\"host\":\"h\",\"user\":\"u\",\"program\":\"p\","
	    "\"version\":\"1\",\"pid\":1,"
	    "\"operation\":\"20261122T093000Z-5e6f7a8b\","
	    "\"action\":\"forged\",\"phase\":\"done\",\"object\":\"\","
	    "\"objects\":null,\"bytes\":null,\"stored\":null,"
	    "\"checksum\":\"\",\"reason\":\"\",\"approved_by\":\"\","
	    "\"details\":[],\"duration_ms\":null,\"status\":0,"
	    "\"message\":\"\"}",
	    as_writer, as_number, previous, began);
	snprintf(name, sizeof name, "%s/%012u", writer, number);
	snprintf(key, sizeof key, "main/%" PRIu64 "/audit/%s", SYSTEM, name);
	assert_int_equal(repo_put_object(repo, 0, key, OBJECT_AUDIT, name, text,
			     strlen(text), &never, &f),
	    0);
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define ONES "1111111111111111111111111111111111111111111111111111111111111111"

static void
a_record_that_was_written_anew_is_found(void **state)
{
	struct audit_head head;
	char path[256];

	(void)state;
	write_many(4);
	check(0);
	head = seen.head[0];
	path_of(2, path);
	assert_int_equal(unlink(path), 0);
	put_forged(head.writer, 2, head.writer, 2, ONES, "");
	check(2);
	assert_int_equal(seen.finding[0].flaw, AUDIT_BROKEN);
	assert_int_equal(seen.finding[0].last, 2);
	assert_int_equal(seen.finding[1].flaw, AUDIT_BROKEN);
	assert_int_equal(seen.finding[1].last, 3);
	/* The last one has nobody behind it; but its hash was known. */
	path_of(4, path);
	assert_int_equal(unlink(path), 0);
	put_forged(head.writer, 4, head.writer, 4, ONES, "");
	assert_int_equal(check_with(&head, 1, true), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].flaw, AUDIT_CUT);
}

static void
authentic_nonsense_and_strange_names_are_found(void **state)
{
	char path[256];

	(void)state;
	put_forged("a-00000001", 1, "a-00000002", 1, ZEROS, "x");
	put_forged("b-00000001", 1, "b-00000001", 2, ONES, "");
	put_forged("c-00000001", 1, "c-00000001", 1, ONES, "x");
	put_forged("d-00000001", 1, "d-00000001", 1, ZEROS, "");
	check(4);
	for (size_t k = 0; k < 4; k++)
		assert_int_equal(seen.finding[k].flaw, AUDIT_MALFORMED);
	assert_int_equal(seen.heads, 4);
	snprintf(path, sizeof path, "%s/repo/main/%" PRIu64 "/audit/note", dir,
	    SYSTEM);
	write_file(path, "x", 1);
	snprintf(path, sizeof path,
	    "%s/repo/main/%" PRIu64 "/audit/d-00000001/1", dir, SYSTEM);
	write_file(path, "x", 1);
	check(6);
	assert_int_equal(seen.finding[4].flaw, AUDIT_STRAY);
	assert_int_equal(seen.finding[5].flaw, AUDIT_STRAY);
}

static void
an_object_without_end_is_not_read_into_memory(void **state)
{
	static char huge[1 << 20];
	char path[256];

	(void)state;
	write_many(2);
	path_of(2, path);
	assert_int_equal(unlink(path), 0);
	write_file(path, huge, sizeof huge);
	check(1);
	assert_int_equal(seen.finding[0].flaw, AUDIT_UNREADABLE);
}

static void
a_cut_end_is_found_by_whoever_knew_it(void **state)
{
	struct audit_head known[2];
	char path[512];

	(void)state;
	write_many(4);
	state_path(path);
	assert_int_equal(unlink(path), 0);
	write_many(3);
	check(0);
	assert_int_equal(seen.heads, 2);
	memcpy(known, seen.head, sizeof known);
	write_many(1);
	assert_int_equal(check_with(known, 2, false), 0);
	assert_int_equal(seen.n, 0);
	path_of((unsigned)known[0].sequence, path);
	assert_int_equal(check_with(known, 2, true), 0);
	assert_int_equal(seen.n, 0);
	/* What came behind the heads. */
	assert_int_equal(seen.records, 1);
	check(0);
	assert_int_equal(unlink(path), 0);
	for (int since = 0; since < 2; since++) {
		assert_int_equal(check_with(known, 2, since), 0);
		assert_in_range(seen.n, 1, 2);
		assert_int_equal(seen.finding[seen.n - 1].flaw, AUDIT_CUT);
		assert_int_equal(
		    seen.finding[seen.n - 1].first, known[0].sequence);
	}
	/* All of a writer. */
	*strrchr(path, '/') = '\0';
	memmove(path + 7, path, strlen(path) + 1);
	memcpy(path, "rm -rf ", 7);
	assert_int_equal(system(path), 0);
	assert_int_equal(check_with(known, 2, true), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].flaw, AUDIT_CUT);
}

static void
a_cut_end_shows_when_its_writer_goes_on(void **state)
{
	char path[256];

	(void)state;
	write_many(3);
	path_of(3, path);
	assert_int_equal(unlink(path), 0);
	check(0);
	write_many(1);
	check(1);
	assert_int_equal(seen.finding[0].flaw, AUDIT_MISSING);
	assert_int_equal(seen.finding[0].first, 3);
}

static int
stop_here(void *ctx, const struct audit_record *r, struct fault *f)
{
	(void)ctx;
	(void)r;
	return fault_set(f, FAULT_AGAIN, "stopped");
}

static void
a_check_ends_where_the_caller_says(void **state)
{
	const struct audit_check c = {.record = stop_here};
	struct fault f = FAULT_INIT;

	(void)state;
	write_many(2);
	assert_int_equal(audit_check(repo, 0, &c, &never, &f), FAULT_AGAIN);
	assert_string_equal(f.text, "stopped");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(records_make_one_chain_in_which_nothing_is_wrong),
	    T(a_host_that_cannot_read_goes_on_with_its_chain),
	    T(two_clusters_have_two_chains),
	    T(a_lost_state_begins_a_new_writer_which_says_so),
	    T(a_state_of_long_ago_begins_a_new_writer),
	    T(a_state_of_another_host_is_not_gone_on_with),
	    T(without_a_place_for_the_state_records_are_written_all_the_same),
	    T(a_record_that_arrived_unseen_is_part_of_the_chain),
	    T(who_cannot_ask_now_asks_later),
	    T(an_answer_that_was_lost_makes_no_second_record),
	    T(a_record_that_did_not_arrive_is_sent_again),
	    T(a_record_that_was_refused_leaves_no_gap),
	    T(a_number_that_another_took_while_ours_was_on_its_way),
	    T(processes_side_by_side_make_one_chain),
	    T(killed_writers_leave_no_flaw),
	    T(a_removed_record_is_found),
	    T(altered_bytes_are_found),
	    T(swapped_records_are_found),
	    T(a_record_that_was_written_anew_is_found),
	    T(authentic_nonsense_and_strange_names_are_found),
	    T(an_object_without_end_is_not_read_into_memory),
	    T(a_cut_end_is_found_by_whoever_knew_it),
	    T(a_cut_end_shows_when_its_writer_goes_on),
	    T(a_check_ends_where_the_caller_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
