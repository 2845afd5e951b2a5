/* The note that tells of a spill that was used: without it one that is not
 * mounted would be taken for empty. */
#include "spill_world.h"

/* After a crash of the host a spill that is not mounted would look empty. */
static void
nothing_is_acknowledged_before_the_note_is_durable(void **state)
{
	(void)state;
	bad_disk = true;
	assert_int_equal(aside(history(2)), FAULT_SYSTEM);
	bad_disk = false;
	assert_int_equal(aside(history(2)), 0);
	bad_disk = true;
	assert_int_equal(aside(history(3)), FAULT_SYSTEM);
	bad_disk = false;
	/* Nor without one: its folder is a file. */
	assert_int_equal(rename(in("spool"), in("spool.away")), 0);
	assert_int_equal(creat(in("spool"), 0600) >= 0, 1);
	assert_int_equal(aside(history(4)), FAULT_SYSTEM);
	assert_non_null(strstr(f.text, "taken for empty"));
}

static const char *
note(void)
{
	static char path[128];

	snprintf(
	    path, sizeof(path), "%s/spool/main-%" PRIu64 ".spill", dir, SYSTEM);
	return path;
}

/* Each day it is written anew: a loss of power must not find one that has its
 * name and no bytes. */
static void
the_note_that_is_there_is_replaced_by_a_durable_one_only(void **state)
{
	struct stat before, after;
	FILE *file;

	(void)state;
	assert_int_equal(aside(history(2)), 0);
	file = fopen(note(), "w");
	assert_non_null(file);
	fprintf(file, "keys boot \nonce 1 file://%s/spill\n", dir);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(stat(note(), &before), 0);
	bad_file = true;
	assert_int_equal(aside(history(3)), FAULT_SYSTEM);
	assert_int_equal(stat(note(), &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	bad_file = false;
	assert_int_equal(aside(history(3)), 0);
	assert_int_equal(stat(note(), &after), 0);
	assert_int_not_equal(after.st_ino, before.st_ino);
}

/* The spill is not mounted, and what would tell that it should be is cut off,
 * or another user's, or on a disk that fails. */
static void
a_note_that_cannot_be_read_proves_nothing(void **state)
{
	bool has, pending;

	(void)state;
	assert_int_equal(aside(history(2)), 0);
	assert_int_equal(rename(in("spill"), in("away")), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(unlink(note()), 0);
		if (i == 0)
			assert_int_equal(mkdir(note(), 0700), 0);
		else
			assert_true(creat(note(), 0600) >= 0);
		if (i == 2) {
			assert_int_equal(truncate(note(), 100), 0);
			stranger = true;
		}
		assert_int_equal(
		    spill_peek(spill, "00000003.history", &has, NULL, &f),
		    FAULT_AGAIN);
		assert_int_equal(
		    spill_pending(spill, &pending, NULL, &f), FAULT_AGAIN);
		assert_non_null(strstr(f.text, "cannot be read"));
		stranger = false;
		if (i == 0) {
			assert_int_equal(rmdir(note()), 0);
			assert_true(creat(note(), 0600) >= 0);
		}
	}
	assert_int_equal(unlink(note()), 0);
	assert_int_equal(
	    spill_peek(spill, "00000003.history", &has, NULL, &f), 0);
	assert_false(has);
}

static void
a_spill_that_was_used_is_not_empty_when_it_is_gone(void **state)
{
	bool has, pending;

	(void)state;
	assert_int_equal(
	    spill_peek(spill, "00000002.history", &has, NULL, &f), 0);
	assert_false(has);
	assert_int_equal(aside(history(2)), 0);
	assert_int_equal(
	    spill_peek(spill, "00000002.history", &has, NULL, &f), 0);
	assert_true(has);
	assert_int_equal(
	    spill_peek(spill, "00000003.history", &has, NULL, &f), 0);
	assert_false(has);
	assert_int_equal(f.code, FAULT_NONE);
	assert_int_equal(spill_pending(spill, &pending, NULL, &f), 0);
	assert_true(pending);
	assert_int_equal(rename(in("spill"), in("away")), 0);
	assert_int_equal(
	    spill_peek(spill, "00000003.history", &has, NULL, &f), FAULT_AGAIN);
	assert_int_equal(spill_pending(spill, &pending, NULL, &f), FAULT_AGAIN);
	assert_int_equal(mkdir(in("spill"), 0700), 0);
	assert_int_equal(
	    spill_peek(spill, "00000003.history", &has, NULL, &f), FAULT_AGAIN);
	assert_int_equal(aside(history(3)), FAULT_AGAIN);
	assert_int_equal(rmdir(in("spill")), 0); /* nothing was put there */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(nothing_is_acknowledged_before_the_note_is_durable),
	    T(the_note_that_is_there_is_replaced_by_a_durable_one_only),
	    T(a_note_that_cannot_be_read_proves_nothing),
	    T(a_spill_that_was_used_is_not_empty_when_it_is_gone),
	};

	return cmocka_run_group_tests_name("spill_note", tests, NULL, NULL);
}
