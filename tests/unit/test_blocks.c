/* What a verification remembers of the WAL, block by block. */
#include "unit.h"

#include "blocks.h"

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
what_is_listed_as_before_is_known(void **state)
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
what_came_behind_the_end_is_not_known_and_the_rest_is(void **state)
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
what_is_listed_otherwise_unsettles_its_block_alone(void **state)
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_listed_as_before_is_known),
	    cmocka_unit_test(
		what_came_behind_the_end_is_not_known_and_the_rest_is),
	    cmocka_unit_test(
		what_is_listed_otherwise_unsettles_its_block_alone),
	};

	return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}
