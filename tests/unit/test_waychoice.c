/* Which backup and which timeline a target is reached from. */
#include "way_world.h"

static const char *
pick(const struct waypath_goal *g, uint32_t *timeline, struct fault *f)
{
	static char id[LAYOUT_ID];
	const struct catalog_backup *h;
	struct catalog c;
	int rc;

	fault_clear(f);
	assert_int_equal(catalog_read(repo, &c, &never, f), 0);
	rc = waychoice_pick(repo, &c, g, &h, timeline, &never, f);
	snprintf(id, sizeof id, "%s", rc == 0 ? h->head.id : "");
	catalog_free(&c);
	return id;
}

/* That backup is chosen, and that timeline (0: whichever). */
static void
picks(const struct waypath_goal *g, const char *id, uint32_t timeline)
{
	struct fault f = FAULT_INIT;
	uint32_t t;

	assert_string_equal(pick(g, &t, &f), id);
	if (timeline != 0)
		assert_int_equal(t, timeline);
}

/* None is, and the line says that. */
static void
picks_none(const struct waypath_goal *g, enum fault_code code, const char *told)
{
	struct fault f = FAULT_INIT;
	uint32_t t;

	assert_string_equal(pick(g, &t, &f), "");
	assert_int_equal(f.code, code);
	if (strstr(f.text, told) == NULL)
		fail_msg("%s: nothing of %s", f.text, told);
}

static void
the_newest_backup_before_the_target_is_chosen(void **state)
{
	(void)state;
	plain_archive(10, 30);
	picks(TIME(1999), A, 0);
	picks(TIME(2000), B, 0);
	picks_none(TIME(999), FAULT_CONFIG, "");
	picks(NAME("here"), A, 0);
	picks_none(NAME("nowhere"), FAULT_CONFIG, "nowhere");
	picks(XID(1550), A, 0);
	picks(XID(2550), B, 0);
	picks(LATEST, B, 1);
}

/* Tiers leave a backup alone with the WAL of its own range. */
static void
targets_behind_what_pruning_let_go_are_found(void **state)
{
	struct fault f = FAULT_INIT;
	struct catalog c;
	struct waypath w;

	(void)state;
	backup(A, 1, 10, 1000);
	backup(B, 1, 20, 2000);
	segment(1, 10, 1050, NULL);
	for (uint64_t k = 20; k <= 26; k++)
		segment(1, k, (int64_t)k * 100 + 50, k == 25 ? "there" : NULL);
	picks(NAME("there"), B, 0);
	picks_none(NAME("nowhere"), FAULT_CONFIG, "00000001000000000000000B");
	picks(XID(2550), B, 0);
	/* A time that went: what is on both sides of it is told. */
	picks(TIME(1500), A, 0);
	assert_int_equal(find(A, TIME(1500), &w, &f), FAULT_ABSENT);
	assert_non_null(strstr(f.text, "from backup " A));
	assert_null(strstr(f.text, B));
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	waychoice_add_next(repo, &c, TIME(1500), &never, &f);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_non_null(strstr(f.text, "the end of backup " B));
	catalog_free(&c);
	/* A gap that no backup stands behind is a loss. */
	segment(1, 28, 2850, NULL);
	picks_none(XID(2850), FAULT_ABSENT, "");
}

static void
a_new_timeline_is_followed_once_its_first_segment_is_there(void **state)
{
	(void)state;
	plain_archive(10, 26);
	history(2, FORK);
	/* The incident: with only the history file there, "latest" leads
	 * PostgreSQL to replay timeline 1's segment 25 beyond the fork. */
	picks(LATEST, B, 1);
	ends(A, LATEST, 1, 26);

	segment(2, 25, 2580, NULL);
	segment(2, 26, 2650, NULL);
	picks(LATEST, B, 2);
	ends(A, LATEST, 2, 26);
	/* The old one to its end, when asked for. */
	ends(A, GOAL(.target = WAYPATH_LATEST, .timeline = 1), 1, 26);
}

static void
a_backup_beyond_the_fork_leads_nowhere_else(void **state)
{
	(void)state;
	plain_archive(10, 26);
	backup(C, 1, 26, 2600);
	history(2, FORK);
	segment(2, 25, 2580, NULL);
	/* The newest timeline cannot be reached from the newest backup. */
	picks(LATEST, B, 2);
	fails(
	    C, GOAL(.target = WAYPATH_LATEST, .timeline = 2), FAULT_CONFIG, "");
	fails(
	    A, GOAL(.target = WAYPATH_LATEST, .timeline = 3), FAULT_ABSENT, "");
}

static void
the_newest_of_all_repositories_is_taken(void **state)
{
	struct fault f = FAULT_INIT;
	struct catalog c;

	(void)state;
	plain_archive(10, 26);
	into = 1;
	backup(C, 1, 22, 2200);
	picks(LATEST, C, 0);
	history(2, FORK);
	segment(2, 25, 2580, NULL);
	ends(B, LATEST, 2, 25);
	into = 0; /* the next one, where timeline 2 was not seen before */
	segment(2, 26, 2680, NULL);
	ends(B, LATEST, 2, 26);
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	assert_int_equal(c.n, 3);
	assert_int_equal(c.backups[1].repo, 0);
	assert_int_equal(c.backups[2].repo, 1);
	catalog_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_newest_backup_before_the_target_is_chosen),
	    TEST(targets_behind_what_pruning_let_go_are_found),
	    TEST(a_new_timeline_is_followed_once_its_first_segment_is_there),
	    TEST(a_backup_beyond_the_fork_leads_nowhere_else),
	    TEST(the_newest_of_all_repositories_is_taken),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
