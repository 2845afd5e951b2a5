#include "manifest_world.h"

/* Which paths a manifest may hold. */

static void
only_paths_that_stay_below_the_root_are_taken(void **state)
{
	static const char *const good[] = {"a", "base/1", "..a", "a..", "...",
	    "a/b/c.d", ".x", "pg_tblspc/1/x"};
	static const char *const bad[] = {"", "/", "/etc", "a/", "a//b", ".",
	    "..", "../a", "a/..", "a/../b", "./a", "a/./b"};
	char longest[MANIFEST_PATH + 1];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(manifest_path_ok(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(manifest_path_ok(bad[i], strlen(bad[i])));
	assert_false(manifest_path_ok("a\0b", 3));
	memset(longest, 'a', sizeof longest);
	assert_true(manifest_path_ok(longest, MANIFEST_PATH - 1));
	assert_false(manifest_path_ok(longest, MANIFEST_PATH));
}

/* One file: without content, or whole in an extent of its own. */
static int
put_file(
    struct manifest_writer *w, const char *path, uint32_t size, struct fault *f)
{
	const struct manifest_entry e = {'F', path, NULL, 0600, 1};
	const struct manifest_piece q = {path, 0600, 1, size, 0, 0, size, {0}};
	const struct manifest_extent x = {{50, 20, 1, size}, &q, 1};
	const struct manifest_pack p = {"I/p", 200, &x, 1};

	return size == 0 ? manifest_put_entry(w, &e, f)
			 : manifest_put_pack(w, &p, f);
}

/* Two paths, each a folder (-1) or a file of so many bytes; the second with
 * other letters, which is then made what it is. */
struct pair {
	const char *first;
	int first_size;
	const char *second;
	int second_size;
	const char *other; /* as long as second */
	const char *why;
};

static const struct pair pairs[] = {
    {"base/x", 0, "base/x", 0, "base/y", "is listed twice"},
    {"base/x", 0, "base/x", 5, "base/y", "is listed twice"},
    {"base/x", 5, "base/x", 0, "base/y", "is listed twice"},
    {"base/x", 5, "base/x", 5, "base/y", "is listed twice"},
    {"base/x", 5, "base/x", 6, "base/y", "is listed twice"},
    {"base/x", 0, "base/x", -1, "base/y", "is a file and a folder"},
    {"base/x", 5, "base/x", -1, "base/y", "is a file and a folder"},
    {"base/x", -1, "base/x", 0, "base/y", "is a file and a folder"},
    {"base/x", -1, "base/x", 5, "base/y", "is a file and a folder"},
    {"base/x/z", 5, "base/x", 5, "base/y", "is a file and a folder"},
    {"base/x/z", -1, "base/x", 0, "base/y", "is a file and a folder"},
    {"base/x", 0, "base/x/z", 5, "base/y/z", "lies below a file"},
    {"base/x", 5, "base/x/z", -1, "base/y/z", "lies below a file"},
    {"base/x", 5, "base/x/a/b", 5, "base/y/a/b", "lies below a file"},
};

static int
put(struct manifest_writer *w, const char *path, int size, struct fault *f)
{
	const struct manifest_entry e = {'D', path, NULL, 0700, 1};

	return size < 0 ? manifest_put_entry(w, &e, f)
			: put_file(w, path, (uint32_t)size, f);
}

/* The first, and the second with its other letters. */
static struct manifest_writer *
write_pair(const struct pair *p)
{
	struct manifest_writer *w;
	struct fault f = FAULT_INIT;

	buf_clear(&content);
	assert_int_equal(manifest_writer_new(&w, NULL, &f), 0);
	assert_int_equal(put(w, p->first, p->first_size, &f), 0);
	assert_int_equal(put(w, p->other, p->second_size, &f), 0);
	return w;
}

static void
paths_that_are_no_one_tree_are_not_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		const struct pair *p = &pairs[i];
		struct manifest_writer *w = write_pair(p);
		struct fault f = FAULT_INIT;

		assert_int_equal(
		    put(w, p->second, p->second_size, &f), FAULT_SYSTEM);
		assert_non_null(strstr(f.text, p->why));
		assert_non_null(strstr(f.text, "take another one"));
		manifest_writer_free(w);
	}
}

static void
paths_that_are_no_one_tree_are_corrupt(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		const struct pair *p = &pairs[i];
		const size_t n = strlen(p->other);
		struct manifest_writer *w = write_pair(p);
		struct manifest_totals t;
		struct told told = {BUF_INIT(65536)};
		struct fault f = FAULT_INIT;
		size_t at = 0;

		assert_int_equal(manifest_writer_end(w, &t, &f), 0);
		manifest_writer_free(w);
		assert_int_equal(read_all(content.data, content.len, 1U << 20,
				     &told, &t, &f),
		    0);
		while (memcmp(content.data + at, p->other, n) != 0)
			at++;
		memcpy(content.data + at, p->second, n);
		assert_int_equal(read_all(content.data, content.len, 1U << 20,
				     &told, &t, &f),
		    FAULT_CORRUPT);
		assert_non_null(strstr(f.text, p->why));
		buf_free(&told.text);
	}
}

/* PostgreSQL 16 does that with the folder of a tablespace in place. */
static void
a_folder_may_come_twice(void **state)
{
	const struct manifest_entry e = {'D', "pg_tblspc/1", NULL, 0700, 1};
	struct manifest_writer *w;
	struct manifest_totals t;
	struct told told = {BUF_INIT(65536)};
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(manifest_writer_new(&w, NULL, &f), 0);
	assert_int_equal(manifest_put_entry(w, &e, &f), 0);
	assert_int_equal(manifest_put_entry(w, &e, &f), 0);
	assert_int_equal(manifest_writer_end(w, &t, &f), 0);
	manifest_writer_free(w);
	assert_int_equal(
	    read_all(content.data, content.len, 1U << 20, &told, &t, &f), 0);
	buf_free(&told.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(only_paths_that_stay_below_the_root_are_taken),
	    T(a_folder_may_come_twice),
	    T(paths_that_are_no_one_tree_are_not_written),
	    T(paths_that_are_no_one_tree_are_corrupt),
	};

	return cmocka_run_group_tests_name(
	    "manifest, paths", tests, NULL, NULL);
}
