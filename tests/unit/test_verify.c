/* What a verification remembers, draws and adds up. */
#include <errno.h>
#include <stdlib.h>

#include "backupcheck.h"
#include "blocks.h"
#include "evidence.h"
#include "lottery.h"
#include "tiles.h"
#include "unit.h"

/* ---- blocks ---- */

struct listing {
	uint64_t size[200]; /* by segment number; 0: not there */
	int64_t time;
};

static void
list(struct blocks *b, const struct listing *l, const struct blocks_mark *known,
    size_t n)
{
	struct fault f = FAULT_INIT;

	blocks_begin(b, known, n);
	for (uint32_t s = 0; s < 200; s++) {
		struct walname w = {
		    .kind = WALNAME_SEGMENT, .timeline = 1, .seg = s};
		char name[WALNAME_SIZE];

		if (l->size[s] == 0)
			continue;
		walname_format(1, s, 1U << 20, name);
		assert_int_equal(
		    blocks_add(b, &w, name, l->size[s], l->time + s, &f), 0);
	}
	assert_int_equal(blocks_end(b, &f), 0);
}

static bool
was_read(const struct blocks *b, uint32_t segno)
{
	struct walname w = {
	    .kind = WALNAME_SEGMENT, .timeline = 1, .seg = segno};

	return blocks_was_read(blocks_find(b, &w), &w);
}

/* All of it was read. */
static size_t
remember(struct blocks *b, struct blocks_mark *marks)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		b->b[i].done = b->b[i].all.files;
		n += blocks_mark_of(&b->b[i], 7, &marks[n]);
	}
	return n;
}

/* Segments 10 to 149, all of them read. */
static struct listing first;
static struct blocks_mark marks[8];

static size_t
read_first(void)
{
	struct blocks b;
	size_t n;

	for (uint32_t s = 10; s < 150; s++)
		first.size[s] = 1000 + s;
	list(&b, &first, NULL, 0);
	assert_int_equal(b.n, 3);
	assert_false(was_read(&b, 10));
	n = remember(&b, marks);
	blocks_free(&b);
	return n;
}

static void
test_blocks(void **state)
{
	struct blocks_mark again[8];
	struct blocks b;
	size_t n = read_first();

	(void)state;
	assert_int_equal(n, 3);
	assert_true(blocks_in_order(&marks[0], &marks[1]));
	list(&b, &first, marks, n);
	assert_true(was_read(&b, 10) && was_read(&b, 100) && was_read(&b, 149));
	assert_int_equal(remember(&b, again), 3);
	blocks_free(&b);
}

/* More came: that is not known, what was before is. */
static void
test_blocks_that_grow(void **state)
{
	static struct listing now;
	struct blocks_mark again[8];
	struct blocks b;
	size_t n = read_first();

	(void)state;
	now = first;
	now.size[150] = now.size[151] = 5;
	list(&b, &now, marks, n);
	assert_true(was_read(&b, 149));
	assert_false(was_read(&b, 150));
	/* Nothing was read of it now: only the old mark stays. */
	assert_true(blocks_mark_of(&b.b[2], 9, &again[0]));
	assert_int_equal(again[0].last, 149);
	b.b[2].done = 2;
	assert_true(blocks_mark_of(&b.b[2], 9, &again[0]));
	assert_int_equal(again[0].last, 151);
	assert_int_equal(again[0].read_us, 7);
	b.b[2].known = NULL;
	assert_false(blocks_mark_of(&b.b[2], 9, &again[0]));
	blocks_free(&b);
}

/* Each unsettles its block and no other. */
static void
test_blocks_that_differ(void **state)
{
	static struct listing now;
	struct blocks b;
	size_t n = read_first();

	(void)state;
	/* One is gone, another has another length, or is new. */
	now = first;
	now.size[20] = 0;
	list(&b, &now, marks, n);
	assert_false(was_read(&b, 10));
	assert_true(was_read(&b, 64) && was_read(&b, 149));
	blocks_free(&b);
	now = first;
	now.size[100]++;
	list(&b, &now, marks, n);
	assert_true(was_read(&b, 10) && was_read(&b, 149));
	assert_false(was_read(&b, 64));
	blocks_free(&b);
	now = first;
	now.size[9] = 1;
	list(&b, &now, marks, n);
	assert_false(was_read(&b, 10));
	blocks_free(&b);
	/* Put anew, at another time. */
	now = first;
	now.time = 1;
	list(&b, &now, marks, n);
	assert_false(was_read(&b, 10) || was_read(&b, 149));
	blocks_free(&b);
	/* The last one gone. */
	now = first;
	now.size[149] = 0;
	list(&b, &now, marks, n);
	assert_false(was_read(&b, 148));
	assert_true(was_read(&b, 127));
	blocks_free(&b);
}

/* ---- lottery ---- */

static void
test_percent(void **state)
{
	const struct {
		const char *text;
		uint32_t share; /* 0: wrong */
	} rows[] = {{"25", 2500}, {"100", 10000}, {"0.5", 50}, {"0.01", 1},
	    {"12.34", 1234}, {"1.5", 150}, {"0", 0}, {"0.00", 0}, {"101", 0},
	    {"100.01", 0}, {"", 0}, {"x", 0}, {"1.", 0}, {".5", 0},
	    {"1.234", 0}, {"-1", 0}, {"1 ", 0}, {"9999999999", 0},
	    {"1.2.3", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fault f = FAULT_INIT;
		uint32_t share = 0;
		int rc = lottery_percent(rows[i].text, &share, &f);

		if (rc != (rows[i].share == 0 ? FAULT_CONFIG : 0) ||
		    share != rows[i].share)
			fail_msg("\"%s\": %d, %u", rows[i].text, rc, share);
	}
}

static void
test_draws(void **state)
{
	struct lottery l = {.seed = 1, .share = 2500}, other = l, all = l;
	unsigned drawn = 0, differ = 0;

	(void)state;
	other.seed = 2;
	all.share = LOTTERY_ALL;
	for (uint32_t i = 0; i < 10000; i++) {
		bool a = lottery_draws(&l, "name", i);

		drawn += a;
		differ += a != lottery_draws(&other, "name", i);
		assert_int_equal(a, lottery_draws(&l, "name", i));
		assert_true(lottery_draws(&all, "name", i));
	}
	assert_in_range(drawn, 2200, 2800);
	assert_in_range(differ, 3000, 4500);
}

/* ---- tiles ---- */

struct piece {
	const char *path;
	uint64_t size;
	uint64_t offset;
	uint64_t length;
};

static bool
whole(const struct piece *p, size_t n)
{
	const unsigned char seed[16] = "0123456789abcde";
	struct tiles t;

	tiles_begin(&t, seed);
	for (size_t i = 0; i < n; i++)
		tiles_add(&t, p[i].path, p[i].size, p[i].offset, p[i].length);
	return tiles_whole(&t);
}

static void
test_tiles(void **state)
{
	const struct {
		bool whole;
		size_t n;
		struct piece p[5];
	} rows[] = {
	    {true, 0, {{0}}},
	    {true, 1, {{"a", 10, 0, 10}}},
	    {true, 4,
		{{"a", 10, 7, 3}, {"b", 5, 0, 5}, {"a", 10, 0, 4},
		    {"a", 10, 4, 3}}},
	    /* a hole, an overlap, the end missing, the beginning missing */
	    {false, 2, {{"a", 10, 0, 4}, {"a", 10, 5, 5}}},
	    {false, 2, {{"a", 10, 0, 6}, {"a", 10, 5, 5}}},
	    {false, 2, {{"a", 10, 0, 4}, {"a", 10, 4, 5}}},
	    {false, 1, {{"a", 10, 4, 6}}},
	    /* a hole and an overlap of one length: the totals are right */
	    {false, 4,
		{{"a", 10, 0, 5}, {"a", 10, 6, 4}, {"b", 10, 0, 6},
		    {"b", 10, 5, 5}}},
	    /* one piece twice, another not at all */
	    {false, 3, {{"a", 9, 0, 3}, {"a", 9, 3, 3}, {"a", 9, 3, 3}}},
	    /* pieces of one file that do not agree on its size */
	    {false, 2, {{"a", 10, 0, 5}, {"a", 11, 5, 5}}},
	    /* another file's */
	    {false, 2, {{"a", 10, 0, 5}, {"b", 10, 5, 5}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (whole(rows[i].p, rows[i].n) != rows[i].whole)
			fail_msg("row %zu", i);
}

/* ---- reports ---- */

#define ID "20261122T020000Z-1a2b3c4d"
#define SUM "abababababababababababababababababababababababababababababababab"
#define MARK(first, last)                                                      \
	"{\"timeline\":1,\"log\":0,\"first\":" first ",\"last\":" last         \
	",\"files\":9,\"sum\":\"" SUM "\",\"read_us\":7}"
#define REPORT(id, wal, backups)                                               \
	"{\"format\":1,\"id\":\"" id "\",\"read\":{\"wal\":[" wal              \
	"],\"backups\":[" backups "]}}"
/* With what it hands on. */
#define PAST(members)                                                          \
	"{\"format\":1,\"id\":\"" ID "\",\"read\":{\"wal\":[],"                \
	"\"backups\":[]}," members "}"
#define PRUNE(at, from) "{\"at_us\":" at ",\"wal_window_from_us\":" from "}"
#define TAIL(last, at) "{\"last\":" last ",\"archived_us\":" at "}"
#define BACKUP(id, sum)                                                        \
	"{\"id\":\"" id "\",\"objects\":3,\"sum\":\"" sum "\",\"read_us\":7}"

static void
test_reports(void **state)
{
	static const char good[] =
	    REPORT(ID, MARK("3", "9") "," MARK("64", "127"),
		BACKUP("20261122T010000Z-full-1a2b3c4d", SUM));
	struct evidence e;
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(evidence_decode(good, strlen(good), ID, &e, &f), 0);
	assert_int_equal(e.n_wal, 2);
	assert_int_equal(e.wal[1].first, 64);
	assert_non_null(evidence_find(&e, "20261122T010000Z-full-1a2b3c4d"));
	assert_null(evidence_find(&e, "20261122T010000Z-full-1a2b3c4e"));
	evidence_free(&e);
}

static void
test_reports_hand_on(void **state)
{
	static const char past[] = PAST("\"prunings\":[" PRUNE(
	    "5", "6") "," PRUNE("7",
	    "8") "],"
		 "\"tails\":[" TAIL("\"0000000300000002000000F1\"", "9") "]");
	struct evidence_prune *prunes;
	struct evidence_tail *tails;
	size_t n;
	struct evidence e;
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(evidence_decode(past, strlen(past), ID, &e, &f), 0);
	assert_int_equal(evidence_past_prunes(e.all, &prunes, &n, &f), 0);
	assert_int_equal(n, 2);
	assert_int_equal(prunes[1].floor_us, 8);
	free(prunes);
	assert_int_equal(evidence_past_tails(e.all, &tails, &n, &f), 0);
	assert_int_equal(n, 1);
	assert_int_equal(tails[0].name.timeline, 3);
	assert_int_equal(tails[0].name.seg, 0xf1);
	assert_int_equal(tails[0].archived_us, 9);
	free(tails);
	evidence_free(&e);
}

static void
test_reports_that_are_none(void **state)
{
	static const char *const bad[] = {
	    "",
	    "{}",
	    "[]",
	    REPORT("20261122T020000Z-1a2b3c4e", "", ""),
	    REPORT(ID, MARK("64", "70") "," MARK("3", "9"), ""),
	    REPORT(ID, MARK("3", "9") "," MARK("10", "11"), ""),
	    REPORT(ID, MARK("9", "3"), ""),
	    REPORT(ID, MARK("-1", "3"), ""),
	    REPORT(ID, MARK("4294967296", "4294967297"), ""),
	    REPORT(ID, "", BACKUP("../x", SUM)),
	    REPORT(ID, "", BACKUP("20261122T010000Z-full-1a2b3c4d", "ab")),
	    PAST("\"prunings\":{}"),
	    PAST("\"prunings\":[1]"),
	    PAST("\"prunings\":[" PRUNE("1", "-1") "]"),
	    PAST("\"prunings\":[" PRUNE("7258118400000001", "1") "]"),
	    PAST("\"prunings\":[" PRUNE("1", "1") "," PRUNE("\"1\"", "1") "]"),
	    PAST("\"tails\":7"),
	    PAST("\"tails\":[[]]"),
	    PAST("\"tails\":[" TAIL("1", "1") "]"),
	    PAST("\"tails\":[" TAIL("\"../x\"", "1") "]"),
	    PAST("\"tails\":[" TAIL("\"00000002.history\"", "1") "]"),
	    PAST("\"tails\":[" TAIL(
		"\"000000010000000000000001\"", "\"x\"") "]"),
	};
	struct evidence e;
	struct fault f = FAULT_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (evidence_decode(bad[i], strlen(bad[i]), ID, &e, &f) !=
		    FAULT_CORRUPT)
			fail_msg("%s", bad[i]);
}

/* What tells of an object, and what of the host that reads it. */
static void
test_tells(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	fault_set(&f, FAULT_CORRUPT, "x");
	assert_true(backupcheck_tells(&f));
	fault_errno(&f, EIO, "x");
	assert_true(backupcheck_tells(&f));
	fault_errno(&f, EMFILE, "x");
	assert_false(backupcheck_tells(&f));
	fault_nomem(&f);
	assert_false(backupcheck_tells(&f));
	fault_set(&f, FAULT_AGAIN, "x");
	assert_false(backupcheck_tells(&f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tells),
	    cmocka_unit_test(test_blocks),
	    cmocka_unit_test(test_blocks_that_grow),
	    cmocka_unit_test(test_blocks_that_differ),
	    cmocka_unit_test(test_percent),
	    cmocka_unit_test(test_draws),
	    cmocka_unit_test(test_tiles),
	    cmocka_unit_test(test_reports),
	    cmocka_unit_test(test_reports_hand_on),
	    cmocka_unit_test(test_reports_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
