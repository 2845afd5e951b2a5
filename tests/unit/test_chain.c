/* Continuity of WAL, told from what retention let go. */
#include <stdlib.h>

#include "chain.h"
#include "unit.h"

#define SEGMENT (1U << 20)
#define DAY (86400 * INT64_C(1000000))
#define NOW (1000 * DAY)
#define AT(segno) ((uint64_t)(segno)*SEGMENT + 100)

/* Timelines 1, 2 (from 1 at segment 20) and 3 (from 2 at segment 30). */
static struct history_entry one[] = {{1, 0, UINT64_MAX}};
static struct history_entry two[] = {{1, 0, AT(20)}, {2, AT(20), UINT64_MAX}};
static struct history_entry three[] = {
    {1, 0, AT(20)}, {2, AT(20), AT(30)}, {3, AT(30), UINT64_MAX}};
static const struct history paths[] = {{one, 1}, {two, 2}, {three, 3}};

static const struct retain_policy policy = {
    .full_us = 30 * DAY, .wal_us = 14 * DAY, .minimum = 1};

static struct retain_backup
backup(uint32_t timeline, uint64_t first, uint64_t last, int64_t days_ago)
{
	return (struct retain_backup){.id = "b",
	    .readable = true,
	    .full = true,
	    .start_us = NOW - days_ago * DAY - 1,
	    .stop_us = NOW - days_ago * DAY,
	    .timeline = timeline,
	    .start_lsn = AT(first),
	    .stop_lsn = AT(last)};
}

struct world {
	const char *says;
	struct retain_backup backups[3];
	size_t n_backups;
	struct retain_wal wal[6];
	size_t n_wal;
	size_t n_paths;
	struct chain_hole holes[3];
	size_t n_holes;
};

static struct retain_input
input(const struct world *w)
{
	return (struct retain_input){.backups = w->backups,
	    .n_backups = w->n_backups,
	    .wal = w->wal,
	    .n_wal = w->n_wal,
	    .paths = paths,
	    .n_paths = w->n_paths,
	    .running_us = CLOCK_NONE,
	    .segment_size = SEGMENT,
	    .now_us = NOW,
	    .clock_us = NOW};
}

static void
expect(const struct world *w)
{
	struct retain_input in = input(w);
	struct chain_list l;
	struct fault f = FAULT_INIT;

	if (chain_missing(&in, &policy, NULL, &l, &f) != 0)
		fail_msg("%s: %s", w->says, f.text);
	if (l.n != w->n_holes)
		fail_msg("%s: %zu holes", w->says, l.n);
	for (size_t i = 0; i < l.n; i++)
		if (l.h[i].timeline != w->holes[i].timeline ||
		    l.h[i].first != w->holes[i].first ||
		    l.h[i].last != w->holes[i].last)
			fail_msg("%s: hole %u/%d-%d", w->says, l.h[i].timeline,
			    (int)l.h[i].first, (int)l.h[i].last);
	chain_free(&l);
}

#define FRESH (NOW - DAY)
#define STALE (NOW - 20 * DAY)

static void
test_missing(void **state)
{
	const struct world worlds[] = {
	    {"whole", {backup(1, 5, 6, 2)}, 1, {{1, 5, 19, FRESH}}, 1, 1, {{0}},
		0},
	    {"one segment", {backup(1, 5, 6, 2)}, 1,
		{{1, 5, 9, FRESH}, {1, 11, 19, FRESH}}, 2, 1, {{1, 10, 10}}, 1},
	    {"two places", {backup(1, 5, 6, 2)}, 1,
		{{1, 5, 9, FRESH}, {1, 11, 12, FRESH}, {1, 15, 19, FRESH}}, 3,
		1, {{1, 10, 10}, {1, 13, 14}}, 2},
	    {"what a backup needs, before all WAL there is",
		{backup(1, 5, 6, 2)}, 1, {{1, 6, 19, FRESH}}, 1, 1, {{1, 5, 5}},
		1},
	    {"and behind it", {backup(1, 5, 9, 2)}, 1, {{1, 5, 7, FRESH}}, 1, 1,
		{{1, 8, 9}}, 1},
	    {"before the oldest backup nothing is needed", {backup(1, 5, 6, 2)},
		1, {{1, 1, 2, FRESH}, {1, 4, 19, FRESH}}, 2, 1, {{0}}, 0},
	    {"thinned: an old backup keeps its own WAL only",
		{backup(1, 2, 3, 25), backup(1, 12, 13, 15)}, 2,
		{{1, 2, 3, STALE}, {1, 12, 19, FRESH}}, 2, 1, {{0}}, 0},
	    {"thinned, and the window has a hole",
		{backup(1, 2, 3, 25), backup(1, 12, 13, 15)}, 2,
		{{1, 2, 3, STALE}, {1, 12, 14, FRESH}, {1, 16, 19, FRESH}}, 3,
		1, {{1, 15, 15}}, 1},
	    {"thinned, and the old backup lost WAL",
		{backup(1, 2, 4, 25), backup(1, 12, 13, 15)}, 2,
		{{1, 2, 2, STALE}, {1, 12, 19, FRESH}}, 2, 1, {{1, 3, 4}}, 1},
	    {"a promotion: the new timeline has the shared segment",
		{backup(1, 5, 6, 2)}, 1,
		{{1, 5, 19, FRESH}, {2, 20, 25, FRESH}}, 2, 2, {{0}}, 0},
	    {"the old one goes on beside", {backup(1, 5, 6, 2)}, 1,
		{{1, 5, 23, FRESH}, {2, 20, 25, FRESH}}, 2, 2, {{0}}, 0},
	    {"the last before the fork", {backup(1, 5, 6, 2)}, 1,
		{{1, 5, 18, FRESH}, {2, 20, 25, FRESH}}, 2, 2, {{1, 19, 19}},
		1},
	    {"the first of the new one", {backup(1, 5, 6, 2)}, 1,
		{{1, 5, 19, FRESH}, {2, 21, 25, FRESH}}, 2, 2, {{2, 20, 20}},
		1},
	    {"promoted just now: history, and no segment yet",
		{backup(1, 5, 6, 2)}, 1, {{1, 5, 18, FRESH}}, 1, 2, {{0}}, 0},
	    {"all of a timeline in the middle", {backup(1, 5, 6, 2)}, 1,
		{{1, 5, 19, FRESH}, {3, 30, 35, FRESH}}, 2, 3, {{2, 20, 29}},
		1},
	    {"an archive that begins on a later timeline",
		{backup(3, 33, 34, 2)}, 1, {{3, 33, 39, FRESH}}, 1, 3, {{0}},
		0},
	    {"names far apart", {backup(1, 5, 6, 2)}, 1,
		{{1, 5, 9, FRESH}, {1, UINT64_MAX / SEGMENT - 5,
				       UINT64_MAX / SEGMENT - 5, FRESH}},
		2, 1, {{1, 10, UINT64_MAX / SEGMENT - 6}}, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++)
		expect(&worlds[i]);
}

/* The one hole there is. */
static void
expect_hole(const struct retain_input *in, const struct retain_policy *rules,
    uint64_t first, uint64_t last)
{
	struct chain_list l;
	struct fault f = FAULT_INIT;

	assert_int_equal(chain_missing(in, rules, NULL, &l, &f), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.h[0].first, first);
	assert_int_equal(l.h[0].last, last);
	chain_free(&l);
}

/* Between two backups the WAL from 4 to 11 is gone. */
static struct world
gone(void)
{
	return (struct world){"gone",
	    {backup(1, 2, 3, 25), backup(1, 12, 13, 15)}, 2,
	    {{1, 2, 3, STALE}, {1, 12, 19, FRESH}}, 2, 1, {{0}}, 0};
}

/* A held range keeps its WAL; what was let go before the hold is not in it. */
static void
test_holds(void **state)
{
	const struct retain_bound bound = {1, 8};
	struct retain_hold hold = {.id = "h",
	    .until_us = CLOCK_NONE,
	    .from_us = NOW - 24 * DAY,
	    .to_us = NOW - 22 * DAY,
	    .bounds = &bound,
	    .n_bounds = 1};
	const struct world w = gone();
	struct retain_input in = input(&w);

	(void)state;
	in.holds = &hold;
	in.n_holds = 1;
	expect_hole(&in, &policy, 4, 8);
}

static void
test_nothing_let_go(void **state)
{
	const struct world w = gone();
	struct retain_input in = input(&w);

	(void)state;
	expect_hole(&in, NULL, 4, 11);
}

static void
effects_of(const struct world *w, struct chain_hole h,
    const struct chain_effect *want, size_t n_want)
{
	struct retain_input in = input(w);
	const bool usable[] = {true, true, true};
	struct chain_effect *e;
	struct fault f = FAULT_INIT;
	size_t n;

	assert_int_equal(chain_effects(&in, usable, NULL, &h, &e, &n, &f), 0);
	assert_int_equal(n, n_want);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(e[i].timeline, want[i].timeline);
		assert_int_equal(e[i].before, want[i].before);
		assert_int_equal(e[i].until, want[i].until);
	}
	free(e);
}

static void
test_effects(void **state)
{
	const struct world w = {"two timelines",
	    {backup(1, 5, 6, 9), backup(1, 12, 13, 8), backup(2, 23, 24, 7)}, 3,
	    {{1, 5, 23, FRESH}, {2, 20, 29, FRESH}}, 2, 2, {{0}}, 0};
	const struct chain_effect between[] = {{1, 0, 1}, {2, 0, 1}};
	const struct chain_effect at_fork[] = {{1, 1, CHAIN_NONE}, {2, 1, 2}};
	const struct chain_effect old_tail[] = {{1, 1, CHAIN_NONE}};
	const struct chain_effect new_one[] = {{2, 2, CHAIN_NONE}};

	(void)state;
	effects_of(&w, (struct chain_hole){1, 9, 10}, between, 2);
	effects_of(&w, (struct chain_hole){1, 18, 18}, at_fork, 2);
	effects_of(&w, (struct chain_hole){1, 22, 22}, old_tail, 1);
	effects_of(&w, (struct chain_hole){2, 27, 27}, new_one, 1);
	effects_of(&w, (struct chain_hole){1, 2, 2}, NULL, 0);
	/* Behind all there is, nothing is lost. */
	effects_of(&w, (struct chain_hole){2, 30, 30}, NULL, 0);
	/* Where nothing is missing but the way: a backup that begins behind it
	 * is whole. */
	effects_of(&w, (struct chain_hole){1, 12, 11}, between, 2);
	effects_of(&w, (struct chain_hole){2, 20, 19}, &at_fork[1], 1);
	effects_of(&w, (struct chain_hole){2, 23, 22}, &at_fork[1], 1);
	effects_of(&w, (struct chain_hole){1, 22, 21}, old_tail, 1);
}

static void
test_hits(void **state)
{
	const struct world w = {"hits", {backup(1, 5, 8, 2)}, 1,
	    {{1, 5, 9, FRESH}}, 1, 1, {{0}}, 0};
	struct retain_input in = input(&w);
	const struct {
		struct chain_hole h;
		bool hits;
	} rows[] = {{{1, 1, 4}, false}, {{1, 1, 5}, true}, {{1, 6, 6}, true},
	    {{1, 8, 20}, true}, {{1, 9, 9}, false}, {{2, 6, 6}, false},
	    {{1, 5, 4}, false}, {{1, 6, 5}, true}, {{1, 8, 7}, true},
	    {{1, 9, 8}, false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(chain_hits(&in, 0, &rows[i].h), rows[i].hits);
}

static void
test_without(void **state)
{
	const struct world w = {"without", {backup(1, 5, 8, 2)}, 1,
	    {{1, 5, 9, FRESH}, {1, 10, 19, FRESH}, {2, 5, 9, FRESH}}, 3, 2,
	    {{0}}, 0};
	struct retain_input in = input(&w);
	struct chain_hole holes[] = {
	    {1, 5, 5}, {1, 8, 11}, {1, 15, 15}, {1, 18, 17}};
	const struct chain_list l = {holes, 4};
	const struct retain_wal want[] = {{1, 6, 7, 0}, {1, 12, 14, 0},
	    {1, 16, 17, 0}, {1, 18, 19, 0}, {2, 5, 9, 0}};
	struct retain_wal *left;
	struct fault f = FAULT_INIT;
	size_t n;

	(void)state;
	assert_int_equal(chain_without(&in, &l, &left, &n, &f), 0);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(left[i].timeline, want[i].timeline);
		assert_int_equal(left[i].first, want[i].first);
		assert_int_equal(left[i].last, want[i].last);
	}
	free(left);
}

/* What was cut off behind the newest segment. */
static void
test_tails(void **state)
{
	struct world w = {.backups = {backup(1, 5, 6, 3)},
	    .n_backups = 1,
	    .wal = {{1, 5, 12, NOW - DAY}},
	    .n_wal = 1,
	    .n_paths = 1};
	struct retain_wal seen[] = {
	    {1, 15, 15, NOW - DAY}, {2, 24, 24, NOW - DAY}};
	struct chain_tails tails = {seen, 1};
	struct retain_input in = input(&w);
	struct chain_effect *e;
	struct chain_list l;
	struct fault f = FAULT_INIT;
	const bool usable[] = {true};
	size_t n;

	(void)state;
	assert_int_equal(chain_missing(&in, &policy, NULL, &l, &f), 0);
	assert_int_equal(l.n, 0);
	assert_int_equal(chain_missing(&in, &policy, &tails, &l, &f), 0);
	assert_int_equal(l.n, 1);
	assert_true(
	    l.h[0].timeline == 1 && l.h[0].first == 13 && l.h[0].last == 15);
	assert_int_equal(
	    chain_effects(&in, usable, &tails, &l.h[0], &e, &n, &f), 0);
	assert_int_equal(n, 1);
	assert_int_equal(e[0].timeline, 1);
	free(e);
	chain_free(&l);
	/* All of timeline 2 but its history file. */
	tails = (struct chain_tails){seen + 1, 1};
	w.wal[0].last = 20;
	in.n_paths = 2;
	assert_int_equal(chain_missing(&in, &policy, &tails, &l, &f), 0);
	assert_int_equal(l.n, 1);
	assert_true(
	    l.h[0].timeline == 2 && l.h[0].first == 20 && l.h[0].last == 24);
	chain_free(&l);
	/* What no window keeps was let go: WAL of timeline 1 behind the fork,
	 * written longer ago than the window. */
	w.wal[0] = (struct retain_wal){1, 5, 19, NOW - 40 * DAY};
	w.wal[1] = (struct retain_wal){2, 20, 24, NOW - DAY};
	w.n_wal = in.n_wal = 2;
	w.backups[0] = backup(1, 5, 6, 41);
	w.backups[1] = backup(2, 21, 22, 2);
	in.n_backups = 2;
	seen[0] = (struct retain_wal){1, 25, 25, NOW - 40 * DAY};
	tails = (struct chain_tails){seen, 2};
	assert_int_equal(chain_missing(&in, &policy, &tails, &l, &f), 0);
	assert_int_equal(l.n, 0);
	chain_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tails),
	    cmocka_unit_test(test_missing),
	    cmocka_unit_test(test_holds),
	    cmocka_unit_test(test_nothing_let_go),
	    cmocka_unit_test(test_effects),
	    cmocka_unit_test(test_hits),
	    cmocka_unit_test(test_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
