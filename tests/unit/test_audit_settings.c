/* Records tell by which settings something was done, and which of them were
 * changed since the record before; and never a secret. */
#include "audit_world.h"

#include "audit_settings.h"

#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)

/* The same with these lines in the cluster's section. */
static void
open_lines(const char *lines)
{
	repo_world_open(
	    "[cluster main]\nrepo = r\nkey_file = %s\nspool_dir = %s\n%s"
	    "[repo r]\nurl = file://%s/repo\n",
	    secret_key, spool, lines, dir);
}

static void
write_and_check(void)
{
	assert_int_equal(write_one("o", NULL), 0);
	check(0);
	assert_true(seen.last.has_settings);
}

static void
is_change(size_t i, const char *name, const char *from, const char *to)
{
	assert_true(i < seen.last.n_changes);
	assert_string_equal(seen.last.changes[i].name, name);
	assert_string_equal(seen.last.changes[i].from, from);
	assert_string_equal(seen.last.changes[i].to, to);
}

static void
a_change_is_on_record_with_the_first_run_that_sees_it(void **state)
{
	unsigned char first[AUDIT_HASH];

	(void)state;
	open_lines("retain_full = 30d\nretain_minimum = 3\n");
	write_and_check();
	assert_int_equal(seen.last.n_changes, 0);
	memcpy(first, seen.last.settings, sizeof first);
	write_and_check();
	assert_int_equal(seen.last.n_changes, 0);
	assert_memory_equal(first, seen.last.settings, sizeof first);
	open_lines("retain_full = 1d\nretain_wal = 1h\n");
	write_and_check();
	assert_memory_not_equal(first, seen.last.settings, sizeof first);
	assert_int_equal(seen.last.n_changes, 3);
	is_change(0, "retain_full", "30d", "1d");
	is_change(1, "retain_wal", "", "1h");
	is_change(2, "retain_minimum", "3", "");
	write_and_check();
	assert_int_equal(seen.last.n_changes, 0);
	open_lines("retain_full = 30d\nretain_minimum = 3\n");
	write_and_check();
	assert_int_equal(seen.last.n_changes, 3);
	assert_memory_equal(first, seen.last.settings, sizeof first);
}

static void
a_record_that_did_not_arrive_has_told_of_no_change(void **state)
{
	(void)state;
	open_lines("retain_full = 30d\n");
	write_and_check();
	open_lines("retain_full = 1d\n");
	plan(1, FAULT_DENIED, false);
	assert_int_equal(write_one("refused", NULL), FAULT_DENIED);
	write_and_check();
	is_change(0, "retain_full", "30d", "1d");
	/* One that is on its way tells what it saw, the next what came then. */
	open_lines("retain_full = 2d\n");
	plan(1, FAULT_AGAIN, false);
	assert_int_equal(write_one("later", NULL), FAULT_AGAIN);
	open_lines("retain_full = 3d\n");
	write_and_check();
	assert_int_equal(seen.last.n_changes, 1);
	is_change(0, "retain_full", "2d", "3d");
}

static void
a_part_of_the_repositories_is_no_change(void **state)
{
	static const char *const only[] = {"r"};
	struct fault f = FAULT_INIT;
	struct conf_cluster part;
	struct repo *whole;

	(void)state;
	repo_world_open(
	    "[cluster main]\nrepo = r\nrepo = s\npush_quorum = 2\n"
	    "key_file = %s\nspool_dir = %s\n[repo r]\nurl = file://%s/repo\n"
	    "[repo s]\nurl = file://%s/other\n",
	    secret_key, spool, dir, dir);
	write_and_check();
	assert_int_equal(
	    conf_only_repos(repo_conf(repo), only, 1, &part, &f), 0);
	whole = repo;
	assert_int_equal(repo_clone_for(&repo, whole, &part, &f), 0);
	write_and_check();
	assert_int_equal(seen.last.n_changes, 0);
	repo_free(repo);
	repo = whole;
}

static void
a_secret_is_in_neither_list_nor_state(void **state)
{
	struct fault f = FAULT_INIT;
	unsigned char *data;
	char path[512], *list;
	size_t len;

	(void)state;
	repo_world_open("[cluster main]\nrepo = r\nrepo = s\nkey_file = %s\n"
			"spool_dir = %s\nconninfo = host=h password=Geheim1\n"
			"[repo r]\nurl = file://%s/repo\n"
			"[repo s]\nurl = s3://bucket/x\nendpoint = https://e\n"
			"access_key_id = AKID\nsecret_access_key = Geheim2\n"
			"session_token_command = print Geheim3\n",
	    secret_key, spool, dir);
	assert_int_equal(audit_settings_list(repo, &list, &f), 0);
	assert_null(strstr(list, "Geheim"));
	assert_non_null(strstr(list, "conninfo\t(given)\n"));
	assert_non_null(strstr(list, "s.secret_access_key\t(given)\n"));
	assert_non_null(strstr(list, "s.session_token_command\t(given)\n"));
	assert_non_null(strstr(list, "s.access_key_id\tAKID\n"));
	assert_non_null(strstr(list, "\nkeys\t"));
	free(list);
	assert_int_equal(write_one("o", NULL), 0);
	state_path(path);
	assert_int_equal(fdio_slurp(path, 1 << 20, &data, &len, &f), 0);
	assert_null(memmem(data, len, "Geheim", 6));
	assert_non_null(memmem(data, len, "AKID", 4));
	free(data);
}

static void
long_values_that_begin_alike_are_not_alike(void **state)
{
	struct fault f = FAULT_INIT;
	char lines[600], a[301], *one, *two;
	static struct audit_record r;

	(void)state;
	memset(a, 'a', sizeof a);
	a[0] = '/';
	a[sizeof a - 1] = '\0';
	snprintf(lines, sizeof lines, "pgdata = %s\n", a);
	open_lines(lines);
	assert_int_equal(audit_settings_list(repo, &one, &f), 0);
	a[299] = 'b';
	snprintf(lines, sizeof lines, "pgdata = %s\n", a);
	open_lines(lines);
	assert_int_equal(audit_settings_list(repo, &two, &f), 0);
	audit_settings_compare(one, two, &r);
	assert_int_equal(r.n_changes, 1);
	assert_string_equal(r.changes[0].name, "pgdata");
	assert_string_not_equal(r.changes[0].from, r.changes[0].to);
	assert_int_equal(strlen(r.changes[0].to), AUDIT_VALUE - 1);
	free(one);
	free(two);
}

/* A repository's name takes all the room that a record has for a setting's. All
 * of its settings once had one name, and were told to be changed with whatever
 * else was. */
static void
so_are_long_names(void **state)
{
	static const char name[] = "the-second-one-in-the-data-centre-in-the-"
				   "south-of-the-city-as-06";
	struct fault f = FAULT_INIT;
	char *list[2] = {NULL, NULL};
	static struct audit_record r;

	(void)state;
	assert_int_equal(strlen(name), 64);
	for (int i = 0; i < 2; i++) {
		repo_world_open(
		    "[cluster main]\nrepo = %s\nkey_file = %s\nspool_dir = %s\n"
		    "retain_full = 1d\n[repo %s]\nurl = s3://bucket\n"
		    "endpoint = https://localhost\naddressing = path\n"
		    "region = r%d\naccess_key_id = a\n"
		    "secret_access_key_file = /s\n",
		    name, secret_key, spool, name, i);
		assert_int_equal(audit_settings_list(repo, &list[i], &f), 0);
	}
	audit_settings_compare(list[0], list[1], &r);
	assert_int_equal(r.n_changes, 1);
	assert_string_equal(r.changes[0].from, "r0");
	assert_string_equal(r.changes[0].to, "r1");
	free(list[0]);
	free(list[1]);
}

static void
what_is_compared_is_bounded_whatever_it_is(void **state)
{
	static struct audit_record r;
	char now[4096] = "", *p = now;

	(void)state;
	for (int i = 0; i < 40; i++)
		p += sprintf(p, "s%d\tvalue\n", i);
	audit_settings_compare(NULL, now, &r);
	assert_int_equal(r.n_changes, 0);
	audit_settings_compare("", now, &r);
	assert_int_equal(r.n_changes, AUDIT_CHANGES);
	assert_int_equal(r.more_changes, 40 - AUDIT_CHANGES);
	audit_settings_compare("no line\n\t\n\tx\n\n\xff\t\x01\ncut", "", &r);
	assert_int_equal(r.n_changes, 1);
	assert_string_equal(r.changes[0].name, "?");
	assert_string_equal(r.changes[0].from, "?");
}

static void
a_state_of_before_changes_nothing(void **state)
{
	struct fault f = FAULT_INIT;
	unsigned char *data;
	char path[512], *from, *to;
	size_t len;

	(void)state;
	write_and_check();
	state_path(path);
	assert_int_equal(fdio_slurp(path, 1 << 20, &data, &len, &f), 0);
	/* As it was before it had this member. */
	from = strstr((char *)data, ",\"settings\":\"");
	assert_non_null(from);
	to = strstr(from + 13, "\",\"");
	if (to == NULL)
		to = strstr(from + 13, "\"}");
	assert_non_null(to);
	memmove(from, to + 1, strlen(to + 1) + 1);
	write_file(path, (char *)data, strlen((char *)data));
	free(data);
	open_lines("retain_full = 1d\n");
	write_and_check();
	assert_int_equal(seen.last.sequence, 2);
	assert_int_equal(seen.last.n_changes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_change_is_on_record_with_the_first_run_that_sees_it),
	    T(a_record_that_did_not_arrive_has_told_of_no_change),
	    T(a_part_of_the_repositories_is_no_change),
	    T(a_secret_is_in_neither_list_nor_state),
	    T(long_values_that_begin_alike_are_not_alike),
	    T(so_are_long_names),
	    T(what_is_compared_is_bounded_whatever_it_is),
	    T(a_state_of_before_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
