/* Memory that is used again: what is kept, for whom, and how much of it. */
#include <string.h>

#include "unit.h"

#include "archive_spare.h"

#define MOST ((size_t)1 << 20)
#define NEED ((size_t)600000)

static struct archive_spare *
begin(void)
{
	struct fault f = FAULT_INIT;
	struct archive_spare *s = NULL;

	assert_int_equal(archive_spare_new(&s, MOST, &f), 0);
	return s;
}

/* An object of so many bytes comes and goes; what it was given. */
static size_t
object(struct archive_spare *s, size_t need, size_t len, void **data)
{
	struct fault f = FAULT_INIT;
	struct buf b = BUF_INIT(MOST * 16);
	size_t taken = archive_spare_take(s, need, &b);

	assert_int_equal(b.len, 0);
	assert_true(b.data == NULL || b.cap >= need);
	assert_int_equal(buf_reserve(&b, need, &f), 0);
	memset(b.data, 'x', len);
	b.len = len;
	*data = b.data;
	archive_spare_give(s, &b, taken);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	return taken;
}

static void
the_next_one_gets_it(void **state)
{
	struct archive_spare *s = begin();
	void *first, *second;

	(void)state;
	assert_int_equal(object(s, NEED, 1000, &first), 0);
	assert_int_equal(object(s, NEED, 10, &second), 1000);
	assert_ptr_equal(first, second);
	/* As much as was ever written to it. */
	assert_int_equal(object(s, NEED, 5000, &second), 1000);
	assert_int_equal(object(s, NEED, 1, &second), 5000);
	archive_spare_free(s);
}

static void
not_what_is_too_small_or_much_too_large(void **state)
{
	struct archive_spare *s = begin();
	void *p;

	(void)state;
	assert_int_equal(object(s, NEED, 1000, &p), 0);
	assert_int_equal(object(s, NEED + 1, 2000, &p), 0);
	assert_int_equal(object(s, NEED / 3, 3, &p), 0);
	assert_int_equal(object(s, NEED / 3, 4, &p), 3);
	assert_int_equal(object(s, NEED + 1, 1, &p), 2000);
	assert_int_equal(object(s, NEED, 1, &p), 2000);
	archive_spare_free(s);
}

static void
no_more_is_kept_than_was_agreed(void **state)
{
	struct archive_spare *s = begin();
	const size_t share = MOST / ARCHIVE_SPARE_SHARE;
	struct buf b[6];
	struct fault f = FAULT_INIT;
	size_t kept = 0;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		buf_init(&b[i], MOST * 2);
		assert_int_equal(archive_spare_take(s, MOST, &b[i]), 0);
		assert_int_equal(buf_reserve(&b[i], MOST, &f), 0);
		memset(b[i].data, 'x', share);
		b[i].len = share;
	}
	for (size_t i = 0; i < 6; i++)
		archive_spare_give(s, &b[i], 0);
	for (size_t i = 0; i < 6; i++)
		kept += archive_spare_take(s, MOST, &b[i]) > 0;
	assert_int_equal(kept, 4);
	/* What is taken makes room. */
	for (size_t i = 0; i < 2; i++) {
		b[i].len = 1;
		archive_spare_give(s, &b[i], share);
	}
	assert_int_equal(archive_spare_take(s, MOST, &b[4]), share);
	assert_int_equal(archive_spare_take(s, MOST, &b[5]), share);
	/* One that was large once is large. */
	b[4].len = share + 1;
	archive_spare_give(s, &b[4], share);
	assert_int_equal(archive_spare_take(s, MOST, &b[4]), 0);
	b[5].len = 1;
	archive_spare_give(s, &b[5], share + 1);
	assert_int_equal(archive_spare_take(s, MOST, &b[5]), 0);
	buf_free(&b[2]);
	buf_free(&b[3]);
	archive_spare_free(s);
}

static void
nothing_is_no_memory(void **state)
{
	struct archive_spare *s = begin();
	struct buf b = BUF_INIT(MOST);

	(void)state;
	archive_spare_give(s, &b, 0);
	assert_int_equal(archive_spare_take(s, 0, &b), 0);
	assert_null(b.data);
	archive_spare_free(s);
	archive_spare_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_next_one_gets_it),
	    cmocka_unit_test(not_what_is_too_small_or_much_too_large),
	    cmocka_unit_test(no_more_is_kept_than_was_agreed),
	    cmocka_unit_test(nothing_is_no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
