/* What the spill promises and no outside view shows: in what order things
 * happen. */
#include "spill_world.h"

static const char *
label(unsigned timeline)
{
	static char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%08X0000000000000002.00000028.backup",
	    wal, timeline);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
	    "START WAL LOCATION: 0/2000028 (file %08X0000000000000002)\n"
	    "STOP WAL LOCATION: 0/2000100 (file %08X0000000000000002)\n"
	    "CHECKPOINT LOCATION: 0/2000060\nBACKUP METHOD: streamed\n"
	    "BACKUP FROM: primary\nSTART TIME: 2026-11-22 10:00:00 UTC\n"
	    "LABEL: x\nSTART TIMELINE: %u\n"
	    "STOP TIME: 2026-11-22 10:00:01 UTC\nSTOP TIMELINE: %u\n",
	    timeline, timeline, timeline, timeline);
	assert_int_equal(fclose(file), 0);
	return path;
}

static uint64_t
held(void)
{
	struct spill_count n;

	assert_int_equal(spill_count(spill, &n, NULL, &f), 0);
	return n.files;
}

static int
drain(uint64_t files, struct spill_drained *out)
{
	const struct spill_limits l = {.files = files, .each_ms = 10000};

	return spill_drain(spill, repo, in("spool/marks"), &l, out, &f);
}

static void
room_is_what_the_settings_say(void **state)
{
	static const struct {
		const char *below;
		uint64_t blocks, unit, avail;
		bool is;
	} t[] = {
	    {"", 1000, 4096, 199, true},
	    {"", 1000, 4096, 200, false},
	    {"spill_below = 1%\n", 99, 4096, 0, false},
	    {"spill_below = 1%\n", 100, 4096, 0, true},
	    {"spill_below = 33%\n", 250, 4096, 81, true},
	    {"spill_below = 33%\n", 250, 4096, 82, false},
	    {"spill_below = 100%\n", 1000, 4096, 999, true},
	    {"spill_below = 100%\n", 1000, 4096, 1000, false},
	    {"spill_below = 50%\n", UINT64_MAX, 4096, UINT64_MAX / 2 - 1, true},
	    {"spill_below = 50%\n", UINT64_MAX, 4096, UINT64_MAX / 2 + 1,
		false},
	    {"spill_below = 1MB\n", 1000, 4096, 255, true},
	    {"spill_below = 1MB\n", 1000, 4096, 256, false},
	    {"spill_below = 10\n", 1000, 4096, 0, true},
	    {"spill_below = 10\n", 1000, 4096, 1, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		settings(t[i].below);
		room = (struct statvfs){.f_frsize = t[i].unit,
		    .f_blocks = t[i].blocks,
		    .f_bavail = t[i].avail};
		if (spill_below(spill, wal) != t[i].is)
			fail_msg("row %zu", i);
	}
}

static void
only_what_time_cures_is_put_aside(void **state)
{
	(void)state;
	assert_true(spill_suits(FAULT_AGAIN));
	assert_true(spill_suits(FAULT_DENIED));
	assert_true(spill_suits(FAULT_SYSTEM));
	assert_false(spill_suits(FAULT_NONE));
	assert_false(spill_suits(FAULT_EXISTS));
	assert_false(spill_suits(FAULT_FOREIGN));
	assert_false(spill_suits(FAULT_CORRUPT));
	assert_false(spill_suits(FAULT_KEY));
	assert_false(spill_suits(FAULT_CONFIG));
}

static void
histories_and_then_the_oldest_go_first(void **state)
{
	struct spill_drained out;

	(void)state;
	assert_int_equal(aside(label(3)), 0);
	assert_int_equal(aside(history(5)), 0);
	assert_int_equal(aside(label(1)), 0);
	assert_int_equal(aside(history(2)), 0);
	assert_int_equal(held(), 4);
	assert_int_equal(drain(3, &out), 0);
	assert_true(out.left);
	assert_int_equal(out.files, 3);
	assert_string_equal(order, "00000002h 00000005h 00000001h ");
	assert_int_equal(held(), 1);
	assert_int_equal(drain(0, &out), 0);
	assert_false(out.left);
	assert_int_equal(held(), 0);
	assert_int_equal(removed, 4);
	assert_int_equal(removed_early, 0);
}

static void
nothing_is_removed_that_no_repository_took(void **state)
{
	struct spill_drained out;

	(void)state;
	assert_int_equal(aside(history(2)), 0);
	assert_int_equal(rename(in("repo"), in("gone")), 0);
	assert_int_equal(symlink("/nowhere/at/all", in("repo")), 0);
	assert_int_not_equal(drain(0, &out), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(held(), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(room_is_what_the_settings_say),
	    T(only_what_time_cures_is_put_aside),
	    T(histories_and_then_the_oldest_go_first),
	    T(nothing_is_removed_that_no_repository_took),
	};

	return cmocka_run_group_tests_name("spill", tests, NULL, NULL);
}
