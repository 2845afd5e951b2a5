/* The backups there are, in all repositories together. */
#include "way_world.h"

/* In the first repository, an object of a backup that did not put it. */
static void
put_of(const char *id, const char *what, const char *text)
{
	struct fault f = FAULT_INIT;
	char key[LAYOUT_KEY];
	struct store *s;

	assert_int_equal(layout_base("main", SYSTEM, id, what, key, &f), 0);
	assert_int_equal(repo_store(repo, 0, &s, &f), 0);
	assert_int_equal(store_put(s, key, text, strlen(text), &never, &f), 0);
}

static void
an_unfinished_backup_is_counted_not_listed(void **state)
{
	struct fault f = FAULT_INIT;
	struct catalog c;

	(void)state;
	backup(A, 1, 10, 1000);
	put_of(B, "pack/00000001", "x");
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.unfinished, 1);
	catalog_free(&c);
}

static void
an_unreadable_head_stops_the_choice(void **state)
{
	struct fault f = FAULT_INIT;
	struct catalog c;

	(void)state;
	backup(A, 1, 10, 1000);
	put_of(B, "head", "PITRKIT\nnot");
	assert_int_equal(catalog_read(repo, &c, &never, &f), FAULT_CORRUPT);
}

static void
a_backup_in_two_repositories_is_one(void **state)
{
	struct fault f = FAULT_INIT;
	struct catalog c;
	struct head h;
	size_t i = 0;

	(void)state;
	for (into = 0; into < 2; into++)
		backup(A, 1, 10, 1000);
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.backups[0].repo, 0);
	catalog_free(&c);
	/* Damaged in one, whole in the other. */
	into = 1;
	backup(B, 1, 20, 2000);
	put_of(B, "head", "PITRKIT\nnot");
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.backups[1].repo, 1);
	catalog_free(&c);
	assert_int_equal(catalog_find(repo, &i, B, &h, &never, &f), 0);
	assert_int_equal(i, 1);
	head_free(&h);
	/* Begun in the first, finished in the second. */
	put_of(C, "pack/00000001", "x");
	backup(C, 1, 22, 2200);
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	assert_int_equal(c.n, 3);
	assert_int_equal(c.unfinished, 0);
	catalog_free(&c);
}

static void
hundreds_of_heads_come_in_order(void **state)
{
	struct fault f = FAULT_INIT;
	struct catalog c;
	char id[LAYOUT_ID];
	unsigned k;

	(void)state;
	for (k = 0; k < 300; k++) {
		snprintf(id, sizeof id, "20260101T%06uZ-full-%08x", k,
		    (k * 7919) & 0xffff);
		into = k & 1;
		backup(id, 1, 10, 1000 + (k * 37) % 300);
	}
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	assert_int_equal(c.n, 300);
	for (k = 1; k < c.n; k++)
		assert_true(
		    c.backups[k - 1].head.stop_us < c.backups[k].head.stop_us);
	catalog_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_unfinished_backup_is_counted_not_listed),
	    TEST(an_unreadable_head_stops_the_choice),
	    TEST(a_backup_in_two_repositories_is_one),
	    TEST(hundreds_of_heads_come_in_order),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
